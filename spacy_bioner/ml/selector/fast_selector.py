"""The fast selector: the text is encoded once, every candidate is scored from the vectors of its tokens.

A candidate is seen by its first and last token, the tokens just outside of it, the mean of its tokens and its length;
its label is a learnt vector. `marked_selector` holds the slow kind, where each candidate is a text of its own.
"""

from functools import partial
from typing import Any, Callable, Dict, List, Optional, Tuple

import torch
from spacy.tokens import Doc
from thinc.api import Model, torch2xp, xp2torch
from thinc.types import Floats1d, Floats2d

from ..torch_module import ModuleShim, constant_rate

# First token, one past the last, label; for each document.
Spans = List[List[Tuple[int, int, int]]]
_LENGTHS = 32


class SpanJudge(torch.nn.Module):
    """Token vectors and candidates to logits.

    n_in (int): Width of the token vectors.
    n_labels (int): Number of labels.
    hidden_size (int): Width of the hidden layer.
    dropout (float): Dropout on both layers.
    """

    def __init__(self, n_in: int, n_labels: int, hidden_size: int, dropout: float):
        super().__init__()
        self.norm = torch.nn.LayerNorm(n_in)
        self.dropout = torch.nn.Dropout(dropout)
        self.outside = torch.nn.Parameter(torch.zeros(1, n_in))
        self.lengths = torch.nn.Embedding(_LENGTHS, hidden_size)
        self.hidden = torch.nn.Linear(5 * n_in, hidden_size)
        self.labels = torch.nn.Embedding(n_labels, hidden_size)
        self.bias = torch.nn.Parameter(torch.zeros(n_labels))
        torch.nn.init.zeros_(self.lengths.weight)

    def forward(self, tokens: torch.Tensor, spans: torch.Tensor) -> torch.Tensor:
        """Judge candidates.

        tokens (torch.Tensor): Token vectors of a batch in one row, an empty place between documents: (tokens, n_in).
        spans (torch.Tensor): First place, one past the last, label, (candidates, 3).
        RETURNS (torch.Tensor): Logits, (candidates,).
        """
        tokens = self.dropout(self.norm(tokens))
        start, end, label = spans.unbind(dim=1)
        sums = torch.nn.functional.pad(tokens.cumsum(dim=0), (0, 0, 1, 0))
        mean = (sums[end] - sums[start]) / (end - start)[:, None]
        edges = [tokens[start], tokens[end - 1], tokens[start - 1], tokens[end], mean]
        hidden = self.hidden(torch.cat(edges, dim=1)) + self.lengths((end - start).clamp(max=_LENGTHS - 1))
        hidden = self.dropout(torch.nn.functional.gelu(hidden))
        return (hidden * self.labels(label)).sum(dim=1) * hidden.shape[1] ** -0.5 + self.bias[label]


def build_span_selector(tok2vec: Model[List[Doc], List[Floats2d]], hidden_size: int, dropout: float,
                        rate_factor: float, average: float) -> Model[Tuple[List[Doc], Spans], Floats1d]:
    """Build the fast selector.

    tok2vec (Model[List[Doc], List[Floats2d]]): Any tok2vec layer: an encoder, or a causal language model.
    hidden_size (int): Width of the hidden layer.
    dropout (float): Dropout of this part.
    rate_factor (float): Factor on the learning rate of this part.
    average (float): Decay of the moving average of the weights; 0 keeps none.
    RETURNS (Model[Tuple[List[Doc], Spans], Floats1d]): Logits of all candidates, document by document.
    """
    shim = ModuleShim(_build_judge, rate_factor=partial(constant_rate, factor=rate_factor), average=average)
    model = Model("span_selector", _forward, init=_init, layers=[tok2vec], shims=[shim], dims={"nO": None}, attrs={
        "settings": {"hidden_size": hidden_size, "dropout": dropout}})
    model.set_ref("output_layer", model)
    return model


def _build_judge(config: Dict[str, Any]) -> SpanJudge:
    return SpanJudge(**config)


def _init(model: Model, X: Optional[Tuple[List[Doc], Spans]] = None, Y: Any = None) -> Model:
    tok2vec, shim = model.layers[0], model.shims[0]
    tok2vec.initialize(X=X[0] if X else None)
    width = tok2vec.predict(X[0][:1])[0].shape[1] if X else tok2vec.get_dim("nO")
    config: Dict[str, Any] = {"n_in": width, "n_labels": model.get_dim("nO"), **model.attrs["settings"]}
    shim.set_module(SpanJudge(**config), config)
    return model


def _forward(model: Model, inputs: Tuple[List[Doc], Spans], is_train: bool) -> Tuple[Floats1d, Callable]:
    docs, spans = inputs
    module: SpanJudge = model.shims[0].for_mode(is_train=is_train)
    vectors, backprop_vectors = model.layers[0](docs, is_train)
    rows, flat, places = _lay_out(vectors, spans, module)
    if not flat:
        return model.ops.alloc1f(0), lambda d_scores: backprop_vectors(
            [model.ops.alloc2f(*tokens.shape) for tokens in vectors])
    with torch.set_grad_enabled(is_train):
        scores = module(torch.cat(rows), torch.tensor(flat, device=rows[0].device))

    def backprop(d_scores: Floats1d) -> List[Doc]:
        scores.backward(xp2torch(d_scores))
        return backprop_vectors([torch2xp(rows[place].grad) if rows[place].grad is not None
                                 else model.ops.alloc2f(*rows[place].shape) for place in places])

    return torch2xp(scores.detach()), backprop


def _lay_out(vectors: List[Floats2d], spans: Spans,
             module: SpanJudge) -> Tuple[List[torch.Tensor], List[Tuple[int, int, int]], List[int]]:
    """Put documents into one row, with the vector for "outside" before, between and after them."""
    rows, flat, places = [module.outside], [], []
    offset = 1
    for tokens, candidates in zip(vectors, spans):
        flat += [(offset + start, offset + end, label) for start, end, label in candidates]
        places.append(len(rows))
        rows += [xp2torch(tokens, requires_grad=module.training), module.outside]
        offset += len(tokens) + 1
    return rows, flat, places
