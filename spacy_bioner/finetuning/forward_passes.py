"""Forward passes: pairs that share the beginning of their prompt, that part computed once for all of them.

The instruction is the same for all records of a corpus. Under causal attention its states do not depend on what
follows, so one pass over it serves a whole batch; in training, gradients flow back into it from every row. The losses
are those of the full sequences.
"""

from dataclasses import dataclass
from typing import Dict, Iterator, List, Optional, Sequence, Tuple

import torch
from torch import nn

from ..llm.local.passes.head_shape import HeadShape
from .pairs import Pair

# Vocabulary scores of so many tokens are held at a time in float32.
_SCORED_TOKENS = 1024
# A shared beginning shorter than this costs more in calls than it saves.
_LEAST_SHARED = 8


@dataclass(frozen=True)
class Pass:
    """Pairs that go through the model together.

    indices (Tuple[int, ...]): Which pairs, in the order of the rows.
    shared (int): Tokens of their prompts that are the same and computed once.
    """

    indices: Tuple[int, ...]
    shared: int = 0


class Beginnings:
    """States of the beginnings that passes share, kept from one pass to the next; only where no gradients flow."""

    def __init__(self) -> None:
        self._states: Dict[Tuple[int, ...], List[Tuple[torch.Tensor, torch.Tensor]]] = {}

    def states(self, backbone: nn.Module, tokens: Tuple[int, ...],
               device: torch.device) -> List[Tuple[torch.Tensor, torch.Tensor]]:
        """Return keys and values of each layer, computed once."""
        if tokens not in self._states:
            self._states[tokens] = _states_of(backbone, tokens, device)
        return self._states[tokens]


def shared_length(prompts: Sequence[Sequence[int]]) -> int:
    """Return tokens that all prompts begin with; the last one of each prompt never counts."""
    first, last = min(map(tuple, prompts)), max(map(tuple, prompts))
    limit = min(map(len, prompts)) - 1
    same = 0
    while same < limit and first[same] == last[same]:
        same += 1
    return same


def plan_passes(pairs: Sequence[Pair], indices: Sequence[int], *, max_tokens: int, share: bool = True) -> List[Pass]:
    """Divide pairs into passes: like prompts together, like lengths together, each pass within its token limit.

    pairs (Sequence[Pair]): All pairs.
    indices (Sequence[int]): Those to divide.
    max_tokens (int): Most tokens of a pass, padding included; a pair over it gets a pass of its own.
    share (bool): Whether to compute the common beginning of the prompts once.
    RETURNS (List[Pass]): The passes, the longest first, so that memory runs out at once or not at all.
    """
    passes = []
    for group in _like_prompts(pairs, indices):
        # For the whole group: a row more or less then leaves the shared part as it is.
        shared = shared_length([pairs[index].prompt for index in group]) if share and len(group) > 1 else 0
        shared = shared if shared >= _LEAST_SHARED else 0
        rows: List[int] = []
        for index in sorted(group, key=lambda index: (-pairs[index].length, index)):
            longest = pairs[rows[0] if rows else index].length - shared
            if rows and shared + longest * (len(rows) + 1) > max_tokens:
                passes.append(_make_pass(rows, shared))
                rows = []
            rows.append(index)
        passes.append(_make_pass(rows, shared))
    return sorted(passes, key=lambda item: -pairs[item.indices[0]].length)


def _make_pass(rows: Sequence[int], shared: int) -> Pass:
    return Pass(tuple(rows), shared if len(rows) > 1 else 0)


def _like_prompts(pairs: Sequence[Pair], indices: Sequence[int]) -> Iterator[List[int]]:
    """Yield groups of pairs of one corpus, question and language: what has one instruction."""
    groups: Dict[Tuple[str, str, str], List[int]] = {}
    for index in indices:
        pair = pairs[index]
        groups.setdefault((pair.group, pair.question, pair.lang), []).append(index)
    for name in sorted(groups):
        yield groups[name]


def answer_losses(model: nn.Module, rows: Sequence[Pair], *, shared: int = 0,
                  beginnings: Optional[Beginnings] = None, trains_shared: bool = True) -> torch.Tensor:
    """Compute the loss of each counted answer token; no vocabulary scores are made for other tokens.

    model (nn.Module): A causal language model, `peft`-wrapped or not.
    rows (Sequence[Pair]): The pairs of a pass.
    shared (int): Tokens that all prompts begin with, computed once.
    beginnings (Optional[Beginnings]): Keeps their states for the next pass; None computes them for this one.
    trains_shared (bool): Whether gradients flow into the shared tokens too.
    RETURNS (torch.Tensor): Losses, (counted answer tokens,), row by row, float32.
    """
    causal = model.get_base_model() if hasattr(model, "get_base_model") else model
    device = causal.get_input_embeddings().weight.device
    hidden = _hidden_states(causal.base_model, rows, shared, device, beginnings, trains_shared)
    places, targets = _answer_places(rows, shared)
    states = hidden.flatten(0, 1)[torch.tensor(places, device=device)]
    wanted = torch.tensor(targets, device=device)
    head, shape = causal.get_output_embeddings(), HeadShape.of(causal.config)
    losses = [nn.functional.cross_entropy(shape.apply(head(states[start:start + _SCORED_TOKENS]).float()),
                                          wanted[start:start + _SCORED_TOKENS], reduction="none")
              for start in range(0, len(places), _SCORED_TOKENS)]
    return torch.cat(losses)


def _hidden_states(backbone: nn.Module, rows: Sequence[Pair], shared: int, device: torch.device,
                   beginnings: Optional[Beginnings], trains_shared: bool) -> torch.Tensor:
    """Return last hidden states behind the shared part, (rows, longest row - 1, width)."""
    tails = [[*row.prompt[shared:], *row.answer[:-1]] for row in rows]
    width = max(map(len, tails))
    # Rows end in filling, which causal attention keeps from everything before it; its states are never read.
    tokens = torch.tensor([tail + [0] * (width - len(tail)) for tail in tails], device=device)
    if not shared:
        return backbone(input_ids=tokens, use_cache=False).last_hidden_state
    beginning = rows[0].prompt[:shared]
    with torch.set_grad_enabled(torch.is_grad_enabled() and trains_shared):
        states = (beginnings.states(backbone, beginning, device) if beginnings is not None else
                  _states_of(backbone, beginning, device))
    places = torch.arange(shared, shared + width, device=device)
    return backbone(input_ids=tokens, past_key_values=_for_rows(states, len(rows)), position_ids=places[None],
                    cache_position=places, use_cache=True).last_hidden_state


def _states_of(backbone: nn.Module, tokens: Sequence[int],
               device: torch.device) -> List[Tuple[torch.Tensor, torch.Tensor]]:
    """Return keys and values of a beginning, of each layer."""
    from transformers.cache_utils import DynamicCache

    cache = DynamicCache()
    backbone(input_ids=torch.tensor([list(tokens)], device=device), past_key_values=cache, use_cache=True)
    # From version 5 on an item has a third part.
    return [(item[0], item[1]) for item in cache]


def _for_rows(states: Sequence[Tuple[torch.Tensor, torch.Tensor]], rows: int) -> object:
    """Return a cache of these keys and values, the same for all rows."""
    from transformers.cache_utils import DynamicCache

    cache = DynamicCache()
    for layer, (keys, values) in enumerate(states):
        cache.update(keys.expand(rows, -1, -1, -1), values.expand(rows, -1, -1, -1), layer)
    return cache


def _answer_places(rows: Sequence[Pair], shared: int) -> Tuple[List[int], List[int]]:
    """Return places in the flattened states that predict counted tokens, and these."""
    width = max(row.length for row in rows) - 1 - shared
    places, targets = [], []
    for number, row in enumerate(rows):
        before = number * width + len(row.prompt) - shared - 1
        for place in row.counted_places:
            places.append(before + place)
            targets.append(row.answer[place])
    return places, targets
