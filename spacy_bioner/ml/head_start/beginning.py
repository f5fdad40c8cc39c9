"""Gives the labels of a span categorizer the heads of a head start, before it is trained."""

from typing import Any, Callable, Dict, List, Optional, Sequence, Set, Tuple

import numpy
import torch
from spacy.tokens import Doc
from thinc.api import Model, torch2xp, xp2torch

from ..spans.span_grid import SpanGrid
from ..spans.span_targets import Target
from .folder import find_head_start, read_head_start
from .heads import build_grid, choose_heads, count_agreement, fits, say_choice, take_heads

# Training documents on which trained labels are compared with new ones.
_COMPARED = 500
_AT_ONCE = 64


def begin_with_heads(model: Model, docs: Sequence[Doc], targets: Sequence[Target], labels: Sequence[str], *,
                     start_from: str, find: Callable[..., List[Any]]) -> Dict[str, Optional[str]]:
    """Begin with trained heads: for each label that of the head start whose spans are most like its gold spans.

    Heads of other sizes than those of the model are not taken.

    model (Model): A span grid on an encoder that has the weights of the head start.
    docs (Sequence[Doc]): Training documents.
    targets (Sequence[Target]): Their gold spans.
    labels (Sequence[str]): The labels of the model.
    start_from (str): The setting of the encoder.
    find (Callable[..., List[Any]]): Reads mentions off scores, as `BionerSpancat.find` does.
    RETURNS (Dict[str, Optional[str]]): Label to the trained label that it begins as, None for fresh weights.
    """
    start, grid = read_head_start(find_head_start(start_from)), model.get_ref("output_layer").shims[0].module
    if not fits(grid, start):
        return dict.fromkeys(labels)
    used = [(doc, target) for doc, target in zip(docs, targets) if len(doc)][:_COMPARED]
    gold = [{(first, last, label) for first, last, label, _ in target.spans} for _, target in used]
    trained = build_grid(start).to(grid.bias.device)
    found = _find_spans(model, [doc for doc, _ in used], trained, find)
    agreement = count_agreement(found, gold, trained.n_labels, len(labels))
    chosen = choose_heads(agreement)
    say_choice(labels, start, chosen, agreement)
    take_heads(grid, start, chosen)
    return {label: None if head is None else start.card.labels[head] for label, head in zip(labels, chosen)}


def _find_spans(model: Model, docs: Sequence[Doc], trained: SpanGrid,
                find: Callable[..., List[Any]]) -> List[Set[Tuple[int, int, int]]]:
    """Return what trained heads find above a probability of a half: start, end and trained label."""
    found: List[Set[Tuple[int, int, int]]] = []
    for first in range(0, len(docs), _AT_ONCE):
        batch = docs[first:first + _AT_ONCE]
        vectors = model.get_ref("tok2vec").predict(batch)
        with torch.no_grad():
            scores = torch2xp(trained(xp2torch(model.ops.xp.concatenate(vectors))))
        mentions = find(batch, scores, numpy.full(trained.n_labels, 0.5), overlaps="any")
        found += [{(start, end, label) for start, end, label, _ in one} for one in mentions]
    return found
