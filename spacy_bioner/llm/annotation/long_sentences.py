"""Texts as a prompt shows them, long runs of white space folded, and sentences over the context cut at pre-tokens."""

import re
from bisect import bisect_right
from dataclasses import dataclass, replace
from typing import Callable, Iterable, Iterator, List, Tuple

from ...annotation import Mention
from ...tokens import find_units

Bounds = Tuple[int, int]

# Blank lines and double blanks stay: texts that models were trained on have them, and they cost a token.
_LONG_GAP = re.compile(r"\s{3,}")
# Parts of a sentence share their last quarter with the next part, so that a mention at a cut is seen whole.
_PARTS = 4
# No token stands for more characters than this, white space aside, so that nothing longer needs counting.
_MOST_CHARACTERS = 32


@dataclass(frozen=True)
class FoldedText:
    """A text without long runs of white space, and where its characters stand in the text that was given.

    text (str): The text as prompts show it.
    starts (Tuple[int, ...]): Where each stretch begins that was kept as it is; the first begins at 0.
    shifts (Tuple[int, ...]): How many characters were left out before each.
    """

    text: str
    starts: Tuple[int, ...] = (0,)
    shifts: Tuple[int, ...] = (0,)

    def place(self, offset: int) -> int:
        """Return where a character stands in the text that was given."""
        return offset + self.shifts[bisect_right(self.starts, offset) - 1]

    def give_back(self, mentions: Iterable[Mention]) -> Tuple[Mention, ...]:
        """Return mentions of the folded text as those of the text that was given."""
        if len(self.starts) == 1:
            return tuple(mentions)
        return tuple(replace(mention, start=self.place(mention.start), end=self.place(mention.end - 1) + 1)
                     for mention in mentions)


def fold_gaps(text: str) -> FoldedText:
    """Fold each run of more than two white space characters into one: a line break where there is one in it.

    text (str): The text.
    RETURNS (FoldedText): The text with the way back.
    """
    parts: List[str] = []
    starts, shifts = [0], [0]
    reached = length = 0
    for match in _LONG_GAP.finditer(text):
        parts += [text[reached:match.start()], "\n" if "\n" in match[0] else " "]
        length += match.start() - reached + 1
        reached = match.end()
        starts.append(length)
        shifts.append(reached - length)
    return FoldedText("".join([*parts, text[reached:]]), tuple(starts), tuple(shifts))


def cut_sentence(text: str, bounds: Bounds, *, count_tokens: Callable[[str], int], most: int) -> Iterator[Bounds]:
    """Cut a sentence that no prompt has room for into parts of at most a quarter of that room.

    text (str): The text.
    bounds (Bounds): Start and end of the sentence.
    count_tokens (Callable[[str], int]): Counts with the model's own tokenizer.
    most (int): Tokens that there is room for.
    YIELDS (Bounds): The parts, which cover the sentence; cut behind white space where there is some, else at a
        pre-token, and inside one only where it is longer than a part.
    """
    start, end = bounds
    size = max(1, most // _PARTS)
    units = [(first + start, last + start) for first, last in find_units(text[start:end])]
    between = [last for (_, last), (following, _) in zip(units, units[1:])]
    spaced = [last for (_, last), (following, _) in zip(units, units[1:]) if last < following]
    while start < end:
        reach = min(end, start + size * _MOST_CHARACTERS)
        if reach == end and count_tokens(text[start:end]) <= size:
            yield start, end
            return
        cut = next(filter(None, (_last_fitting(text, start, places, reach, count_tokens, size)
                                 for places in (spaced, between, range(start + 1, end)))), start + 1)
        yield start, cut
        start = cut


def _last_fitting(text: str, start: int, places: "List[int] | range", reach: int, count_tokens: Callable[[str], int],
                  size: int) -> int:
    """Return the last of some places up to which the text fits; 0 where not even the first does."""
    low = bisect_right(places, start)
    high = bisect_right(places, reach)
    best = 0
    while low < high:
        middle = (low + high) // 2
        if count_tokens(text[start:places[middle]]) <= size:
            best, low = places[middle], middle + 1
        else:
            high = middle
    return best
