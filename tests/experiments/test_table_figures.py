"""Tables of rows by two lists, claims decided by intervals, rows that were not made, and reports of steps."""

import json
from pathlib import Path

import pytest

from spacy_bioner.annotation import Annotation, Mention
from spacy_bioner.errors import BionerError
from spacy_bioner.evaluation.metrics import Sampling
from spacy_bioner.experiments.definition import read_experiment
from spacy_bioner.experiments.expansion import expand
from spacy_bioner.experiments.measurement import measure_rows
from spacy_bioner.experiments.results_table import write_report
from spacy_bioner.experiments.table_figures import judge
from spacy_bioner.files import write_json, write_json_lines

TEXT = """
title: Toy
question: Which method at which size?
vars: {profile: full, corpus: toy, published: "{data}/told.json#{corpus}"}
lists:
  size: [5, 10]
  seed: [1, 2, 3]
  method: [gold, {name: made-a, budget: [--steps, 60]}, {name: made-b, budget: [--epochs, "{size}"]}]
  line: [gold, made, made-a, made-b]
quick: {lists: {size: [5]}}
profiles:
  small:
    vars: {corpus: other}
    lists: {seed: [1]}
    quick: {lists: {size: [10]}}
steps:
  - name: join
    run: convert {out}/made/{size*}.jsonl {out}/joined.jsonl
    output: "{out}/joined.jsonl"
  - name: make
    foreach: [size]
    run: write {out}/made/{size}.jsonl
    output: "{out}/made/{size}.jsonl"
    beside: ["{out}/made/{size}.json"]
    made: "{out}/made/{size}.json#kept"
  - name: train
    foreach: [size, method, seed]
    run: fit {out}/made/{size}.jsonl {out}/found/{size}-{method}-{seed}.jsonl
    output: "{out}/found/{size}-{method}-{seed}.jsonl"
rows:
  - name: "N = {size}: {method}"
    foreach: [size, method]
    over: seed
    gold: "{data}/test.jsonl"
    predicted: "{out}/found/{size}-{method}-{seed}.jsonl"
    dev: "{out}/found/{size}-{method}-{seed}.json#f1"
choose:
  - {name: "N = {size}: made", foreach: [size], among: ["N = {size}: made-a", "N = {size}: made-b"]}
compare:
  - {foreach: [size], before: "N = {size}: gold", after: "N = {size}: made", claim: "N = {size}: made is better"}
tables:
  - title: F1 by size
    rows: line
    columns: size
    cell: "N = {size}: {line}"
    heading: "N = {size}"
    against: "N = {size}: gold"
    published: "{published}.{line}.{size}"
    axis: names
    note: Numbers in brackets are published.
reports:
  - title: What was made
    foreach: [size]
    name: "N = {size}"
    file: "{out}/made/{size}.json"
    columns: {kept: kept, rejected: why.rejected}
"""
SENTENCES = [Annotation(f"gout in patient {number}", (Mention(0, 4, "D"),), id=str(number)) for number in range(20)]


@pytest.fixture
def read(tmp_path):
    def read(*changes, **options):
        text = TEXT
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        (tmp_path / "toy.yml").write_text(text, encoding="utf8")
        experiment = read_experiment(tmp_path / "toy.yml", **options)
        return experiment, expand(experiment, data=tmp_path, out=tmp_path / "out")
    return read


@pytest.fixture
def measured(read, tmp_path):
    """Return a function that measures rows of which gold finds half, made-a nine and made-b three tenths."""
    def write(path, share):
        write_json_lines(path, (one.to_record() if place < share * 20 else one.with_mentions(()).to_record()
                                for place, one in enumerate(SENTENCES)))

    write(tmp_path / "test.jsonl", 1)
    write_json(tmp_path / "told.json", {"toy": {"gold": {"5": 45.62}, "made": {"5": 53.67, "10": 60.14}}})
    for size in (5, 10):
        write_json(tmp_path / "out" / "made" / f"{size}.json", {"kept": size, "why": {"rejected": {"twin": 2}}})
        for method, share, dev in (("gold", 0.5, 0.5), ("made-a", 0.9, 0.6), ("made-b", 0.3, 0.4)):
            for seed in (1, 2, 3):
                path = tmp_path / "out" / "found" / f"{size}-{method}-{seed}.jsonl"
                write(path, share if size == 5 else 1.2 - share)
                write_json(path.with_suffix(".json"), {"f1": dev})

    def measure(*changes, unmade=(), **options):
        experiment, expanded = read(*changes, **options)
        steps = [step for step in expanded.plan.steps if step.name in unmade]
        found = measure_rows(expanded.without(steps), Sampling(resamples=200))
        written = write_report(experiment, found, expanded.plan, tmp_path / "out", ["spacy-bioner"])
        return found, (tmp_path / "out" / "table.md").read_text(encoding="utf8"), written
    return measure


def test_a_table_has_means_published_numbers_and_differences_from_the_baseline_of_the_same_size(measured):
    found, text, _ = measured()
    [table] = found["tables"]
    assert table["columns"] == {"5": "N = 5", "10": "N = 10"} and list(table["lines"]) == [
        "gold", "made", "made-a", "made-b"]
    five, ten = table["lines"]["made"]
    assert five["row"] == "N = 5: made-a" and five["published"] == 53.67 and five["runs"].keys() == {"1", "2", "3"}
    assert five["difference"]["difference"] > 0 > ten["difference"]["difference"]
    assert ten["difference"]["before"] == "N = 10: gold"
    assert table["lines"]["gold"][0]["difference"] is None
    assert "| strict F1 | N = 5 | N = 10 |" in text
    assert "| gold | 66.67 ± 0.00 (45.62) | 82.35 ± 0.00 |" in text
    assert "| made | **94.74 ± 0.00** (53.67) |" in text
    assert "Difference from gold with its 95%" in text and "| made | +28.07 (" in text
    assert "Numbers in brackets are published." in text


@pytest.mark.parametrize("interval, runs, verdict", [
    pytest.param([0.01, 0.2], 3, "holds", id="above"),
    pytest.param([-0.2, -0.01], 3, "does not hold", id="below"),
    pytest.param([-0.1, 0.1], 3, "cannot be decided", id="both-sides"),
    pytest.param([0.0, 0.1], 3, "cannot be decided", id="from-zero"),
    pytest.param([0.01, 0.2], 2, "cannot be decided", id="two-runs"),
])
def test_a_claim_is_decided_by_its_interval_and_three_runs(interval, runs, verdict):
    assert judge(interval, runs=runs) == verdict


def test_a_claim_with_fewer_shared_runs_stays_open(measured):
    found, text, _ = measured(("  seed: [1, 2, 3]", "  seed: [1, 2]"))
    assert {each["verdict"] for each in found["claims"]} == {"cannot be decided"}
    assert "| cannot be decided | N = 5: made-a | N = 5: gold | 1, 2 | +28.07 (" in text


def test_claims_name_the_row_that_was_chosen_on_dev(measured):
    found, text, _ = measured()
    assert [each["verdict"] for each in found["claims"]] == ["holds", "does not hold"]
    assert {each["compared"]["after"] for each in found["claims"]} == {"N = 5: made-a", "N = 10: made-a"}
    assert "| N = 5: made is better | holds | N = 5: made-a | N = 5: gold | 1, 2, 3 | +28.07 (" in text


def test_rows_that_were_not_made_are_marked_and_leave_the_claim_open(measured):
    found, text, _ = measured(unmade=["train-5-made-a-1", "train-5-made-b-2", "train-10-made-a-1"])
    assert found["not_made"] == ["N = 5: made-a", "N = 5: made-b", "N = 10: made-a", "N = 5: made"]
    first, second = found["claims"]
    assert (first["verdict"], first["compared"]) == ("cannot be decided", None)
    assert second["compared"]["after"] == "N = 10: made-b", "the choice is among those that are left"
    assert "| made | not made (53.67) |" in text and "| cannot be decided, not made |" in text


def test_reports_of_steps_stand_in_a_table(measured):
    found, text, _ = measured(unmade=())
    [report] = found["reports"]
    assert report["lines"] == {"N = 5": [5, {"twin": 2}], "N = 10": [10, {"twin": 2}]}
    assert "| N = 5 | 5 | 2 twin |" in text


def test_a_table_with_an_axis_is_drawn_and_old_plots_are_removed(measured, tmp_path):
    (tmp_path / "out" / "plots").mkdir(parents=True)
    (tmp_path / "out" / "plots" / "old.svg").write_text("old")
    _, _, written = measured()
    assert {path.name for path in (tmp_path / "out" / "plots").iterdir()} == {"f1-by-size.svg",
                                                                              "f1-by-size-published.svg"}
    assert tmp_path / "out" / "plots" / "f1-by-size.svg" in written


def test_a_smaller_form_has_smaller_tables(measured):
    found, _, _ = measured(quick=True)
    assert found["tables"][0]["columns"] == {"5": "N = 5"} and len(found["claims"]) == 1


def test_a_profile_has_values_and_a_quick_form_of_its_own(read):
    experiment, expanded = read(overrides={"vars.profile": "small"})
    assert (experiment.vars["corpus"], experiment.lists["seed"]) == ("other", [1])
    assert len(expanded.plan.steps) == 2 + 2 * 3
    _, quick = read(quick=True, overrides={"vars.profile": "small"})
    assert {name.split(":")[0] for name in quick.rows} == {"N = 10"}
    _, other = read(quick=True, overrides={"vars.profile": "full"})
    assert {name.split(":")[0] for name in other.rows} == {"N = 5"}


def test_steps_that_no_row_needs_are_not_run(read):
    _, expanded = read()
    assert "join" not in {step.name for step in expanded.plan.steps}
    needs = ("run: fit {out}/made/{size}.jsonl", "run: fit {out}/joined.jsonl")
    [join] = [step for step in read(needs)[1].plan.steps if step.name == "join"]
    assert [Path(word).name for word in join.arguments[1:]] == ["5.jsonl", "10.jsonl", "joined.jsonl"]


def test_rows_asked_for_alone_keep_their_tables_and_claims(read, measured):
    _, expanded = read()
    one = expanded.only("N = 10")
    assert list(one.choose) == ["N = 10: made"] and list(one.claims) == [("N = 10: gold", "N = 10: made")]
    assert {step.name for step in one.plan.steps if step.kind == "make"} == {"make-10"}


@pytest.mark.parametrize("change, message", [
    pytest.param(('cell: "N = {size}: {line}"', 'cell: "{size}: {line}"'), "names unknown rows: 5: gold",
                 id="cell"),
    pytest.param(('against: "N = {size}: gold"', 'against: "N = {size}: glod"'), "N = 5: glod", id="against"),
    pytest.param(("rows: line", "rows: lines"), "'lines'", id="unknown-list"),
    pytest.param(('{name: "N = {size}: made", foreach', '{name: "N = {size}: gold", foreach'),
                 "Two rows or choices are called 'N = 5: gold'", id="choice-like-a-row"),
    pytest.param(("axis: names", "axes: names"), "tables.0.axes", id="unknown-key"),
    pytest.param(("corpus: other", "corpsu: other"), "no vars.corpsu", id="profile"),
    pytest.param(("  - title: F1 by size\n    rows: line\n    columns: size", "  - title: F1 by size\n    rows: size\n"
                  "    columns: line"), "is 'gold'. Wanted: a number", id="axis-of-words"),
])
def test_mistakes_are_told_before_anything_is_run(read, change, message):
    with pytest.raises(BionerError, match=message) as caught:
        read(change, overrides={"vars.profile": "small"})
    assert "\n" not in str(caught.value)


def test_the_figures_are_in_the_json_file_too(measured, tmp_path):
    found, _, _ = measured()
    content = json.loads((tmp_path / "out" / "table.json").read_text(encoding="utf8"))
    assert content["tables"] == found["tables"] and content["claims"] == json.loads(json.dumps(found["claims"]))


@pytest.mark.parametrize("first, second, names", [
    pytest.param("按样本量的F1", "按轮数的F1", {"按样本量的f1", "按轮数的f1"}, id="chinese"),
    pytest.param("Size", "size!", {"size", "size-2"}, id="twice"),
    pytest.param("?", "!", {"table", "table-2"}, id="no-letters"),
])
def test_each_table_has_its_own_plot_whatever_its_title(measured, tmp_path, first, second, names):
    tables = TEXT[TEXT.index("  - title: F1 by size"):TEXT.index("reports:")]
    both = "".join(tables.replace("F1 by size", json.dumps(title)) for title in (first, second))
    measured((tables, both))
    found = {path.stem for path in (tmp_path / "out" / "plots").iterdir()}
    assert found == names | {f"{name}-published" for name in names}
