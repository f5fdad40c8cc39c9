"""The verb experiment: shipped experiments are made of commands that the verbs accept; a small one runs whole."""

import re
from pathlib import Path

import pytest
from command_line import find_command
from places import ROOT
from typer.testing import CliRunner

from spacy_bioner.annotation import Annotation, Mention
from spacy_bioner.cli import annotate
from spacy_bioner.cli._shared.schema import read_schema
from spacy_bioner.cli._shared.settings import load_settings, read_overrides
from spacy_bioner.cli.generate import seeds, sentences, variants
from spacy_bioner.cli.main import app
from spacy_bioner.cli.select import records as select_data
from spacy_bioner.cli.train import annotator as finetune
from spacy_bioner.cli.train import generator
from spacy_bioner.config_files import find_config
from spacy_bioner.errors import BionerError
from spacy_bioner.experiments.definition import read_experiment
from spacy_bioner.experiments.expansion import expand
from spacy_bioner.formats.jsonl import write_jsonl

SHIPPED = sorted((ROOT / "configs" / "experiments").glob("*.yml"))
PROMPT = ("prompt", generator.PromptSettings)
SETTINGS = {"annotate": [("annotate", annotate.AnnotateSettings)],
            "generate seeds": [("seeds", seeds.SeedSettings)],
            "generate sentences": [("synthesize", sentences.SynthesizeSettings), PROMPT],
            "generate variants": [("augment", variants.AugmentSettings), ("synthesize", sentences.SynthesizeSettings)],
            "train annotator": [("finetune", finetune.FinetuneSettings)],
            "train generator": [("train", generator.GeneratorSettings), PROMPT],
            "select records": [("select_data", select_data.SelectDataSettings)]}


def check_command(arguments):
    """Parse a command line as its verb does, overrides and config among it, and run nothing."""
    command, rest = find_command(arguments)
    verb = " ".join(arguments[:len(arguments) - len(rest)])
    with command.make_context(verb, rest) as context:
        overrides = read_overrides(context.args)
        if verb in SETTINGS:
            for section, schema in SETTINGS[verb]:
                task = section if section in ("annotate", "finetune", "select_data") else "generate"
                load_settings(find_config(task, context.params["config"], context.params["profile"]), section, schema,
                              overrides)
        elif "config" in context.params:
            from spacy_bioner.training.config import split_sources
            from spacy_bioner.training.spacy_training import read_training_config

            task = "selector" if verb == "train selector" else "spancat"
            if verb == "train spancat":
                overrides, _ = split_sources(overrides)
            read_training_config(find_config(task, context.params["config"], context.params["profile"]), overrides)
        else:
            assert not overrides


@pytest.mark.parametrize("profile", ["default", "smoke", "gpu"])
@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_experiments_are_commands_that_the_verbs_accept(path, profile, monkeypatch):
    monkeypatch.chdir(ROOT)
    shape = set()
    for quick in (False, True):
        experiment = read_experiment(path, quick=quick, overrides={"vars.profile": profile})
        expanded = expand(experiment, data=Path("data"), out=Path("out"))
        for step in expanded.plan.steps:
            # Steps that differ by file names and numbers alone are parsed once.
            form = (step.kind, tuple(word for word in step.arguments if word.startswith("--")))
            if form not in shape:
                check_command(step.arguments)
            shape.add(form)
        for row in expanded.rows.values():
            for run in row.runs.values():
                assert all(expanded.plan.maker(one) for one in run.paths()), f"nothing makes a file of row {row.name}"


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_comparison_and_choice_of_a_shipped_experiment_finds_rows(path):
    experiment = read_experiment(path)
    for part in ("compare", "choose"):
        for template in getattr(experiment, part):
            alone = experiment.model_copy(update={"compare": [], "tables": [], part: [template]})
            assert getattr(expand(alone, data=Path("data"), out=Path("out")), part), f"{path.name}: {template}"


@pytest.mark.parametrize("quick", [False, True], ids=["full", "quick"])
@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_each_row_of_a_shipped_experiment_can_be_taken_alone(path, quick):
    expanded = expand(read_experiment(path, quick=quick), data=Path("data"), out=Path("out"))
    for name in expanded.rows:
        one = expanded.only(name)
        one.refuse_missing(Path("out"))
        assert name in one.rows


@pytest.mark.parametrize("options", [(), ("--quick",)], ids=["full", "quick"])
@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_dry_run_finds_no_fault_in_a_shipped_experiment(path, options, monkeypatch, tmp_path):
    monkeypatch.chdir(ROOT)
    result = CliRunner().invoke(app, ["experiment", str(path), str(tmp_path / "out"), "--dry-run", *options])
    assert result.exit_code == 0, (result.output, result.exception)


@pytest.mark.issue(20)
def test_a_shipped_experiment_runs_by_its_name_from_any_folder(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, ["experiment", "formats", "out", "--dry-run", "--quick"])
    assert result.exit_code == 0, (result.output, result.exception)
    assert f"prepare {ROOT / 'assets/corpora'}" in result.output
    assert find_config("finetune", Path("configs/finetune.cfg")).path == ROOT / "configs/finetune.cfg"
    assert read_schema(Path("assets/labels/bc5cdr.yml")).labels


def test_quick_forms_have_fewer_steps_or_sentences():
    for path in SHIPPED:
        experiments = [read_experiment(path, quick=quick) for quick in (False, True)]
        full, quick = (len(expand(one, data=Path("data"), out=Path("out")).plan.steps) for one in experiments)
        fewer = [key for key, value in experiments[1].vars.items() if value != experiments[0].vars[key]]
        assert quick < full or quick == full and fewer, path.name


def test_the_profile_of_an_experiment_can_be_given_as_an_option(toy, tmp_path):
    text = TOY.replace("vars: {limit: 4}", "vars: {limit: 4, profile: full}\nprofiles: {small: {vars: {limit: 2}}}")
    (tmp_path / "toy.yml").write_text(text, encoding="utf8")
    assert toy("--dry-run").output.count("--limit 4") == 2
    assert toy("--dry-run", "--profile", "small").output.count("--limit 2") == 2
    assert toy("--dry-run", "--profile", "small", "--vars.limit", "3").output.count("--limit 3") == 2


TOY = """
title: Half of the sentences
question: Does it matter?
vars: {limit: 4}
lists: {seed: [1, 2]}
steps:
  - name: half
    foreach: [seed]
    run: convert {data}/found.jsonl {out}/half-{seed}.jsonl --limit {limit} --seed {seed}
    output: "{out}/half-{seed}.jsonl"
rows:
  - {name: half, over: seed, gold: "{data}/gold.jsonl", predicted: "{out}/half-{seed}.jsonl"}
  - {name: whole, gold: "{data}/gold.jsonl", predicted: "{data}/found.jsonl"}
compare: [{before: whole, after: half}]
"""


@pytest.fixture
def toy(tmp_path):
    gold = [Annotation(f"gout in patient {number}", (Mention(0, 4, "D"),), id=str(number)) for number in range(4)]
    write_jsonl(tmp_path / "gold.jsonl", gold)
    write_jsonl(tmp_path / "found.jsonl", [gold[0].with_mentions(()), *gold[1:]])
    (tmp_path / "toy.yml").write_text(TOY, encoding="utf8")

    def run(*options):
        return CliRunner().invoke(app, ["experiment", str(tmp_path / "toy.yml"), str(tmp_path / "out"), "--data",
                                        str(tmp_path), *options])
    return run


def test_a_dry_run_shows_the_commands_and_makes_nothing(toy, tmp_path):
    result = toy("--dry-run", "--vars.limit", "3")
    assert result.exit_code == 0, result.output
    assert result.output.count("--limit 3") == 2
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("dry", [(), ("--dry-run",)], ids=["run", "dry"])
@pytest.mark.parametrize("old, new, message", [
    pytest.param("run: convert", "run: konvert", "half-1 runs 'konvert'.* convert,", id="verb"),
    pytest.param('predicted: "{data}/found', 'predicted: "{data}/fuond', "no file for row 'whole'.*fuond.jsonl",
                 id="file"),
    pytest.param("compare:", "choose: [{name: best, among: [whole, half]}]\ncompare:", "'whole' has no dev score",
                 id="choice"),
])
def test_faults_are_told_before_the_first_step(toy, tmp_path, old, new, message, dry):
    assert old in TOY
    (tmp_path / "toy.yml").write_text(TOY.replace(old, new), encoding="utf8")
    result = toy(*dry)
    assert result.exit_code == 1 and isinstance(result.exception, BionerError)
    assert re.search(message, str(result.exception))
    assert not (tmp_path / "out").exists()


def test_a_missing_file_of_a_row_that_is_not_asked_for_does_not_matter(toy, tmp_path):
    (tmp_path / "toy.yml").write_text(TOY.replace('predicted: "{data}/found', 'predicted: "{data}/fuond'),
                                      encoding="utf8")
    assert toy("--dry-run", "--only", "half").exit_code == 0


def test_rows_can_be_asked_for_one_by_one(toy):
    result = toy("--only", "half", "--only", "whole")
    assert result.exit_code == 0, result.exception
    assert "| half |" in result.output and "| whole |" in result.output
    assert "--only half --only whole" in result.output
    with pytest.raises(BionerError, match="nowhere"):
        raise toy("--only", "half", "--only", "nowhere").exception


def test_an_experiment_runs_to_its_table_and_is_not_run_twice(toy, tmp_path):
    result = toy()
    assert result.exit_code == 0, (result.output, result.exception)
    assert "| half | 2 (1, 2) | 100.00 | 75.00 | 85.71" in result.output
    assert "| half | whole | 1, 2 | +0.00 |" in result.output
    made = (tmp_path / "out" / "half-1.jsonl").stat().st_mtime_ns
    assert toy().exit_code == 0
    assert (tmp_path / "out" / "half-1.jsonl").stat().st_mtime_ns == made
    assert toy("--dry-run").output.count("# done: ") == 2


def test_a_failing_step_is_named_with_its_reason(toy):
    result = toy("--vars.limit", "0")
    assert result.exit_code == 1
    assert "The step `half-1`" in str(result.exception)


@pytest.mark.issue(6)
def test_models_trained_jointly_and_alone_answer_in_one_format(monkeypatch):
    monkeypatch.chdir(ROOT)
    experiment = read_experiment(ROOT / "configs/experiments/joint.yml", quick=False, overrides={})
    formats = set()
    for step in expand(experiment, data=Path("data"), out=Path("out")).plan.steps:
        if step.verb == "train annotator":
            overrides = dict(zip(step.arguments, step.arguments[1:]))
            formats.add((overrides["--finetune.codec"], overrides["--finetune.codec_options"]))
        elif "null" in step.arguments:
            assert step.arguments[step.arguments.index("--annotate.codec") + 1] == "html", "the base model"
    assert formats == {("html", "{}")}


def test_no_corpus_of_the_mix_trains_on_what_is_in_a_dev_or_test_set():
    path, = (path for path in SHIPPED if path.stem == "corpora_mix")
    experiment = read_experiment(path)
    expanded = expand(experiment, data=Path("data"), out=Path("out"))
    held_out = {f"data/{corpus['folder']}/{split}.jsonl" for corpus in experiment.lists["corpus"]
                for split in ("dev", "test")} | {"data/ncbi_disease/test.jsonl", "data/ccks2019/test.jsonl"}
    steps = [step for step in expanded.plan.steps if step.kind == "clean"]
    assert steps and all(held_out <= set(step.arguments) for step in steps)
