"""Experiments: values put into templates, lists into combinations, quick values and overrides in their place."""

from pathlib import Path

import pytest

from spacy_bioner.errors import BionerError
from spacy_bioner.experiments.definition import read_experiment
from spacy_bioner.experiments.expansion import expand

TEXT = """
title: Toy
question: Does it work?
vars: {updates: 60, profile: embedded, folder: "{out}/data"}
lists:
  corpus: [a, {name: b, only: {seed: [1]}}]
  seed: [1, 2]
  system:
    - {name: plain, more: [], x: ""}
    - {name: rich, more: [--with, "{folder}/{corpus} x"], x: 5, only: {corpus: [a]}}
quick:
  vars: {updates: 5}
  lists: {seed: [1], system: [plain]}
steps:
  - name: prepare
    foreach: [corpus]
    run: prepare {data} {corpus}
    output: "{folder}/{corpus}"
    inputs: ["{data}/{corpus}"]
  - name: train
    foreach: [corpus, system, seed]
    run: >-
      train {folder}/{corpus}/train.jsonl --options '{"lines": "all"}' --updates {updates} {system.more}
      --seed {seed}
    output: "{out}/trained/{corpus}-{system}-{seed}"
rows:
  - name: "{corpus}: {system}"
    foreach: [corpus, system]
    over: seed
    gold: "{folder}/{corpus}/test.jsonl"
    predicted: "{out}/trained/{corpus}-{system}-{seed}/found.jsonl"
    dev: "{out}/trained/{corpus}-{system}-{seed}/card.json#score.f1"
    x: "{system.x}"
compare:
  - {foreach: [corpus, system], before: "{corpus}: plain", after: "{corpus}: {system}"}
choose:
  - {name: "{corpus}", foreach: [corpus], among: ["{corpus}: plain", "{corpus}: rich"]}
"""


@pytest.fixture
def read(tmp_path):
    def read(*changes, **options):
        text = TEXT
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        path = tmp_path / "toy.yml"
        path.write_text(text, encoding="utf8")
        return expand(read_experiment(path, **options), data=Path("my data"), out=Path("out"))
    return read


def test_lists_give_all_combinations_that_go_together(read):
    steps = {step.name: step for step in read().plan.steps}
    assert list(steps) == ["prepare-a", "prepare-b", "train-a-plain-1", "train-a-plain-2", "train-a-rich-1",
                           "train-a-rich-2", "train-b-plain-1"]
    assert steps["prepare-a"].arguments == ("prepare", "my data", "a"), "a value with a space stays one argument"
    assert steps["prepare-a"].inputs == (Path("my data/a"),)
    assert steps["train-a-rich-2"].arguments == (
        "train", "out/data/a/train.jsonl", "--options", '{"lines": "all"}', "--updates", "60", "--with",
        "out/data/a x", "--seed", "2")
    assert "--with" not in steps["train-b-plain-1"].arguments


def test_rows_have_a_run_for_each_repetition_that_there_is(read):
    rows = read().rows
    assert {name: list(row.runs) for name, row in rows.items()} == {
        "a: plain": ["1", "2"], "a: rich": ["1", "2"], "b: plain": ["1"]}
    assert rows["a: rich"].runs["2"].predicted == Path("out/trained/a-rich-2/found.jsonl")
    assert (rows["a: rich"].x, rows["a: plain"].x) == (5.0, None)


def test_comparisons_and_choices_are_among_rows_that_there_are(read):
    expanded = read()
    assert expanded.compare == [("a: plain", "a: rich")]
    assert expanded.choose == {"a": ["a: plain", "a: rich"], "b": ["b: plain"]}


@pytest.mark.parametrize("options, rows", [
    pytest.param({"quick": True}, {"a": ["a: plain"], "b": ["b: plain"]}, id="quick"),
    pytest.param({"overrides": {"lists.system": ["plain"], "lists.seed": [7]}}, {"a": ["a: plain"]}, id="overridden"),
    pytest.param({"quick": True, "overrides": {"lists.corpus": ["a", {"name": "c"}]}},
                 {"a": ["a: plain"], "c": ["c: plain"]}, id="a-new-item"),
])
def test_rows_that_a_smaller_form_leaves_out_are_no_mistake(read, options, rows):
    expanded = read(**options)
    assert (expanded.choose, expanded.compare) == (rows, [])


def test_quick_values_and_overrides_take_the_place_of_others(read):
    quick = read(quick=True)
    assert {step.name for step in quick.plan.steps} == {"prepare-a", "prepare-b", "train-a-plain-1", "train-b-plain-1"}
    assert "5" in quick.plan.steps[-1].arguments
    other = read(quick=True, overrides={"vars.updates": 7, "lists.system": ["rich"], "lists.corpus": ["a"]})
    assert [step.name for step in other.plan.steps] == ["prepare-a", "train-a-rich-1"]
    assert "7" in other.plan.steps[-1].arguments


def test_one_row_takes_only_what_it_needs(read):
    expanded = read().only("B: PLAIN")
    assert [step.name for step in expanded.plan.steps] == ["prepare-b", "train-b-plain-1"]
    assert (list(expanded.rows), expanded.compare) == (["b: plain"], [])


@pytest.mark.parametrize("change, message", [
    pytest.param(("{updates}", "{uptades}"), "No value for {uptades}", id="unknown-place"),
    pytest.param(("{system.more}", "{system.less}"), "No value for {system.less}", id="unknown-key"),
    pytest.param(('folder: "{out}/data"', 'folder: "{folder}"'), "refers to itself", id="circle"),
    pytest.param(("foreach: [corpus, system, seed]", "foreach: [corpus, sytem, seed]"), "'sytem'", id="unknown-list"),
    pytest.param(('output: "{out}/trained', 'output: "/tmp/trained'), "is not in out", id="output-outside"),
    pytest.param(('output: "{out}/trained', 'output: "{out}/../trained'), "is not in out", id="output-above"),
    pytest.param(("question:", "answer: 42\nquestion:"), "answer", id="unknown-key-of-the-file"),
    pytest.param(("lists: {seed: [1], system: [plain]}", "lists: {seeds: [1]}"), "no lists.seeds", id="quick-unknown"),
    pytest.param(("system: [plain]}", "system: [poor]}"), "no item 'poor'", id="quick-unknown-item"),
    pytest.param(('among: ["{corpus}: plain", "{corpus}: rich"]', 'among: ["none"]'), "unknown rows", id="choice"),
    pytest.param(("title: Toy", "title: [Toy"), "toy.yml", id="no-yaml"),
    pytest.param(('before: "{corpus}: plain"', 'before: "{corpus}: plane"'), "unknown rows: a: plane", id="comparison"),
    pytest.param(('after: "{corpus}: {system}"', 'after: "{corpus}: {system.x}"'), "unknown rows: a: ",
                 id="comparison-key"),
    pytest.param(('"{corpus}: rich"]', '"{corpus}: rihc"]'), "unknown rows: a: rihc", id="choice-among-others"),
    pytest.param(('- name: "{corpus}: {system}"', '- name: "{system}"'), "Two rows are called 'plain'", id="row-twice"),
    pytest.param(('- {name: "{corpus}", foreach', '- {name: "best", foreach'), "Two choices are called 'best'",
                 id="choice-twice"),
    pytest.param(("run: prepare {data}", "run: prepare '{data}"), "toy.yml: steps.0.run: .*[Qq]uot", id="open-quote"),
    pytest.param(("run: prepare {data} {corpus}", 'run: ""'), "toy.yml: steps.0.run: .*no verb", id="no-command"),
    pytest.param(('x: "{system.x}"', 'x: "{system}"'), "x of row 'a: plain' is 'plain'. Wanted: a number",
                 id="x-no-number"),
    pytest.param(('x: "{system.x}"', "x: .nan"), "toy.yml: rows.0.x", id="x-yaml-float"),
    pytest.param(('x: "{system.x}"', 'x: "nan"'), "x of row 'a: plain' is 'nan'", id="x-not-finite"),
    pytest.param(("{name: b, only", "{nmae: b, only"), "toy.yml: lists.corpus.1: .*no name", id="item-without-name"),
    pytest.param(("only: {seed: [1]}", "only: {seed: 1}"), "toy.yml: lists.corpus.1: .*only", id="only-without-list"),
    pytest.param(("only: {seed: [1]}", "only: seed"), "toy.yml: lists.corpus.1: .*only", id="only-without-names"),
])
def test_mistakes_are_one_clear_line(read, change, message):
    with pytest.raises(BionerError, match=message.replace("{", r"\{").replace("}", r"\}")) as caught:
        read(change, quick=True)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("change, message", [
    pytest.param(('    dev: "{out}/trained/{corpus}-{system}-{seed}/card.json#score.f1"\n', ""),
                 "Row 'a: plain' has no dev score", id="choice-without-dev"),
    pytest.param(('gold: "{folder}/{corpus}/test.jsonl"', 'gold: "{folder}/{corpus}/{system}.jsonl"'),
                 "'a: plain' and 'a: rich' have different test sets", id="comparison-of-other-test-parts"),
])
def test_what_cannot_be_measured_is_told_before_anything_is_run(read, change, message):
    with pytest.raises(BionerError, match=message):
        read(change)


def test_files_that_no_step_makes_have_to_be_there(read, tmp_path):
    elsewhere = tmp_path / "gold.jsonl"
    change = ('gold: "{folder}/{corpus}/test.jsonl"', f'gold: "{elsewhere}"')
    with pytest.raises(BionerError, match="no file for row 'a: plain', and no step.*gold.jsonl"):
        read(change).refuse_missing(Path("out"))
    (tmp_path / "gold.jsonl.gz").touch()
    read(change).refuse_missing(Path("out"))
    read().refuse_missing(Path("out"))
    # That a step makes this is not in its template, but in its command line.
    changes = [("{corpus}/test.jsonl", "kept.jsonl"), ("{out}/data", "{out}/x")]
    with pytest.raises(BionerError, match="There is no file.*kept.jsonl"):
        read(*changes).refuse_missing(Path("out"))
    read(*changes, ("prepare {data}", "prepare {out}/x/kept.jsonl")).refuse_missing(Path("out"))


@pytest.mark.parametrize("overrides", [{"vars.uptades": 1}, {"steps.train": 1}, {"lists.seed": 3},
                                       {"lists.corpus": [{"size": 3}]}])
def test_overrides_that_fit_nothing_are_refused(read, overrides):
    with pytest.raises(BionerError, match="toy.yml"):
        read(overrides=overrides)


@pytest.mark.parametrize("overrides, message", [
    pytest.param({"lists.system": []}, "lists.system: The list is empty", id="empty-list"),
    pytest.param({"vars.updates": [1]}, "vars.updates: Input should be a number or text$", id="list-as-value"),
    pytest.param({"vars.updates": {"a": 1}}, "vars.updates: Input should be a number or text$", id="mapping-as-value"),
    pytest.param({"vars.updates": None}, "vars.updates: Input should be a number or text$", id="nothing-as-value"),
    pytest.param({"lists.seed": [1, [2]]}, "lists.seed.1: Input should be a number, text or a mapping$",
                 id="list-as-item"),
    pytest.param({"lists.system": [{"name": "x", 1: 2}]}, "lists.system.0: .* keys .* text", id="key-that-is-a-number"),
])
def test_overrides_of_another_kind_are_told_plainly(read, overrides, message):
    with pytest.raises(BionerError, match=message[:-1] + r"\.$" if message.endswith("$") else message) as caught:
        read(overrides=overrides)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text, message", [
    pytest.param("", "Experiment .*e.yml: it is empty", id="empty"),
    pytest.param("# nothing yet\n", "Experiment .*e.yml: it is empty", id="comment"),
    pytest.param("- title: Toy\n- steps: []\n", "Experiment .*e.yml: it is a list, wanted title:", id="list"),
    pytest.param("title", "Experiment .*e.yml: it is text, wanted title:", id="text"),
    pytest.param("7", "Experiment .*e.yml: it is a number, wanted title:", id="number"),
])
def test_a_file_that_is_no_mapping_is_told_plainly(tmp_path, text, message):
    (tmp_path / "e.yml").write_text(text, encoding="utf8")
    with pytest.raises(BionerError, match=message) as caught:
        read_experiment(tmp_path / "e.yml")
    assert "\n" not in str(caught.value)


def test_a_part_that_no_row_has_is_refused(read):
    with pytest.raises(BionerError, match="No row has 'poor'"):
        read().only("poor")


def test_steps_whose_items_run_together_into_one_name_are_refused(read):
    with pytest.raises(BionerError, match="out/trained/x-y/z-1 and out/trained/x/y-z-1 are both called train-x-y-z-1"):
        read(('corpus: [a, {name: b, only: {seed: [1]}}]', 'corpus: [x-y, x]'), ("name: plain, ", "name: z, "),
             ("name: rich, ", "name: y-z, "), (", only: {corpus: [a]}", ""), ("system: [plain]", "system: [z]"),
             ("trained/{corpus}-{system}-{seed}", "trained/{corpus}/{system}-{seed}"),
             (": plain", ": z"), (": rich", ": y-z"))


def test_what_is_made_beside_an_output_is_filled_in_too(read):
    plan = read(('    inputs: ["{data}/{corpus}"]', '    beside: ["{out}/{corpus}.report.json"]')).plan
    assert plan.maker(Path("out/a.report.json")).name == "prepare-a"
