"""What a grid of span scores should be: gold spans, how far each is trusted, and what is left open."""

from dataclasses import dataclass
from typing import Any, Iterator, List, Mapping, Optional, Sequence, Tuple

import numpy
from spacy.training import Example

# Attribute of a gold group: how much each of its spans counts. Scores alone are no weights.
WEIGHTS = "weights"
# Attribute of a gold group: the labels that its text was annotated with, where they are not all that there are.
ANNOTATED = "annotated"
DOUBTFUL_KEY = "doubtful"


@dataclass(frozen=True)
class Target:
    """The gold side of one document, in tokens of the predicted Doc.

    length (int): Tokens of the document.
    spans (Sequence[Tuple[int, int, int, float]]): Start, end, label and weight of each gold span.
    doubtful (Sequence[Tuple[int, int]]): Regions without a loss: of the spans that touch one only those count
        that are mentions.
    annotated (Optional[Sequence[int]]): The labels that have a loss; None for all.
    """

    length: int
    spans: Sequence[Tuple[int, int, int, float]]
    doubtful: Sequence[Tuple[int, int]] = ()
    annotated: Optional[Sequence[int]] = None


def align_gold(example: Example, spans_key: str) -> Iterator[Tuple[int, int, str, int]]:
    """Find the gold spans in the tokens of the predicted Doc.

    example (Example): Predicted and gold Doc.
    spans_key (str): Key of the gold group.
    YIELDS (Tuple[int, int, str, int]): Start, end, label, and the place of the span in its group; spans that do not
        begin and end at tokens there are passed over.
    """
    reference = example.reference
    for place, span in enumerate(reference.spans[spans_key] if spans_key in reference.spans else ()):
        for found in example.get_aligned_spans_y2x([span], allow_overlap=True):
            yield found.start, found.end, span.label_, place


def find_target(example: Example, spans_key: str, labels: Mapping[str, int]) -> Target:
    """Read the target of an example.

    example (Example): Predicted and gold Doc. What the gold group has in `attrs["weights"]` are weights, not a
        number is full weight, and `attrs["annotated"]` names the labels that have a loss; `user_data["doubtful"]` has
        the regions left open, as characters: a token that one touches is open.
    spans_key (str): Key of the gold group.
    labels (Mapping[str, int]): Label to its place; a span with another label is left open, not trained on as wrong.
    RETURNS (Target): The target.
    """
    reference = example.reference
    group: Any = reference.spans[spans_key] if spans_key in reference.spans else []
    weights = group.attrs.get(WEIGHTS) if len(group) else None
    spans: List[Tuple[int, int, int, float]] = []
    for start, end, label, place in align_gold(example, spans_key):
        weight = 1.0 if weights is None or numpy.isnan(weights[place]) else float(weights[place])
        if label in labels:
            spans.append((start, end, labels[label], weight))
    doubtful = [(span.start, span.end) for start, end in reference.user_data.get(DOUBTFUL_KEY, ())
                if (span := example.predicted.char_span(start, end, alignment_mode="expand")) is not None]
    annotated = reference.spans[spans_key].attrs.get(ANNOTATED) if spans_key in reference.spans else None
    known = None if annotated is None else [labels[label] for label in annotated if label in labels]
    return Target(len(example.predicted), spans, doubtful, known)


def grid_loss(logits: numpy.ndarray, targets: Sequence[Target], *,
              label_smoothing: float = 0.0) -> Tuple[float, numpy.ndarray]:
    """Cross-entropy of every span and label, and its gradient, divided by the number of gold spans.

    logits (numpy.ndarray): (tokens of all documents, max_length, labels).
    targets (Sequence[Target]): One a document.
    label_smoothing (float): How far targets are drawn in from 1.
    RETURNS (Tuple[float, numpy.ndarray]): The loss, and a gradient of the same shape as the logits.
    """
    max_length = logits.shape[1]
    wanted = numpy.zeros(logits.shape, dtype="float32")
    weight = numpy.zeros(logits.shape, dtype="float32")
    offset = count = 0
    for target in targets:
        rows = slice(offset, offset + target.length)
        starts = numpy.arange(target.length)[:, None]
        ends = starts + numpy.arange(1, max_length + 1)[None]
        open_ = ends <= target.length
        for first, last in target.doubtful:
            open_ &= (ends <= first) | (starts >= last)
        weight[rows, :, slice(None) if target.annotated is None else list(target.annotated)] = open_[..., None]
        for start, end, label, trust in target.spans:
            count += 1
            if end - start <= max_length:
                wanted[offset + start, end - start - 1, label] = 1.0
                weight[offset + start, end - start - 1, label] = trust
        offset += target.length
    scale = numpy.float32(1 / max(count, len(targets)))
    probability = 1 / (1 + numpy.exp(-numpy.clip(logits, -60, 60)))
    wanted *= 1 - label_smoothing
    gradient = (probability - wanted) * weight * scale
    losses = (numpy.logaddexp(0, logits) - wanted * logits) * weight
    return float(losses.sum() * scale), gradient.astype("float32")
