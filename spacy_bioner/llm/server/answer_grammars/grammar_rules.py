"""Grammar rules as servers take them: GBNF, which llama.cpp, vLLM and SGLang (through XGrammar) read."""

from typing import Callable, Dict, Hashable, Iterable, List, NamedTuple, Sequence, Tuple, Union


class Ref(NamedTuple):
    """The use of a rule.

    name (str): The rule.
    """

    name: str


Item = Union[str, Ref]
Alternative = Tuple[Item, ...]

_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


class Rules:
    """The rules of one grammar, in the order in which they were added; "root" is where an answer starts."""

    def __init__(self) -> None:
        self._rules: Dict[str, List[Alternative]] = {}

    def __len__(self) -> int:
        return len(self._rules)

    def add(self, name: str, alternatives: Iterable[Sequence[Item]]) -> Ref:
        """Add a rule.

        name (str): Letters, digits and hyphens, as GBNF allows them.
        alternatives (Iterable[Sequence[Item]]): What it stands for; an empty sequence is the empty text.
        RETURNS (Ref): The rule, for use in others.
        """
        self._rules[name] = [_join_texts(alternative) for alternative in alternatives]
        return Ref(name)

    def items(self) -> Iterable[Tuple[str, List[Alternative]]]:
        """Return names and alternatives."""
        return self._rules.items()

    def to_gbnf(self) -> str:
        """Return the grammar as text, one rule a line, "root" first."""
        names = sorted(self._rules, key=lambda name: name != "root")
        return "".join(f"{name} ::= {' | '.join(map(_write, self._rules[name]))}\n" for name in names)


def add_automaton(rules: Rules, prefix: str, start: Hashable,
                  follow: Callable[[Hashable], Sequence[Tuple[str, Hashable]]]) -> Ref:
    """Add the rules of a finite automaton; runs without a choice become one text.

    rules (Rules): Where to add them.
    prefix (str): What the names of the rules begin with.
    start (Hashable): The first state.
    follow (Callable[[Hashable], Sequence[Tuple[str, Hashable]]]): The steps from a state, text and next state; a state
        without steps accepts. A text may be empty.
    RETURNS (Ref): The rule of the first state.
    """
    names: Dict[Hashable, str] = {start: f"{prefix}-0"}
    waiting = [start]
    while waiting:
        state = waiting.pop()
        alternatives: List[Alternative] = []
        for text, after in follow(state):
            steps = follow(after)
            while len(steps) == 1:
                piece, after = steps[0]
                text, steps = text + piece, follow(after)
            if not steps:
                alternatives.append((text,))
                continue
            if after not in names:
                names[after] = f"{prefix}-{len(names)}"
                waiting.append(after)
            alternatives.append((text, Ref(names[after])))
        rules.add(names[state], alternatives or [("",)])
    return Ref(names[start])


def _join_texts(alternative: Sequence[Item]) -> Alternative:
    """Return the same with neighbouring texts joined and empty ones left out."""
    joined: List[Item] = []
    for item in alternative:
        if isinstance(item, str) and joined and isinstance(joined[-1], str):
            joined[-1] = joined[-1] + item
        elif item != "":
            joined.append(item)
    return tuple(joined)


def _write(alternative: Alternative) -> str:
    return " ".join(item.name if isinstance(item, Ref) else quote(item) for item in alternative) or '""'


def quote(text: str) -> str:
    """Return the text as a GBNF literal; control characters are escaped, all else stands as it is."""
    return '"' + "".join(_ESCAPES.get(char, char if ord(char) >= ord(" ") else f"\\x{ord(char):02X}")
                         for char in text) + '"'
