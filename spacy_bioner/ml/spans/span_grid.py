"""Scores of all spans up to a length at once: starts times ends, no suggester.

Every token gets, for each label, a vector as a start and one as an end; a span scores what its two edges give together,
what each gives alone, what its tokens give on average, and what its length gives. All documents of a batch lie in one
row of tokens; scores are taken along a band of that row, block by block, so memory grows with tokens times
length, never with the square of a document.
"""

from functools import partial
from typing import Any, Callable, Dict, List, Optional, Tuple

import torch
from spacy.tokens import Doc
from thinc.api import Model, chain, torch2xp, xp2torch
from thinc.types import Floats2d, Floats3d

from ...llm.local.passes.parallel_passes import compute_side_by_side
from ..torch_module import ModuleShim, constant_rate

_BLOCK = 64
# A span is a mention about once in a hundred places: the first update starts from there, not from a half.
_PRIOR = -4.6


class SpanGrid(torch.nn.Module):
    """Token vectors to the logits of spans.

    n_in (int): Width of the token vectors.
    n_labels (int): Number of labels.
    hidden_size (int): Width of the edge layers.
    rank (int): Width of a label's start and end vectors.
    max_length (int): Most tokens of a span.
    dropout (float): Dropout on the token vectors and the edge layers.
    """

    def __init__(self, n_in: int, n_labels: int, hidden_size: int, rank: int, max_length: int, dropout: float):
        super().__init__()
        self.n_labels, self.rank, self.max_length = n_labels, rank, max_length
        self.dropout = torch.nn.Dropout(dropout)
        self.norm = torch.nn.LayerNorm(n_in)
        self.edges = torch.nn.Linear(n_in, 2 * hidden_size)
        self.start = torch.nn.Linear(hidden_size, n_labels * (rank + 1))
        self.end = torch.nn.Linear(hidden_size, n_labels * (rank + 1))
        self.inside = torch.nn.Linear(n_in, n_labels)
        self.length = torch.nn.Parameter(torch.zeros(max_length, n_labels))
        self.bias = torch.nn.Parameter(torch.full((n_labels,), _PRIOR))

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Score spans.

        tokens (torch.Tensor): Token vectors of a batch in one row, (tokens, n_in).
        RETURNS (torch.Tensor): Logits, (tokens, max_length, n_labels): start, and length less one. Spans that run over
            the end of the row, or of a document, have no meaning.
        """
        tokens = self.dropout(self.norm(tokens))
        first, second = self.dropout(torch.nn.functional.gelu(self.edges(tokens))).chunk(2, dim=-1)
        start = self.start(first).view(-1, self.n_labels, self.rank + 1)
        end = self.end(second).view(-1, self.n_labels, self.rank + 1)
        pairs = self._band_product(start[..., 1:], end[..., 1:]) * self.rank ** -0.5
        singles = start[:, None, :, 0] + self._band(end[..., 0])
        return pairs + singles + self._band_mean(self.inside(tokens)) + self.length + self.bias

    def _band(self, values: torch.Tensor) -> torch.Tensor:
        """(tokens, n_labels) to (tokens, max_length, n_labels): the value at the end of each span."""
        padded = torch.nn.functional.pad(values, (0, 0, 0, self.max_length - 1))
        return padded.unfold(0, self.max_length, 1).transpose(1, 2)

    def _band_mean(self, values: torch.Tensor) -> torch.Tensor:
        """(tokens, n_labels) to (tokens, max_length, n_labels): the mean over the tokens of each span."""
        lengths = torch.arange(1, self.max_length + 1, device=values.device)[:, None]
        return self._band(values).cumsum(dim=1) / lengths

    def _band_product(self, start: torch.Tensor, end: torch.Tensor) -> torch.Tensor:
        """Products of starts with the ends of the next `max_length` tokens, (tokens, max_length, n_labels)."""
        count, length = start.shape[0], self.max_length
        blocks = -(-count // _BLOCK)
        pad = torch.nn.functional.pad
        start = pad(start.permute(1, 2, 0), (0, blocks * _BLOCK - count))
        end = pad(end.permute(1, 2, 0), (0, blocks * _BLOCK - count + length - 1))
        start = start.reshape(self.n_labels, self.rank, blocks, _BLOCK).permute(0, 2, 3, 1)
        width = _BLOCK + length - 1
        end = end.unfold(2, width, _BLOCK).permute(0, 2, 1, 3)
        square = torch.matmul(start, end).contiguous()
        band = square.as_strided((self.n_labels, blocks, _BLOCK, length),
                                 (blocks * _BLOCK * width, _BLOCK * width, width + 1, 1))
        return band.reshape(self.n_labels, blocks * _BLOCK, length)[:, :count].permute(1, 2, 0)


def build_span_grid(tok2vec: Model[List[Doc], List[Floats2d]], hidden_size: int, rank: int, max_length: int,
                    dropout: float, rate_factor: float, average: float) -> Model[List[Doc], Floats3d]:
    """Build the span model.

    tok2vec (Model[List[Doc], List[Floats2d]]): Any tok2vec layer.
    hidden_size (int): Width of the edge layers.
    rank (int): Width of a label's start and end vectors.
    max_length (int): Most tokens of a span.
    dropout (float): Dropout of this part; the tok2vec layer has its own.
    rate_factor (float): Factor on the learning rate of this part: it starts from nothing, an encoder does not.
    average (float): Decay of the moving average of the weights; 0 keeps none.
    RETURNS (Model[List[Doc], Floats3d]): Logits, (tokens of all documents, max_length, labels).
    """
    shim = ModuleShim(_build_grid, rate_factor=partial(constant_rate, factor=rate_factor), average=average)
    grid: Model[List[Floats2d], Floats3d] = Model("span_grid", _forward, init=_init, shims=[shim], attrs={
        "settings": {"hidden_size": hidden_size, "rank": rank, "max_length": max_length, "dropout": dropout}},
        dims={"nO": None, "nI": None})
    model = chain(tok2vec, grid)
    model.attrs["max_length"] = max_length
    model.set_ref("tok2vec", tok2vec)
    model.set_ref("output_layer", grid)
    return model


def _build_grid(config: Dict[str, Any]) -> SpanGrid:
    return SpanGrid(**config)


def _init(model: Model, X: Optional[List[Floats2d]] = None, Y: Any = None) -> Model:
    shim: ModuleShim = model.shims[0]
    if X:
        model.set_dim("nI", X[0].shape[1], force=True)
    config: Dict[str, Any] = {"n_in": model.get_dim("nI"), "n_labels": model.get_dim("nO"), **model.attrs["settings"]}
    shim.set_module(SpanGrid(**config), config)
    return model


def _forward(model: Model, X: List[Floats2d], is_train: bool) -> Tuple[Floats3d, Callable]:
    module: SpanGrid = model.shims[0].for_mode(is_train=is_train)
    row = model.ops.xp.concatenate(X) if X else model.ops.alloc2f(0, 1)
    if not len(row):
        return model.ops.alloc3f(0, module.max_length, module.n_labels), lambda d_scores: X
    tokens = xp2torch(row, requires_grad=is_train)
    with torch.set_grad_enabled(is_train):
        # Small products, which one thread computes as fast as several.
        scores = module(tokens) if is_train or tokens.is_cuda else next(compute_side_by_side(module, [tokens]))

    def backprop(d_scores: Floats3d) -> List[Floats2d]:
        scores.backward(xp2torch(d_scores))
        lengths = model.ops.asarray1i([len(vectors) for vectors in X])
        return model.ops.unflatten(torch2xp(tokens.grad), lengths)

    return torch2xp(scores.detach()), backprop
