"""Constrained greedy decoding, one token at a time: what draft and verify must equal. Slow and simple on purpose.

No cache, no batch, no draft: for each token the whole sequence goes through the model again.
"""

import math
from typing import Any, List, NamedTuple, Tuple

import torch

from spacy_bioner.llm.decoding.partial_readings import MOST_COMPLETED


class Written(NamedTuple):
    """A way to read the tokens so far: a choice of the grammar, how much of it is spelt, and with what odds."""

    choice: Any
    spelt: int
    odds: Tuple[int, ...]


def write_answer(lm, grammar, prompt: List[int]) -> Tuple[List[int], List[Tuple[int, int, str, float]]]:
    """Return tokens of the answer, and its mentions as (first unit, end unit, label, score)."""
    tokens: List[int] = []
    logs: List[float] = []
    state = grammar.start()
    readings = [Written(choice, 0, ()) for choice in grammar.choices(state)]
    while readings:
        legal = sorted({reading.choice.tokens[reading.spelt] for reading in readings})
        decision = ()
        token = legal[0]
        if len(legal) > 1:
            with torch.no_grad():
                logits = lm.model(input_ids=torch.tensor([prompt + tokens])).logits[0, -1].double()
            probabilities = logits[legal].softmax(-1)
            token = legal[int(probabilities.argmax())]
            logs.append(math.log(probabilities.max()))
            decision = (len(logs) - 1,)
        tokens.append(token)
        state, readings = read_token(grammar, state, readings, token, decision)
    mentions = []
    found = state.found
    while found is not None:
        mentions.append((found.start, found.end, found.label, math.exp(sum(logs[number] for number in found.factors))))
        found = found.before
    return tokens, mentions[::-1]


def read_token(grammar, state, readings, token, decision):
    """Keep the readings that the token continues; of complete ones the first four."""
    left, complete = [], 0
    for reading in readings:
        if reading.choice.tokens[reading.spelt] != token:
            continue
        reading = Written(reading.choice, reading.spelt + 1, reading.odds + decision)
        if reading.spelt < len(reading.choice.tokens):
            left.append(reading)
        elif complete < MOST_COMPLETED:
            complete += 1
            behind = reading.choice.build(reading.odds)
            following = [Written(choice, 0, ()) for choice in grammar.choices(behind)]
            if not following and not left:
                return behind, []
            left += following
    return state, left
