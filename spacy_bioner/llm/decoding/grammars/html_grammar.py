"""Which HTML answers are legal: the source copied, with tags that open, name the mention that follows, and close.

Between `<label:` and `>` runs the surface, which fixes where the mention ends; so the closing tag is no choice.
Mentions may nest and cross. Tags of the source itself are text: a place where one could be meant is read both ways
until a token tells which it is.
"""

from typing import Callable, List, NamedTuple, Optional, Sequence, Tuple

from .grammar import Choice, Factors, Found, GrammarContext, GrammarMaker
from .source_tokens import PieceTokens, SourceTokens

# Tokens that a tag takes beside the surface, for the room that answers are given.
_TAG_TOKENS = 24


class Tagged(NamedTuple):
    """A mention whose end is fixed.

    start (int): Its first unit.
    end (int): One past its last unit.
    label (str): Its label.
    factors (Factors): The decisions that it rests on.
    """

    start: int
    end: int
    label: str
    factors: Factors

    def before(self, end: int, label: str) -> bool:
        """Return whether a mention with the same start is written behind this one: longer ones first."""
        return end < self.end or (end == self.end and label > self.label)


class HtmlState(NamedTuple):
    """A place in an HTML answer.

    unit (int): The next unit; one past their number where the answer is finished.
    bare (bool): Whether a tag has taken the white space before it.
    opened (Tuple[Tagged, ...]): Mentions to be closed, in the order in which they were opened.
    last (Optional[Tagged]): The mention opened last at this unit.
    label (str): Inside an opening tag, its label.
    end (int): Inside an opening tag, one past the last unit of the surface so far.
    factors (Factors): Inside an opening tag, the decisions that opened it.
    found (Optional[Found]): The last mention found.
    """

    unit: int
    bare: bool = False
    opened: Tuple[Tagged, ...] = ()
    last: Optional[Tagged] = None
    label: str = ""
    end: int = -1
    factors: Factors = ()
    found: Optional[Found] = None


class HtmlGrammar:
    """Legal HTML answers for one text.

    source (SourceTokens): The text.
    labels (Sequence[str]): The labels.
    pieces (PieceTokens): Tokens of marks.
    max_depth (int): How many mentions may be open at once.
    """

    def __init__(self, source: SourceTokens, labels: Sequence[str], pieces: PieceTokens, *, max_depth: int = 4) -> None:
        self.source = source
        self.labels = tuple(labels)
        self.max_depth = max_depth
        self._pieces = pieces
        self._label_tokens = pieces.of_each([f"{label}:" for label in self.labels])
        self._end_mark = pieces.of(">")

    @property
    def least_tokens(self) -> int:
        return self.source.token_count

    @property
    def most_tokens(self) -> int:
        return 3 * self.source.token_count + _TAG_TOKENS * (len(self.source) + 1)

    def start(self) -> HtmlState:
        return HtmlState(0)

    def choices(self, state: HtmlState) -> Sequence[Choice]:
        if state.label:
            return self._in_tag(state)
        due = [mention for mention in state.opened if mention.end == state.unit]
        if due:
            return [self._close(state, max(due, key=lambda mention: (mention.start, -mention.end, mention.label)))]
        if state.unit < len(self.source):
            return [self._copy(state), *self._openings(state)]
        if state.unit == len(self.source) and self.source.tail:
            finished = state._replace(unit=state.unit + 1)
            return [Choice(self.source.tail, self.source.tail_text, lambda factors: finished)]
        return []

    def _copy(self, state: HtmlState) -> Choice:
        unit = self.source.units[state.unit]
        copied = HtmlState(state.unit + 1, opened=state.opened, found=state.found)
        tokens, text = (unit.bare, unit.text) if state.bare else (unit.spaced, unit.space + unit.text)
        return Choice(tokens, text, lambda factors: copied, likely=True)

    def _openings(self, state: HtmlState) -> List[Choice]:
        """Return an opening tag for each label that a mention from here can still have."""
        if len(state.opened) == self.max_depth:
            return []
        space = "" if state.bare else self.source.units[state.unit].space
        mark = self._pieces.of(space + "<")
        return [Choice((*mark, *tokens), f"{space}<{label}:", self._begin_tag(state, label),
                       place=(state.unit, len(state.opened)))
                for label, tokens in zip(self.labels, self._label_tokens)
                if self._may_end(state, label, state.unit + 1)]

    def _begin_tag(self, state: HtmlState, label: str) -> Callable[[Factors], HtmlState]:
        return lambda factors: state._replace(bare=True, label=label, end=state.unit, factors=factors)

    def _may_end(self, state: HtmlState, label: str, end: int) -> bool:
        """Return whether the order of the tags allows a mention from here to such an end."""
        return end <= len(self.source) and (state.last is None or state.last.before(end, label))

    def _in_tag(self, state: HtmlState) -> List[Choice]:
        """Return the end of the surface, or its next unit."""
        choices = []
        if state.end > state.unit:
            choices.append(Choice(self._end_mark, ">", self._finish_tag(state), inside=True))
        if self._may_end(state, state.label, state.end + 1):
            unit = self.source.units[state.end]
            first = state.end == state.unit
            longer = state._replace(end=state.end + 1)
            tokens, text = (unit.bare, unit.text) if first else (unit.spaced, unit.space + unit.text)
            choices.append(Choice(tokens, text, lambda factors: longer, likely=True, inside=True))
        return choices

    def _finish_tag(self, state: HtmlState) -> Callable[[Factors], HtmlState]:
        def build(factors: Factors) -> HtmlState:
            mention = Tagged(state.unit, state.end, state.label, state.factors + factors)
            return HtmlState(state.unit, True, (*state.opened, mention), mention, found=state.found)

        return build

    def _close(self, state: HtmlState, mention: Tagged) -> Choice:
        units = self.source.units
        surface = self.source.text[units[mention.start].start:units[mention.end - 1].end]
        mark = f"</{mention.label}:{surface}>"
        closed = state._replace(opened=tuple(other for other in state.opened if other is not mention),
                                found=Found(*mention, state.found))
        return Choice(self._pieces.of(mark), mark, lambda factors: closed)


def ground_html(context: GrammarContext) -> GrammarMaker:
    """Return a function that makes the grammar of HTML answers."""
    return lambda source: HtmlGrammar(source, context.labels, context.pieces, max_depth=context.max_depth)
