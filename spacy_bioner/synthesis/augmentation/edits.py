"""Changes of an annotated text that keep its mentions where they belong."""

from dataclasses import dataclass, replace
from typing import Iterable, List, Tuple

from ...annotation import Annotation, Mention, in_text_order


@dataclass(frozen=True)
class Edit:
    """A stretch of a text and what stands there instead.

    start (int): First character.
    end (int): One past the last.
    text (str): The new text.
    mentions (Tuple[Mention, ...]): Mentions in the new text, offsets counted from its beginning; they take the place
        of the mentions that lie in the stretch.
    keep (bool): Whether mentions that lie in the stretch stay instead, because the new text is as long as the old.
    """

    start: int
    end: int
    text: str
    mentions: Tuple[Mention, ...] = ()
    keep: bool = False


def apply_edits(annotation: Annotation, edits: Iterable[Edit]) -> Annotation:
    """Change a text.

    annotation (Annotation): The text with its mentions.
    edits (Iterable[Edit]): Changes that do not overlap; no mention may cross the edge of one.
    RETURNS (Annotation): The changed text; mentions round a change grow or shrink with it.
    """
    ordered = sorted(edits, key=lambda edit: edit.start)
    parts: List[str] = []
    mentions: List[Mention] = []
    reached = size = 0
    for edit in ordered:
        kept = annotation.text[reached:edit.start]
        parts += [kept, edit.text]
        size += len(kept)
        mentions += [_move(mention, size) for mention in edit.mentions]
        size += len(edit.text)
        reached = edit.end
    parts.append(annotation.text[reached:])
    for mention in annotation.mentions:
        inside = any(edit.start <= mention.start and mention.end <= edit.end and not edit.keep for edit in ordered)
        if not inside:
            # Offsets inside an edit that keeps its mentions move with its beginning, since lengths are equal there.
            start = mention.start + sum(_growth(edit) for edit in ordered if edit.end <= mention.start)
            end = mention.end + sum(_growth(edit) for edit in ordered if edit.end <= mention.end)
            changed = any(edit.start < mention.end and mention.start < edit.end for edit in ordered)
            # Of another name nobody knows which concept it is.
            mentions.append(Mention(start, end, mention.label) if changed else replace(mention, start=start, end=end))
    return Annotation("".join(parts), in_text_order(mentions), id=annotation.id, meta=dict(annotation.meta))


def _growth(edit: Edit) -> int:
    return len(edit.text) - (edit.end - edit.start)


def _move(mention: Mention, by: int) -> Mention:
    return replace(mention, start=mention.start + by, end=mention.end + by)


def outermost(annotation: Annotation) -> List[Mention]:
    """Find the mentions that can be replaced as a whole.

    annotation (Annotation): The text with its mentions.
    RETURNS (List[Mention]): Those that lie in no other and cross no other; of several on one place the first.
    """
    found: List[Mention] = []
    for mention in in_text_order(annotation.mentions):
        inside = any(other.start <= mention.start and mention.end <= other.end for other in found)
        crossing = any(mention.crosses(other) for other in annotation.mentions)
        if not inside and not crossing:
            found.append(mention)
    return found


def cut_out(annotation: Annotation, mention: Mention) -> Edit:
    """Return the text of a mention with all that is in it and on it, offsets counted from its beginning."""
    inner = tuple(_move(other, -mention.start) for other in annotation.mentions
                  if mention.start <= other.start and other.end <= mention.end)
    return Edit(mention.start, mention.end, annotation.surface(mention), inner)
