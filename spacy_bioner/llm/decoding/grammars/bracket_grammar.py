"""Which bracket answers are legal: for each label the source copied, with brackets that open, nest and close.

Brackets of the source itself are text. Where the next source token is a bracket, a mark of the same spelling cannot be
told from it, so these rules decide, from the source alone:

- A mention never holds one half of a bracket pair: it is closed before a closing bracket whose partner stands before
  it or nowhere, and stays open while the partner of a bracket inside it is still to come.
- Right before an opening bracket no mention opens. But a bracketed part that is glued to what follows, as in
  `[3H]dopamine`, belongs to the word: a mark right behind its opening bracket is read as standing before it.
"""

from typing import List, NamedTuple, Optional, Sequence, Tuple

from ....codecs.bracket.bracket_codec import NONE
from .grammar import Choice, Factors, Found, GrammarContext, GrammarMaker
from .source_tokens import PieceTokens, SourceTokens

OPEN, CLOSE = "[", "]"

# Tokens that the label takes, for the room that answers are given.
_LINE_TOKENS = 12


class Opened(NamedTuple):
    """A mention that is open.

    start (int): Its first unit.
    factors (Factors): The decisions that opened it.
    """

    start: int
    factors: Factors


class BracketState(NamedTuple):
    """A place in a bracket answer.

    line (int): Number of the label; -1 where no line has begun.
    unit (int): The next unit; one past the number of units where the line is finished.
    bare (bool): Whether a mark has taken the white space before that unit.
    opened (Tuple[Opened, ...]): Open mentions, the innermost last.
    closed (int): First unit of the mention closed right here; -1 for none.
    found (Optional[Found]): The last mention found.
    """

    line: int
    unit: int
    bare: bool = False
    opened: Tuple[Opened, ...] = ()
    closed: int = -1
    found: Optional[Found] = None


class BracketGrammar:
    """Legal bracket answers for one text.

    source (SourceTokens): The text.
    labels (Sequence[str]): The labels, in the order of their lines.
    pieces (PieceTokens): Tokens of marks.
    lines (str): "all" or "occurring", as the codec says.
    end_token (int): The token that ends an answer.
    max_depth (int): How deep mentions of a label may nest.
    """

    def __init__(self, source: SourceTokens, labels: Sequence[str], pieces: PieceTokens, *, lines: str,
                 end_token: int, max_depth: int = 4) -> None:
        self.source = source
        self.labels = tuple(labels)
        self.lines = lines
        self.end_token = end_token
        self.max_depth = max_depth
        self._pieces = pieces
        self._open, self._close = pieces.of_each([OPEN, CLOSE])
        self._open_marks = pieces.of_each([unit.space + OPEN for unit in source.units])
        words = [unit.text for unit in source.units]
        self._partners = pair_brackets(words)
        self._starts = [self._first_unit(index) for index in range(len(words))]
        self._brackets = [index for index, word in enumerate(words) if word[0] in OPEN + CLOSE]
        self._closing = [index for index in self._brackets if words[index][0] == CLOSE]

    @property
    def least_tokens(self) -> int:
        lines = len(self.labels) if self.lines == "all" else 1
        return lines * (self.source.token_count + _LINE_TOKENS)

    @property
    def most_tokens(self) -> int:
        return 3 * len(self.labels) * (self.source.token_count + _LINE_TOKENS)

    def start(self) -> BracketState:
        return BracketState(-1, len(self.source) + 1)

    def choices(self, state: BracketState) -> Sequence[Choice]:
        if state.unit > len(self.source):
            return self._between_lines(state)
        if state.unit == len(self.source):
            return self._at_text_end(state)
        choices = []
        if self._may_copy(state):
            choices.append(self._copy(state))
        if self._may_open(state):
            choices.append(self._open_here(state))
        if self._may_close(state):
            choices.append(self._close_here(state))
        return choices

    def _between_lines(self, state: BracketState) -> List[Choice]:
        """Return the lines that may follow, or the end; nothing where the end is the only one."""
        following = range(state.line + 1, len(self.labels))
        if self.lines == "all":
            following = following[:1]
        choices = [self._begin_line(state, line) for line in following]
        if self.lines == "occurring" and choices:
            ended = BracketState(len(self.labels), state.unit, found=state.found)
            if state.line < 0:
                choices.append(Choice(self._pieces.of(NONE), NONE, lambda factors: ended))
            else:
                choices.append(Choice((self.end_token,), "", lambda factors: ended))
        return choices

    def _begin_line(self, state: BracketState, line: int) -> Choice:
        parts = [*(["\n"] if state.line >= 0 else []), self.labels[line], ":  "]
        tokens = tuple(token for ids in self._pieces.of_each(parts) for token in ids)
        begun = BracketState(line, 0, found=state.found)
        return Choice(tokens, "".join(parts), lambda factors: begun)

    def _at_text_end(self, state: BracketState) -> List[Choice]:
        if state.opened:
            return [self._close_here(state)]
        finished = BracketState(state.line, state.unit + 1, found=state.found)
        if self.source.tail:
            return [Choice(self.source.tail, self.source.tail_text, lambda factors: finished)]
        return self._between_lines(finished)

    def _copy(self, state: BracketState) -> Choice:
        unit = self.source.units[state.unit]
        copied = BracketState(state.line, state.unit + 1, opened=state.opened, found=state.found)
        tokens, text = (unit.bare, unit.text) if state.bare else (unit.spaced, unit.space + unit.text)
        return Choice(tokens, text, lambda factors: copied, likely=True, inside=bool(state.opened))

    def _open_here(self, state: BracketState) -> Choice:
        space = "" if state.bare else self.source.units[state.unit].space

        def build(factors: Factors) -> BracketState:
            opened = (*state.opened, Opened(self._starts[state.unit], factors))
            return BracketState(state.line, state.unit, True, opened, found=state.found)

        return Choice(self._open if state.bare else self._open_marks[state.unit], space + OPEN, build,
                      place=(state.line, state.unit, len(state.opened)))

    def _close_here(self, state: BracketState) -> Choice:
        def build(factors: Factors) -> BracketState:
            start, opening = state.opened[-1]
            found = Found(start, state.unit, self.labels[state.line], opening + factors, state.found)
            return BracketState(state.line, state.unit, False, state.opened[:-1], start, found)

        return Choice(self._close, CLOSE, build, inside=True)

    def _may_copy(self, state: BracketState) -> bool:
        """Return whether all that is open can still be closed behind the next unit."""
        return not state.opened or self._can_close(state.opened, state.unit)

    def _may_open(self, state: BracketState) -> bool:
        unit = self.source.units[state.unit]
        if unit.text[0] in OPEN + CLOSE or len(state.opened) == self.max_depth:
            return False
        return self._can_close((*state.opened, Opened(self._starts[state.unit], ())), state.unit)

    def _may_close(self, state: BracketState) -> bool:
        """Return whether the innermost mention can end here: it holds something and is no repetition."""
        if not state.opened or state.bare:
            return False
        start = state.opened[-1].start
        return start != state.closed and self._closable(start, state.unit)

    def _closable(self, start: int, end: int) -> bool:
        """Return whether no bracket between two units has its partner behind them."""
        return all(self._partners[index] < end for index in self._brackets if start <= index < end)

    def _can_close(self, opened: Tuple[Opened, ...], unit: int) -> bool:
        """Return whether there are places behind a unit for mentions to end at: a different one for each of
        those that begin together."""
        start = opened[-1].start
        limit = next((index for index in self._closing if index >= unit and self._partners[index] < start),
                     len(self.source))
        needed = 1 + len(opened) - len({mention.start for mention in opened})
        if needed == 1:
            return unit < limit
        return needed <= sum(self._closable(start, place) for place in range(unit + 1, limit + 1))

    def _first_unit(self, index: int) -> int:
        """Return where a mention begins whose mark stands before a unit: there, or at the bracket before it."""
        units = self.source.units
        if index == 0 or units[index - 1].text != OPEN or units[index].space:
            return index
        behind = self._partners[index - 1] + 1
        glued = 0 < behind < len(units) and not units[behind].space and units[behind].text[0].isalnum()
        return index - 1 if glued else index


def pair_brackets(words: Sequence[str]) -> List[int]:
    """Return for each unit that is a square bracket the index of its partner; -1 for all else."""
    partners = [-1] * len(words)
    waiting: List[int] = []
    for index, word in enumerate(words):
        if word == OPEN:
            waiting.append(index)
        elif word == CLOSE and waiting:
            partners[index] = waiting.pop()
            partners[partners[index]] = index
    return partners


def ground_bracket(context: GrammarContext) -> GrammarMaker:
    """Return a function that makes the grammar of bracket answers."""
    lines, end_token = str(context.codec.settings()["lines"]), context.end_token
    return lambda source: BracketGrammar(source, context.labels, context.pieces, lines=lines, end_token=end_token,
                                         max_depth=context.max_depth)
