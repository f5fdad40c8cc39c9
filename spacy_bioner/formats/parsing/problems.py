"""What a reader or a writer left out or changed, and why: counted, shown as a table, or fatal when strict."""

from dataclasses import dataclass, field
from typing import Callable, Dict, List, Mapping, Optional, Sequence, Tuple

from ...annotation import Annotation
from ...errors import BionerError, Errors

# Kind of problem: what is done about it. Of those marked as notes a format holds more than mentions, and nothing
# that was annotated as one is lost; `strict` does not stop at them.
FATES: Dict[str, str] = {
    "outside_text": "mention left out: its offsets lie outside the text",
    "surface_differs": "mention left out: its text is not what stands at its offsets",
    "shifted": "mention moved: its text stands a few characters beside its offsets",
    "white_space": "mention kept: white space cut from its edges",
    "other_counting": "mentions kept: offsets of the document converted to code points",
    "empty": "mention left out: nothing inside it",
    "discontinuous": "mention left out: it has several parts, records hold one",
    "duplicate": "mention left out: same place and label as another",
    "off_boundary": "mention left out: it begins or ends inside a unit",
    "overlap": "mention left out: the format holds no mention that overlaps another in the same column",
    "bad_tag": "mention kept: a tag for its inside opens it, as in IOB1",
    "bare_tag": "mention left out: its tag says no label; give the label of such tags",
    "token_not_found": "text joined by blanks: its tokens are not those of the stated text",
    "unwritable_label": "mention left out: the format cannot hold its label",
    "bad_line": "line left out, or of a token only the tag: it cannot be read",
    "repeated_document": "document left out: its id was there before",
    "unwritable_text": "document left out: the format cannot hold its text",
    "no_text": "annotation left out: it belongs to no text",
    "without_text": "document left out: it has no text",
    "no_annotation": "text kept without mentions: it has no annotations",
    "event": "annotation left out: an event or its trigger, from a file of events",
    "other_spans": "mention left out: it is in another group of spans than the one that is read",
    "unknown_list": "list left out: BioC has none of that name",
    "unread_tags": "mentions left out: they are in a further column of tags; name the columns",
    "unknown_key": "key left out: no part of a record or span",
    "text_changed": "document left out: its text is not the one that was given out",
    "not_accepted": "annotation left out: it was rejected, skipped or cancelled",
    "other_annotator": "annotation left out: another one of the same text counts",
    "unknown_document": "document left out: none of its id and text was given out",
    "unknown_label": "mention left out: its label is none of those given",
    "changed_text": "text changed: the format cannot hold it as it is",
    "moved_passage": "note: a passage moved, its offset lies in the one before",
    "lost_score": "note: scores are not held by the format",
    "lost_ids": "note: identifiers of concepts are not held by the format",
    "lost_attributes": "note: attributes of mentions are not held by the format",
    "lost_note": "note: remarks on mentions are not held by the format",
    "lost_meta": "note: metadata is not held by the format",
    "unknown_vocabulary": "note: an identifier is kept as it is; nothing says of which vocabulary it is",
    "no_concept": "note: a mention says that no identifier fits it; it is kept without",
    "named_columns": "note: the file names its own columns, which differ from those given; its names are used",
    "from_predictions": "note: mentions are predictions, or of a task that nobody has answered",
    "from_ents": "note: mentions are the entities of the Doc, since it has no span group 'sc'",
    "unused_rename": "note: no mention has the label that was to be renamed",
    "relation": "note: relations are not carried over",
    "other_annotation": "note: events, and attributes and remarks of what is no mention, are not carried over",
    "extra_column": "note: further columns of a mention are not carried over",
    "open_end": "note: the last line has no line end; the file may have been cut there",
    "composite": "note: a composite mention is kept as one span, its parts as an attribute",
}
# What a writer tells of each record that it has written: the record, as far as the format holds its mentions.
Written = Callable[[Annotation], None]

NOTES = frozenset(kind for kind, fate in FATES.items() if fate.startswith("note:"))


@dataclass(frozen=True)
class Problem:
    """One thing that was left out or changed.

    kind (str): A key of `FATES`.
    place (str): File with line, or id of the record.
    detail (str): What it is about.
    """

    kind: str
    place: str
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.place} ({self.detail})" if self.detail else self.place


@dataclass
class Problems:
    """Collects problems: all are counted, the first few of a kind are kept as examples.

    strict (bool): Whether the first problem that is not just a note raises.
    keep (int): How many examples of a kind are kept.
    fates (Mapping[str, str]): The kinds that there are, and what is said of each.
    """

    strict: bool = False
    keep: int = 3
    fates: Mapping[str, str] = field(default_factory=lambda: FATES)
    counts: Dict[str, int] = field(default_factory=dict)
    examples: Dict[str, List[Problem]] = field(default_factory=dict)

    def add(self, kind: str, place: str, detail: str = "") -> None:
        """Note a problem.

        kind (str): A key of `fates`.
        place (str): File with line, or id of the record.
        detail (str): What it is about.
        RAISES BionerError: E010 when strict, unless the kind is just a note.
        """
        problem = Problem(kind, place, detail)
        if self.strict and kind not in NOTES:
            raise BionerError(Errors.E010.format(problem=problem, fate=self.fates[kind]))
        self.counts[kind] = self.counts.get(kind, 0) + 1
        examples = self.examples.setdefault(kind, [])
        if len(examples) < self.keep:
            examples.append(problem)

    def table(self) -> List[Tuple[str, int, str, str]]:
        """Return the kind, count, what was done, first place; by count."""
        return [(kind, count, self.fates[kind], str(self.examples[kind][0]))
                for kind, count in sorted(self.counts.items(), key=lambda item: (-item[1], item[0]))]


def strict_unless(problems: Optional[Problems]) -> Problems:
    """Return the collector given, or, where nobody collects, one that raises: nothing is lost silently."""
    return Problems(strict=True) if problems is None else problems


def untold(annotation: Annotation) -> None:
    """Take what a writer tells where nobody wants to know."""


def note_losses(annotation: Annotation, problems: Problems, *, held: Sequence[str] = ()) -> None:
    """Note that a format loses what a record says besides text, mentions and id.

    annotation (Annotation): A record that is written.
    problems (Problems): Takes note.
    held (Sequence[str]): What the format holds: "score", "ids", "attributes", "note", "meta".
    """
    for key in ("ids", "attributes", "note"):
        lost = [mention for mention in annotation.mentions if getattr(mention, key)] if key not in held else []
        if lost:
            problems.add(f"lost_{key}", annotation.id, f"{len(lost)} mentions")
    if "score" not in held and any(mention.score is not None or mention.grounding is not None
                                   for mention in annotation.mentions):
        problems.add("lost_score", annotation.id)
    if annotation.meta and "meta" not in held:
        problems.add("lost_meta", annotation.id, ", ".join(sorted(annotation.meta)))
