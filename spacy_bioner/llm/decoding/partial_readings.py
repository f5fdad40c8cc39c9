"""Ways to read an answer so far along a grammar.

Choices that are spelt alike are kept side by side until a token tells them apart.
"""

from typing import Any, List, NamedTuple, Optional, Sequence, Tuple

from .grammars.grammar import Choice, Factors, Found, Grammar

# Of readings that are complete at one token so many are followed, the preferred ones.
MOST_COMPLETED = 4


class PartialReading(NamedTuple):
    """One way to read the tokens so far.

    state (Any): The state in which the choice was met.
    choice (Choice): What is being spelt.
    offset (int): How many of its tokens are.
    factors (Factors): The decisions met while spelling it.
    trail (Any): Texts of the choices before it, linked backwards.
    """

    state: Any
    choice: Choice
    offset: int
    factors: Factors
    trail: Any


class AnswerEnd(NamedTuple):
    """The answer has ended.

    state (Any): The last state.
    trail (Any): Texts of all its choices, linked backwards.
    """

    state: Any
    trail: Any


# The readings that go on, preferred ones first, or the end.
Readings = Tuple[List[PartialReading], Optional[AnswerEnd]]


def legal_tokens(readings: Sequence[PartialReading]) -> List[int]:
    """Return the tokens that may come next, those of preferred readings first."""
    return list(dict.fromkeys(reading.choice.tokens[reading.offset] for reading in readings))


def expand_state(grammar: Grammar, state: Any, trail: Any = None) -> Readings:
    """Return a reading for each choice of a state; the end where there is none.

    grammar (Grammar): The grammar.
    state (Any): The state.
    trail (Any): Texts of the choices that led to it, linked backwards.
    RETURNS (Readings): The readings or the end.
    """
    choices = grammar.choices(state)
    if not choices:
        return [], AnswerEnd(state, trail)
    return [PartialReading(state, choice, 0, (), trail) for choice in choices], None


def read_token(grammar: Grammar, readings: Sequence[PartialReading], token: int, factor: Optional[int]) -> Readings:
    """Read one more token.

    grammar (Grammar): The grammar.
    readings (Sequence[PartialReading]): Preferred ones first.
    token (int): A legal token.
    factor (Optional[int]): Number of the decision that chose it; None where it was forced.
    RETURNS (Readings): The readings that go on, or the end. Readings that are spelt alike so far are kept side by side
        until a token tells them apart, a few of them at most.
    """
    kept: List[PartialReading] = []
    completed = 0
    for state, choice, offset, factors, trail in readings:
        if choice.tokens[offset] != token:
            continue
        factors = factors if factor is None else (*factors, factor)
        if offset + 1 < len(choice.tokens):
            kept.append(PartialReading(state, choice, offset + 1, factors, trail))
        elif completed < MOST_COMPLETED:
            completed += 1
            following, end = expand_state(grammar, choice.build(factors), (trail, choice.text))
            if end is not None and not kept:
                return [], end
            kept += following
    return kept, None


def list_found(state: Any) -> List[Found]:
    """Return the mentions written up to a state, in the order in which they were completed."""
    mentions: List[Found] = []
    found = state.found
    while found is not None:
        mentions.append(found)
        found = found.before
    return mentions[::-1]
