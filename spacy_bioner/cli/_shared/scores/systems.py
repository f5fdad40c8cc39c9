"""What `evaluate` compares: gold and the answers of systems, read from records, `.spacy` files or a pipeline."""

import logging
import re
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Collection, Dict, Iterable, Iterator, List, Optional, Sequence, Set, Tuple

from ....annotation import Annotation
from ....errors import BionerError, Errors, Warnings
from ..gpu import set_up_gpu

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.tokens import Doc

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class System:
    """A named system.

    name (str): Unique among those compared.
    path (Path): Records, a `.spacy` file, or the folder of a pipeline.
    """

    name: str
    path: Path


@dataclass(frozen=True)
class Answers:
    """What a system found.

    annotations (List[Annotation]): Its documents.
    about (Dict[str, Any]): Where they come from, for the metrics file.
    labels (Sequence[str]): The labels that it can predict, where it says so.
    """

    annotations: List[Annotation]
    about: Dict[str, Any] = field(default_factory=dict)
    labels: Sequence[str] = ()


def parse_systems(arguments: Sequence[str]) -> List[System]:
    """Read `name=path` or `path`; without a name the file's or folder's own is taken.

    arguments (Sequence[str]): As given on the command line.
    RETURNS (List[System]): The systems, in that order.
    RAISES BionerError: E605 where two have the same name, E732 where a name or a path is empty.
    """
    systems: List[System] = []
    for argument in arguments:
        name, equals, path = argument.partition("=")
        if not equals or Path(argument).exists():
            name, path = _name_of(Path(argument)), argument
        if not name or not path:
            raise BionerError(Errors.E732.format(value=argument))
        if any(system.name == name for system in systems):
            raise BionerError(Errors.E605.format(name=name))
        systems.append(System(name, Path(path)))
    return systems


def file_name(name: str) -> str:
    """Return the name of a system as the name of a file, without characters that a path gives a meaning."""
    return re.sub(r"[^\w.@+-]+", "_", name)


def read_annotations(path: Path, *, spans_key: str = "sc") -> List[Annotation]:
    """Read documents; a span given twice counts once.

    path (Path): `.jsonl`, `.jsonl.gz` or `.spacy`.
    spans_key (str): Key of the spans in a `.spacy` file.
    RETURNS (List[Annotation]): The documents, in file order.
    RAISES BionerError: E001 to E003, E011 for what cannot be read, E606 for any other kind of file, E008 without
        documents, E607 where no Doc has the key.
    """
    from ....formats.docbin import doc_to_annotation, read_docs
    from ....formats.jsonl import read_jsonl
    from ....formats.parsing.problems import Problems

    path = Path(path)
    if path.name.lower().endswith((".jsonl", ".jsonl.gz")):
        problems = Problems()
        annotations = list(read_jsonl(path, problems=problems))
        if repeated := problems.counts.get("duplicate"):
            _log.warning("%s: %s documents hold a span twice; it counts once", path, repeated)
        for kind, count, fate, place in problems.table():
            if kind != "duplicate":
                _log.warning("%s: %s times: %s, first at %s", path, count, fate, place)
    elif path.suffix.lower() == ".spacy":
        from spacy.vocab import Vocab

        docs = list(read_docs(path, Vocab()))
        if docs:
            check_spans_key({key for doc in docs for key in doc.spans}, spans_key, system=str(path))
        # Docs without ids are matched by their order; that they have the same texts is checked anyway.
        for number, doc in enumerate(docs, start=1):
            doc.user_data.setdefault("id", str(number))
        annotations = [doc_to_annotation(doc, spans_key) for doc in docs]
    elif not path.exists():
        raise BionerError(Errors.E001.format(path=path, wanted="file of records, .spacy file or pipeline folder"))
    else:
        raise BionerError(Errors.E606.format(path=path))
    if not annotations:
        raise BionerError(Errors.E008.format(path=path))
    return annotations


def read_answers(system: System, gold: Sequence[Annotation], *, spans_key: str = "sc", gpu_id: int = -1) -> Answers:
    """Read what a system found, or run it on the texts of gold.

    system (System): Its name and place.
    gold (Sequence[Annotation]): Gold documents; a pipeline sees their texts and metadata only.
    spans_key (str): Key of the spans in Docs.
    gpu_id (int): GPU for a pipeline, -1 for the CPU.
    RETURNS (Answers): Its documents.
    RAISES BionerError: As `read_annotations`.
    """
    from ....corpus.set_aside import read_set_aside, set_aside_path

    if (system.path / "config.cfg").is_file():
        return _answer_by_pipeline(system, gold, spans_key=spans_key, gpu_id=gpu_id)
    kind = "docbin" if system.path.suffix.lower() == ".spacy" else "records"
    annotations = read_annotations(system.path, spans_key=spans_key)
    missing = read_set_aside(system.path)
    if missing:
        _log.warning(Warnings.W601.format(count=len(missing), path=set_aside_path(system.path)))
    return Answers([*annotations, *missing],
                   {"kind": kind, "set_aside": len(missing), **_describe_annotator(annotations)})


def _describe_annotator(annotations: Sequence[Annotation]) -> Dict[str, Any]:
    """Return what the records say of the model that made them; nothing where they say nothing."""
    said: Dict[str, List[str]] = {}
    for annotation in annotations:
        for key in ("model", "adapter", "prompt_hash"):
            if annotation.meta.get(key) is not None and str(annotation.meta[key]) not in said.setdefault(key, []):
                said[key].append(str(annotation.meta[key]))
    return {"annotator": said} if said else {}


def _answer_by_pipeline(system: System, gold: Sequence[Annotation], *, spans_key: str, gpu_id: int) -> Answers:
    from ....training.pipeline_loading import load_pipeline

    set_up_gpu(gpu_id)
    nlp = load_pipeline(system.path)
    started = time.perf_counter()
    found, tokens = [], 0
    for _, doc, answer in run_pipeline(nlp, gold, spans_key=spans_key, system=system.name):
        found.append(answer)
        tokens += len(doc)
    seconds = time.perf_counter() - started
    about = {"kind": "pipeline", "components": list(nlp.pipe_names), "lang": nlp.lang, "seconds": round(seconds, 3),
             "tokens_per_second": round(tokens / seconds, 1)}
    labels = sorted({label for known in nlp.pipe_labels.values() for label in known})
    return Answers(found, about, labels)


def run_pipeline(nlp: "Language", texts: Iterable[Annotation], *, spans_key: str,
                 system: str) -> Iterator[Tuple[Annotation, "Doc", Annotation]]:
    """Run a pipeline over texts, one after the other.

    nlp (Language): The pipeline.
    texts (Iterable[Annotation]): The texts; the pipeline does not see their mentions.
    spans_key (str): Key of the spans in Docs.
    system (str): Its name, for the error.
    YIELDS (Tuple[Annotation, Doc, Annotation]): Each text, its Doc, and what was found.
    RAISES BionerError: E607 at the end where it writes no span group of this key.
    """
    from ....formats.docbin import doc_to_annotation, set_meta

    def ask() -> Iterator[Tuple["Doc", Annotation]]:
        for text in texts:
            doc = nlp.make_doc(text.text)
            set_meta(doc, text.with_mentions(()))
            yield doc, text

    keys: Optional[Set[str]] = None
    for doc, text in nlp.pipe(ask(), as_tuples=True):
        keys = {*(keys or ()), *doc.spans}
        yield text, doc, doc_to_annotation(doc, spans_key)
    if keys is not None:
        check_spans_key(keys, spans_key, system=system)


def check_spans_key(found: Collection[str], spans_key: str, *, system: str) -> None:
    """Raise BionerError E607 where Docs of a system have no span group of this key."""
    if spans_key not in found:
        raise BionerError(Errors.E607.format(system=system, key=spans_key, found=", ".join(sorted(found)) or "none"))


def _name_of(path: Path) -> str:
    return path.stem if path.is_dir() or path.suffix.lower() == ".spacy" else path.name.split(".")[0]
