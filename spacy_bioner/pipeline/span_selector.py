"""The span selector: of the candidates of any annotator it keeps the ones that are likely right.

Candidates come from a span group: of `llm_bioner`, `bioner_spancat`, a matcher, or recorded predictions. What is kept
goes to one group with its probabilities, what is dropped to a second one, for audit.
"""

from itertools import compress
from typing import Any, Callable, Dict, Iterable, List, Optional, Sequence, Tuple, Union

import numpy
from spacy.language import Language
from spacy.tokens import Doc, SpanGroup
from spacy.training import Example, validate_examples
from spacy.vocab import Vocab
from thinc.api import Model, Optimizer, set_dropout_rate
from thinc.types import Floats1d

from ..errors import BionerError, Errors
from ..ml.calibration import to_logit, to_probability
from ..ml.selector.selector_loss import candidate_loss
from ..ml.settings import EncoderSettings, FastSelectorSettings
from ..ml.spans.span_targets import align_gold
from ..settings import Settings, default_values, setting, takes_settings
from .label_pipe import LabelPipe, sample_docs
from .tuning import Judged, check_thresholds, label_values, score_best, tune

_AT_ONCE = 64


class SpanSelectorSettings(Settings):
    """The component `span_selector`."""

    candidates_key: str = setting("sc", "Key of the span group that is chosen from.")
    spans_key: str = setting("sc", "Key of the group that the chosen spans go to; also the gold group in training.")
    rejected_key: str = setting("rejected", "Key of the group that the dropped spans go to.")
    threshold: Union[float, Dict[str, float]] = setting(
        0.5, "Least probability of a span that is kept, for all labels or by label; * stands for the others.")
    contrast: float = setting(
        0.0, "Weight of the loss that compares a gold mention with the negatives made from it.", ge=0)
    temperature: float = setting(
        1.0, "Divides the logits, so that probabilities are calibrated; training sets it.", gt=0)


DEFAULT_MODEL = {"@architectures": "spacy-bioner.SpanSelector.v1", **default_values(FastSelectorSettings),
                 "tok2vec": {"@architectures": "spacy-bioner.TransformerEncoder.v1", "name": "all-minilm-l6-v2",
                             **default_values(EncoderSettings)}}


@Language.factory(
    "span_selector",
    requires=["doc.spans"],
    assigns=["doc.spans"],
    default_config={"model": DEFAULT_MODEL, **default_values(SpanSelectorSettings),
                    "scorer": {"@scorers": "spacy.spancat_scorer.v1"}},
    # Thresholds are chosen when the training is over, so its states are compared at the best of each.
    default_score_weights={"spans_sc_best_f": 1.0, "spans_sc_f": 0.0, "spans_sc_p": 0.0, "spans_sc_r": 0.0},
)
@takes_settings(SpanSelectorSettings, place="span_selector")
def make_span_selector(nlp: Language, name: str, model: Model, scorer: Optional[Callable],
                       settings: SpanSelectorSettings) -> "SpanSelector":
    """Make the span selector.

    nlp (Language): The pipeline.
    name (str): Name of the component.
    model (Model): Logits of candidates, `spacy-bioner.SpanSelector.v1` or `spacy-bioner.MarkedSelector.v1`.
    scorer (Optional[Callable]): The scoring method.
    settings (SpanSelectorSettings): Keys, thresholds and the loss.
    """
    return SpanSelector(nlp.vocab, model, name, settings=settings, scorer=scorer)


class SpanSelector(LabelPipe):
    """Keeps the likely candidates.

    vocab (Vocab): The vocabulary of the pipeline.
    model (Model): Logits of candidates.
    name (str): Name of the component.
    settings (SpanSelectorSettings): Keys, thresholds and the loss.
    scorer (Optional[Callable]): The scoring method.
    """

    def __init__(self, vocab: Vocab, model: Model, name: str = "span_selector", *,
                 settings: SpanSelectorSettings = SpanSelectorSettings(), scorer: Optional[Callable] = None):
        check_thresholds(settings.threshold)
        self.vocab = vocab
        self.model = model
        self.name = name
        self.scorer = scorer
        self.cfg: Dict[str, Any] = {"labels": [], **settings.values()}

    def predict(self, docs: Iterable[Doc]) -> List[numpy.ndarray]:
        """Return for each document the probabilities of its candidates, in their order."""
        docs = list(docs)
        candidates = [self.candidates(doc) for doc in docs]
        if not any(candidates):
            return [numpy.zeros(0, dtype="float32") for _ in docs]
        logits = self.model.ops.to_numpy(self.model.predict((docs, candidates)))
        probabilities = to_probability(logits, self.cfg["temperature"]).astype("float32")
        ends = numpy.cumsum([len(found) for found in candidates])
        return numpy.split(probabilities, ends[:-1])

    def candidates(self, doc: Doc) -> List[Tuple[int, int, int]]:
        """Return the start, end and number of the label of each candidate.

        RAISES BionerError: E516 where the group is missing, E517 for a label that the selector has not learnt.
        """
        key = self.cfg["candidates_key"]
        if key not in doc.spans:
            raise BionerError(Errors.E516.format(name=self.name, key=key, present=", ".join(doc.spans) or "none",
                                                 setting="candidates_key"))
        numbers = {label: number for number, label in enumerate(self.labels)}
        unknown = sorted({span.label_ for span in doc.spans[key]} - set(numbers))
        if unknown:
            raise BionerError(Errors.E517.format(label=unknown[0], known=", ".join(self.labels)))
        return [(span.start, span.end, numbers[span.label_]) for span in doc.spans[key]]

    def set_annotations(self, docs: Iterable[Doc], scores: Sequence[numpy.ndarray]) -> None:
        """Write the kept and the dropped candidates, both with their probabilities in `attrs["scores"]`.

        All else that the annotator said of them stays: the ids of the spans, and attributes with one value a span, its
        own scores as `attrs["annotator_scores"]`.
        """
        thresholds = dict(zip(self.labels, label_values(self.cfg["threshold"], self.labels)))
        for doc, probabilities in zip(docs, scores):
            given = doc.spans[self.cfg["candidates_key"]]
            spans, attrs = list(given), _attrs_of_candidates(given)
            keep = numpy.asarray([probability >= thresholds[span.label_]
                                  for span, probability in zip(spans, probabilities)], dtype=bool)
            for key, chosen in ((self.cfg["spans_key"], keep), (self.cfg["rejected_key"], ~keep)):
                group = SpanGroup(doc, name=key, spans=list(compress(spans, chosen)))
                group.attrs.update({name: values[chosen] if isinstance(values, numpy.ndarray)
                                    else list(compress(values, chosen)) for name, values in attrs.items()})
                group.attrs["scores"] = probabilities[chosen]
                doc.spans[key] = group

    def update(self, examples: Iterable[Example], *, drop: float = 0.0, sgd: Optional[Optimizer] = None,
               losses: Optional[Dict[str, float]] = None) -> Dict[str, float]:
        """Learn from a batch of examples whose predicted Docs hold candidates; see `TrainablePipe.update`."""
        losses = {} if losses is None else losses
        losses.setdefault(self.name, 0.0)
        examples = list(examples)
        validate_examples(examples, "SpanSelector.update")
        docs = [example.predicted for example in examples]
        candidates = [self.candidates(doc) for doc in docs]
        # A batch without candidates is not passed over: the last listener of an encoder sends on what all have given.
        if not any(len(doc) for doc in docs):
            return losses
        set_dropout_rate(self.model, drop)
        logits, backprop = self.model.begin_update((docs, candidates))
        loss, d_logits = self.get_loss(examples, logits)
        backprop(d_logits)
        if sgd is not None:
            self.finish_update(sgd)
        losses[self.name] += loss
        return losses

    def get_loss(self, examples: Iterable[Example], scores: Floats1d) -> Tuple[float, Floats1d]:
        """Return cross-entropy, with the contrastive part, and its gradient."""
        valid, groups = [], []
        for number, example in enumerate(examples):
            valid += self.find_valid(example)
            given = example.predicted.spans[self.cfg["candidates_key"]].attrs.get("groups", [])
            groups += [(number, group) if group >= 0 else None for group in given]
        loss, gradient = candidate_loss(self.model.ops.to_numpy(scores), valid, groups, contrast=self.cfg["contrast"])
        return loss, self.model.ops.asarray1f(gradient)

    def find_valid(self, example: Example) -> List[bool]:
        """Return for each candidate whether it is a gold mention."""
        gold = {(start, end, label) for start, end, label, _ in align_gold(example, self.cfg["spans_key"])}
        return [(span.start, span.end, span.label_) in gold
                for span in example.predicted.spans[self.cfg["candidates_key"]]]

    def score(self, examples: Iterable[Example], **kwargs: Any) -> Dict[str, Any]:
        """Score kept candidates, and add `spans_<spans_key>_best_f`: F1 at the threshold that is best for all of these.

        examples (Iterable[Example]): Predicted Docs and their references; those without gold spans do not count.
        RETURNS (Dict[str, Any]): The scores, 0 to 1.
        """
        examples = list(examples)
        key = self.cfg["spans_key"]
        return {**super().score(examples, **kwargs),
                **score_best(examples, spans_key=key, judged_keys=(key, self.cfg["rejected_key"]))}

    def initialize(self, get_examples: Callable[[], Iterable[Example]], *, nlp: Optional[Language] = None,
                   labels: Optional[Sequence[str]] = None) -> None:
        """Set the labels and make the model's weights; see `BionerSpancat.initialize`."""
        examples = list(get_examples())
        self.set_labels(examples, labels)
        if "labels" in self.model.attrs:
            # The marked kind reads the names of the labels.
            self.model.attrs["labels"] = list(self.labels)
        docs = sample_docs(examples)
        self.model.initialize(X=(docs, [[] for _ in docs]) if docs else None)

    def calibrate(self, examples: Iterable[Example], *, by_label: bool = True,
                  recall_loss: Optional[float] = None) -> Dict[str, Any]:
        """Choose temperature and thresholds on a dev part, and use them from now on.

        examples (Iterable[Example]): The dev part; its predicted Docs hold candidates.
        by_label (bool): Whether labels with enough mentions get a threshold of their own.
        recall_loss (Optional[float]): Points of recall that thresholds may cost; None for the best F1.
        RETURNS (Dict[str, Any]): What `tuning.tune` gives.
        """
        examples = list(examples)
        self.cfg["temperature"] = 1.0
        scores, valid, labels, gold = [], [], [], dict.fromkeys(self.labels, 0)
        for start in range(0, len(examples), _AT_ONCE):
            batch = examples[start:start + _AT_ONCE]
            scores += self.predict([example.predicted for example in batch])
            for example in batch:
                valid += self.find_valid(example)
                labels += [span.label_ for span in example.predicted.spans[self.cfg["candidates_key"]]]
                for span in example.reference.spans.get(self.cfg["spans_key"], []):
                    # What the selector has not learnt, it cannot find: no threshold is chosen for it.
                    if span.label_ in gold:
                        gold[span.label_] += 1
        chosen = tune(Judged(to_logit(numpy.concatenate(scores)), numpy.asarray(valid, dtype=bool), labels, gold),
                      by_label=by_label, recall_loss=recall_loss)
        self.cfg.update(temperature=chosen["temperature"], threshold=chosen["threshold"])
        return chosen


def _attrs_of_candidates(group: SpanGroup) -> Dict[str, Any]:
    """Return the attributes of a group with one value a span. Those of another length say something
    of the whole, and numbers of training groups nothing of a span that is kept."""
    attrs = {name: values for name, values in group.attrs.items()
             if isinstance(values, (list, tuple, numpy.ndarray)) and len(values) == len(group) and name != "groups"}
    if "scores" in attrs:
        attrs["annotator_scores"] = attrs.pop("scores")
    return attrs
