"""A promise of recall holds as often as it says, and is not made where the data cannot carry it."""

import numpy
import pytest

from spacy_bioner.ml.recall_guarantee import THRESHOLDS, count_missed, guarantee_recall, missed_p_value


def draw(random, documents, *, missed=0.08, threshold=0.3):
    """Return documents in which the share of mentions below a threshold is known, clustered in documents."""
    found = []
    for _ in range(documents):
        share = random.beta(5 * missed, 5 * (1 - missed))
        below = random.random(random.poisson(8)) < share
        found.append(numpy.where(below, random.random(len(below)) * threshold,
                                 threshold + random.random(len(below)) * (1 - threshold)).tolist())
    return found


def test_what_is_missed_is_counted_document_by_document():
    counts = count_missed([[0.1, 0.5, 0.9], [], [0.0]], [0.05, 0.5, 0.6])
    assert counts.tolist() == [[0, 0, 1], [1, 0, 1], [2, 0, 1]]


def test_a_false_hypothesis_is_seldom_rejected_by_chance():
    random = numpy.random.default_rng(0)
    rejected = 0
    for _ in range(300):
        gold = numpy.minimum(random.poisson(8, size=100), 10).astype(float)
        lost = random.binomial(gold.astype(int), random.beta(0.5, 4.5, size=100)).astype(float)
        rejected += missed_p_value(lost, gold, missed=0.1, level=0.05) <= 0.05
    assert rejected / 300 <= 0.05


def test_promises_of_all_labels_hold_together_as_often_as_they_say():
    random, broken = numpy.random.default_rng(1), 0
    for _ in range(60):
        kept = guarantee_recall({"A": draw(random, 150), "B": draw(random, 150, threshold=0.1)}, missed=0.15)
        # Missed by a threshold: 8% of the mentions below 0.3 or 0.1, and of the others an even part.
        truth = [0.08 * min(1, one.threshold / limit) + 0.92 * max(0, (one.threshold - limit) / (1 - limit))
                 for one, limit in zip(kept.values(), (0.3, 0.1))]
        assert all(one.holds for one in kept.values())
        broken += max(truth) > 0.15
    assert broken / 60 <= 0.05


@pytest.mark.parametrize("documents", [
    pytest.param([], id="nothing"), pytest.param([[]] * 50, id="no-mention"), pytest.param([[0.9] * 9] * 3, id="few"),
    pytest.param([[0.9] * 8 + [0.0, 0.0]] * 500, id="too-many-missed"),
])
def test_without_evidence_nothing_is_promised(documents):
    kept = guarantee_recall({"A": documents}, missed=0.1)["A"]
    assert not kept.holds and kept.threshold == THRESHOLDS[0]


def test_nothing_is_promised_that_the_calibration_set_itself_breaks():
    """Counted as ten, the long documents are few: all thresholds up to 0.9 would pass; an eighth is missed."""
    random = numpy.random.default_rng(3)
    documents = [[0.9] * 8 if random.random() < 0.9 else numpy.where(random.random(60) < 0.3, 0.05, 0.9).tolist()
                 for _ in range(500)]
    kept = guarantee_recall({"A": documents}, missed=0.1)["A"]
    assert kept.holds and kept.threshold == 0.05 and kept.missed == 0
    nowhere = [[probability if probability > 0.05 else 0.0 for probability in one] for one in documents]
    broken = guarantee_recall({"A": nowhere}, missed=0.1)["A"]
    assert broken.missed > 0.1 and not broken.holds


def test_more_documents_allow_a_higher_threshold():
    random = numpy.random.default_rng(2)
    few, many = (guarantee_recall({"A": draw(random, count, missed=0.03)}, missed=0.1)["A"] for count in (150, 600))
    assert THRESHOLDS[0] < few.threshold < many.threshold
