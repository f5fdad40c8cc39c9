"""The heads of a head start: a new label begins as the trained label whose spans are most like its own."""

import logging
from typing import Dict, List, Optional, Sequence, Set, Tuple

import numpy
import torch

from ..spans.span_grid import SpanGrid
from .folder import HeadStart

logger = logging.getLogger(__name__)

# Start, end and label of a span; one set a document.
Spans = Sequence[Set[Tuple[int, int, int]]]
# F1 below which a trained label says nothing about a new one.
LEAST_AGREEMENT = 0.1
# Parts of a span grid that have a row, or `rank + 1` of them, for each label.
_BY_LABEL = ("start.weight", "start.bias", "end.weight", "end.bias", "inside.weight", "inside.bias", "bias")


def build_grid(start: HeadStart) -> SpanGrid:
    """Return the span grid of a head start, ready for use."""
    grid = SpanGrid(**start.card.grid)
    grid.load_state_dict(dict(start.grid))
    return grid.eval()


def count_agreement(found: Spans, gold: Spans, trained: int, wanted: int) -> numpy.ndarray:
    """Compare the spans of trained labels with gold spans of other labels.

    found (Spans): What the trained labels find.
    gold (Spans): The gold spans of the same documents.
    trained (int): Number of trained labels.
    wanted (int): Number of gold labels.
    RETURNS (numpy.ndarray): F1 of exact spans for each pair, (trained, wanted), 0 to 1.
    """
    both, of_found, of_gold = numpy.zeros((trained, wanted)), numpy.zeros((trained, 1)), numpy.zeros((1, wanted))
    for mine, theirs in zip(found, gold):
        at: Dict[Tuple[int, int], List[int]] = {}
        for start, end, label in mine:
            of_found[label] += 1
            at.setdefault((start, end), []).append(label)
        for start, end, label in theirs:
            of_gold[0, label] += 1
            for other in at.get((start, end), ()):
                both[other, label] += 1
    return 2 * both / numpy.maximum(of_found + of_gold, 1)


def choose_heads(agreement: numpy.ndarray) -> List[Optional[int]]:
    """Return for each wanted label the trained one that agrees best with it; None where none does.

    agreement (numpy.ndarray): As `count_agreement` gives it.
    """
    return [int(column.argmax()) if column.max() >= LEAST_AGREEMENT else None for column in agreement.T]


def fits(grid: SpanGrid, start: HeadStart) -> bool:
    """Return whether a span grid has the sizes of that of a head start; the labels may be others."""
    sizes = ("n_in", "hidden_size", "rank", "max_length")
    own = {"n_in": grid.norm.normalized_shape[0], "hidden_size": grid.edges.out_features // 2, "rank": grid.rank,
           "max_length": grid.max_length}
    return all(start.card.grid[size] == own[size] for size in sizes)


def take_heads(grid: SpanGrid, start: HeadStart, chosen: Sequence[Optional[int]]) -> None:
    """Fill a fresh span grid with trained weights: what all labels share, and the heads that were chosen.

    grid (SpanGrid): The grid; labels without a trained one keep their fresh heads.
    start (HeadStart): The trained weights, of the same sizes.
    chosen (Sequence[Optional[int]]): For each label of the grid the trained label.
    """
    state = grid.state_dict()
    with torch.no_grad():
        for name, trained in start.grid.items():
            if name == "length":
                for place, label in enumerate(chosen):
                    if label is not None:
                        state[name][:, place] = trained[:, label]
            elif name in _BY_LABEL:
                mine, theirs = (tensor.unflatten(0, (count, -1)) for tensor, count in
                                ((state[name], len(chosen)), (trained, len(start.card.labels))))
                for place, label in enumerate(chosen):
                    if label is not None:
                        mine[place] = theirs[label]
            else:
                state[name].copy_(trained)


def say_choice(labels: Sequence[str], start: HeadStart, chosen: Sequence[Optional[int]],
               agreement: numpy.ndarray) -> None:
    """Log what each label begins with."""
    for place, (label, head) in enumerate(zip(labels, chosen)):
        if head is None:
            logger.info("Label %s begins with fresh weights: no label of the head start is like it", label)
        else:
            logger.info("Label %s begins as %s of the head start (F1 %.1f on training sentences)", label,
                        start.card.labels[head], 100 * agreement[head, place])
