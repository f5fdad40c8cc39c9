"""A quick stand-in for the shipped pipeline: a span grid on the fixed vectors of the small encoder.

The encoder reads each text once; only the head is trained, which takes seconds for some hundred sentences. It scores
worse than a pipeline whose encoder learns too, and is meant for comparisons: learning curves, and predictions for
sentences that a model has not been trained on.
"""

from dataclasses import dataclass
from typing import Dict, Iterable, List, Sequence, Tuple

import numpy
import torch
from numpy.typing import NDArray

from ..annotation import Annotation, Mention
from ..formats.docbin import build_doc
from ..ml.calibration import to_probability
from ..ml.encoder.transformer_encoder import build_transformer_encoder
from ..ml.settings import EncoderSettings, SpanGridSettings
from ..ml.spans.span_grid import SpanGrid
from ..ml.spans.span_targets import Target, grid_loss

ENCODER = "all-minilm-l6-v2"
# Spans less probable than this are not looked at.
FLOOR = 0.02
_LONGEST = 16
_RATE = 2e-3
_BATCH = 16
_LEAST_STEPS, _EPOCHS = 120, 10
_WARMUP = 0.1
_AT_ONCE = 64


@dataclass(frozen=True)
class EncodedText:
    """A text with the vectors of its tokens.

    places (Tuple[Tuple[int, int], ...]): Start and end of each token, in characters.
    vectors (NDArray[numpy.float16]): (tokens, width).
    """

    places: Tuple[Tuple[int, int], ...]
    vectors: NDArray[numpy.float16]


def encode_texts(texts: Sequence[str], *, encoder: str = ENCODER) -> List[EncodedText]:
    """Read texts by the encoder, as it is.

    texts (Sequence[str]): The texts.
    encoder (str): Name of the encoder, see `llm.local.hub`.
    RETURNS (List[EncodedText]): One each. In half precision, which the head does not notice.
    """
    from spacy.vocab import Vocab

    settings = EncoderSettings(name=encoder)
    model = build_transformer_encoder(**settings.values())
    model.initialize()
    vocab = Vocab()
    order = sorted(range(len(texts)), key=lambda row: len(texts[row]))
    found: Dict[int, EncodedText] = {}
    for start in range(0, len(order), _AT_ONCE):
        rows = order[start:start + _AT_ONCE]
        docs = [build_doc(vocab, texts[row]) for row in rows]
        for row, doc, vectors in zip(rows, docs, model.predict(docs)):
            places = tuple((token.idx, token.idx + len(token)) for token in doc)
            found[row] = EncodedText(places, numpy.asarray(model.ops.to_numpy(vectors), dtype="float16"))
    return [found[row] for row in range(len(texts))]


class Probe:
    """A trained head.

    labels (Sequence[str]): What it finds.
    grid (SpanGrid): The head.
    """

    def __init__(self, labels: Sequence[str], grid: SpanGrid) -> None:
        self.labels = list(labels)
        self.grid = grid.eval()

    def logits(self, texts: Sequence[EncodedText]) -> List[NDArray[numpy.float32]]:
        """Score all spans of texts.

        texts (Sequence[EncodedText]): The texts.
        RETURNS (List[NDArray[numpy.float32]]): For each (tokens, longest span, labels): start, and length less one.
        """
        found: List[NDArray[numpy.float32]] = []
        for start in range(0, len(texts), _AT_ONCE):
            batch = texts[start:start + _AT_ONCE]
            counts = [len(text.places) for text in batch]
            if not sum(counts):
                found += [numpy.zeros((0, _LONGEST, len(self.labels)), dtype="float32") for _ in batch]
                continue
            with torch.inference_mode():
                scores = self.grid(_join(batch)).numpy()
            found += numpy.split(scores, numpy.cumsum(counts)[:-1])
        return found

    def find(self, texts: Sequence[EncodedText], *, floor: float = FLOOR) -> List[Tuple[Mention, ...]]:
        """Return the candidates of texts, with probabilities.

        texts (Sequence[EncodedText]): The texts.
        floor (float): Least probability of a candidate.
        RETURNS (List[Tuple[Mention, ...]]): For each its candidates, overlapping ones too.
        """
        found = []
        for text, logits in zip(texts, self.logits(texts)):
            probability = to_probability(logits)
            found.append(tuple(
                Mention(text.places[start][0], text.places[start + width][1], self.labels[label],
                        score=float(probability[start, width, label]))
                for start, width, label in numpy.argwhere(probability >= floor).tolist()
                if start + width < len(text.places)))
        return found


def train_probe(texts: Sequence[EncodedText], annotations: Sequence[Annotation], labels: Sequence[str], *,
                seed: int) -> Probe:
    """Train a head.

    texts (Sequence[EncodedText]): The texts.
    annotations (Sequence[Annotation]): Their gold mentions, in the same order.
    labels (Sequence[str]): What is to be found.
    seed (int): Of weights and order.
    RETURNS (Probe): The head.
    """
    settings = SpanGridSettings()
    torch.manual_seed(seed)
    grid = SpanGrid(texts[0].vectors.shape[1], len(labels), settings.hidden_size, settings.rank, _LONGEST,
                    settings.dropout)
    targets = [make_target(text, annotation.mentions, labels) for text, annotation in zip(texts, annotations)]
    steps = max(_LEAST_STEPS, _EPOCHS * -(-len(texts) // _BATCH))
    optimizer = torch.optim.AdamW(grid.parameters(), lr=_RATE, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min(
        (step + 1) / (_WARMUP * steps), (steps - step) / ((1 - _WARMUP) * steps)))
    grid.train()
    for rows in _batches(len(texts), steps, seed):
        chosen = [texts[row] for row in rows if texts[row].places]
        if not chosen:
            continue
        scores = grid(_join(chosen))
        _, gradient = grid_loss(scores.detach().numpy(), [targets[row] for row in rows if texts[row].places])
        optimizer.zero_grad()
        scores.backward(torch.from_numpy(gradient))
        torch.nn.utils.clip_grad_norm_(grid.parameters(), 1.0)
        optimizer.step()
        schedule.step()
    return Probe(labels, grid)


def make_target(text: EncodedText, mentions: Iterable[Mention], labels: Sequence[str]) -> Target:
    """Place gold mentions in the tokens of a text; those that do not begin and end at tokens are passed over."""
    starts = {start: number for number, (start, _) in enumerate(text.places)}
    ends = {end: number + 1 for number, (_, end) in enumerate(text.places)}
    return Target(len(text.places), [(starts[mention.start], ends[mention.end], labels.index(mention.label), 1.0)
                                     for mention in mentions if mention.start in starts and mention.end in ends])


def _join(texts: Sequence[EncodedText]) -> torch.Tensor:
    return torch.from_numpy(numpy.concatenate([text.vectors for text in texts]).astype("float32"))


def _batches(size: int, steps: int, seed: int) -> Iterable[List[int]]:
    """Yield so many batches of rows, shuffled anew each time all were there."""
    random = numpy.random.default_rng(seed)
    waiting: List[int] = []
    for _ in range(steps):
        while len(waiting) < min(_BATCH, size):
            waiting += random.permutation(size).tolist()
        yield waiting[:_BATCH]
        del waiting[:_BATCH]
