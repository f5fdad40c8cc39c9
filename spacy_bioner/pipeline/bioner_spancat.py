"""The span categorizer that users deploy: nested mentions with probabilities, in `doc.spans`.

All spans up to a length are scored at once, so there is no suggester and nothing that it could miss but longer spans.
Labels are independent of each other: one place may have several.
"""

from typing import Any, Callable, Dict, Iterable, List, Optional, Sequence, Tuple, Union

import numpy
from spacy.language import Language
from spacy.tokens import Doc, Span, SpanGroup
from spacy.training import Example, validate_examples
from spacy.vocab import Vocab
from thinc.api import Model, Optimizer, set_dropout_rate
from thinc.types import Floats3d

from ..errors import BionerError, Errors
from ..ml.calibration import to_logit, to_probability
from ..ml.settings import EncoderSettings, SpanGridSettings
from ..ml.spans.span_targets import Target, find_target, grid_loss
from ..settings import Settings, default_values, setting, takes_settings
from .label_pipe import LabelPipe, sample_docs
from .overlaps import OVERLAPS, drop_overlaps, learn_overlaps, survivors
from .tuning import Judged, check_thresholds, label_values, score_best, tune

Found = List[Tuple[int, int, int, float]]
# Spans less probable than this are not looked at when thresholds are chosen, nor called doubtful.
_PLAUSIBLE = 0.02
_AT_ONCE = 64


class BionerSpancatSettings(Settings):
    """The component `bioner_spancat`."""

    spans_key: str = setting("sc", "Key of the span group that is read in training and written in use.")
    doubtful_key: str = setting(
        "", "Key of a group for the spans below their thresholds with a probability of 0.02 at least; empty for none. "
        "Training has one, so that checkpoints are compared at the best threshold of each.")
    threshold: Union[float, Dict[str, float]] = setting(
        0.5, "Least probability of a mention, for all labels or by label; * stands for the others.")
    overlaps: str = setting(
        "learn", "any keeps all mentions, nested drops crossing ones, flat all overlapping ones, the less probable "
        "first. learn takes flat where training data have mentions and none overlaps another, else any.")
    label_smoothing: float = setting(0.0, "How far below 1 the targets of mentions are in training.", ge=0, le=0.5)
    temperature: float = setting(
        1.0, "Divides the logits, so that probabilities are calibrated; training sets it.", gt=0)


DEFAULT_MODEL = {"@architectures": "spacy-bioner.SpanGrid.v1", **default_values(SpanGridSettings),
                 "tok2vec": {"@architectures": "spacy-bioner.TransformerEncoder.v1", "name": "all-minilm-l6-v2",
                             **default_values(EncoderSettings)}}


@Language.factory(
    "bioner_spancat",
    assigns=["doc.spans"],
    default_config={"model": DEFAULT_MODEL, **default_values(BionerSpancatSettings),
                    "scorer": {"@scorers": "spacy.spancat_scorer.v1"}},
    default_score_weights={"spans_sc_f": 1.0, "spans_sc_p": 0.0, "spans_sc_r": 0.0},
)
@takes_settings(BionerSpancatSettings, place="bioner_spancat")
def make_bioner_spancat(nlp: Language, name: str, model: Model[List[Doc], Floats3d], scorer: Optional[Callable],
                        settings: BionerSpancatSettings) -> "BionerSpancat":
    """Make the span categorizer.

    nlp (Language): The pipeline.
    name (str): Name of the component.
    model (Model[List[Doc], Floats3d]): Logits of all spans, as `spacy-bioner.SpanGrid.v1` gives them.
    scorer (Optional[Callable]): The scoring method.
    settings (BionerSpancatSettings): Keys, thresholds and overlaps.
    """
    return BionerSpancat(nlp.vocab, model, name, settings=settings, scorer=scorer)


class BionerSpancat(LabelPipe):
    """Finds mentions by scoring all spans.

    vocab (Vocab): The vocabulary of the pipeline.
    model (Model): Logits of all spans.
    name (str): Name of the component.
    settings (BionerSpancatSettings): Keys, thresholds and overlaps.
    scorer (Optional[Callable]): The scoring method.
    """

    def __init__(self, vocab: Vocab, model: Model[List[Doc], Floats3d], name: str = "bioner_spancat", *,
                 settings: BionerSpancatSettings = BionerSpancatSettings(), scorer: Optional[Callable] = None):
        if settings.overlaps not in OVERLAPS:
            raise BionerError(Errors.E502.format(found=settings.overlaps, known=", ".join(OVERLAPS)))
        check_thresholds(settings.threshold)
        self.vocab = vocab
        self.model = model
        self.name = name
        self.scorer = scorer
        self.cfg: Dict[str, Any] = {"labels": [], **settings.values()}
        # What "learn" has found takes its place in `cfg`, and is found anew with other training data.
        self._overlaps = settings.overlaps

    @property
    def key(self) -> str:
        return str(self.cfg["spans_key"])

    @property
    def max_length(self) -> int:
        """Return the most tokens of a span that can be found."""
        return int(self.model.attrs["max_length"])

    def thresholds(self) -> numpy.ndarray:
        """Return the threshold of each label."""
        return label_values(self.cfg["threshold"], self.labels)

    def predict(self, docs: Iterable[Doc]) -> List[Tuple[Found, Found]]:
        """Return for each document the mentions above their thresholds, as start, end,
        label and score, and where they are asked for the doubtful ones below."""
        docs = list(docs)
        logits, thresholds = self.model.predict(docs), self.thresholds()
        kept = self.find(docs, logits, thresholds)
        if not self.cfg["doubtful_key"]:
            return [(mentions, []) for mentions in kept]
        plausible = self.find(docs, logits, numpy.minimum(thresholds, _PLAUSIBLE))
        return [(mentions, sorted(set(both) - set(mentions), key=_in_text)) for mentions, both in zip(kept, plausible)]

    def find(self, docs: Sequence[Doc], logits: Floats3d, thresholds: numpy.ndarray, *,
             overlaps: Optional[str] = None) -> List[Found]:
        """Read mentions off the logits.

        docs (Sequence[Doc]): The documents.
        logits (Floats3d): What the model gives for them.
        thresholds (numpy.ndarray): Least probability by label.
        overlaps (Optional[str]): In place of the component's own setting.
        RETURNS (List[Found]): For each document start, end, label and score of its mentions, in text order.
        """
        logits = self.model.ops.to_numpy(logits)
        temperature = self.cfg["temperature"]
        places = numpy.argwhere(logits >= to_logit(thresholds) * temperature)
        scores = to_probability(logits[tuple(places.T)], temperature)
        ends = numpy.cumsum([len(doc) for doc in docs])
        owners = numpy.searchsorted(ends, places[:, 0], side="right")
        found: List[Found] = [[] for _ in docs]
        for (row, width, label), owner, score in zip(places.tolist(), owners.tolist(), scores.tolist()):
            doc = docs[owner]
            start = row - int(ends[owner]) + len(doc)
            end = start + width + 1
            if end <= len(doc) and not doc[start].is_space and not doc[end - 1].is_space:
                found[owner].append((start, end, label, score))
        overlaps = overlaps or self.cfg["overlaps"]
        return [sorted(drop_overlaps(mentions, overlaps), key=_in_text) for mentions in found]

    def set_annotations(self, docs: Iterable[Doc], scores: List[Tuple[Found, Found]]) -> None:
        """Write mentions into the span groups, their probabilities into the `attrs["scores"]` of these."""
        for doc, groups in zip(docs, scores):
            for key, mentions in zip(filter(None, (self.key, self.cfg["doubtful_key"])), groups):
                spans = [Span(doc, start, end, label=self.labels[label]) for start, end, label, _ in mentions]
                group = SpanGroup(doc, name=key, spans=spans)
                group.attrs["scores"] = numpy.asarray([score for *_, score in mentions], dtype="float32")
                doc.spans[key] = group

    def update(self, examples: Iterable[Example], *, drop: float = 0.0, sgd: Optional[Optimizer] = None,
               losses: Optional[Dict[str, float]] = None) -> Dict[str, float]:
        """Learn from a batch of examples; see `TrainablePipe.update`."""
        losses = {} if losses is None else losses
        losses.setdefault(self.name, 0.0)
        examples = list(examples)
        validate_examples(examples, "BionerSpancat.update")
        if not any(len(example.predicted) for example in examples):
            return losses
        set_dropout_rate(self.model, drop)
        logits, backprop = self.model.begin_update([example.predicted for example in examples])
        loss, d_logits = self.get_loss(examples, logits)
        backprop(d_logits)
        if sgd is not None:
            self.finish_update(sgd)
        losses[self.name] += loss
        return losses

    def get_loss(self, examples: Iterable[Example], scores: Floats3d) -> Tuple[float, Floats3d]:
        """Return cross-entropy of all spans a gold mention, and its gradient."""
        targets = [self._target(example) for example in examples]
        loss, gradient = grid_loss(self.model.ops.to_numpy(scores), targets,
                                   label_smoothing=self.cfg["label_smoothing"])
        return loss, self.model.ops.asarray3f(gradient)

    def _target(self, example: Example) -> Target:
        return find_target(example, self.key, {label: place for place, label in enumerate(self.labels)})

    def score(self, examples: Iterable[Example], **kwargs: Any) -> Dict[str, Any]:
        """Score mentions, and add `spans_<spans_key>_best_f`: F1 at the threshold that is best for all of these, the
        doubtful ones among them.

        examples (Iterable[Example]): Predicted Docs and their references; those without gold spans do not count.
        RETURNS (Dict[str, Any]): The scores, 0 to 1.
        """
        examples = list(examples)
        judged = tuple(filter(None, (self.key, self.cfg["doubtful_key"])))
        return {**super().score(examples, **kwargs), **score_best(examples, spans_key=self.key, judged_keys=judged)}

    def initialize(self, get_examples: Callable[[], Iterable[Example]], *, nlp: Optional[Language] = None,
                   labels: Optional[Sequence[str]] = None) -> None:
        """Set the labels and make the model's weights, fresh ones each time.

        get_examples (Callable[[], Iterable[Example]]): Gives examples of the training data.
        nlp (Optional[Language]): The pipeline.
        labels (Optional[Sequence[str]]): The labels; without them those of the examples.
        RAISES BionerError: E504 where there is no label.
        """
        examples = list(get_examples())
        self.set_labels(examples, labels)
        if self._overlaps == "learn":
            self.cfg["overlaps"] = learn_overlaps(
                example.reference.spans.get(self.key, []) for example in examples)
        self.model.initialize(X=sample_docs(examples))
        encoder = self.model.get_ref("tok2vec") if "tok2vec" in self.model.ref_names else None
        if encoder is not None and encoder.attrs.get("start_from") is not None:
            # Torch is loaded with it.
            from ..ml.head_start.beginning import begin_with_heads

            self.cfg["begun_as"] = begin_with_heads(
                self.model, [example.predicted for example in examples], [self._target(one) for one in examples],
                self.labels, start_from=encoder.attrs["start_from"], find=self.find)

    def calibrate(self, examples: Iterable[Example], *, by_label: bool = True) -> Dict[str, Any]:
        """Choose temperature and thresholds on a dev part, and use them from now on, without a group of doubtful spans.

        examples (Iterable[Example]): The dev part.
        by_label (bool): Whether labels with enough mentions get a threshold of their own.
        RETURNS (Dict[str, Any]): What `tuning.tune` gives.
        """
        examples = list(examples)
        docs = [example.predicted for example in examples]
        self.cfg["temperature"] = 1.0
        least = numpy.full(len(self.labels), _PLAUSIBLE)
        found: List[Found] = []
        for start in range(0, len(docs), _AT_ONCE):
            batch = docs[start:start + _AT_ONCE]
            found += self.find(batch, self.model.predict(batch), least, overlaps="any")
        gold = dict.fromkeys(self.labels, 0)
        scores, valid, labels = [], [], []
        for example, mentions in zip(examples, found):
            wanted = {(start, end, label) for start, end, label, _ in self._target(example).spans}
            for start, end, label, score in mentions:
                scores.append(score)
                valid.append((start, end, label) in wanted)
                labels.append(self.labels[label])
            for _, _, label in wanted:
                gold[self.labels[label]] += 1
        judged = Judged(to_logit(numpy.asarray(scores)), numpy.asarray(valid, dtype=bool), labels, gold,
                        floor=float(to_logit(numpy.asarray(_PLAUSIBLE))))
        chosen = tune(judged, by_label=by_label, survive=lambda above: survivors(found, above, self.cfg["overlaps"]))
        self.cfg.update(temperature=chosen["temperature"], threshold=chosen["threshold"], doubtful_key="")
        return chosen


def _in_text(mention: Tuple[int, int, int, float]) -> Tuple[int, int, int]:
    """Return what mentions are sorted by: as they come in the text, the longer first."""
    start, end, label, _ = mention
    return start, -end, label
