"""Gives the labels of a span categorizer the heads of a head start, before it is trained."""

from typing import TYPE_CHECKING, List, Sequence, Set, Tuple

import numpy
import torch
from spacy.training import Example
from thinc.api import torch2xp, xp2torch

from ..ml.head_start.folder import find_head_start, read_head_start
from ..ml.head_start.heads import build_grid, choose_heads, count_agreement, fits, say_choice, take_heads

if TYPE_CHECKING:
    from .bioner_spancat import BionerSpancat

# Training documents on which trained labels are compared with new ones.
_COMPARED = 500
_AT_ONCE = 64


def begin_with_heads(component: "BionerSpancat", examples: Sequence[Example], *, start_from: str) -> None:
    """Begin with trained heads: for each label that of the head start whose spans are most like its gold spans.

    component (BionerSpancat): The component, initialized; its encoder has the weights of the head start.
    examples (Sequence[Example]): The training data.
    start_from (str): The setting of the encoder.
    """
    start = read_head_start(find_head_start(start_from))
    grid = component.model.get_ref("output_layer").shims[0].module
    if not fits(grid, start):
        return
    compared = examples[:_COMPARED]
    gold = [{(first, last, label) for first, last, label, _ in component.find_target(example).spans}
            for example in compared]
    trained = build_grid(start).to(grid.bias.device)
    agreement = count_agreement(_find_spans(component, compared, trained), gold, trained.n_labels,
                                len(component.labels))
    chosen = choose_heads(agreement)
    say_choice(component.labels, start, chosen, agreement)
    take_heads(grid, start, chosen)


def _find_spans(component: "BionerSpancat", examples: Sequence[Example],
                trained: torch.nn.Module) -> List[Set[Tuple[int, int, int]]]:
    """Return what trained heads find above a probability of a half: start, end and trained label."""
    found: List[Set[Tuple[int, int, int]]] = []
    for first in range(0, len(examples), _AT_ONCE):
        docs = [example.predicted for example in examples[first:first + _AT_ONCE] if len(example.predicted)]
        vectors = component.model.get_ref("tok2vec").predict(docs)
        with torch.no_grad():
            scores = torch2xp(trained(xp2torch(component.model.ops.xp.concatenate(vectors))))
        mentions = component.find(docs, scores, numpy.full(scores.shape[2], 0.5), overlaps="any")
        found += [{(start, end, label) for start, end, label, _ in one} for one in mentions]
    return found
