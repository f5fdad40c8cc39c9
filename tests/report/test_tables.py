"""Tables: every label is listed, and what few mentions say is marked as uncertain."""

import pytest

from spacy_bioner.annotation import Annotation, Mention
from spacy_bioner.evaluation.comparison import compare_systems
from spacy_bioner.evaluation.metrics import Sampling, measure_system
from spacy_bioner.evaluation.pairing import Pair
from spacy_bioner.report.tables import (
    FEW,
    count_labels,
    table_confusions,
    table_error_changes,
    table_label_counts,
    table_labels,
    table_scores,
)


def document(number, *labels):
    text = "word " * max(1, len(labels))
    return Annotation(text, tuple(Mention(5 * place, 5 * place + 4, label) for place, label in enumerate(labels)),
                      id=str(number))


GOLD = [*(document(number, "DISEASE") for number in range(FEW)), document(20, "RARE"), document(21)]
# DISEASE is found, RARE is called DISEASE, and where there is nothing ABSENT is found.
FOUND = [*GOLD[:FEW], document(20, "DISEASE"), document(21, "ABSENT")]


@pytest.fixture
def metrics():
    systems = {"ours": [Pair(*pair) for pair in zip(GOLD, FOUND)], "theirs": [Pair(each, each) for each in GOLD]}
    sampling = Sampling(resamples=50)
    return {"gold": {"mentions": FEW + 1, "labels": {"DISEASE": FEW, "RARE": 1, "KNOWN": 0}},
            "settings": {"level": 0.95, "resamples": 50}, "comparisons": compare_systems(systems, sampling),
            "systems": {name: measure_system(pairs, sampling=sampling) for name, pairs in systems.items()}}


def rows_of(table):
    return {str(row[0]): row[1:] for row in table.rows}


def test_labels_without_test_mentions_are_listed_after_the_frequent_ones(metrics):
    assert count_labels(metrics, ["SCHEMA", "DISEASE"]) == {"DISEASE": 10, "RARE": 1, "ABSENT": 0, "KNOWN": 0,
                                                            "SCHEMA": 0}
    rows = rows_of(table_labels(metrics, ["SCHEMA"]))
    assert str(rows["SCHEMA"][0]) == "0 not in the test set" and rows["SCHEMA"][1].text == "–"
    assert str(rows["ABSENT"][1]) == "– 1 wrong" and str(rows["ABSENT"][2]) == "–"


def test_figures_of_few_mentions_are_marked_and_have_no_interval(metrics):
    table = table_labels(metrics)
    rows = rows_of(table)
    for cell in rows["RARE"][1:]:
        assert cell.detail == "uncertain" and cell.faint and cell.shade is None
    assert rows["DISEASE"][1].detail.startswith("[") and not rows["DISEASE"][1].faint
    assert f"fewer than {FEW} mentions" in table.note


def test_precision_is_judged_by_the_number_of_predictions(metrics):
    precision, recall, _, *counts = rows_of(table_label_counts(metrics)[0])["RARE"]
    assert (str(precision), str(recall), counts) == ("–", "0.00 uncertain", ["0", "0", "1"])


def test_the_shipped_system_is_marked(metrics):
    assert [str(row[0]) for row in table_scores(metrics, "ours")[0].rows] == ["ours shipped", "theirs"]


def test_changes_of_errors_are_counts(metrics):
    changes = {row[0]: row[1:4] for row in table_error_changes(metrics)[0].rows}
    assert changes["Spurious"] == ["1", "0", "-1"] and changes["Missed"] == ["0", "0", "0"]


def test_confusions_name_the_labels_that_gold_mentions_got(metrics):
    table = table_confusions(metrics)[0]
    rows = rows_of(table)
    assert list(rows) == ["DISEASE", "RARE", "ABSENT"] and len(table.header) == 6
    assert [cell.text for cell in rows["RARE"]] == ["0", "0", "1", "0", "0"]
    assert rows["RARE"][2].detail == "DISEASE\u00a01" and [cell.text for cell in rows["ABSENT"]][-1] == "1"
