"""Instruction-following difficulty: how much harder an answer is with its prompt than it should be.

The same answer tokens are scored twice by a weak model, behind the prompt and behind nothing but the token that begins
a text, so that the first answer token has a probability in both runs.
"""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Dict, Iterator, List, Optional, Sequence, Tuple

import torch
from torch import nn

from ...errors import BionerError, Errors
from ...llm.local.passes.parallel_passes import compute_side_by_side, takes_one_thread
from ..forward_passes import Beginnings, Pass, answer_losses, plan_passes
from ..pairs import Pair

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

# Beyond this difference of mean losses the ratio is as good as infinite; so it stays a number.
_LARGEST_EXPONENT = 50.0
_LEAST_LOSS = 1e-6


@dataclass(frozen=True)
class AnswerLosses:
    """Mean losses of an answer's tokens.

    conditioned (float): Given the prompt.
    direct (float): Without it.
    tokens (int): Tokens that were scored; with none both losses are 0.
    """

    conditioned: float
    direct: float
    tokens: int


def ifd(losses: AnswerLosses, *, ratio: str = "perplexity") -> float:
    """Ratio of the answer's difficulty with the prompt to that without.

    losses (AnswerLosses): Mean losses of the answer's tokens.
    ratio (str): "perplexity" divides perplexities, "loss" mean losses; they rank differently.
    RETURNS (float): Below 1.0, the prompt helps; 1.0 where no token was scored. Always a number.
    """
    if not losses.tokens:
        return 1.0
    if ratio == "loss":
        return max(losses.conditioned, _LEAST_LOSS) / max(losses.direct, _LEAST_LOSS)
    difference = losses.conditioned - losses.direct
    return math.exp(max(-_LARGEST_EXPONENT, min(_LARGEST_EXPONENT, difference)))


def start_id(tokenizer: "PreTrainedTokenizerBase") -> int:
    """Return the token that stands before a text: the one that begins texts, else the one that ends them."""
    return tokenizer.bos_token_id if tokenizer.bos_token_id is not None else tokenizer.eos_token_id


def without_prompt(pair: Pair, start: int) -> Pair:
    """Return the same answer behind the token that begins a text."""
    return Pair((start,), pair.answer, pair.counted, name=pair.name)


def score_pairs(model: nn.Module, pairs: Sequence[Pair], *, start: int,
                max_batch_tokens: int = 1024) -> Iterator[Tuple[int, AnswerLosses]]:
    """Score answers with and without their prompts, in batches of like length.

    model (nn.Module): The weak model.
    pairs (Sequence[Pair]): Prompts and answers, without the token that ends an answer.
    start (int): The token that begins a text, see `start_id`.
    max_batch_tokens (int): Tokens of a forward pass, padding included; on a CPU each thread has one.
    YIELDS (Tuple[int, AnswerLosses]): Index into the pairs and its losses, as soon as a batch is done.
    RAISES BionerError: E309 for a loss that is not a finite number.
    """
    scorable = []
    for index, pair in enumerate(pairs):
        if pair.counted_places:
            scorable.append(index)
        else:
            yield index, AnswerLosses(0.0, 0.0, 0)
    beginnings = Beginnings()

    def score(passes: Sequence[Pass]) -> List[Tuple[int, AnswerLosses]]:
        direct = _direct_means(model, pairs, [index for item in passes for index in item.indices], start,
                               max_batch_tokens)
        found = []
        for item in passes:
            rows = [pairs[index] for index in item.indices]
            for index, conditioned in zip(item.indices, _row_means(model, rows, item.shared, beginnings)):
                if not math.isfinite(conditioned + direct[index]):
                    raise BionerError(Errors.E309.format(name=pairs[index].name))
                found.append((index, AnswerLosses(conditioned, direct[index], len(pairs[index].counted_places))))
        return found

    windows = list(_windows(plan_passes(pairs, scorable, max_tokens=max_batch_tokens), pairs, max_batch_tokens))
    for found in compute_side_by_side(score, windows) if takes_one_thread(model) else map(score, windows):
        yield from found


def _windows(passes: Sequence[Pass], pairs: Sequence[Pair], max_tokens: int) -> Iterator[List[Pass]]:
    """Yield passes in runs whose answers without their prompts make one pass: a pass for each run of them alone would
    be a small one."""
    window: List[Pass] = []
    filled = 0
    for item in passes:
        tokens = len(item.indices) * (1 + max(len(pairs[index].answer) for index in item.indices))
        if window and filled + tokens > max_tokens:
            yield window
            window, filled = [], 0
        window.append(item)
        filled += tokens
    if window:
        yield window


def _direct_means(model: nn.Module, pairs: Sequence[Pair], indices: Sequence[int], start: int,
                  max_tokens: int) -> Dict[int, float]:
    """Return the mean losses without the prompts, by index."""
    rows = [without_prompt(pairs[index], start) for index in indices]
    found = {}
    for item in plan_passes(rows, range(len(rows)), max_tokens=max_tokens, share=False):
        means = _row_means(model, [rows[place] for place in item.indices], 0, None)
        found.update({indices[place]: mean for place, mean in zip(item.indices, means)})
    return found


def _row_means(model: nn.Module, rows: Sequence[Pair], shared: int, beginnings: Optional[Beginnings]) -> List[float]:
    with torch.inference_mode():
        losses = answer_losses(model, rows, shared=shared, beginnings=beginnings)
    sizes = [len(row.counted_places) for row in rows]
    # Brought over at once: a GPU would be waited for with each number.
    return torch.stack([part.double().mean() for part in losses.split(sizes)]).tolist()
