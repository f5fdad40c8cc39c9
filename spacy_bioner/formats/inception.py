"""INCEpTION: UIMA CAS as XMI, a file a document, and the type system beside them."""

import io
import re
import warnings
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, List, Optional, Set
from urllib.parse import quote, unquote

from ..annotation import Annotation, Mention, check_score
from ..errors import BionerError, Errors
from ..extras import extra
from ..files import fill_folder
from ..loading import BROKEN_CONTENT, read_bounded
from .parsing.folders import list_files, refuse_outside
from .parsing.identifiers import join_identifiers, read_identifiers
from .parsing.problems import Problems, Written, note_losses, strict_unless, untold
from .parsing.spans import Stated, ground_mentions

_ENTITY = "de.tudarmstadt.ukp.dkpro.core.api.ner.type.NamedEntity"
_CUSTOM = "webanno.custom."
# Stands beside the documents of an export, and is none itself.
TYPE_SYSTEM = "TypeSystem.xml"
_SAFE = " !,;=@()[]{}+~'"


def read_inception(path: Path, *, problems: Optional[Problems] = None) -> Iterator[Annotation]:
    """Read exports as "UIMA CAS XMI", unpacked.

    path (Path): A folder of `.xmi` files with `TypeSystem.xml`, or one of its files.
    problems (Optional[Problems]): Takes note of what cannot be read; without it that is an error.
    YIELDS (Annotation): The documents, by the names of their files. Mentions are named entities, and spans of layers
        of the project that have a feature `label` or `value`.
    RAISES BionerError: E001 without XMI or type system, E011 for what is none, E706 without the extra `tools`.
    """
    problems = strict_unless(problems)
    path = Path(path)
    folder = path if path.is_dir() else path.parent
    files = list_files(path, (".xmi",)) if path.is_dir() else [path]
    types = _load_types(folder / TYPE_SYSTEM)
    if not files:
        raise BionerError(Errors.E001.format(path=path, wanted="folder of .xmi files"))
    for file_ in files:
        if file_ != path:
            refuse_outside(file_, folder)
        cas = _load(file_, types, problems)
        text = cas.sofa_string
        if not isinstance(text, str):
            problems.add("no_text", str(file_))
            continue
        stated = [one for entity in _find_entities(cas) for one in _read_entity(entity, str(file_), problems)]
        yield Annotation(text, ground_mentions(text, stated, problems=problems), id=unquote(file_.stem))


def find_undeclared(path: Path) -> Dict[str, Any]:
    """Return the details that entities of a project cannot have, since its type system does not declare them.

    path (Path): A folder as `read_inception` takes it, or one of its files.
    RETURNS (Dict[str, Any]): They, empty, as arguments of a `Mention`.
    """
    types = _load_types((path if path.is_dir() else path.parent) / TYPE_SYSTEM)
    declared = {feature.name for type_ in types.get_types() if type_.name == _ENTITY for feature in type_.all_features}
    return {key: empty for feature, key, empty in (("identifier", "ids", ()), ("note", "note", None))
            if feature not in declared}


def _load_types(path: Path) -> Any:
    with extra("tools"):
        from cassis import load_typesystem
        from lxml.etree import LxmlError

    content = io.BytesIO(read_bounded(path))
    try:
        return load_typesystem(content)
    except (*BROKEN_CONTENT, LxmlError) as error:
        raise BionerError(Errors.E011.format(path=path, wanted="a type system of UIMA", why=error)) from None


def _load(path: Path, types: Any, problems: Problems) -> Any:
    """Read a document; what the type system does not know is noted."""
    with extra("tools"):
        from cassis import load_cas_from_xmi
        from lxml.etree import LxmlError

    content = io.BytesIO(read_bounded(path))
    with warnings.catch_warnings(record=True) as unknown:
        warnings.simplefilter("always")
        try:
            cas = load_cas_from_xmi(content, typesystem=types, lenient=True)
        except (*BROKEN_CONTENT, LxmlError) as error:
            raise BionerError(Errors.E011.format(path=path, wanted="UIMA CAS as XMI", why=error)) from None
    for warning in unknown:
        problems.add("other_annotation", str(path), str(warning.message)[:80])
    return cas


def _find_entities(cas: Any) -> List[Any]:
    return [one for one in cas.select_all_annotations() if one.type.name == _ENTITY
            or one.type.name.startswith(_CUSTOM)]


def _read_entity(entity: Any, path: str, problems: Problems) -> Iterator[Stated]:
    """Yield an entity with its label; the other features of its layer are attributes."""
    place = f"{path}, {entity.begin}-{entity.end}"
    # By the type, since an entity also has methods of such names.
    features = {feature.name: getattr(entity, feature.name) for feature in entity.type.all_features}
    if "Governor" in features:
        problems.add("relation", place, str(entity.type.name))
        return
    label = features.get("value") or features.get("label")
    if not isinstance(label, str) or not label.strip():
        problems.add("bad_line", place, "no label")
        return
    details: Dict[str, Any] = {}
    attributes: Dict[str, Any] = {}
    for name, value in features.items():
        if name in ("begin", "end", "sofa", "value", "label", "score") or value is None:
            continue
        if name == "identifier":
            details["ids"] = read_identifiers(value, label, place=place, problems=problems)
        elif name == "note":
            details["note"] = str(value)
        elif isinstance(value, (str, int, float, bool)):
            attributes[name] = value
        else:
            problems.add("extra_column", place, name)
    if attributes:
        details["attributes"] = attributes
    try:
        score = check_score(features.get("score"))
    except BionerError as error:
        raise BionerError(Errors.E030.format(place=place, why=error)) from None
    yield Stated(entity.begin, entity.end, label.strip(), None, place, score=score, details=details)


def write_inception(path: Path, annotations: Iterable[Annotation], *, problems: Optional[Problems] = None,
                    written: Written = untold) -> int:
    """Write a folder for import as "UIMA CAS XMI", whole or not at all; one that holds only such files is replaced.

    path (Path): The folder.
    annotations (Iterable[Annotation]): The documents; what a file name cannot hold of an id is percent-encoded.
    problems (Optional[Problems]): Takes note of what the format cannot hold; without it that is an error.
    written (Written): Is told each document as it was written, before the next is taken.
    RETURNS (int): How many documents were written.
    RAISES BionerError: E023 where the folder holds other files, E706 without the extra `tools`.
    """
    problems = strict_unless(problems)
    path = Path(path)
    others = [path.name] if path.is_file() else [
        file_.name for file_ in sorted(path.glob("*")) if file_.suffix != ".xmi" and file_.name != TYPE_SYSTEM]
    if others:
        raise BionerError(Errors.E023.format(path=path, found=others[0]))
    return fill_folder(path, lambda folder: _write_documents(folder, annotations, problems, written))


def _write_documents(folder: Path, annotations: Iterable[Annotation], problems: Problems, written: Written) -> int:
    with extra("tools"):
        from cassis import TypeSystem

    types = TypeSystem()
    entity = types.create_type(_ENTITY, "uima.tcas.Annotation")
    # `value` and `identifier` are features of the tool; the others show where a project declares them.
    for name, kind in (("value", "String"), ("identifier", "String"), ("score", "Double"), ("note", "String")):
        types.create_feature(entity, name, f"uima.cas.{kind}")
    types.to_xml(folder / TYPE_SYSTEM)
    names: Set[str] = set()
    for annotation in annotations:
        name = quote(annotation.id, safe=_SAFE)
        if not name.strip(". ") or len(name) > 240:
            problems.add("unwritable_text", annotation.id, "the id cannot be the name of a file")
        elif re.search("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", annotation.text):
            problems.add("unwritable_text", annotation.id, "a character that XML cannot hold")
        elif name.lower() in names:
            problems.add("repeated_document", annotation.id)
        else:
            try:
                content = _to_cas(annotation, types, entity, problems).to_xmi()
            except ValueError as error:
                problems.add("unwritable_text", annotation.id, str(error))
                continue
            names.add(name.lower())
            (folder / f"{name}.xmi").write_text(content, encoding="utf8", newline="")
            note_losses(annotation, problems, held=("score", "ids", "note"))
            written(annotation)
    return len(names)


def _to_cas(annotation: Annotation, types: Any, entity: Any, problems: Problems) -> Any:
    with extra("tools"):
        from cassis import Cas

    cas = Cas(types)
    cas.sofa_string = annotation.text
    cas.sofa_mime = "text/plain"
    cas.add_all([entity(begin=mention.start, end=mention.end, value=mention.label, score=mention.score,
                        identifier=_identifier(annotation, mention, problems), note=mention.note)
                 for mention in annotation.mentions])
    return cas


def _identifier(annotation: Annotation, mention: Mention, problems: Problems) -> Optional[str]:
    """Return the identifiers as one string, None where there are none or they cannot be told apart in it."""
    column = join_identifiers(mention.ids) if mention.ids else None
    if mention.ids and column is None:
        problems.add("lost_ids", annotation.id, ", ".join(mention.ids))
    return column
