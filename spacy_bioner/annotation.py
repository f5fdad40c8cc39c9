"""Mention and Annotation: a text, and labelled character spans in it; plain data, no spaCy.

Offsets count code points and are half-open. Nested and crossing mentions, and several labels on one place, are
legal; the same (start, end, label) twice is not.
"""

from dataclasses import dataclass, field, replace
from typing import Any, Dict, Iterable, List, Mapping, Optional, Tuple

from .errors import BionerError, Errors

_ROUNDING = 1e-6


@dataclass(frozen=True)
class Mention:
    """A labelled span of a text.

    start (int): First character, in code points.
    end (int): One past the last character.
    label (str): The label.
    score (Optional[float]): Probability that the mention is right, 0 to 1, where the annotator gives one.
    grounding (Optional[str]): "exact" or "fuzzy" for mentions found again in a text.
    ids (Tuple[str, ...]): Identifiers of concepts with their vocabulary, such as "MESH:D006073".
    attributes (Mapping[str, Any]): Name to value, both as JSON has them; "subtype" is an earlier, finer label.
    note (Optional[str]): What an annotator remarked.

    Two mentions are equal where place and label are; all else says something of the mention.
    """

    start: int
    end: int
    label: str
    score: Optional[float] = field(default=None, compare=False)
    grounding: Optional[str] = field(default=None, compare=False)
    ids: Tuple[str, ...] = field(default=(), compare=False)
    attributes: Mapping[str, Any] = field(default_factory=dict, compare=False)
    note: Optional[str] = field(default=None, compare=False)

    @property
    def key(self) -> Tuple[int, int, str]:
        return (self.start, self.end, self.label)

    def crosses(self, other: "Mention") -> bool:
        """Return whether the two overlap and neither lies inside the other."""
        first, second = sorted((self, other), key=lambda mention: (mention.start, mention.end))
        return first.start < second.start < first.end < second.end

    def united(self, other: "Mention") -> "Mention":
        """Add the identifiers, attributes and note of the same mention from elsewhere; its own values stay.

        other (Mention): The same place and label.
        RETURNS (Mention): This mention with what the other one says besides.
        """
        if not (other.ids or other.attributes or other.note):
            return self
        return replace(self, ids=tuple(dict.fromkeys((*self.ids, *other.ids))), note=self.note or other.note,
                       attributes={**other.attributes, **self.attributes})

    def details(self) -> Dict[str, Any]:
        """Return the identifiers, attributes and note, as a record has them; what is not there is left out."""
        found: Dict[str, Any] = {}
        if self.ids:
            found["ids"] = list(self.ids)
        if self.attributes:
            found["attributes"] = dict(self.attributes)
        if self.note is not None:
            found["note"] = self.note
        return found


def in_text_order(mentions: Iterable[Mention]) -> Tuple[Mention, ...]:
    """Sort mentions by start, the longer first, then by label, each place and label once.

    mentions (Iterable[Mention]): The mentions; of equal ones the first stays, with the identifiers of all.
    RETURNS (Tuple[Mention, ...]): In text order.
    """
    listed = list(mentions)
    unique = {mention.key: mention for mention in reversed(listed)}
    if len(unique) < len(listed):
        unique = {}
        for mention in listed:
            first = unique.get(mention.key)
            unique[mention.key] = first.united(mention) if first is not None else mention
    return tuple(sorted(unique.values(), key=lambda mention: (mention.start, -mention.end, mention.label)))


@dataclass(frozen=True)
class Annotation:
    """A text with its mentions, as one record holds it.

    text (str): The text.
    mentions (Tuple[Mention, ...]): In text order.
    id (str): Name of the document or sentence.
    meta (Dict[str, Any]): origin, split, corpus, lang, and what a model says of its output.
    """

    text: str
    mentions: Tuple[Mention, ...] = ()
    id: str = ""
    meta: Dict[str, Any] = field(default_factory=dict)

    def surface(self, mention: Mention) -> str:
        return self.text[mention.start:mention.end]

    def with_mentions(self, mentions: Iterable[Mention]) -> "Annotation":
        return replace(self, mentions=in_text_order(mentions))

    def with_meta(self, **meta: Any) -> "Annotation":
        return replace(self, meta={**self.meta, **meta})

    def crop(self, start: int, end: int, *, id: str) -> "Annotation":
        """Cut out a part of the text with the mentions that lie wholly inside it.

        start (int): First character of the part.
        end (int): One past its last character.
        id (str): Name of the part.
        RETURNS (Annotation): The part, offsets counted from its own start.
        """
        inside = (replace(mention, start=mention.start - start, end=mention.end - start)
                  for mention in self.mentions if start <= mention.start and mention.end <= end)
        return replace(self, text=self.text[start:end], mentions=tuple(inside), id=id)

    def to_record(self) -> Dict[str, Any]:
        """Return the JSON object of this annotation; of a span only what is known is written."""
        spans = []
        for mention in self.mentions:
            span: Dict[str, Any] = {"start": mention.start, "end": mention.end, "label": mention.label}
            if mention.score is not None:
                span["score"] = round(mention.score, 6)
            if mention.grounding is not None:
                span["grounding"] = mention.grounding
            span.update(mention.details())
            spans.append(span)
        return {"id": self.id, "text": self.text, "spans": spans, "meta": self.meta}

    @classmethod
    def from_record(cls, record: Dict[str, Any], *, id: str = "") -> "Annotation":
        """Read and check a JSON object.

        record (Dict[str, Any]): `{"id", "text", "spans", "meta"}`; all but the text may be missing.
        id (str): Name of the record where it has none, or null.
        RETURNS (Annotation): The annotation, mentions in text order, repeated ones once.
        RAISES BionerError: E004 to E007, without the place in the file, which the reader adds.
        """
        if "text" not in record:
            raise BionerError(Errors.E005.format(key="text"))
        text = _typed(record, "text", str, "a string", "")
        spans = _typed(record, "spans", list, "a list of spans", [])
        meta = _typed(record, "meta", dict, "an object", {})
        mentions = [_read_span(span, text) for span in spans]
        return cls(text=text, mentions=in_text_order(mentions), id=choose_id(record.get("id"), id), meta=meta)


def choose_id(stated: Any, otherwise: str) -> str:
    """Return the id that is stated, whatever its type, or the other one where it is null or not there."""
    return otherwise if stated is None else str(stated)


def check_label(label: str) -> str:
    """Return the label; raises BionerError E006 where there is nothing in it."""
    if not label.strip():
        raise BionerError(Errors.E006.format(key="label", found=repr(label), wanted="a label"))
    return label


def check_score(score: Any) -> Optional[float]:
    """Return the score, or None where there is none; raises BionerError E006 for no probability."""
    if score is None:
        return None
    is_number = isinstance(score, (int, float)) and not isinstance(score, bool)
    # Probabilities that a model summed in single precision may be a little above 1; not a number fits nowhere.
    if not (is_number and 0 <= score <= 1 + _ROUNDING):
        raise BionerError(Errors.E006.format(key="score", found=repr(score)[:60], wanted="a number from 0 to 1"))
    return score


def _typed(record: Dict[str, Any], key: str, kind: type, wanted: str, default: Any) -> Any:
    value = record.get(key, default)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise BionerError(Errors.E006.format(key=key, found=repr(value)[:60], wanted=wanted))
    return value


def _read_span(span: Any, text: str) -> Mention:
    if not isinstance(span, dict):
        raise BionerError(Errors.E006.format(key="spans", found=repr(span)[:60], wanted="objects"))
    start, end, label = span.get("start"), span.get("end"), span.get("label")
    if type(start) is not int or type(end) is not int or type(label) is not str or not label.strip():
        raise _span_fault(span)
    if not 0 <= start < end <= len(text):
        raise BionerError(Errors.E004.format(start=start, end=end, label=label, length=len(text)))
    if text[start].isspace() or text[end - 1].isspace():
        raise BionerError(Errors.E007.format(start=start, end=end, label=label, surface=text[start:end]))
    if len(span) == 3:
        return Mention(start, end, label)
    grounding = span.get("grounding")
    if grounding is not None:
        _typed(span, "grounding", str, "a string", None)
    return Mention(start, end, label, score=check_score(span.get("score")), grounding=grounding, **read_details(span))


def _span_fault(span: Dict[str, Any]) -> BionerError:
    """Return what is wrong with the place or label of a span: E005 or E006."""
    for key in ("start", "end", "label"):
        if key not in span:
            return BionerError(Errors.E005.format(key=key))
    for key in ("start", "end"):
        if type(span[key]) is not int:
            return BionerError(Errors.E006.format(key=key, found=repr(span[key])[:60], wanted="a whole number"))
    wanted = "a label" if isinstance(span["label"], str) else "a string"
    return BionerError(Errors.E006.format(key="label", found=repr(span["label"])[:60], wanted=wanted))


def read_details(span: Mapping[str, Any]) -> Dict[str, Any]:
    """Read what `Mention.details` returned, as arguments of a `Mention`.

    span (Mapping[str, Any]): A span of a record.
    RETURNS (Dict[str, Any]): `ids`, `attributes` and `note`, where the span has them.
    RAISES BionerError: E006 for what is of another type.
    """
    found: Dict[str, Any] = {}
    if span.get("ids") is not None:
        ids: List[Any] = span["ids"]
        if not isinstance(ids, list) or not all(isinstance(id, str) and id.strip() for id in ids):
            raise BionerError(Errors.E006.format(key="ids", found=repr(ids)[:60], wanted="a list of identifiers"))
        found["ids"] = tuple(dict.fromkeys(ids))
    for key, kind, wanted in (("attributes", dict, "an object"), ("note", str, "a string")):
        if span.get(key) is not None:
            found[key] = _typed(dict(span), key, kind, wanted, None)
    return found


def index_records(records: Iterable[Annotation], *, source: str) -> Dict[str, Annotation]:
    """Return records by id.

    records (Iterable[Annotation]): The records of one source.
    source (str): Its name, for errors.
    RETURNS (Dict[str, Annotation]): Id to record, in the order of the records.
    RAISES BionerError: E552 where an id comes twice.
    """
    found: Dict[str, Annotation] = {}
    for record in records:
        if record.id in found:
            raise BionerError(Errors.E552.format(source=source, id=record.id))
        found[record.id] = record
    return found
