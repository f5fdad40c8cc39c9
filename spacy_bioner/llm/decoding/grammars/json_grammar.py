"""Which JSON answers are legal: a list of known labels and runs of the source, in text order.

A name is spelt without its place. While it could still stand at several places all of them are kept; in the end the
first one in text order is meant, and a free-standing one before one inside the mention before it.
"""

import json
from typing import Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple

from .grammar import Choice, Factors, Found, GrammarContext, GrammarMaker
from .source_tokens import PieceTokens, SourceTokens, Tokens

# Tokens that an item takes beside the name, for the room that answers are given.
_ITEM_TOKENS = 24


class JsonState(NamedTuple):
    """A place in a JSON answer.

    part (str): "begin", "items" (between items), "name" (inside a name) or "end".
    label (str): Inside an item, its label.
    starts (Tuple[int, ...]): Inside a name, the units that it may begin at, preferred ones first.
    length (int): Units of the name so far.
    factors (Factors): The decisions of the item so far.
    found (Optional[Found]): The last mention found.
    """

    part: str
    label: str = ""
    starts: Tuple[int, ...] = ()
    length: int = 0
    factors: Factors = ()
    found: Optional[Found] = None


class JsonGrammar:
    """Legal JSON answers for one text, items in the shape `{"type": label, "name": text}`.

    source (SourceTokens): The text.
    labels (Sequence[str]): The labels.
    pieces (PieceTokens): Tokens of pieces.
    """

    def __init__(self, source: SourceTokens, labels: Sequence[str], pieces: PieceTokens) -> None:
        self.source = source
        self.labels = tuple(labels)
        self._pieces = pieces
        self._begin, self._comma, self._end, self._close = pieces.of_each(["[", ",", "]", '"}'])
        self._openings: Dict[str, Tokens] = {}
        for label in self.labels:
            parts = pieces.of_each(['{"type":"', escape_json(label), '","name":"'])
            self._openings[label] = tuple(token for tokens in parts for token in tokens)
        self._bare = [pieces.of(escape_json(unit.text)) for unit in source.units]
        self._spaced = [pieces.of(escape_json(unit.space + unit.text)) for unit in source.units]

    @property
    def least_tokens(self) -> int:
        return len(self._begin) + len(self._end)

    @property
    def most_tokens(self) -> int:
        return 2 * self.source.token_count + _ITEM_TOKENS * (len(self.source) + 1)

    def start(self) -> JsonState:
        return JsonState("begin")

    def choices(self, state: JsonState) -> Sequence[Choice]:
        if state.part == "begin":
            return [Choice(self._begin, "[", lambda factors: JsonState("items"))]
        if state.part == "items":
            return self._items(state)
        if state.part == "name":
            return self._name_goes_on(state) if state.length else self._name_starts(state)
        return []

    def _items(self, state: JsonState) -> List[Choice]:
        """Return a further item of each label, the last item's first, or the end of the list."""
        comma, text = (self._comma, ",") if state.found else ((), "")
        last = state.found.label if state.found else ""
        choices = [Choice((*comma, *self._openings[label]), f'{text}{{"type":"{escape_json(label)}","name":"',
                          self._begin_name(state, label), likely=True)
                   for label in sorted(self.labels, key=lambda label: label != last) if self._starts(state, label)]
        ended = JsonState("end", found=state.found)
        return [*choices, Choice(self._end, "]", lambda factors: ended)]

    def _begin_name(self, state: JsonState, label: str) -> Callable[[Factors], JsonState]:
        return lambda factors: JsonState("name", label, tuple(self._starts(state, label)), 0, factors, state.found)

    def _starts(self, state: JsonState, label: str) -> List[int]:
        """Return units that a name of a label may begin at, preferred ones first."""
        count, last = len(self.source), state.found
        if last is None:
            return list(range(count))
        starts = [start for start in range(last.start, count) if self._last_end(state, label, start) > start]
        inside = last.end if last.label == label else last.start
        return [start for start in starts if start >= inside] + [start for start in starts if start < inside]

    def _last_end(self, state: JsonState, label: str, start: int) -> int:
        """Return where a mention from a unit may end at the latest: of two with one start the longer one is
        written first, of two with one place the one whose label comes first."""
        last = state.found
        if last is None or start > last.start:
            return len(self.source)
        return last.end if label > last.label else last.end - 1

    def _name_starts(self, state: JsonState) -> List[Choice]:
        return self._group(state, state.starts, self._bare, likely=False)

    def _name_goes_on(self, state: JsonState) -> List[Choice]:
        """Return the end of the name, or its next unit at each of its places."""
        choices = []
        ends = [start for start in state.starts if start + state.length <= self._last_end(state, state.label, start)]
        if ends:
            choices.append(Choice(self._close, '"}', self._finish_item(state, ends[0]), inside=True))
        longer = [start for start in state.starts if start + state.length < self._last_end(state, state.label, start)]
        return choices + self._group(state, longer, self._spaced, likely=True)

    def _group(self, state: JsonState, starts: Sequence[int], tokens: Sequence[Tokens], *,
               likely: bool) -> List[Choice]:
        """Return the next unit of a name, one choice for all places at which it is spelt alike."""
        groups: Dict[Tokens, List[int]] = {}
        for start in starts:
            groups.setdefault(tokens[start + state.length], []).append(start)
        return [Choice(spelt, self._text(group[0] + state.length, bare=state.length == 0),
                       self._extend_name(state, tuple(group)), likely=likely, inside=state.length > 0)
                for spelt, group in groups.items()]

    def _text(self, index: int, *, bare: bool) -> str:
        unit = self.source.units[index]
        return escape_json(unit.text if bare else unit.space + unit.text)

    def _extend_name(self, state: JsonState, starts: Tuple[int, ...]) -> Callable[[Factors], JsonState]:
        def build(factors: Factors) -> JsonState:
            # Where the name begins is a decision of the mention, that it goes on is none.
            decisions = state.factors if state.length else state.factors + factors
            return state._replace(starts=starts, length=state.length + 1, factors=decisions)

        return build

    def _finish_item(self, state: JsonState, start: int) -> Callable[[Factors], JsonState]:
        def build(factors: Factors) -> JsonState:
            found = Found(start, start + state.length, state.label, state.factors + factors, state.found)
            return JsonState("items", found=found)

        return build


def escape_json(text: str) -> str:
    """Return the text as it stands inside a JSON string."""
    return json.dumps(text, ensure_ascii=False)[1:-1]


def ground_json(context: GrammarContext) -> Optional[GrammarMaker]:
    """Return what makes the grammar of JSON answers; None for shapes other than "name"."""
    if context.codec.settings()["shape"] != "name":
        return None
    return lambda source: JsonGrammar(source, context.labels, context.pieces)
