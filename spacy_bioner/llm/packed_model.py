"""One forward pass over many sequences of any length, packed without padding, each with its own key-value cache.

The linear layers see one long row of tokens; only attention looks at sequences, through the attention interface of
transformers. A sequence keeps its keys and values in a lane of a pool. To take tokens back, a lane is made shorter;
to share a prompt prefix, its keys and values are copied from lane to lane.
"""

from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Dict, Iterator, List, Optional, Sequence, Tuple

import torch
from torch.nn.functional import scaled_dot_product_attention

from ..errors import BionerError, Errors

if TYPE_CHECKING:
    from .causal_lm import CausalLM

ATTENTION = "spacy_bioner_packed"


@dataclass
class Lane:
    """The place of a sequence in the pool.

    index (int): Number of the lane.
    length (int): Tokens whose keys and values it holds; lowering it takes the last ones back.
    """

    index: int
    length: int = 0


@dataclass
class _Pass:
    """A forward pass: what attention needs to know of the sequences.

    pool (_Pool): Keys and values.
    slots (torch.Tensor): (tokens,), where in the pool each new token goes.
    rows (List[Tuple[int, int, int, int]]): For each sequence first and last new token, first and last slot.
    masks (Dict[Optional[int], List[torch.Tensor]]): Additive masks of the rows, by sliding window.
    """

    pool: "_Pool"
    slots: torch.Tensor
    rows: List[Tuple[int, int, int, int]]
    masks: Dict[Tuple[Optional[int], int], List[torch.Tensor]]


_CURRENT: ContextVar[_Pass] = ContextVar("packed_pass")


class _Pool:
    """Keys and values of all lanes, layer by layer.

    lanes (int): How many sequences it holds.
    width (int): Tokens a sequence may have.
    """

    def __init__(self, lanes: int, width: int) -> None:
        self.lanes = lanes
        self.width = width
        self.layers: Dict[int, Tuple[torch.Tensor, torch.Tensor]] = {}

    def store(self, layer: int, key: torch.Tensor, value: torch.Tensor,
              slots: torch.Tensor) -> Tuple[torch.Tensor, torch.Tensor]:
        """Write new keys and values, (heads, tokens, size), and return all of the layer, (heads, slots, size)."""
        if layer not in self.layers:
            slot_count = self.lanes * self.width
            self.layers[layer] = (key.new_empty(key.shape[0], slot_count, key.shape[2]),
                                  value.new_empty(value.shape[0], slot_count, value.shape[2]))
        keys, values = self.layers[layer]
        keys.index_copy_(1, slots, key)
        values.index_copy_(1, slots, value)
        return keys, values

    def copy(self, source: Lane, target: Lane, length: int) -> None:
        """Give a lane the first tokens of another one."""
        begin, goal = source.index * self.width, target.index * self.width
        for stores in self.layers.values():
            for store in stores:
                store[:, goal:goal + length] = store[:, begin:begin + length]
        target.length = length


def packed_attention(module: torch.nn.Module, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor,
                     attention_mask: Optional[torch.Tensor], scaling: Optional[float] = None,
                     sliding_window: Optional[int] = None, **_: Any) -> Tuple[torch.Tensor, None]:
    """Attend within sequences; the attention function that transformers calls in each layer.

    query (torch.Tensor): (1, heads, tokens, size) of all sequences.
    key (torch.Tensor): (1, key heads, tokens, size); value likewise.
    RETURNS (Tuple[torch.Tensor, None]): (1, tokens, heads, size).
    """
    state = _CURRENT.get()
    keys, values = state.pool.store(module.layer_idx, key[0], value[0], state.slots)
    heads, groups = keys.shape[0], query.shape[1] // keys.shape[0]
    outputs = []
    for (first, last, begin, end), mask in zip(state.rows, _masks(state, sliding_window, groups, query)):
        # The query heads that share a key head stand below each other, as further rows of one product.
        rows = query[0, :, first:last].reshape(1, heads, groups * (last - first), -1)
        output = scaled_dot_product_attention(rows, keys[None, :, begin:end], values[None, :, begin:end],
                                              attn_mask=mask, scale=scaling)
        outputs.append(output.view(heads * groups, last - first, -1).transpose(0, 1))
    return torch.cat(outputs).unsqueeze(0), None


def _masks(state: _Pass, window: Optional[int], groups: int, query: torch.Tensor) -> List[torch.Tensor]:
    """RETURNS (List[torch.Tensor]): A mask of (groups * new tokens, tokens) for each row, made once a pass."""
    if (window, groups) not in state.masks:
        masks = []
        for first, last, begin, end in state.rows:
            new, total = last - first, end - begin
            mask = query.new_full((new, total), float("-inf")).triu_(total - new + 1)
            if window is not None and total > window:
                mask += query.new_full((new, total), float("-inf")).tril_(total - new - window)
            masks.append(mask.repeat(groups, 1))
        state.masks[(window, groups)] = masks
    return state.masks[(window, groups)]


class PackedModel:
    """Runs the body of a causal language model over packed sequences, and its head over chosen tokens only.

    lm (CausalLM): The model; its class must use the attention interface of transformers, as current ones do.
    RAISES BionerError: E211 where it does not.
    """

    def __init__(self, lm: "CausalLM") -> None:
        from transformers import AttentionInterface

        model = lm.model.get_base_model() if hasattr(lm.model, "get_base_model") else lm.model
        softcapped = getattr(model.config, "attn_logit_softcapping", None)
        if not getattr(model, "_supports_attention_backend", False) or softcapped:
            raise BionerError(Errors.E211.format(name=lm.name or type(model).__name__))
        AttentionInterface.register(ATTENTION, packed_attention)
        self._body = model.base_model
        self._configs = list({id(part.config): part.config for part in self._body.modules()
                              if hasattr(part, "config")}.values())
        self._head = model.get_output_embeddings()
        self._device = lm.device
        self._pool = _Pool(0, 0)
        self._scale, self._softcap = _head_shape(model.config)
        self.passes = 0
        self.tokens = 0

    def reserve(self, lanes: int, width: int) -> bool:
        """Make room for sequences.

        lanes (int): How many sequences there will be at once.
        width (int): Tokens that the longest may have.
        RETURNS (bool): Whether the pool is a new one, so that nothing of the old lanes is left.
        """
        if self._pool.width >= width and self._pool.lanes >= lanes:
            return False
        self._pool = _Pool(lanes, width)
        return True

    @torch.inference_mode()
    def copy(self, source: Lane, target: Lane, length: int) -> None:
        """Give a lane the first tokens of another one."""
        self._pool.copy(source, target, length)

    @torch.inference_mode()
    def forward(self, rows: Sequence[Tuple[Lane, List[int]]]) -> torch.Tensor:
        """Extend sequences by new tokens.

        rows (Sequence[Tuple[Lane, List[int]]]): Each sequence with its new tokens, at least one.
        RETURNS (torch.Tensor): (all new tokens, size), the hidden states behind each.
        """
        tokens: List[int] = []
        positions: List[int] = []
        slots: List[int] = []
        spans: List[Tuple[int, int, int, int]] = []
        for lane, new in rows:
            begin, end = lane.index * self._pool.width, lane.length + len(new)
            spans.append((len(tokens), len(tokens) + len(new), begin, begin + end))
            tokens += new
            positions += range(lane.length, end)
            slots += range(begin + lane.length, begin + end)
            lane.length = end
        state = _Pass(self._pool, torch.tensor(slots, device=self._device), spans, {})
        with _packed(self._configs, state):
            output = self._body(input_ids=torch.tensor([tokens], device=self._device),
                                position_ids=torch.tensor([positions], device=self._device), use_cache=False)
        self.passes += 1
        self.tokens += len(tokens)
        return output.last_hidden_state[0]

    @torch.inference_mode()
    def choose_among(self, hidden: torch.Tensor, choices: Sequence[Sequence[int]]) -> List[List[float]]:
        """Log probabilities of the tokens that are legal at each place, renormalised over them.

        hidden (torch.Tensor): (places, size).
        choices (Sequence[Sequence[int]]): Legal tokens of each place; the head is applied to no other.
        RETURNS (List[List[float]]): For each place, in the order of its tokens.
        """
        needed = sorted({token for legal in choices for token in legal})
        column = {token: number for number, token in enumerate(needed)}
        widest = max(map(len, choices))
        columns = torch.tensor([[column[token] for token in legal] + [0] * (widest - len(legal)) for legal in choices],
                               device=self._device)
        counts = torch.tensor([len(legal) for legal in choices], device=self._device)
        logits = self._logits(hidden, torch.tensor(needed, device=self._device)).gather(1, columns)
        absent = torch.arange(widest, device=self._device) >= counts.unsqueeze(1)
        scores = logits.masked_fill(absent, float("-inf")).log_softmax(-1).tolist()
        return [row[:len(legal)] for row, legal in zip(scores, choices)]

    def _logits(self, hidden: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
        """RETURNS (torch.Tensor): (places, tokens), float32 logits of some tokens of the vocabulary."""
        logits = hidden.float() @ self._head.weight[tokens].float().T
        if getattr(self._head, "bias", None) is not None:
            logits += self._head.bias[tokens].float()
        logits *= self._scale
        return torch.tanh(logits / self._softcap) * self._softcap if self._softcap else logits


@contextmanager
def _packed(configs: Sequence[Any], state: _Pass) -> Iterator[None]:
    """Let the model call `packed_attention` for one pass; its settings are put back after it."""
    before = [config._attn_implementation for config in configs]
    token = _CURRENT.set(state)
    try:
        for config in configs:
            config._attn_implementation = ATTENTION
        yield
    finally:
        for config, implementation in zip(configs, before):
            config._attn_implementation = implementation
        _CURRENT.reset(token)


def _head_shape(config: Any) -> Tuple[float, Optional[float]]:
    """RETURNS (Tuple[float, Optional[float]]): What some families multiply logits by, and the cap of others."""
    scale = getattr(config, "logit_scale", None) or 1.0
    return scale / (getattr(config, "logits_scaling", None) or 1.0), getattr(config, "final_logit_softcapping", None)
