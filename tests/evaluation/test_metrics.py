"""The figures of a metrics file agree with each other and with simple counts."""

import pytest

from spacy_bioner.annotation import Annotation, Mention
from spacy_bioner.evaluation.metrics import Sampling, measure_system
from spacy_bioner.evaluation.pairing import Pair
from spacy_bioner.evaluation.slices import SliceByFamiliarity

TEXT = "p53 binds the p53 gene"
GOLD = Annotation(TEXT, (Mention(0, 3, "P"), Mention(14, 17, "P"), Mention(14, 22, "D")), id="1")
FOUND = GOLD.with_mentions([Mention(0, 3, "P"), Mention(14, 17, "D"), Mention(14, 22, "D")])
EMPTY = Annotation("nothing here", id="2")
PAIRS = [Pair(GOLD, FOUND), Pair(EMPTY, EMPTY)]


@pytest.fixture(scope="module")
def metrics():
    familiarity = SliceByFamiliarity.from_training([Annotation("p53", (Mention(0, 3, "P"),))])
    return measure_system(PAIRS, familiarity=familiarity, sampling=Sampling(resamples=200))


def test_scores_are_counted_in_every_way(metrics):
    assert {key: metrics["micro"][key] for key in ("tp", "fp", "fn")} == {"tp": 2, "fp": 1, "fn": 1}
    assert metrics["micro"]["f1"] == pytest.approx(2 / 3, abs=1e-6)
    assert metrics["labels"]["P"]["recall"] == 0.5 and metrics["labels"]["D"]["precision"] == 0.5
    assert metrics["macro"]["precision"] == 0.75
    assert metrics["boundary"]["f1"] == 1.0
    assert metrics["overlap"]["micro"]["tp"] == 2
    assert metrics["strings"]["micro"] | {"intervals": None} == {
        "precision": 0.666667, "recall": 1.0, "f1": 0.8, "tp": 2, "fp": 1, "fn": 0, "intervals": None}
    assert metrics["errors"]["kinds"]["Type"] == 1


def test_slices_come_in_their_own_order(metrics):
    assert list(metrics["slices"]) == ["depth", "length", "training"]
    assert list(metrics["slices"]["depth"]) == ["outermost", "inside 1"]
    assert list(metrics["slices"]["training"]) == ["seen", "seen with another label", "unseen"]


def test_every_score_has_intervals_round_it(metrics):
    for part in (metrics["micro"], metrics["macro"], metrics["boundary"], *metrics["labels"].values()):
        for figure in ("precision", "recall", "f1"):
            low, high = part["intervals"][figure]
            assert 0 <= low <= part[figure] <= high <= 1


def test_same_seed_same_figures():
    assert measure_system(PAIRS, sampling=Sampling(50, seed=1)) == measure_system(PAIRS, sampling=Sampling(50, seed=1))


def test_intervals_resample_documents_and_not_their_sentences():
    """In a document a name is found in all ten sentences or in none; so ten sentences tell no more than one."""
    whole, cut = [], []
    for number in range(40):
        for sentence in range(10):
            one = Annotation("p53", (Mention(0, 3, "P"),), id=f"{number}-s{sentence}", meta={"document": str(number)})
            cut.append(Pair(one, one if number % 4 else one.with_mentions(())))
        text = Annotation("p53 " * 10, tuple(Mention(4 * at, 4 * at + 3, "P") for at in range(10)), id=str(number))
        whole.append(Pair(text, text if number % 4 else text.with_mentions(())))
    of_cut, of_whole = (measure_system(pairs, sampling=Sampling(400))["micro"] for pairs in (cut, whole))
    assert of_cut == of_whole
    low, high = of_cut["intervals"]["recall"]
    assert high - low > 0.2


def test_a_label_that_is_found_always_or_never_has_an_interval():
    gold = [Annotation("p53", (Mention(0, 3, "P"),), id=f"{number}", meta={"document": str(number // 2)})
            for number in range(24)]
    found, missed = (measure_system([Pair(one, one.with_mentions(one.mentions[:kept])) for one in gold],
                                    sampling=Sampling(50)) for kept in (1, 0))
    assert found["micro"]["intervals"]["recall"] == pytest.approx([0.735, 1], abs=5e-4)
    assert found["labels"]["P"]["intervals"]["precision"] == found["micro"]["intervals"]["precision"]
    assert missed["micro"]["intervals"]["recall"] == pytest.approx([0, 0.265], abs=5e-4)
    assert missed["micro"]["intervals"]["precision"] == [0, 0]


def test_strings_are_counted_by_record_where_a_document_is_cut():
    cut = [Pair(one, one) for one in (Annotation("p53", (Mention(0, 3, "P"),), id=f"s{number}", meta={"document": "d"})
                                      for number in range(3))]
    assert measure_system(cut, sampling=Sampling(10))["strings"]["micro"]["tp"] == 3


def test_a_system_that_finds_nothing_is_measured():
    figures = measure_system([Pair(GOLD, GOLD.with_mentions(()))], sampling=Sampling(10))
    assert figures["micro"]["f1"] == 0 and figures["errors"]["kinds"]["Missed"] == 3
    nothing = measure_system([Pair(EMPTY, EMPTY)], sampling=Sampling(10))
    assert nothing["micro"]["f1"] == 0 and nothing["labels"] == {}
