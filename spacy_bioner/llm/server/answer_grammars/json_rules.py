"""JSON answers whose names are runs of the source, as grammar rules for servers.

Local grounded decoding also keeps the items in text order. That would take a rule for every span, so servers may write
names in any order, and as often as the text has pre-tokens; the reader gives each name its place.
"""

import json
from typing import Dict, FrozenSet, Hashable, List, Sequence, Tuple

from ....codecs.json.json_keys import WRAPPED_KEY
from ....tokens import find_units
from .grammar_rules import Rules, add_automaton

_START = frozenset([-1])
_CLOSED: FrozenSet[int] = frozenset()


def json_rules(text: str, labels: Sequence[str], *, wrapped: bool = False) -> Rules:
    """Make the rules of the JSON answers for one text, items in the shape `{"type": label, "name": text}`.

    text (str): The source text.
    labels (Sequence[str]): The labels.
    wrapped (bool): Whether the list stands in an object, `{"entities":[...]}`.
    RETURNS (Rules): The rules.
    """
    rules = Rules()
    head, tail = (f'{{"{WRAPPED_KEY}":', "}") if wrapped else ("", "")
    units = find_units(text)
    bare = [escape_json(text[start:end]) for start, end in units]
    spaced = [escape_json(text[before:end]) for (_, before), (_, end) in zip([(0, 0), *units], units)]
    if not units or not labels:
        rules.add("root", [[f"{head}[]{tail}"]])
        return rules
    steps: Dict[FrozenSet[int], List[Tuple[str, Hashable]]] = {}

    def follow(state: FrozenSet[int]) -> List[Tuple[str, Hashable]]:
        """State: the places that the next pre-token of the name may be at."""
        if state == _CLOSED:
            return []
        if state not in steps:
            first = state == _START
            places = range(len(units)) if first else [place for place in state if place < len(units)]
            groups: Dict[str, List[int]] = {}
            for place in places:
                groups.setdefault((bare if first else spaced)[place], []).append(place + 1)
            steps[state] = [(spelt, frozenset(after)) for spelt, after in groups.items()]
            if not first:
                steps[state].append(('"}', _CLOSED))
        return steps[state]

    name = add_automaton(rules, "name", _START, follow)  # type: ignore[arg-type]
    item = rules.add("item", [[f'{{"type":"{escape_json(label)}","name":"', name] for label in labels])
    # One rule an item that may still come, so that an answer must end.
    rest = rules.add("rest-0", [["]"]])
    for number in range(1, len(units)):
        rest = rules.add(f"rest-{number}", [["]"], [",", item, rest]])
    rules.add("root", [[f"{head}[]{tail}"], [f"{head}[", item, rest, tail]])
    return rules


def escape_json(text: str) -> str:
    """Return the text as it stands inside a JSON string."""
    return json.dumps(text, ensure_ascii=False)[1:-1]
