"""JSON answers whose names are runs of the source, in text order, as grammar rules for servers.

Items stand in the order of local grounded decoding: by start, of one start the longer one first, of one span by label.
So each place is named at most once for each label, and an answer ends. Two things differ from local grounded decoding:

- A name that stands at several places is given the first place that is left by the local decoder. Here any place will
  do that keeps the order, so a few more answers are legal.
- To keep the number of rules linear in the text, names have an exact length up to a limit only. Of the longer names of
  one start at most one is written; the local decoder has no such limit.
"""

from typing import List, Sequence

from ....codecs.json.json_keys import WRAPPED_KEY
from ....tokens import find_units
from ...decoding.grammars.json_grammar import escape_json
from .grammar_rules import Item, Ref, Rules

MAX_EXACT = 8


def json_rules(text: str, labels: Sequence[str], *, wrapped: bool = False, max_exact: int = MAX_EXACT) -> Rules:
    """Make the rules of the JSON answers for one text, items in the shape `{"type": label, "name": text}`.

    text (str): The source text.
    labels (Sequence[str]): The labels.
    wrapped (bool): Whether the list stands in an object, `{"entities":[...]}`.
    max_exact (int): Pre-tokens; shorter names of one start are told apart by their lengths.
    RETURNS (Rules): The rules.
    """
    return _JsonRules(text, sorted(labels), max_exact).make(wrapped=wrapped)


class _JsonRules:
    """Makes the rules of one text.

    Places are numbers of pre-tokens, labels are numbers in their sorted order, lengths are in pre-tokens. The length
    `max_exact` stands for itself and all longer ones.
    """

    def __init__(self, text: str, labels: Sequence[str], max_exact: int) -> None:
        units = find_units(text)
        self.labels = labels
        self.max_exact = max_exact
        self.count = len(units)
        self.words = [escape_json(text[start:end]) for start, end in units]
        self.spaced = [escape_json(text[before:end]) for (_, before), (_, end) in zip([(0, 0), *units], units)]
        self.rules = Rules()

    def make(self, *, wrapped: bool) -> Rules:
        head, tail = (f'{{"{WRAPPED_KEY}":', "}") if wrapped else ("", "")
        first: List[List[Item]] = [[f"{head}[]{tail}"]]
        if self.count:
            first += [[f"{head}[{self._opening(number)}", Ref(f"n0-{number}")] for number in range(len(self.labels))]
        self.rules.add("root", first)
        if not self.count or not self.labels:
            return self.rules
        self.rules.add("end", [[f"]{tail}"]])
        self.rules.add("z", [['"}']])
        for number in range(len(self.labels)):
            self.rules.add(f"o{number}", [[f",{self._opening(number)}"]])
        for start in range(self.count):
            self._add_next_item(start + 1)
            self._add_surfaces(start)
            for number in range(len(self.labels)):
                self._add_names(start, number)
        self._add_long_names()
        return self.rules

    def _opening(self, number: int) -> str:
        return f'{{"type":"{escape_json(self.labels[number])}","name":"'

    def _lengths(self, start: int) -> int:
        """Return the number of lengths that names of a start have."""
        return min(self.max_exact, self.count - start)

    def _add_next_item(self, place: int) -> None:
        """Add the end of the list, or an item that begins at a place or later."""
        following: List[List[Item]] = [[Ref("end")]]
        if place < self.count:
            following += [[Ref(f"o{number}"), Ref(f"n{place}-{number}")] for number in range(len(self.labels))]
        self.rules.add(f"i{place}", following)

    def _add_surfaces(self, start: int) -> None:
        """Add the names of one start whose lengths are exact."""
        self.rules.add(f"s{start}-1", [[self.words[start]]])
        if start > 0:
            self.rules.add(f"w{start}", [[self.spaced[start]]])
        for length in range(2, self._lengths(start) + 1):
            self.rules.add(f"s{start}-{length}", [[Ref(f"s{start}-{length - 1}"), Ref(f"w{start + length - 1}")]])

    def _add_names(self, start: int, number: int) -> None:
        """Add the names of one label that begin at a place or later, and what may follow each."""
        names: List[List[Item]] = [[Ref(f"s{start}-1"), Ref(f"c{start}-1-{number}")]]
        if start + 1 < self.count:
            names.append([Ref(f"n{start + 1}-{number}")])
        self.rules.add(f"n{start}-{number}", names)
        for length in range(1, self._lengths(start) + 1):
            after = Ref(f"f{start}-{length}-{number}")
            goes_on: List[List[Item]] = [[Ref("z"), after]]
            if length == self.max_exact:
                goes_on = [[Ref(f"l{start + length}"), Ref("z"), after]]
            elif start + length < self.count:
                goes_on.append([Ref(f"w{start + length}"), Ref(f"c{start}-{length + 1}-{number}")])
            self.rules.add(f"c{start}-{length}-{number}", goes_on)
            self._add_followers(start, length, number)

    def _add_followers(self, start: int, length: int, number: int) -> None:
        """Add what may follow an item: first those of its start, in their order, each written or left out."""
        is_open = length == self.max_exact and start + length < self.count
        if number + 1 < len(self.labels) and not is_open:
            length_after, number_after = length, number + 1
        else:
            length_after, number_after = length - 1, 0
        if length_after == 0:
            self.rules.add(f"f{start}-{length}-{number}", [[Ref(f"i{start + 1}")]])
            return
        after = Ref(f"f{start}-{length_after}-{number_after}")
        item = [Ref(f"o{number_after}"), Ref(f"s{start}-{length_after}"), Ref("z"), after]
        self.rules.add(f"f{start}-{length}-{number}", [item, [after]])

    def _add_long_names(self) -> None:
        """Add what names longer than the limit go on with."""
        for place in range(self.max_exact, self.count + 1):
            longer: List[List[Item]] = [[]]
            if place < self.count:
                longer.append([Ref(f"w{place}"), Ref(f"l{place + 1}")])
            self.rules.add(f"l{place}", longer)
