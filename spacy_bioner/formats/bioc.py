"""BioC, as XML and as JSON: documents of passages with annotations, offsets counted from the start of the document."""

import json
import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Collection, Dict, Iterable, Iterator, List, Mapping, Optional, Tuple

from ..annotation import Annotation, Mention, check_score, in_text_order
from ..errors import BionerError, Errors
from ..extras import extra
from ..files import open_atomic
from ..loading import parse_json
from .parsing.bioc_documents import CHILDREN, read_json_documents, read_xml_documents
from .parsing.identifiers import join_identifiers, read_identifiers
from .parsing.lines import refuse_half_characters
from .parsing.problems import Problems, Written, strict_unless, untold
from .parsing.spans import Stated, ground_mentions, is_one_piece, read_grounding

_TYPE_KEYS = ("type", "label", "category")
# Lists that BioC has, and one that the service of PubTator 3 adds, which is made of the relations.
_LISTS = frozenset({*CHILDREN, "relations_display"})
# What is no attribute: our own infons, and those with identifiers; of some the name says the vocabulary.
_OURS = ("score", "grounding", "note")
_IDENTIFIERS = {"identifier": "", "mesh": "MESH", "omim": "OMIM", "umls": "UMLS", "ncbi gene": "NCBIGene",
                "ncbi taxonomy": "NCBITaxon"}
_JSON = "json:"
# Identifiers that cannot be told apart in one column, as JSON.
_LISTED = "identifier:json"
_COLLECTION = {"bioctype": "BioCCollection", "source": "spacy-bioner", "date": "", "key": "spacy-bioner.key",
               "version": "1.0", "infons": {}}
# Characters between two passages; more can only be an offset that is wrong, and all would be filled with blanks.
_LONGEST_GAP = 10_000
_SCORE = re.compile(r"[0-9](\.[0-9]+)?([eE]-[0-9]+)?")


@dataclass
class _Part:
    """A stretch of text with its own offset, and the mentions stated in it, counted from its start.

    text (str): The text.
    offset (int): Where it starts, as the file says.
    start (int): Where it starts in the text that was put together.
    stated (List[Stated]): The mentions.
    """

    text: str
    offset: int
    start: int = 0
    stated: List[Stated] = field(default_factory=list)


def read_bioc(path: Path, *, problems: Optional[Problems] = None) -> Iterator[Annotation]:
    """Read documents, from XML one by one.

    path (Path): `.json` for JSON, also with a document a line, anything else is XML; gzip-compressed or not.
    problems (Optional[Problems]): Takes note of what cannot be read; without it that is an error.
    YIELDS (Annotation): The documents: their passages at their offsets, what lies between is filled with blanks.
    RAISES BionerError: E001 where there is no such file, E011 where it is not BioC, or passages lie too far apart.
    """
    problems = strict_unless(problems)
    path = Path(path)
    if not path.is_file():
        raise BionerError(Errors.E001.format(path=path, wanted="BioC file"))
    documents = read_json_documents(path) if _is_json(path) else read_xml_documents(path)
    for place, document in documents:
        annotation = _to_annotation(document, place, problems)
        refuse_half_characters(annotation, place)
        yield annotation


def write_bioc(path: Path, annotations: Iterable[Annotation], *, problems: Optional[Problems] = None,
               written: Written = untold) -> int:
    """Write documents of one passage, whole or not at all, one by one.

    path (Path): `.json` for JSON, anything else becomes XML.
    annotations (Iterable[Annotation]): The documents.
    problems (Optional[Problems]): Takes note of what the format cannot hold; without it that is an error.
    written (Written): Is told each document as it was written, before the next is taken.
    RETURNS (int): How many were written.
    """
    write = _write_json if _is_json(Path(path)) else _write_xml
    return write(Path(path), annotations, strict_unless(problems), written)


def _is_json(path: Path) -> bool:
    """Return whether the name of a file says that it holds JSON."""
    return path.name.lower().removesuffix(".gz").endswith((".json", ".jsonl"))


def _to_annotation(document: Dict[str, Any], place: str, problems: Problems) -> Annotation:
    listed = [part for passage in document.get("passages") or () for part in _text_parts(passage, place)]
    # Offsets say where a passage stands, whatever the order in the file.
    parts = sorted(listed, key=lambda part: part.offset)
    text = ""
    for part in parts:
        gap = part.offset - len(text)
        if gap > _LONGEST_GAP:
            why = f"a passage has the offset {part.offset}, wanted at most {_LONGEST_GAP} characters after {len(text)}"
            raise BionerError(Errors.E011.format(path=place, wanted="BioC", why=why))
        if text and gap < 0:
            problems.add("moved_passage", place, f"offset {part.offset} after {len(text)} characters")
        text += ("\n" if text and gap > 1 else " ") * (gap if gap >= 0 or not text else 1)
        part.start = len(text)
        text += part.text
    _assign(document, parts, place, problems)
    mentions = [replace(mention, start=mention.start + part.start, end=mention.end + part.start)
                for part in parts for mention in ground_mentions(part.text, part.stated, problems=problems)]
    return Annotation(text, in_text_order(mentions), id=str(document.get("id") or ""),
                      meta=_read_meta(document.get("infons") or {}))


def _text_parts(passage: Dict[str, Any], place: str) -> List[_Part]:
    """Return the passage, or, where it holds no text of its own, its sentences."""
    holders = [passage] if passage.get("text") else passage.get("sentences") or ()
    return [_Part(holder.get("text") or "", _number(holder.get("offset", 0), place)) for holder in holders]


def _assign(document: Dict[str, Any], parts: List[_Part], place: str, problems: Problems) -> None:
    """Give each part the annotations that begin in it, counted from its start; they may stand at any level.

    document (Dict[str, Any]): The document.
    parts (List[_Part]): Its texts by their offsets; the last one that begins at an annotation or before it has it.
    place (str): File and document, for errors.
    problems (Problems): Takes note of annotations without a type or a place, of relations and of unknown lists.
    """
    waiting = [document]
    while waiting:
        holder = waiting.pop()
        waiting += [child for children in ("passages", "sentences") for child in holder.get(children) or ()]
        for key in _find_unknown_lists(holder):
            problems.add("unknown_list", place, repr(key[:60]))
        for relation in holder.get("relations") or ():
            problems.add("relation", place, str(relation["id"]) if "id" in relation else "")
        for annotation in holder.get("annotations") or ():
            where = f"{place}, annotation {annotation.get('id')}"
            locations = [(_number(location.get("offset"), where), _number(location.get("length"), where))
                         for location in annotation.get("locations") or ()]
            owners = [part for part in parts if locations and part.offset <= locations[0][0]]
            label = _read_label(annotation.get("infons") or {})
            if not (owners and label):
                problems.add("bad_line", where, "no type" if owners else "no place in a text")
            else:
                _state(annotation, label, locations, owners[-1], where, problems)


def _find_unknown_lists(holder: Dict[str, Any]) -> List[str]:
    """Return keys with lists of objects that are not read, and may be what another key is meant to be."""
    return [key for key, value in holder.items()
            if key not in _LISTS and isinstance(value, list) and any(isinstance(one, dict) for one in value)]


def _state(annotation: Dict[str, Any], label: str, locations: List[Tuple[int, int]], part: _Part, place: str,
           problems: Problems) -> None:
    fragments = sorted((offset - part.offset, offset - part.offset + length) for offset, length in locations)
    if not is_one_piece(fragments, part.text):
        problems.add("discontinuous", place, str(annotation.get("text")))
        return
    infons = annotation.get("infons") or {}
    part.stated.append(Stated(
        fragments[0][0], fragments[-1][1], label, annotation.get("text"), place,
        score=_read_score(infons, place, problems), grounding=read_grounding(infons.get("grounding"), place, problems),
        details=_read_details(infons, label, place, problems),
    ))


def _read_details(infons: Dict[str, Any], label: str, place: str, problems: Problems) -> Dict[str, Any]:
    """Return identifiers and note; all other infons but the label are attributes."""
    details: Dict[str, Any] = {}
    ids: Dict[str, None] = {}
    named = next((key for key in _TYPE_KEYS if infons.get(key)), "")
    others = {key: value for key, value in infons.items() if key != named and key not in _OURS}
    for key in (_LISTED, f"{_JSON}identifier"):
        value = next(iter(_read_meta({f"{_JSON}identifier": others[key]}).values())) if key in others else None
        # Under the second name lists were written before; all else is an attribute, or no JSON.
        if isinstance(value, list) or value is not None and value == others[key]:
            others["identifier"] = value
            del others[key]
    for key in [key for key in others if str(key).lower() in _IDENTIFIERS]:
        ids.update(dict.fromkeys(read_identifiers(others.pop(key), label, place=place, problems=problems,
                                                  vocabulary=_IDENTIFIERS[str(key).lower()])))
    if ids:
        details["ids"] = tuple(ids)
    if others:
        details["attributes"] = _read_meta(others)
    if infons.get("note") is not None:
        details["note"] = str(infons["note"])
    return details


def _read_score(infons: Dict[str, Any], place: str, problems: Problems) -> Optional[float]:
    """Return the score of an annotation; what others call so need be no probability."""
    if infons.get("score") is None:
        return None
    try:
        if _SCORE.fullmatch(str(infons["score"])):
            return check_score(float(infons["score"]))
    except BionerError:
        pass
    problems.add("extra_column", place, f"score {infons['score']}")
    return None


def _read_label(infons: Dict[str, Any]) -> str:
    return next((str(infons[key]).strip() for key in _TYPE_KEYS if infons.get(key)), "")


def _number(value: Any, place: str) -> int:
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        raise BionerError(Errors.E024.format(place=place, found=value)) from None


def _read_meta(infons: Dict[str, Any]) -> Dict[str, Any]:
    """Return what a document says of itself; what is not a string was written as JSON."""
    meta = {}
    for key, value in infons.items():
        try:
            meta[key.removeprefix(_JSON)] = parse_json(value) if key.startswith(_JSON) else value
        except (TypeError, ValueError):
            meta[key] = value
    return meta


def _write_xml(path: Path, annotations: Iterable[Annotation], problems: Problems, written: Written) -> int:
    with extra("train"):
        from lxml import etree

    count = 0
    with open_atomic(path, "wb") as file_, etree.xmlfile(file_, encoding="UTF-8") as xml:
        xml.write_declaration(standalone=True)
        with xml.element("collection"):
            for tag in ("source", "date", "key"):
                _write_element(xml, _text_element(tag, str(_COLLECTION[tag])))
            for annotation in annotations:
                try:
                    element = _document_element(_to_document(annotation))
                except ValueError as error:
                    problems.add("unwritable_text", annotation.id, str(error))
                else:
                    _write_element(xml, element)
                    count += 1
                    written(annotation)
    return count


def _write_element(xml: Any, element: Any) -> None:
    xml.write(element)
    xml.write("\n")


def _write_json(path: Path, annotations: Iterable[Annotation], problems: Problems, written: Written) -> int:
    count = 0
    with open_atomic(path) as file_:
        file_.write(json.dumps(_COLLECTION, ensure_ascii=False)[:-1] + ', "documents": [')
        for annotation in annotations:
            file_.write((",\n" if count else "\n") + json.dumps(_to_document(annotation), ensure_ascii=False))
            count += 1
            written(annotation)
        file_.write("\n]}\n")
    return count


def _to_document(annotation: Annotation) -> Dict[str, Any]:
    """Return the JSON form: one passage with the whole text; scores are infons of annotations."""
    infons = _write_infons(annotation.meta)
    mentions = [_to_stated(annotation, mention, f"T{number}")
                for number, mention in enumerate(annotation.mentions, start=1)]
    passage = {"bioctype": "BioCPassage", "offset": 0, "infons": {}, "text": annotation.text, "sentences": [],
               "annotations": mentions, "relations": []}
    return {"bioctype": "BioCDocument", "id": annotation.id, "infons": infons, "passages": [passage],
            "annotations": [], "relations": []}


def _write_infons(values: Mapping[str, Any], *, taken: Collection[str] = ()) -> Dict[str, str]:
    """Return values as strings, those that are none as JSON; also where a key means something else in BioC."""
    infons = {}
    for key, value in values.items():
        plain = isinstance(value, str) and not key.startswith(_JSON) and key.lower() not in taken
        infons[key if plain else f"{_JSON}{key}"] = value if plain else json.dumps(value, ensure_ascii=False)
    return infons


def _to_stated(annotation: Annotation, mention: Mention, id: str) -> Dict[str, Any]:
    """Return the JSON form of an annotation."""
    infons = {"type": mention.label}
    if mention.score is not None:
        score = str(round(mention.score, 6))
        # Small ones would have an exponent, which other programs may not read.
        infons["score"] = f"{mention.score:.6f}" if "e" in score else score
    if mention.grounding is not None:
        infons["grounding"] = mention.grounding
    if mention.ids:
        column = join_identifiers(mention.ids)
        key = "identifier" if column is not None else _LISTED
        infons[key] = column if column is not None else json.dumps(mention.ids)
    if mention.note is not None:
        infons["note"] = mention.note
    infons.update(_write_infons(mention.attributes, taken={*_TYPE_KEYS, *_OURS, *_IDENTIFIERS, _LISTED}))
    return {"id": id, "infons": infons, "text": annotation.surface(mention),
            "locations": [{"offset": mention.start, "length": mention.end - mention.start}]}


def _document_element(document: Dict[str, Any]) -> Any:
    """Return the XML form of a document in its JSON form.

    RAISES ValueError: For a character that XML cannot hold.
    """
    with extra("train"):
        from lxml import etree

    root = etree.Element("document")
    root.append(_text_element("id", document["id"]))
    _append_infons(root, document["infons"])
    for passage in document["passages"]:
        part = etree.SubElement(root, "passage")
        part.append(_text_element("offset", str(passage["offset"])))
        if passage["text"]:
            part.append(_text_element("text", passage["text"]))
        for stated in passage["annotations"]:
            element = etree.SubElement(part, "annotation", id=stated["id"])
            _append_infons(element, stated["infons"])
            for location in stated["locations"]:
                etree.SubElement(element, "location", {key: str(value) for key, value in location.items()})
            element.append(_text_element("text", stated["text"]))
    return root


def _append_infons(element: Any, infons: Dict[str, str]) -> None:
    for key, value in infons.items():
        element.append(_text_element("infon", value, key=key))


def _text_element(tag: str, text: str, **attributes: str) -> Any:
    with extra("train"):
        from lxml import etree

    element = etree.Element(tag, attributes)
    element.text = text
    return element
