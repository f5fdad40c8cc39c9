"""The table of an experiment: scores over seeds, paired differences, calibration, and choices made on dev alone."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from spacy_bioner.annotation import Annotation, Mention
from spacy_bioner.errors import BionerError
from spacy_bioner.evaluation.metrics import Sampling
from spacy_bioner.experiments.definition import Experiment
from spacy_bioner.experiments.expansion import Expanded
from spacy_bioner.experiments.measurement import f1_by_run, find_shared, mean_of, measure_rows
from spacy_bioner.experiments.results_table import write_report
from spacy_bioner.experiments.rows import Row, Run
from spacy_bioner.experiments.steps import Plan, Step
from spacy_bioner.files import write_json, write_json_lines

SAMPLING = Sampling(resamples=200)
TEXT = "gout and asthma in mice"
GOUT, ASTHMA, MICE = Mention(0, 4, "D"), Mention(9, 15, "D"), Mention(19, 23, "D")


@pytest.fixture
def write(tmp_path):
    def write(name, *documents):
        """Return records, a document for each list of mentions."""
        records = [Annotation(TEXT, tuple(mentions), id=str(number)) for number, mentions in enumerate(documents)]
        write_json_lines(tmp_path / f"{name}.jsonl", (record.to_record() for record in records))
        return tmp_path / f"{name}.jsonl"
    return write


@pytest.fixture
def rows(write, tmp_path):
    """Return a row without a selector, one with two seeds, and one that dev likes best."""
    gold = write("gold", *[[GOUT, ASTHMA]] * 8)
    for name, dev in (("a", 0.7), ("b1", 0.5), ("b2", 0.7)):
        write_json(tmp_path / f"{name}.json", {"score": {"f1": dev}})
    loose = write("loose", *[[GOUT, ASTHMA, MICE]] * 8)
    return {
        "a": Row("a", {"1": Run(gold, loose, dev=f"{tmp_path / 'a.json'}#score.f1")}, x=10.0, line="all"),
        "b": Row("b", {"1": Run(gold, write("b1", *[[GOUT, ASTHMA]] * 8), dev=f"{tmp_path / 'b1.json'}#score.f1"),
                       "2": Run(gold, write("b2", *[[GOUT]] * 8), dev=f"{tmp_path / 'b2.json'}#score.f1")},
                 x=20.0, line="all")}


def measure(rows, *, compare=(), choose=None):
    return measure_rows(Expanded(Plan([]), rows, list(compare), choose or {}), SAMPLING)


def test_documents_that_could_not_be_annotated_count_as_nothing_found_and_are_told(rows, write, tmp_path):
    gold = write("short-gold", *[[GOUT, ASTHMA]] * 4)
    found = write("some", *[[GOUT, ASTHMA]] * 3)
    failed = Annotation(TEXT, id="3", meta={"error": "too long"})
    write_json_lines(tmp_path / "some.failed.jsonl", [failed.to_record()])
    measured = measure({"a": Row("a", {"1": Run(gold, found)})})
    assert measured["rows"]["a"]["strict"]["recall"]["mean"] == pytest.approx(6 / 8)
    assert measured["rows"]["a"]["set_aside"] == 1
    experiment = Experiment(title="T", question="Q", steps=[{"name": "s", "run": "r", "output": "o"}],
                            rows=[{"name": "a", "gold": "g", "predicted": "p"}])
    written = write_report(experiment, measured, Plan([]), tmp_path, ["spacy-bioner"])
    assert "nothing found in them, over all runs: a 1." in written[1].read_text()


def test_pictures_that_an_earlier_run_has_drawn_do_not_stay(rows, tmp_path):
    experiment = Experiment(title="T", question="Q", steps=[{"name": "s", "run": "r", "output": "o"}],
                            rows=[{"name": "a", "gold": "g", "predicted": "p"}])
    (tmp_path / "reliability.svg").write_text("old")
    first = write_report(experiment, measure(rows), Plan([]), tmp_path, ["spacy-bioner"])
    assert list(tmp_path.glob("*.svg")) == [tmp_path / "plot.svg"] == first[2:]
    rows = {name: replace(row, x=None) for name, row in rows.items()}
    second = write_report(experiment, measure(rows), Plan([]), tmp_path, ["spacy-bioner"])
    assert not list(tmp_path.glob("*.svg")) and not second[2:]


def test_rows_have_means_ranges_and_the_size_of_the_test_part(rows):
    measured = measure(rows)["rows"]
    assert measured["a"]["strict"]["precision"]["mean"] == pytest.approx(2 / 3)
    assert measured["b"]["strict"]["f1"]["range"] == pytest.approx([2 / 3, 1])
    assert measured["b"]["strict"]["f1"]["mean"] == pytest.approx(5 / 6)
    assert (measured["b"]["documents"], measured["b"]["mentions"]) == (8, 16)
    assert measured["a"]["errors"]["Spurious"] == 8 and measured["b"]["errors"]["Missed"] == 4
    assert measured["a"]["strings"]["recall"]["mean"] == 1


def test_differences_are_paired_by_document(rows):
    rows["a"].runs["2"] = rows["a"].runs["1"]
    [compared] = measure(rows, compare=[("a", "b")])["comparisons"]
    f1 = compared["strict"]["f1"]
    assert compared["runs"] == ["1", "2"] and f1["difference"] == pytest.approx(5 / 6 - 0.8)
    assert -1 <= f1["interval"][0] < 0 < f1["interval"][1] <= 1, "the two seeds of b differ by a third"
    rows["b"].runs["2"] = rows["b"].runs["1"]
    [compared] = measure(rows, compare=[("a", "b")])["comparisons"]
    f1 = compared["strict"]["f1"]
    assert f1["interval"] == pytest.approx([f1["difference"]] * 2), "each document differs alike, so no draw differs"


def test_rows_are_compared_by_the_seeds_that_both_have(rows):
    [compared] = measure(rows, compare=[("a", "b")])["comparisons"]
    assert compared["runs"] == ["1"] and compared["strict"]["f1"]["difference"] == pytest.approx(1 - 0.8)
    rows["a"].runs["7"] = rows["a"].runs.pop("1")
    [compared] = measure(rows, compare=[("a", "b")])["comparisons"]
    assert compared["runs"] == ["7", "1", "2"] and compared["strict"]["f1"]["difference"] == pytest.approx(5 / 6 - 0.8)


def test_the_best_on_dev_is_chosen_whatever_test_says(rows):
    chosen = measure(rows, choose={"best": ["b", "a"]})["chosen"]["best"]
    assert (chosen["row"], chosen["dev"]) == ("a", 0.7)
    assert chosen["test"] == pytest.approx(0.8), "b is better on test"


def test_the_choice_is_among_the_runs_that_all_rows_have(rows, tmp_path):
    """A mean of two runs is not compared with the luckier one of another row."""
    write_json(tmp_path / "b1.json", {"score": {"f1": 0.75}})
    write_json(tmp_path / "b2.json", {"score": {"f1": 0.1}})
    chosen = measure(rows, choose={"best": ["a", "b"]})["chosen"]["best"]
    assert (chosen["row"], chosen["runs"], chosen["dev"]) == ("b", ["1"], 0.75)
    assert chosen["test"] == pytest.approx(1.0), "of the first run, not the mean of both"


def test_a_line_is_drawn_through_the_runs_that_all_its_points_have(rows):
    measured = measure(rows)["rows"]
    assert find_shared(list(measured.values()), "runs") == ["1"]
    assert mean_of(f1_by_run(measured["b"]), ["1"]) == pytest.approx(1.0)
    assert mean_of(f1_by_run(measured["b"])) == pytest.approx(5 / 6)


def test_a_row_without_a_dev_figure_cannot_be_chosen(rows, tmp_path):
    write_json(tmp_path / "a.json", {"score": {}})
    with pytest.raises(BionerError, match="no number at 'score.f1'"):
        measure(rows)
    rows["c"] = Row("c", {"1": Run(*[rows["a"].runs["1"].gold] * 2)})
    write_json(tmp_path / "a.json", {"score": {"f1": 1}})
    with pytest.raises(BionerError, match="'c' has no dev score"):
        measure(rows, choose={"best": ["a", "c"]})


def test_rows_of_other_test_parts_are_not_compared(rows, write):
    other = write("other", *[[GOUT]] * 8)
    rows["c"] = Row("c", {"1": Run(other, other)})
    with pytest.raises(BionerError, match="'a' and 'c' have different test sets"):
        measure(rows, compare=[("a", "c")])


def test_a_missing_document_is_told(rows, write):
    rows["c"] = Row("c", {"1": Run(rows["a"].runs["1"].gold, write("few", [GOUT]))})
    with pytest.raises(BionerError, match="7 of 8 gold documents are missing in the predictions of 'c'"):
        measure(rows)


def test_the_calibration_of_a_selector_counts_kept_and_dropped_candidates(write, tmp_path):
    def scored(mention, score):
        return Mention(mention.start, mention.end, mention.label, score=score)

    gold = write("gold", *[[GOUT, ASTHMA]] * 8)
    kept = write("kept", *[[scored(GOUT, 0.9)]] * 8)
    rejected = write("rejected", *[[scored(ASTHMA, 0.1), scored(MICE, 0.1)]] * 8)
    write_json(tmp_path / "selector" / "meta.json", {"spacy_bioner": {"tuned": {"temperature": 2.0}}})
    row = Row("s", {"1": Run(gold, kept, rejected=rejected, selector=tmp_path / "selector")})
    found = measure({"s": row})["rows"]["s"]["calibration"]
    assert (found["candidates"], found["temperatures"]) == (24, [2.0])
    # 8 said at 0.9 and right; 16 at 0.1, half of them right.
    assert found["error"] == pytest.approx((8 * 0.1 + 16 * 0.4) / 24, abs=1e-3)
    # Without the temperature, 0.9 was 81 to 1 and 0.1 was 1 to 81.
    assert found["error_before"] == pytest.approx((8 * (1 / 82) + 16 * (0.5 - 1 / 82)) / 24, abs=1e-3)


def test_the_report_has_the_figures_the_times_and_the_command(rows, tmp_path):
    out = tmp_path / "out"
    step = Step("train-1", ("train", "x y"), out / "t", kind="train")
    plan = Plan([step])
    write_json(out / "steps" / "train-1.json", {"fingerprint": "f", "seconds": 12.5, "attempts": 2})
    experiment = Experiment(title="Toy", question="Is b\nbetter?", axis="share",
                            rows=[{"name": "a", "gold": "", "predicted": ""}],
                            steps=[{"name": "train", "run": "train", "output": "x"}])
    measured = measure(rows, compare=[("a", "b")], choose={"best": ["a", "b"]})
    written = write_report(experiment, measured, plan, out, ["spacy-bioner", "experiment", "toy.yml", "a b"])
    text = (out / "table.md").read_text(encoding="utf8")
    assert "Is b better?" in text and "spacy-bioner experiment toy.yml 'a b'" in text
    assert "| b | 2 (1, 2) | 100.00 | 75.00 | 83.33 (83.33-83.33) | 66.67-100.00 |" in text
    assert "| b | a | 1 | +33.33 | +0.00 | +20.00 (+20.00 to +20.00) |" in text
    assert "| best | a | 1 | 0.7 | 80.00 |" in text and "| train | 1 | 12 | 12 |" in text
    assert "Intervals are from 200 resamples of the documents, seed 0." in text
    content = json.loads((out / "table.json").read_text(encoding="utf8"))
    assert content["sampling"] == {"resamples": 200, "seed": 0, "level": 0.95}
    assert content["steps"]["train-1"]["command"] == "spacy-bioner train 'x y'"
    assert content["steps"]["train-1"]["attempts"] == 2
    assert {path.name for path in map(Path, written)} == {"table.json", "table.md", "plot.svg"}
    assert "var(--" not in (out / "plot.svg").read_text(encoding="utf8")
