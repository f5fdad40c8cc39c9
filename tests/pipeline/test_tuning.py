"""Thresholds chosen on a dev part, where mentions that overlap stand in each other's way."""

import numpy

from spacy_bioner.ml.calibration import to_logit
from spacy_bioner.pipeline.overlaps import survivors
from spacy_bioner.pipeline.tuning import Judged, tune


def test_a_mention_that_its_threshold_drops_does_not_hide_another():
    # At each place a wrong A a little more probable than the right B; A is only right where it is sure.
    found, valid = [], []
    for _ in range(50):
        found += [[(0, 2, 0, 0.6), (0, 2, 1, 0.55)], [(0, 2, 0, 0.9)]]
        valid += [False, True, True]
    scores = numpy.asarray([mention[3] for mentions in found for mention in mentions])
    labels = ["AB"[mention[2]] for mentions in found for mention in mentions]
    judged = Judged(to_logit(scores), numpy.asarray(valid), labels, {"A": 50, "B": 50})
    chosen = tune(judged, by_label=True, survive=lambda above: survivors(found, above, "flat"))
    assert chosen["threshold"]["A"] > chosen["threshold"]["B"]
    assert chosen["dev_f"] == 100.0


def test_all_thresholds_together_cost_no_more_recall_than_they_may():
    """Labels with a threshold of their own spend first, what is left is for the others."""
    random = numpy.random.default_rng(0)
    for seed in range(40):
        gold = {"A": 961, "B": 39}
        labels = ["A"] * 1500 + ["B"] * 60
        valid = numpy.concatenate([random.random(1500) < 0.6, random.random(60) < 0.6])
        gold = {label: max(count, int((valid & (numpy.asarray(labels) == label)).sum()))
                for label, count in gold.items()}
        # Crowded, so that what is rounded may pass a candidate.
        logits = random.normal(0, 0.002 if seed % 2 else 2.0, 1560) + valid
        chosen = tune(Judged(logits, valid, labels, gold), by_label=True, recall_loss=0.5)
        probability = 1 / (1 + numpy.exp(-logits / chosen["temperature"]))
        least = numpy.asarray([chosen["threshold"].get(label, chosen["threshold"]["*"]) for label in labels])
        assert (valid & (probability < least)).sum() <= int(0.5 * sum(gold.values()) / 100)


def test_without_a_candidate_the_default_stands():
    judged = Judged(numpy.zeros(0), numpy.zeros(0, dtype=bool), [], {"A": 50, "B": 50})
    assert set(tune(judged, by_label=True)["threshold"].values()) == {0.5}
