"""One forward pass over many sequences of any length, packed without padding, each with its own key-value cache.

The linear layers see one long row of tokens; only attention looks at sequences, through the attention interface of
transformers. A sequence keeps its keys and values in a lane of a pool. To take tokens back, a lane is made shorter;
to share a prompt prefix, its keys and values are copied from lane to lane.
"""

import copy
from typing import TYPE_CHECKING, List, Optional, Sequence, Tuple

import torch

from ....errors import BionerError, Errors
from ...local.passes.head_shape import HeadShape
from .packed_attention import ATTENTION, AttentionSwitch, Lane, Pass, Pool, Row, UnknownAttention, packed_attention

if TYPE_CHECKING:
    from ...local.causal_lm import CausalLM


class PackedModel:
    """Runs the body of a causal language model over packed sequences, and its head over chosen tokens only.

    lm (CausalLM): The model; its class must use the attention interface of transformers, as current ones do, and
        plain attention alone: other layers, such as convolutions, would read across sequences.
    together (Optional[bool]): Whether attention takes sequences in padded groups; None does so on a GPU.
    device (torch.device): Where it computes.
    passes (int): Forward passes until now, and
    tokens (int): their tokens.
    RAISES BionerError: E211 where it does not.
    """

    def __init__(self, lm: "CausalLM", *, together: Optional[bool] = None) -> None:
        from transformers import AttentionInterface

        model = lm.model.get_base_model() if hasattr(lm.model, "get_base_model") else lm.model
        softcapped = getattr(model.config, "attn_logit_softcapping", None)
        layers = getattr(model.config, "layer_types", None) or getattr(model.config, "layers_block_type", None) or ()
        if (not getattr(model, "_supports_attention_backend", False) or softcapped
                or not all("attention" in layer and "linear" not in layer for layer in layers)):
            raise BionerError(Errors.E211.format(name=lm.name or type(model).__name__))
        AttentionInterface.register(ATTENTION, packed_attention)
        self.body = model.base_model
        self._attention = AttentionSwitch(list({id(part.config): part.config for part in self.body.modules()
                                                if hasattr(part, "config")}.values()))
        self._head = model.get_output_embeddings()
        self.device = lm.device
        self._together = lm.device.type == "cuda" if together is None else together
        self._shape = HeadShape.of(model.config)
        self.passes = 0
        self.tokens = 0
        # What attention of this class wants beyond queries, keys and values is known once it is called.
        self._pool = Pool(1, 1)
        try:
            self.forward([(Lane(0), [0])])
        except UnknownAttention:
            raise BionerError(Errors.E211.format(name=lm.name or type(model).__name__)) from None
        self._pool = Pool(0, 0)
        self.passes = self.tokens = 0

    def beside(self) -> "PackedModel":
        """Return another one for another thread: with the same weights, and sequences of its own."""
        other = copy.copy(self)
        other._pool = Pool(0, 0)
        other.passes = other.tokens = 0
        return other

    def reserve(self, lanes: int, width: int) -> bool:
        """Make room for sequences.

        lanes (int): How many sequences there will be at once.
        width (int): Tokens that the longest may have.
        RETURNS (bool): Whether the pool is a new one, so that nothing of the old lanes is left.
        """
        if self._pool.width >= width and self._pool.lanes >= lanes:
            return False
        self._pool = Pool(lanes, width)
        return True

    @torch.inference_mode()
    def copy(self, source: Lane, targets: Sequence[Lane], length: int) -> None:
        """Give lanes the first tokens of another one."""
        self._pool.copy(source, targets, length)

    @torch.inference_mode()
    def forward(self, rows: Sequence[Tuple[Lane, List[int]]]) -> torch.Tensor:
        """Extend sequences by new tokens.

        rows (Sequence[Tuple[Lane, List[int]]]): Each sequence with its new tokens, at least one.
        RETURNS (torch.Tensor): (all new tokens, size), the hidden states behind each.
        """
        tokens: List[int] = []
        positions: List[int] = []
        slots: List[int] = []
        spans: List[Row] = []
        for lane, new in rows:
            begin, end = lane.index * self._pool.width, lane.length + len(new)
            spans.append(Row(len(tokens), len(tokens) + len(new), begin, begin + end))
            tokens += new
            positions += range(lane.length, end)
            slots += range(begin + lane.length, begin + end)
            lane.length = end
        state = Pass(self._pool, torch.tensor(slots, device=self.device), spans, self._together)
        with self._attention.packed(state):
            output = self.body(input_ids=torch.tensor([tokens], device=self.device),
                                position_ids=torch.tensor([positions], device=self.device), use_cache=False)
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
                               device=self.device)
        counts = torch.tensor([len(legal) for legal in choices], device=self.device)
        logits = self._logits(hidden, torch.tensor(needed, device=self.device)).gather(1, columns)
        absent = torch.arange(widest, device=self.device) >= counts.unsqueeze(1)
        scores = logits.masked_fill(absent, float("-inf")).log_softmax(-1).tolist()
        return [row[:len(legal)] for row, legal in zip(scores, choices)]

    def _logits(self, hidden: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
        """Return (places, tokens), float32 logits of some tokens of the vocabulary."""
        logits = hidden.float() @ self._head.weight[tokens].float().T
        if getattr(self._head, "bias", None) is not None:
            logits += self._head.bias[tokens].float()
        return self._shape.apply(logits)
