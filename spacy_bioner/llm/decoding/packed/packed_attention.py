"""Attention of a packed pass: within each sequence, over the keys and values of its lane.

On a CPU the sequences are taken one by one, each over its own slice of the pool: nothing is padded and nothing copied.
On a GPU each call costs more than what it computes, so sequences are gathered into padded groups, few calls a layer.
Both give the same states.
"""

from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple

import torch
from torch.nn.functional import scaled_dot_product_attention

from ....locks import ThreadLock

ATTENTION = "spacy_bioner_packed"

# A group of rows may hold so many times the new tokens that it has, filling included.
_MOST_FILLING = 2
# Fused attention wants rows of a mask to begin at multiples of so many numbers.
_ALIGNED = 8


class UnknownAttention(Exception):
    """A model calls attention with more than is understood here."""


@dataclass
class Lane:
    """The place of a sequence in the pool.

    index (int): Number of the lane.
    length (int): Tokens whose keys and values it holds; lowering it takes the last ones back.
    """

    index: int
    length: int = 0


class Row(NamedTuple):
    """A sequence of a pass: its new tokens in the row of all tokens, and all its tokens in the pool.

    first (int): First new token.
    last (int): One past its last new token.
    begin (int): First slot.
    end (int): One past its last slot.
    """

    first: int
    last: int
    begin: int
    end: int

    @property
    def new(self) -> int:
        return self.last - self.first

    @property
    def total(self) -> int:
        return self.end - self.begin


class Pool:
    """Keys and values of all lanes, layer by layer.

    lanes (int): How many sequences it holds.
    width (int): Tokens a sequence may have.
    """

    def __init__(self, lanes: int, width: int) -> None:
        self.lanes = lanes
        self.width = width
        self._layers: Dict[int, Tuple[torch.Tensor, torch.Tensor]] = {}

    def store(self, layer: int, key: torch.Tensor, value: torch.Tensor,
              slots: torch.Tensor) -> Tuple[torch.Tensor, torch.Tensor]:
        """Write new keys and values, (heads, tokens, size), and return all of the layer, (heads, slots, size)."""
        if layer not in self._layers:
            slot_count = self.lanes * self.width
            self._layers[layer] = (key.new_empty(key.shape[0], slot_count, key.shape[2]),
                                   value.new_empty(value.shape[0], slot_count, value.shape[2]))
        keys, values = self._layers[layer]
        keys.index_copy_(1, slots, key)
        values.index_copy_(1, slots, value)
        return keys, values

    def copy(self, source: Lane, targets: Sequence[Lane], length: int) -> None:
        """Give lanes the first tokens of another one."""
        places: List[int] = []
        for target in targets:
            target.length = length
            places.append(target.index)
        for stores in self._layers.values():
            for store in stores:
                lanes = store.view(store.shape[0], self.lanes, self.width, store.shape[2])
                lanes[:, places, :length] = lanes[:, source.index, None, :length]


class _Group(NamedTuple):
    """Rows that are attended together, padded to the longest of them.

    queries (torch.Tensor): (rows, new tokens), places in the row of all tokens; filling repeats the first.
    slots (torch.Tensor): (rows, tokens), places in the pool; filling repeats the first.
    lengths (torch.Tensor): (rows, 1), tokens that each row has.
    new (torch.Tensor): (rows, 1), new ones among them.
    taken (torch.Tensor): The real places among the (rows * new tokens), and
    goals (torch.Tensor): where in the row of all tokens their outputs go.
    """

    queries: torch.Tensor
    slots: torch.Tensor
    lengths: torch.Tensor
    new: torch.Tensor
    taken: torch.Tensor
    goals: torch.Tensor


@dataclass
class Pass:
    """A forward pass: what attention needs to know of the sequences.

    pool (Pool): Keys and values.
    slots (torch.Tensor): (tokens,), where in the pool each new token goes.
    rows (Sequence[Row]): The sequences.
    together (bool): Whether rows are attended in padded groups, as suits a GPU.
    """

    pool: Pool
    slots: torch.Tensor
    rows: Sequence[Row]
    together: bool = False
    masks: Dict[Tuple[Optional[int], int], List[torch.Tensor]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.groups = [_pad(group, self.slots.device) for group in group_rows(self.rows)] if self.together else []


_CURRENT: ContextVar[Pass] = ContextVar("packed_pass")


def group_rows(rows: Sequence[Row]) -> List[List[Row]]:
    """Return the rows, in groups of like numbers of new tokens, so that little is filling."""
    groups: List[List[Row]] = []
    longest = real = 0
    for row in sorted(rows, key=lambda row: -row.new):
        if not groups or longest * (len(groups[-1]) + 1) > _MOST_FILLING * (real + row.new):
            groups.append([])
            longest, real = row.new, 0
        groups[-1].append(row)
        real += row.new
    return groups


def _pad(rows: Sequence[Row], device: torch.device) -> _Group:
    def column(values: Sequence[int]) -> torch.Tensor:
        return torch.tensor(values, device=device)[:, None]

    first, begin = column([row.first for row in rows]), column([row.begin for row in rows])
    new, lengths = column([row.new for row in rows]), column([row.total for row in rows])
    steps = torch.arange(max(row.new for row in rows), device=device)
    width = -(-max(row.total for row in rows) // _ALIGNED) * _ALIGNED
    along = torch.arange(width, device=device)
    places = [number * len(steps) + step for number, row in enumerate(rows) for step in range(row.new)]
    goals = [goal for row in rows for goal in range(row.first, row.last)]
    return _Group(torch.where(steps < new, first + steps, first), torch.where(along < lengths, begin + along, begin),
                  lengths, new, torch.tensor(places, device=device), torch.tensor(goals, device=device))


def packed_attention(module: torch.nn.Module, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor,
                     attention_mask: Optional[torch.Tensor], scaling: Optional[float] = None,
                     sliding_window: Optional[int] = None, s_aux: Optional[torch.Tensor] = None,
                     softcap: Optional[float] = None, **_: Any) -> Tuple[torch.Tensor, None]:
    """Attend within sequences; the attention function that transformers calls in each layer.

    query (torch.Tensor): (1, heads, tokens, size) of all sequences.
    key (torch.Tensor): (1, key heads, tokens, size); value likewise.
    RETURNS (Tuple[torch.Tensor, None]): (1, tokens, heads, size).
    RAISES UnknownAttention: For attention with sinks or a soft cap, which is another function.
    """
    if s_aux is not None or softcap is not None:
        raise UnknownAttention
    state = _CURRENT.get()
    keys, values = state.pool.store(module.layer_idx, key[0], value[0], state.slots)
    attend = _attend_together if state.together else _attend_one_by_one
    return attend(state, query[0], keys, values, scaling, sliding_window).unsqueeze(0), None


def _attend_one_by_one(state: Pass, query: torch.Tensor, keys: torch.Tensor, values: torch.Tensor,
                       scaling: Optional[float], window: Optional[int]) -> torch.Tensor:
    heads, groups = keys.shape[0], query.shape[0] // keys.shape[0]
    if (window, groups) not in state.masks:
        state.masks[window, groups] = [_row_mask(row, window, query).repeat(groups, 1) for row in state.rows]
    outputs = []
    for row, mask in zip(state.rows, state.masks[window, groups]):
        # The query heads that share a key head stand below each other, as further rows of one product.
        rows = query[:, row.first:row.last].reshape(1, heads, groups * row.new, -1)
        output = scaled_dot_product_attention(rows, keys[None, :, row.begin:row.end],
                                              values[None, :, row.begin:row.end], attn_mask=mask, scale=scaling)
        outputs.append(output.reshape(heads * groups, row.new, -1).transpose(0, 1))
    return torch.cat(outputs)


def _row_mask(row: Row, window: Optional[int], query: torch.Tensor) -> torch.Tensor:
    """Return an additive mask of (new tokens, tokens)."""
    mask = query.new_full((row.new, row.total), float("-inf")).triu_(row.total - row.new + 1)
    if window is not None and row.total > window:
        mask += query.new_full((row.new, row.total), float("-inf")).tril_(row.total - row.new - window)
    return mask


def _attend_together(state: Pass, query: torch.Tensor, keys: torch.Tensor, values: torch.Tensor,
                     scaling: Optional[float], window: Optional[int]) -> torch.Tensor:
    heads, groups = keys.shape[0], query.shape[0] // keys.shape[0]
    if (window, groups) not in state.masks:
        state.masks[window, groups] = [_group_mask(group, window, query).repeat(1, 1, groups, 1)
                                       for group in state.groups]
    result = query.new_empty(query.shape[1], query.shape[0], values.shape[2])
    for group, mask in zip(state.groups, state.masks[window, groups]):
        count, new = group.queries.shape
        rows = query[:, group.queries].transpose(0, 1).reshape(count, heads, groups * new, -1)
        output = scaled_dot_product_attention(rows, keys[:, group.slots].transpose(0, 1),
                                              values[:, group.slots].transpose(0, 1), attn_mask=mask, scale=scaling)
        output = output.reshape(count, heads * groups, new, -1).transpose(1, 2).flatten(0, 1)
        result.index_copy_(0, group.goals, output[group.taken])
    return result


def _group_mask(group: _Group, window: Optional[int], query: torch.Tensor) -> torch.Tensor:
    """Return an additive mask of (rows, 1, new tokens, tokens); filling sees the first token."""
    new, width = group.queries.shape[1], group.slots.shape[1]
    own = (group.lengths - group.new + torch.arange(new, device=query.device))[:, :, None]
    along = torch.arange(width, device=query.device)
    hidden = along > own
    if window is not None:
        hidden |= along <= own - window
    hidden &= (torch.arange(new, device=query.device) < group.new)[:, :, None] | (along > 0)
    return query.new_zeros(hidden.shape).masked_fill_(hidden, float("-inf"))[:, None]


class AttentionSwitch:
    """Lets a model call `packed_attention` while passes run, in however many threads; then it attends as before.

    configs (Sequence[Any]): The configurations of all parts of the model.
    """

    def __init__(self, configs: Sequence[Any]) -> None:
        self._configs = configs
        self._lock = ThreadLock()
        self._before: List[Any] = []
        self._passes = 0

    @contextmanager
    def packed(self, state: Pass) -> Iterator[None]:
        """Attend to one pass, in this thread.

        state (Pass): The pass.
        """
        token = _CURRENT.set(state)
        with self._lock:
            if not self._passes:
                self._before = [config._attn_implementation for config in self._configs]
                for config in self._configs:
                    config._attn_implementation = ATTENTION
            self._passes += 1
        try:
            yield
        finally:
            with self._lock:
                self._passes -= 1
                if not self._passes:
                    for config, implementation in zip(self._configs, self._before):
                        config._attn_implementation = implementation
            _CURRENT.reset(token)
