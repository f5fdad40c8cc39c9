"""Kinds of error by the definitions, what they stand for, and that nothing is counted twice or left out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_bioner.annotation import Annotation, Mention
from spacy_bioner.evaluation.counts import count_strict, micro
from spacy_bioner.evaluation.error_types import KINDS, MISSED, SPURIOUS, count_issues, find_errors, summarise_errors
from spacy_bioner.evaluation.pairing import Pair

TEXT = "acute renal failure of unknown origin after treatment"
RENAL = (6, 19, "DIS")
MENTIONS = st.lists(st.builds(lambda start, length, label: Mention(start, start + length, label), st.integers(0, 20),
                              st.integers(1, 12), st.sampled_from("XYZ")), max_size=7)


def annotate(*keys):
    return Annotation(TEXT, tuple(Mention(*key) for key in keys), id="d")


@pytest.mark.parametrize("gold, predicted, kinds", [
    pytest.param([RENAL], [RENAL], [], id="right"),
    pytest.param([RENAL], [(6, 19, "SYM")], ["Type"], id="same place, other label"),
    pytest.param([RENAL], [(0, 19, "DIS")], ["Span"], id="too early, same label"),
    pytest.param([RENAL], [(0, 11, "SYM")], ["Type&Span"], id="overlap, other label"),
    pytest.param([RENAL], [(23, 30, "DIS")], ["Missed", "Spurious"], id="elsewhere"),
    pytest.param([RENAL], [], ["Missed"], id="nothing said"),
    pytest.param([], [RENAL], ["Spurious"], id="nothing there"),
    pytest.param([RENAL], [RENAL, (12, 19, "DIS")], ["Span"], id="inside one that was found"),
    pytest.param([(0, 19, "DIS"), RENAL], [(0, 19, "DIS")], ["Missed"], id="inner missed, outer found"),
    pytest.param([RENAL, (6, 11, "BOD")], [(6, 11, "DIS")], ["Type", "Missed"], id="same place before overlap"),
    pytest.param([RENAL], [(19, 22, "DIS")], ["Missed", "Spurious"], id="touching is not overlapping"),
    pytest.param([RENAL, (6, 19, "SYM")], [RENAL, (6, 19, "BOD")], ["Type"], id="two labels on one place"),
])
def test_kinds_of_error(gold, predicted, kinds):
    errors = find_errors(annotate(*gold), annotate(*predicted))
    assert sorted(error.kind for error in errors) == sorted(kinds)


def test_an_error_stands_for_what_was_not_found_rather_than_for_what_was():
    gold = annotate((0, 19, "DIS"), (12, 19, "DIS"))
    error, = find_errors(gold, annotate((0, 19, "DIS"), RENAL))
    assert (error.kind, error.gold.key) == ("Span", (12, 19, "DIS"))


@given(MENTIONS, MENTIONS)
def test_every_wrong_prediction_and_every_missing_mention_is_accounted_for_once(gold, predicted):
    wanted, found = (Annotation(TEXT).with_mentions(part) for part in (gold, predicted))
    errors = find_errors(wanted, found)
    counts = micro(count_strict(wanted, found))
    assert sum(error.kind != MISSED for error in errors) == counts.fp
    right = set(wanted.mentions) & set(found.mentions)
    explained = {error.gold for error in errors if error.gold is not None} - right
    assert len(explained) == counts.fn
    for error in errors:
        assert (error.gold is None) == (error.kind == SPURIOUS) and (error.predicted is None) == (error.kind == MISSED)


@given(MENTIONS, MENTIONS)
def test_confusion_holds_each_gold_mention_once(gold, predicted):
    wanted, found = (Annotation(TEXT, id="d").with_mentions(part) for part in (gold, predicted))
    summary = summarise_errors([Pair(wanted, found)])
    confusion = summary["confusion"]
    for place, label in enumerate(confusion["labels"]):
        became = sum(confusion["table"][place]) + confusion["shifted"][place] + confusion["missed"][place]
        assert became == sum(mention.label == label for mention in wanted.mentions)
        assert confusion["table"][place][place] == sum(mention.label == label for mention in
                                                       set(wanted.mentions) & set(found.mentions))
    assert sum(confusion["spurious"]) == summary["kinds"]["Spurious"]


@pytest.mark.parametrize("predicted, right, shifted, wrong", [
    pytest.param([RENAL, (6, 11, "DIS"), (12, 19, "SYM")], 1, 0, 0, id="found"),
    pytest.param([(6, 11, "DIS"), (12, 19, "DIS")], 0, 1, 0, id="two-pieces"),
    pytest.param([(6, 19, "SYM"), (6, 11, "DIS")], 0, 0, 1, id="type-before-span"),
])
def test_a_gold_mention_became_one_thing(predicted, right, shifted, wrong):
    confusion = summarise_errors([Pair(annotate(RENAL, (23, 30, "SYM")), annotate(*predicted))] * 2)["confusion"]
    assert confusion["table"][0] == [2 * right, 2 * wrong] and confusion["shifted"] == [2 * shifted, 0]
    assert confusion["missed"] == [0, 2]


def test_summary_measures_boundaries_in_units():
    pairs = [Pair(annotate(RENAL), annotate((0, 19, "DIS"))), Pair(annotate(RENAL), annotate((6, 11, "SYM"))),
             Pair(annotate(RENAL), annotate((6, 53, "DIS"))), Pair(annotate(RENAL), annotate((6, 19, "SYM")))]
    summary = summarise_errors(pairs)
    assert summary["kinds"] == {"Type": 1, "Span": 2, "Type&Span": 1, "Spurious": 0, "Missed": 0}
    assert summary["boundary_share"] == 0.75
    assert summary["shifts"]["start"]["-1"] == 1 and summary["shifts"]["start"]["0"] == 2
    assert summary["shifts"]["end"]["-1"] == 1 and summary["shifts"]["end"]["5"] == 1
    assert summary["shifts"]["near"] == pytest.approx(2 / 3)
    assert summary["confusion"]["labels"] == ["DIS", "SYM"]
    assert summary["confusion"]["table"] == [[0, 2], [0, 0]] and summary["confusion"]["shifted"] == [2, 0]


def test_examples_name_places_and_hold_no_text():
    gold = annotate(RENAL)
    examples = summarise_errors([Pair(gold, annotate((0, 19, "DIS")))] * 20, examples=3)["examples"]
    assert list(examples) == list(KINDS)
    assert examples["Span"] == [{"id": "d", "predicted": (0, 19, "DIS"), "gold": RENAL}] * 3


def test_documents_without_an_answer_are_counted():
    failed = Annotation("x", meta={"error": "no reply", "issues": {}})
    assert count_issues([failed]) == {"document without an answer": 1}


@pytest.mark.parametrize("issues", [
    pytest.param([["trimmed", "duplicate"], ["trimmed"]], id="words"),
    pytest.param([[{"kind": "trimmed", "detail": "x"}, {"kind": "duplicate"}], [{"kind": "trimmed"}]], id="objects"),
    pytest.param([{"trimmed": 2}, {"duplicate": 1}], id="counts"),
])
def test_issues_of_the_annotator_are_counted(issues):
    annotations = [Annotation("x", meta={"issues": each}) for each in issues] + [Annotation("y")]
    assert count_issues(annotations) == {"trimmed": 2, "duplicate": 1}
