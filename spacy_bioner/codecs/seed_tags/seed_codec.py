"""Seed tags, for generated sentences: `<start_sentence>Give <Chemical>aspirin</Chemical>.</end_sentence>`."""

import re
from dataclasses import dataclass
from typing import Dict, List, Optional, Sequence, Tuple

from ...annotation import Annotation, Mention, in_text_order
from ...errors import BionerError, Errors
from ..base import Issue, Piece, Reading
from ..bracket.crossing import drop_crossing, find_crossing
from ..checks import check_labels, describe_span
from ..collect import Collector
from ..descriptions import describe_format
from ..html.html_reader import read_tags
from ..html.html_tokens import Tag, find_tags
from ..labels import label_book
from ..pieces import join_pieces, weave
from ..reasoning import strip_reasoning
from .seed_checks import Seed, check_seeds
from .simple_tags import read_simple

OPEN_WRAPPER = "<start_sentence>"
CLOSE_WRAPPER = "</end_sentence>"
_OPEN = re.compile(r"<\s*start[_ ]sentence\s*>", re.IGNORECASE)
_CLOSE = re.compile(r"<\s*/\s*end[_ ]sentence\s*>", re.IGNORECASE)
# What models write who take the wrapper for a matching pair.
_OTHER_CLOSE = re.compile(r"<\s*/\s*start[_ ]sentence\s*>|<\s*end[_ ]sentence\s*>", re.IGNORECASE)


@dataclass(frozen=True)
class SeedReading:
    """What was read from a generated sentence.

    text (str): The sentence without tags, empty where it is rejected.
    mentions (Tuple[Mention, ...]): What is tagged in it, in text order.
    issues (Tuple[Issue, ...]): In the order in which they were met.
    keep (bool): Whether wrapper and tags are whole; what the seeds' issues mean is for the caller to decide.
    """

    text: str = ""
    mentions: Tuple[Mention, ...] = ()
    issues: Tuple[Issue, ...] = ()
    keep: bool = False


class SeedTagCodec:
    """Writes and reads sentences with tagged seeds.

    repair (bool): Whether `read` tags seeds that are not tagged and widens tags that cover a part of one.
    """

    name = "seed_tags"

    def __init__(self, *, repair: bool = False) -> None:
        self.repair = repair

    def settings(self) -> Dict[str, object]:
        return {"name": self.name, "repair": self.repair}

    def describe(self, labels: Sequence[str], *, lang: str = "en") -> str:
        return describe_format(self.name, lang=lang)

    def unwritable(self, annotation: Annotation) -> Tuple[Mention, ...]:
        """Find what seed tags cannot write.

        annotation (Annotation): The annotation.
        RETURNS (Tuple[Mention, ...]): The fewest mentions of one label that cross another, and in a text that holds
            such tags itself those that would be read otherwise than written.
        """
        dropped = [mention for label in {mention.label for mention in annotation.mentions} for mention in
                   drop_crossing([mention for mention in annotation.mentions if mention.label == label])]
        kept = [mention for mention in annotation.mentions if mention not in dropped]
        while "<" in annotation.text and kept:
            labels = sorted({mention.label for mention in annotation.mentions})
            found = self.decode(annotation.text, labels, join_pieces(_spell(annotation.with_mentions(kept)))).mentions
            wrong = [mention for mention in kept if mention not in found]
            if not wrong:
                break
            dropped.append(wrong[0])
            kept.remove(wrong[0])
        return tuple(mention for mention in annotation.mentions if mention in dropped)

    def pieces(self, annotation: Annotation, labels: Sequence[str]) -> Tuple[Piece, ...]:
        """Spell the answer.

        annotation (Annotation): The sentence.
        labels (Sequence[str]): The labels of the schema.
        RETURNS (Tuple[Piece, ...]): The pieces; an opening tag is `<`, the label and `>`, a closing tag one piece.
        RAISES BionerError: E112 for an unknown label, E113 for what cannot be written.
        """
        check_labels(annotation, labels)
        dropped = self.unwritable(annotation)
        if dropped:
            raise BionerError(Errors.E113.format(codec=self.name, mention=describe_span(dropped[0])))
        return tuple(_spell(annotation))

    def encode(self, annotation: Annotation, labels: Sequence[str]) -> str:
        return join_pieces(self.pieces(annotation, labels))

    def decode(self, text: str, labels: Sequence[str], reply: str, *, truncated: bool = False) -> Reading:
        """Read a tagged copy of a known text; `read` is for sentences that the model made up."""
        body = reply.strip() if reply.strip().startswith(OPEN_WRAPPER) else reply
        if body.startswith(OPEN_WRAPPER) and body.endswith(CLOSE_WRAPPER):
            body = body[len(OPEN_WRAPPER):-len(CLOSE_WRAPPER)]
            issues: Tuple[Issue, ...] = ()
            mentions = read_simple(text, tuple(labels), body)
            if mentions is not None:
                return _collect(text, mentions)
        else:
            issues = (Issue("no_wrapper"),)
        reading = read_tags(text, tuple(labels), body, truncated=truncated)
        kept = tuple(issue for issue in reading.issues if issue.kind != "schema_variant")
        return Reading(reading.mentions, issues + kept)

    def read(self, reply: str, labels: Sequence[str], seeds: Sequence[Seed] = (), *,
             truncated: bool = False) -> SeedReading:
        """Read a generated sentence and compare it with its seeds.

        reply (str): What the model wrote.
        labels (Sequence[str]): The labels of the schema.
        seeds (Sequence[Seed]): Text and label of each seed that was asked for.
        truncated (bool): Whether the token limit cut it.
        RETURNS (SeedReading): The sentence; rejected, and without text, where its wrapper or a tag is not whole.
        """
        found = Collector("")
        if truncated:
            found.issue("truncated")
        sentence = _unwrap(reply, found, labels)
        if sentence is None:
            return SeedReading(issues=tuple(found.issues))
        tags = find_tags(sentence, label_book(tuple(labels)), "")
        found.text = _untagged(sentence, tags)
        whole = _read_tagged(sentence, tags, found)
        found.text = found.text.rstrip()
        if not whole or not found.text:
            return SeedReading(issues=tuple(found.issues))
        check = check_seeds(found.text, in_text_order(found.mentions), seeds, repair=self.repair)
        for kind, detail in check.issues:
            found.issue(kind, detail)
        return SeedReading(found.text, in_text_order(check.mentions), tuple(found.issues), keep=True)


def _collect(text: str, mentions: Sequence[Mention]) -> Reading:
    """Return the mentions of an exact copy."""
    found = Collector(text)
    for mention in mentions:
        found.add(mention.start, mention.end, mention.label)
    for first, second in find_crossing(found.mentions):
        found.issue("crossing", f"{first.start}-{first.end} {second.start}-{second.end}")
    return found.reading()


def _spell(annotation: Annotation) -> List[Piece]:
    """Return the tagged sentence in its wrapper."""
    opens: Dict[int, List[Piece]] = {}
    closes: Dict[int, List[Piece]] = {}
    for mention in in_text_order(annotation.mentions):
        opens.setdefault(mention.start, []).extend(
            [Piece("<", "open"), Piece(mention.label, "label"), Piece(">", "other")])
        closes.setdefault(mention.end, []).insert(0, Piece(f"</{mention.label}>", "close"))
    return [Piece(OPEN_WRAPPER, "other"), *weave(annotation.text, opens, closes), Piece(CLOSE_WRAPPER, "other")]


def _unwrap(reply: str, found: Collector, labels: Sequence[str]) -> Optional[str]:
    """Return the first wrapped sentence, None where there is none."""
    body = strip_reasoning(reply, found, labels)
    if not body.strip():
        found.issue("no_output")
        return None
    opening = _OPEN.search(body)
    start = opening.end() if opening else 0
    closing = _CLOSE.search(body, start)
    if closing is None:
        closing = _OTHER_CLOSE.search(body, start)
        if closing:
            found.issue("schema_variant", closing[0])
    if opening is None or closing is None:
        found.issue("no_wrapper", body)
        _note_broken_tags(body[start:closing.start() if closing else len(body)], found)
        return None
    if (body[:opening.start()] + body[closing.end():]).strip():
        found.issue("extra_text")
    return body[opening.end():closing.start()].lstrip()


def _note_broken_tags(body: str, found: Collector) -> None:
    """Note that a reply without wrapper ends inside a tag."""
    if re.search(r"<[^<>]{0,60}\Z", body):
        found.issue("truncated")


def _untagged(sentence: str, tags: Sequence[Tag]) -> str:
    parts, at = [], 0
    for tag in tags:
        parts.append(sentence[at:tag.start])
        at = tag.end
    return "".join([*parts, sentence[at:]])


def _read_tagged(sentence: str, tags: Sequence[Tag], found: Collector) -> bool:
    """Return whether all tags have their partner; then what they enclose is collected."""
    open_: List[Tuple[Tag, int]] = []
    pairs: List[Tuple[int, int, str]] = []
    removed, whole = 0, True
    for tag in tags:
        place = tag.start - removed
        removed += tag.end - tag.start
        if tag.label is None:
            found.issue("unknown_label", tag.written or sentence[tag.start:tag.end])
        elif tag.kind == "open":
            if tag.written != tag.label:
                found.issue("label_normalised", tag.written)
            open_.append((tag, place))
        else:
            partner = next((other for other in reversed(open_) if other[0].label == tag.label), None)
            if tag.kind == "cut" or partner is None:
                found.issue("tag_mismatch" if open_ and tag.kind == "close" else "unbalanced_marker", tag.written)
                whole = False
            else:
                open_.remove(partner)
                pairs.append((partner[1], place, tag.label))
    for tag, _ in open_:
        found.issue("unbalanced_marker", tag.written)
    if open_ or not whole:
        return False
    for start, end, label in pairs:
        found.add(start, end, label)
    for first, second in find_crossing(found.mentions):
        found.issue("crossing", f"{first.start}-{first.end} {second.start}-{second.end}")
    return True
