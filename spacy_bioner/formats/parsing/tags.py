"""Mentions as tags of tokens and back: IOB1, IOB2, IOBES and BILOU are read, IOB2 is written."""

from bisect import bisect_left, bisect_right
from dataclasses import replace
from typing import Iterable, List, Optional, Sequence, Tuple

from ...annotation import Annotation, Mention
from .problems import Problems
from .spans import Stated

OUTSIDE = "O"
_BEGIN = frozenset("BSU")
_CONTINUE = frozenset("IELM")
_END = frozenset("ESLU")

Span = Tuple[int, int]


def place_tokens(text: Optional[str], tokens: Sequence[str]) -> Optional[Tuple[str, List[Span]]]:
    """Find tokens in a text, or join them by blanks where there is no text.

    text (Optional[str]): The text, if it is known.
    tokens (Sequence[str]): The tokens, in text order.
    RETURNS (Optional[Tuple[str, List[Span]]]): The text and the place of each token; None where the tokens are not,
        but for white space, the text.
    """
    if text is None:
        text = " ".join(tokens)
    spans = []
    reached = 0
    for token in tokens:
        start = text.find(token, reached)
        if start < 0 or text[reached:start].strip():
            return None
        reached = start + len(token)
        spans.append((start, reached))
    return None if text[reached:].strip() else (text, spans)


def join_tokens(tokens: Sequence[str]) -> Tuple[str, List[Span]]:
    """Return tokens joined by blanks, and the place of each."""
    placed = place_tokens(None, tokens)
    assert placed is not None, "tokens are found in the text that they make"
    return placed


def read_tags(tags: Sequence[str], tokens: Sequence[Span], *, place: str, problems: Problems,
              label: str = "") -> List[Stated]:
    """Read one column of tags. A token may be empty or hold white space at its edges, so that what is read is only
    stated: see `ground_mentions`.

    tags (Sequence[str]): One a token: O, or a letter and a label.
    tokens (Sequence[Span]): Where each token stands.
    place (str): File and line, for problems.
    problems (Problems): Takes note of tags that do not follow from the one before, and of what is no tag.
    label (str): Label of tags that have none, as in B, I and O.
    RETURNS (List[Stated]): The mentions, in text order.
    """
    found: List[Stated] = []
    open_ = False
    for number, (tag, (start, end)) in enumerate(zip(tags, tokens), start=1):
        letter, _, of_tag = tag.partition("-")
        if tag == OUTSIDE or not is_tag(tag, bare=bool(label)):
            if tag != OUTSIDE:
                kind = "bare_tag" if is_tag(tag, bare=True) else "bad_line"
                problems.add(kind, place, f"token {number} has the tag '{tag}'")
            open_ = False
            continue
        of_tag = of_tag or label
        if letter in _CONTINUE and open_ and found[-1].label == of_tag:
            found[-1] = replace(found[-1], end=end)
        else:
            if letter in _CONTINUE:
                problems.add("bad_tag", place, f"token {number} has the tag '{tag}'")
            found.append(Stated(start, end, of_tag, None, place))
        open_ = letter not in _END
    return found


def mentions_to_layers(annotation: Annotation, tokens: Sequence[Span], *, problems: Problems) -> List[List[str]]:
    """Write mentions as columns of tags: each goes into the first column where it overlaps no other.

    annotation (Annotation): The mentions.
    tokens (Sequence[Span]): Where each token stands.
    problems (Problems): Takes note of mentions that begin or end inside a token, and of labels with white space.
    RETURNS (List[List[str]]): Columns, outer mentions first, at least one; a tag a token.
    """
    starts, ends = [start for start, _ in tokens], [end for _, end in tokens]
    layers: List[List[str]] = [[OUTSIDE] * len(tokens)]
    for mention in annotation.mentions:
        first, last = bisect_left(starts, mention.start), bisect_right(ends, mention.end)
        if first >= last or starts[first] != mention.start or ends[last - 1] != mention.end:
            problems.add("off_boundary", annotation.id, f"{mention.start}-{mention.end} {mention.label}")
        elif not mention.label or mention.label != "".join(mention.label.split()):
            problems.add("unwritable_label", annotation.id, repr(mention.label))
        else:
            layer = _first_free(layers, first, last)
            layer[first:last] = [f"B-{mention.label}", *[f"I-{mention.label}"] * (last - first - 1)]
    return layers


def layers_to_mentions(layers: Iterable[Sequence[str]], tokens: Sequence[Span]) -> List[Mention]:
    """Return the mentions that columns of `mentions_to_layers` hold, without scores."""
    stated = [one for layer in layers for one in read_tags(layer, tokens, place="", problems=Problems())]
    return [one.at(one.start, one.end) for one in stated]


def _first_free(layers: List[List[str]], first: int, last: int) -> List[str]:
    """Return the first column that is free from first to last; a new one where none is."""
    for layer in layers:
        if all(tag == OUTSIDE for tag in layer[first:last]):
            return layer
    layers.append([OUTSIDE] * len(layers[0]))
    return layers[-1]


def is_tag(word: str, *, bare: bool = False) -> bool:
    """Return whether a word is a tag of a token; a letter without a label only where bare ones are."""
    letter, hyphen, label = word.partition("-")
    known = letter in _BEGIN | _CONTINUE
    return word == OUTSIDE or bool(known and hyphen and label.strip()) or bool(bare and known and not hyphen)
