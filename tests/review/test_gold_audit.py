"""Contradictions between gold and predictions: what each is called, how sentences rank, what the report says."""

import numpy
import pytest

from spacy_bioner.annotation import Annotation, Mention
from spacy_bioner.errors import BionerError
from spacy_bioner.ml.calibration import to_probability
from spacy_bioner.review.gold_audit import Prediction, audit, fit_temperatures, take_predictions, write_report

TEXT = "Gout or | gouty arthritis."


def judge(gold, spans):
    return audit([Annotation(TEXT, tuple(gold), id="a")], [Prediction(tuple(spans))])[0]


@pytest.mark.parametrize("gold, spans, kinds", [
    pytest.param([], [Mention(0, 4, "D", score=0.9)], ["missing"], id="missing"),
    pytest.param([Mention(0, 4, "D")], [Mention(0, 4, "D", score=0.1)], ["unlikely"], id="unlikely"),
    pytest.param([Mention(0, 4, "D")], [Mention(0, 4, "D", score=0.1), Mention(0, 4, "S", score=0.8)], ["label"],
                 id="another label"),
    pytest.param([Mention(10, 15, "D")], [Mention(10, 15, "D", score=0.1), Mention(10, 25, "D", score=0.8)],
                 ["boundary"], id="another boundary"),
    pytest.param([Mention(0, 4, "D")], [Mention(0, 4, "D", score=0.9), Mention(10, 15, "D", score=0.2)], [], id="none"),
    pytest.param([Mention(0, 4, "D")], [], [], id="a mention that the model cannot find"),
])
def test_contradictions_have_names(gold, spans, kinds):
    assert [finding.kind for finding in judge(gold, spans).findings] == kinds


def test_stronger_contradictions_rank_first_and_equal_ones_by_loss():
    texts = [Annotation(TEXT, (), id=id) for id in "abcd"]
    predictions = [Prediction((Mention(0, 4, "D", score=score),), loss)
                   for score, loss in ((0.6, 0), (0.9, 0), (0.1, 1), (0.1, 2))]
    assert [one.annotation.id for one in audit(texts, predictions)] == ["b", "a", "d", "c"]


def test_predictions_from_elsewhere_need_every_sentence():
    gold = [Annotation(TEXT, (Mention(0, 4, "D"),), id="a")]
    taken, = take_predictions(gold, {"a": Annotation(TEXT, (Mention(8, 25, "D"),), id="a")})
    assert {mention.key: mention.score for mention in taken.spans} == {(0, 4, "D"): 0.0049, (8, 25, "D"): 1.0}
    with pytest.raises(BionerError, match="'a' is missing"):
        take_predictions(gold, {})
    with pytest.raises(BionerError, match="'a' has another text"):
        take_predictions(gold, {"a": Annotation("Other.", id="a")})


@pytest.mark.parametrize("elsewhere", [True, False])
def test_temperatures_of_calibrated_scores_are_one(elsewhere):
    """What lies below the floor is known of gold only; fitted on that too, the temperature would be far above 1."""
    random = numpy.random.default_rng(0)
    logits = numpy.concatenate([random.normal(-9, 2.5, 20_000), random.normal(1, 2.5, 600)])
    scores, right = to_probability(logits), random.random(len(logits)) < to_probability(logits)
    spans = [Mention(place, place + 1, "D", score=score) for place, score in enumerate(scores)]
    text = "x" * len(spans)
    gold = Annotation(text, tuple(span for span, valid in zip(spans, right) if valid), id="a")
    predicted = [span for span in spans if span.score >= 0.005]
    taken = take_predictions([gold], {"a": Annotation(text, tuple(predicted), id="a")}) if elsewhere else \
        [Prediction((*predicted, *(span for span in gold.mentions if span.score < 0.005)))]
    temperatures = fit_temperatures([gold], taken)
    assert list(temperatures) == ["*", "D"] and temperatures["D"] == pytest.approx(1, abs=0.15)


def test_the_report_keeps_its_table_whatever_the_text():
    report = write_report([judge([], [Mention(0, 4, "D|<b>", score=0.9)])], corpus="mini")
    row = report.splitlines()[-1]
    assert "1 of 1 sentences" in report and row.count(" | ") == 4 and "<b>" not in report
