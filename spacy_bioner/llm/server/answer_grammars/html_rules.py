"""HTML answers as grammar rules for servers: the source copied, with tags round runs of it, one inside another.

A closing tag repeats its label and surface, so each run that may be marked has rules of its own. To keep the number of
rules linear in the text, runs have a greatest length here, and mentions nest but do not cross; local grounded decoding
has neither limit.
"""

from typing import List, Sequence, Tuple

from ....tokens import find_units
from .grammar_rules import Item, Ref, Rules

MAX_UNITS = 16


def html_rules(text: str, labels: Sequence[str], *, max_depth: int = 2, max_units: int = MAX_UNITS) -> Rules:
    """Make the rules of the HTML answers for one text.

    text (str): The source text.
    labels (Sequence[str]): The labels.
    max_depth (int): How many mentions may be open at once.
    max_units (int): Pre-tokens of the longest mention.
    RETURNS (Rules): The rules.
    """
    return _HtmlRules(text, sorted(labels), max_units).make(max_depth)


class _HtmlRules:
    """Makes the rules of one text.

    Places are numbers of pre-tokens. `free` says how many mentions may still be opened inside of what is being written.
    """

    def __init__(self, text: str, labels: Sequence[str], max_units: int) -> None:
        units = find_units(text)
        self.labels = labels
        self.max_units = max_units
        self.count = len(units)
        self.spaces = [text[before:start] for (_, before), (start, _) in zip([(0, 0), *units], units)]
        self.words = [text[start:end] for start, end in units]
        self.tail = text[units[-1][1]:] if units else text
        self.rules = Rules()

    def make(self, max_depth: int) -> Rules:
        for number, label in enumerate(self.labels):
            self.rules.add(f"o{number}", [[f"<{label}:"]])
            self.rules.add(f"c{number}", [[f"</{label}:"]])
        if max_depth > 0:
            for start, end in self._runs():
                self._add_surface(start, end)
        for free in range(max_depth):
            for start, end in self._runs():
                self._add_mention(start, end, free)
            if free + 1 < max_depth:
                for start, end in self._runs():
                    self._add_inside(start, end, free + 1)
        for start in reversed(range(self.count + 1)):
            following: List[List[Item]] = [[self.tail]]
            if start < self.count:
                following = [[self.spaces[start] + self.words[start], Ref(f"t{start + 1}")]]
                following += [[self.spaces[start], Ref(f"m{start}-{end}-{max_depth - 1}"), Ref(f"t{end}")]
                              for end in self._ends(start) if max_depth > 0]
            self.rules.add("root" if start == 0 else f"t{start}", following)
        return self.rules

    def _runs(self) -> List[Tuple[int, int]]:
        return [(start, end) for start in range(self.count) for end in self._ends(start)]

    def _ends(self, start: int, limit: int = -1) -> range:
        limit = self.count if limit < 0 else limit
        return range(start + 1, min(limit, start + self.max_units) + 1) if self.labels else range(0)

    def _add_surface(self, start: int, end: int) -> None:
        inner = "".join(space + word for space, word in zip(self.spaces[start + 1:end], self.words[start + 1:end]))
        self.rules.add(f"s{start}-{end}", [[self.words[start] + inner]])

    def _add_mention(self, start: int, end: int, free: int) -> None:
        """Add the mentions of one run: a rule for each label, and one for all labels from a number on."""
        surface = Ref(f"s{start}-{end}")
        for number in reversed(range(len(self.labels))):
            inside: Item = surface if free == 0 else Ref(f"i{start}-{end}-{free}")
            name = f"m{start}-{end}-{free}"
            contents: List[Sequence[Item]] = [[inside]]
            if free and number + 1 < len(self.labels):
                # Of two mentions of one run the one whose label comes first is written outside.
                contents.append([Ref(f"m{start}-{end}-{free - 1}" + f"-{number + 1}")])
            within = contents[0][0] if len(contents) == 1 else self.rules.add(f"{name}-w{number}", contents)
            tagged: List[Item] = [Ref(f"o{number}"), surface, ">", within, Ref(f"c{number}"), surface, ">"]
            later: List[List[Item]] = [[Ref(f"{name}-{number + 1}")]] if number + 1 < len(self.labels) else []
            self.rules.add(name if number == 0 else f"{name}-{number}", [tagged, *later])

    def _add_inside(self, start: int, end: int, free: int) -> None:
        """Add what stands inside a mention: its pre-tokens with shorter mentions among them."""
        for place in reversed(range(start, end)):
            first = place == start
            name = f"i{start}-{end}-{free}" if first else f"r{place}-{end}-{free}"
            if not first and place > start + 1:
                continue
            space = "" if first else self.spaces[place]
            following: List[Sequence[Item]] = [[space + self.words[place], *self._rest(place + 1, end, free)]]
            for middle in self._ends(place, end - 1 if first else end):
                following.append([space, Ref(f"m{place}-{middle}-{free - 1}"), *self._rest(middle, end, free)])
            self.rules.add(name, following)

    @staticmethod
    def _rest(place: int, end: int, free: int) -> List[Item]:
        return [Ref(f"r{place}-{end}-{free}")] if place < end else []
