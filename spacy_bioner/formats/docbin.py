"""Annotations as spaCy Docs, and `.spacy` files: spans in `doc.spans`, metadata in `doc.user_data`.

The tokens of a Doc are the units of its text, so that every mention the teacher can mark is a span of tokens. The
tokenizer of the trained pipeline makes its Docs here too.
"""

import json
import math
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, List, Mapping, Optional, Tuple

import numpy
from spacy.tokens import Doc, DocBin, Span, SpanGroup
from spacy.vocab import Vocab

from ..annotation import Annotation, Mention, check_label, check_score, choose_id, in_text_order, read_details
from ..errors import BionerError, Errors, describe
from ..files import open_atomic
from ..loading import BROKEN_CONTENT, parse_json
from ..tokens import find_units
from .parsing.docbin_bytes import load_docbin
from .parsing.problems import Problems, Written, strict_unless, untold
from .parsing.spans import Stated, ground_mentions

META_KEYS = ("origin", "split", "corpus", "lang")
# The span group of this project, and the name that stands for `doc.ents`.
_KEY, _ENTS = "sc", "ents"
_DETAILS = "details"


def build_doc(vocab: Vocab, text: str) -> Doc:
    """Make a Doc whose tokens are the units of a text; white space beyond one blank becomes tokens of its own.

    vocab (Vocab): The vocabulary of the pipeline.
    text (str): The text.
    RETURNS (Doc): A Doc with exactly this text.
    """
    words: List[str] = []
    spaces: List[bool] = []
    reached = 0
    for start, end in [*find_units(text), (len(text), len(text))]:
        gap = text[reached:start]
        if gap and words and gap[0] == " ":
            spaces[-1] = True
            gap = gap[1:]
        if gap:
            words.append(gap)
            spaces.append(False)
        if start < end:
            words.append(text[start:end])
            spaces.append(False)
        reached = end
    return Doc(vocab, words=words, spaces=spaces)


def annotation_to_doc(annotation: Annotation, vocab: Vocab, spans_key: str = "sc") -> Tuple[Doc, Tuple[Mention, ...]]:
    """Turn an annotation into a Doc.

    annotation (Annotation): Text, mentions and metadata.
    vocab (Vocab): The vocabulary of the pipeline.
    spans_key (str): Key of the span group.
    RETURNS (Tuple[Doc, Tuple[Mention, ...]]): The Doc, and the mentions that begin or end inside a unit: they are
        not in it, and the caller says what that means.
    """
    doc = build_doc(vocab, annotation.text)
    lost = set_mentions(doc, annotation.mentions, spans_key=spans_key)
    set_meta(doc, annotation)
    return doc, lost


def set_mentions(doc: Doc, mentions: Iterable[Mention], *, spans_key: str) -> Tuple[Mention, ...]:
    """Put mentions into a span group, with their scores where any has one, and their first identifier as `kb_id_`.

    doc (Doc): A Doc, tokenised in any way.
    mentions (Iterable[Mention]): The mentions.
    spans_key (str): Key of the span group; what it held is replaced.
    RETURNS (Tuple[Mention, ...]): The mentions that do not begin and end at token boundaries, and are not in it.
    """
    starts = {token.idx: token.i for token in doc}
    ends = {token.idx + len(token): token.i + 1 for token in doc}
    kept: List[Mention] = []
    lost: List[Mention] = []
    for mention in mentions:
        (kept if mention.start in starts and mention.end in ends else lost).append(mention)
    spans = [Span(doc, starts[mention.start], ends[mention.end], label=mention.label,
                  kb_id=mention.ids[0] if mention.ids else "") for mention in kept]
    doc.spans[spans_key] = SpanGroup(doc, name=spans_key, spans=spans)
    if any(mention.score is not None for mention in kept):
        scores = [numpy.nan if mention.score is None else mention.score for mention in kept]
        doc.spans[spans_key].attrs["scores"] = numpy.asarray(scores, dtype="float32")
    if any(mention.grounding is not None for mention in kept):
        doc.spans[spans_key].attrs["grounding"] = [mention.grounding or "" for mention in kept]
    details = [mention.details() for mention in kept]
    if any(details):
        # All identifiers, attributes and the note; a list of strings, as every reader of attributes can take.
        attrs = doc.spans[spans_key].attrs
        attrs[_DETAILS] = [json.dumps(one, ensure_ascii=False) if one else "" for one in details]
    return tuple(lost)


def set_meta(doc: Doc, annotation: Annotation) -> None:
    """Put id and metadata of a record into `doc.user_data`; what has no key of its own is JSON under "meta"."""
    doc.user_data["id"] = annotation.id
    for key in META_KEYS:
        if key in annotation.meta:
            doc.user_data[key] = str(annotation.meta[key])
    rest = {key: value for key, value in annotation.meta.items() if key not in META_KEYS}
    if rest:
        doc.user_data["meta"] = json.dumps(rest, ensure_ascii=False)


def get_meta(doc: Doc) -> Dict[str, Any]:
    """Return what `doc.user_data["meta"]` holds: JSON of a record, or what a component wrote. What
    others have put there, in whatever form, is none."""
    held = doc.user_data.get("meta")
    if isinstance(held, str):
        try:
            held = parse_json(held)
        except ValueError:
            return {}
    if not isinstance(held, Mapping):
        return {}
    # Written and read again, it is of the types that JSON has.
    return json.loads(json.dumps({str(key): value for key, value in held.items()}, default=str, skipkeys=True))


def doc_to_annotation(doc: Doc, spans_key: str = "sc") -> Annotation:
    """Turn a Doc into an annotation.

    doc (Doc): A Doc.
    spans_key (str): Key of the span group; a Doc without it has no mentions.
    RETURNS (Annotation): Text, mentions with their scores, id and metadata.
    RAISES BionerError: E006 for an empty label and a score that is no probability; not a number stands for none.
    """
    group = doc.spans[spans_key] if spans_key in doc.spans else ()
    attrs = group.attrs if group else {}
    scores = _listed(attrs, "scores", len(group))
    grounding = _listed(attrs, "grounding", len(group))
    details = _listed(attrs, _DETAILS, len(group))
    mentions = []
    for span, score, ground, detail in zip(group, scores, grounding, details):
        score = None if isinstance(score, float) and math.isnan(score) else check_score(score)
        mentions.append(Mention(span.start_char, span.end_char, check_label(span.label_), score=score,
                                grounding=ground or None, **_read_details(span, detail)))
    meta = {**{key: doc.user_data[key] for key in META_KEYS if key in doc.user_data}, **get_meta(doc)}
    return Annotation(doc.text, in_text_order(mentions), id=choose_id(doc.user_data.get("id"), ""), meta=meta)


def _read_details(span: Span, held: Any) -> Dict[str, Any]:
    """Return what `set_mentions` has kept of a mention; of Docs made by others `kb_id_`, else `id_`.

    span (Span): The span.
    held (Any): The JSON that stands beside it, if any.
    RETURNS (Dict[str, Any]): Identifiers, attributes and note, as arguments of a `Mention`.
    RAISES BionerError: E006 for what is none of these.
    """
    found: Dict[str, Any] = {}
    if held:
        try:
            parsed = parse_json(str(held))
        except ValueError:
            parsed = None
        if not isinstance(parsed, dict):
            raise BionerError(Errors.E006.format(key=_DETAILS, found=repr(held)[:60], wanted="JSON objects"))
        found = read_details(parsed)
    linked = span.kb_id_ or ("" if held else span.id_)
    # What a linker has set since is the first.
    if linked and linked not in found.get("ids", ()):
        found["ids"] = (linked, *found.get("ids", ()))
    return found


def _listed(attrs: Mapping[str, Any], key: str, length: int) -> List[Any]:
    """Return what a span group says of its spans, None for each where it says nothing."""
    if attrs.get(key) is None:
        return [None] * length
    values = numpy.asarray(attrs[key]).ravel().tolist()
    if len(values) != length:
        raise BionerError(Errors.E006.format(key=key, found=f"{len(values)} values", wanted=length))
    return values


def read_docs(path: Path, vocab: Vocab) -> Iterator[Doc]:
    """Read the Docs of a `.spacy` file.

    path (Path): The file.
    vocab (Vocab): The vocabulary that the Docs share.
    YIELDS (Doc): The Docs, in file order.
    RAISES BionerError: E001 where there is no such file, E011 where it is no DocBin, E038 and E039 beyond the bounds.
    """
    path = Path(path)
    if not path.is_file():
        raise BionerError(Errors.E001.format(path=path, wanted=".spacy file"))
    docs = load_docbin(path).get_docs(vocab)
    while True:
        try:
            doc = next(docs, None)
        except BROKEN_CONTENT as error:
            raise BionerError(Errors.E011.format(path=path, wanted="a .spacy file", why=describe(error))) from None
        if doc is None:
            return
        yield doc


def write_docs(path: Path, docs: Iterable[Doc]) -> int:
    """Write Docs with their spans and user data, whole or not at all.

    path (Path): The `.spacy` file; the format is written at once, so all Docs are held in memory.
    docs (Iterable[Doc]): The Docs.
    RETURNS (int): How many were written.
    """
    docbin = DocBin(store_user_data=True)
    for doc in docs:
        docbin.add(doc)
    with open_atomic(path, "wb") as file_:
        file_.write(docbin.to_bytes())
    return len(docbin)


def read_docbin(path: Path, *, problems: Optional[Problems] = None, spans_key: str = "",
                raw: bool = False) -> Iterator[Annotation]:
    """Read the annotations of a `.spacy` file.

    path (Path): The file.
    problems (Optional[Problems]): Takes note of what is left out or changed; without it that is an error.
    spans_key (str): Key of the span group, or "ents" for `doc.ents`; by default "sc", or `doc.ents` of Docs without it.
    raw (bool): Whether the Docs are raw text, and no mention is looked for.
    YIELDS (Annotation): One a Doc; a Doc without id gets `<file stem>-<number>`.
    RAISES BionerError: E030 with file and id for what is no label or score, E046 and E047 for mentions under other
        keys and for Docs without any annotation.
    """
    problems = strict_unless(problems)
    stem = Path(path).name.split(".")[0]
    number, annotated, present = 0, False, {}
    for number, doc in enumerate(read_docs(path, Vocab()), start=1):
        doc.user_data["id"] = choose_id(doc.user_data.get("id"), f"{stem}-{number}")
        place = f"{path}, {doc.user_data['id']}"
        try:
            present.update(dict.fromkeys(doc.spans))
            key = "" if raw else _choose_spans(doc, spans_key, place, problems)
            annotated = annotated or bool(key) or doc.has_annotation("ENT_IOB")
            annotation = doc_to_annotation(doc, key)
        except BionerError as error:
            if error.args[0].startswith(place):
                raise
            raise BionerError(Errors.E030.format(place=place, why=error)) from None
        except BROKEN_CONTENT as error:
            raise BionerError(Errors.E030.format(place=place, why=describe(error))) from None
        stated = [Stated(mention.start, mention.end, mention.label, None, place, score=mention.score,
                         grounding=mention.grounding, details=read_details(mention.details()))
                  for mention in annotation.mentions]
        yield annotation.with_mentions(ground_mentions(annotation.text, stated, problems=problems))
    if number and not annotated and not raw:
        keys = ", ".join(map(repr, present)) or "none"
        raise BionerError(Errors.E047.format(path=path, key=spans_key or "sc", keys=keys))


def _choose_spans(doc: Doc, spans_key: str, place: str, problems: Problems) -> str:
    """Find the span group that holds the mentions of a Doc, and note mentions that only another one holds.

    doc (Doc): The Doc; its entities become the group "ents" where they are meant.
    spans_key (str): The key that is asked for, empty for the usual ones.
    place (str): File and id, for problems.
    problems (Problems): Takes note.
    RETURNS (str): The key, empty where the Doc has no annotation under it.
    """
    if spans_key not in doc.spans and (spans_key == _ENTS or not spans_key and _KEY not in doc.spans and doc.ents):
        if not spans_key:
            problems.add("from_ents", place)
        doc.spans[_ENTS] = list(doc.ents)
        return _ENTS
    if spans_key:
        return spans_key if spans_key in doc.spans else ""
    others = {key: [_place(span) for span in group] for key, group in doc.spans.items() if key != _KEY and len(group)}
    if _KEY not in doc.spans:
        if others:
            raise BionerError(Errors.E046.format(place=place, keys=", ".join(map(repr, others))))
        return ""
    held = {_place(span) for span in doc.spans[_KEY]}
    others["ents"] = [_place(span) for span in doc.ents] + others.get("ents", [])
    for key, places in others.items():
        if lost := set(places) - held:
            problems.add("other_spans", place, f"{len(lost)} under '{key}'")
    return _KEY


def _place(span: Span) -> Tuple[int, int, str]:
    return span.start, span.end, span.label_


def write_docbin(path: Path, annotations: Iterable[Annotation], *, problems: Optional[Problems] = None,
                 written: Written = untold, spans_key: str = "sc") -> int:
    """Write annotations as a `.spacy` file, as `spacy train` takes it.

    path (Path): The file.
    annotations (Iterable[Annotation]): The annotations.
    problems (Optional[Problems]): Takes note of mentions that begin or end inside a unit; without it they are an
        error.
    written (Written): Is told each annotation as it was written, before the next is taken.
    spans_key (str): Key of the span group.
    RETURNS (int): How many Docs were written.
    """
    problems = strict_unless(problems)
    vocab = Vocab()

    def to_docs() -> Iterator[Doc]:
        for annotation in annotations:
            doc, lost = annotation_to_doc(annotation, vocab, spans_key)
            for mention in lost:
                problems.add("off_boundary", annotation.id, f"{mention.start}-{mention.end} {mention.label}")
            yield doc
            written(annotation.with_mentions(set(annotation.mentions) - set(lost)) if lost else annotation)

    return write_docs(path, to_docs())
