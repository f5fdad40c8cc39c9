"""The bracket answers of local grounded decoding as grammar rules for servers.

The rules are read off the local grammar itself, state by state. States that allow the same continuations become one: of
an open mention only matters how many bracket pairs of the source it holds one half of, and whether it begins where its
neighbour begins. So the number of rules grows with the text alone, not with the mentions that could be open.
"""

from typing import Any, Dict, Hashable, List, Sequence, Tuple

from ...decoding.grammars.bracket_grammar import BracketGrammar, BracketState, pair_brackets
from ...decoding.grammars.source_tokens import SourceTokens
from .grammar_rules import Item, Ref, Rules, add_automaton

# Ends a line; stands for the token that ends a local answer, which has no text.
_END = 0


class TextPieces:
    """Stands for the tokens of pieces where only their texts matter: each piece is one token of its own."""

    def __init__(self) -> None:
        self._known: Dict[str, Tuple[int, ...]] = {}

    def of(self, piece: str) -> Tuple[int, ...]:
        return self._known.setdefault(piece, (len(self._known) + 1,))

    def of_each(self, pieces: Sequence[str]) -> List[Tuple[int, ...]]:
        return [self.of(piece) for piece in pieces]


def bracket_rules(text: str, labels: Sequence[str], *, lines: str = "all", max_depth: int = 2) -> Rules:
    """Make the rules of the bracket answers for one text.

    text (str): The source text.
    labels (Sequence[str]): The labels, in the order of their lines.
    lines (str): "all" or "occurring", as the codec says.
    max_depth (int): How deep mentions of one label may nest.
    RETURNS (Rules): The rules.
    """
    rules = Rules()
    marked = _add_marked_text(rules, text, max_depth=max_depth)
    if lines == "all":
        answer: List[Item] = []
        for number, label in enumerate(labels):
            answer += ["\n" if number else "", f"{label}:  ", marked]
        rules.add("root", [answer])
        return rules
    # After each line any later one may follow, or the end.
    following: List[Sequence[Item]] = []
    for number in reversed(range(len(labels))):
        after = rules.add(f"after-{number}", [[], *(["\n", *line] for line in following)])
        following = [[f"{labels[number]}:  ", marked, after], *following]
    rules.add("root", [*following, ["none"]])
    return rules


def _add_marked_text(rules: Rules, text: str, *, max_depth: int) -> Ref:
    """Return the rule of the text with brackets in it."""
    pieces: Any = TextPieces()
    source = SourceTokens(text, pieces)
    grammar = BracketGrammar(source, [""], pieces, lines="all", end_token=_END, max_depth=max_depth)
    partners = pair_brackets([unit.text for unit in source.units])
    states: Dict[Hashable, BracketState] = {}

    def key(state: BracketState) -> Hashable:
        starts = [mention.start for mention in state.opened]
        halves = tuple(sum(partners[index] >= state.unit for index in range(start, min(state.unit, len(partners))))
                       for start in starts)
        together = tuple(one == other for one, other in zip(starts, starts[1:]))
        known = (state.unit, state.bare, halves, together, bool(starts) and state.closed == starts[-1])
        states.setdefault(known, state._replace(found=None))
        return known

    steps: Dict[Hashable, List[Tuple[str, Hashable]]] = {}

    def follow(known: Hashable) -> List[Tuple[str, Hashable]]:
        if known not in steps:
            steps[known] = [(choice.text, key(choice.build(()))) for choice in grammar.choices(states[known])]
        return steps[known]

    begun = grammar.choices(grammar.start())[0].build(())
    return add_automaton(rules, "text", key(begun), follow)
