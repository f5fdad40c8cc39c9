"""The low-resource experiment: its forms, its data, and a run to its tables with a tiny encoder and a server."""

import json
import random
import re
import shutil
from pathlib import Path

import pytest
from corpora import CORPORA, needs_corpora
from places import ASSETS, CONFIGS, ROOT
from small_trainings import TOK2VEC, write_sentences
from typer.testing import CliRunner

from spacy_bioner.cli.main import app
from spacy_bioner.config_files import find_config
from spacy_bioner.experiments.definition import read_experiment
from spacy_bioner.experiments.expansion import expand

LOW_RESOURCE = CONFIGS / "experiments" / "low_resource.yml"
WORDS = "after before during early late mild rare severe stable slow two weeks care visit clinic".split()


def expanded(profile="default", *, quick=False, **overrides):
    values = {"vars.profile": profile, **{key.replace("__", "."): value for key, value in overrides.items()}}
    return expand(read_experiment(LOW_RESOURCE, quick=quick, overrides=values), data=Path("data"), out=Path("out"))


def kinds(found):
    """Return the kind of step to how many there are."""
    return {kind: sum(step.kind == kind for step in found.plan.steps)
            for kind in dict.fromkeys(step.kind for step in found.plan.steps)}


def test_every_method_is_trained_with_every_seed_and_scored_on_the_same_sentences():
    found = expanded()
    assert kinds(found)["train"] == 2 * 5 * 8 * 3
    assert (kinds(found)["generate"], kinds(found)["change"]) == (5 * 5, 5 * 2)
    rows = [row for name, row in found.rows.items() if name.startswith("sample")]
    assert len(rows) == 2 * 5 * 8 and {str(row.gold) for row in rows} == {"out/samples/test.jsonl"}
    assert all(list(row.runs) == ["0", "1", "2"] for row in rows)
    whole = {name for name in found.rows if name.startswith("whole")}
    assert len(whole) == 2 * 2 * 8 and "whole, epochs, N = 50: gold" in whole


def test_the_quick_form_has_neither_the_whole_test_set_nor_the_curve():
    found = expanded(quick=True)
    assert set(kinds(found)) & {"train", "curve-train-gold", "all-train"} == {"train"}
    assert kinds(found)["train"] == 2 * 4


def test_a_method_takes_epochs_over_its_own_sentences_or_the_steps_of_all():
    trained = {step.name: " ".join(step.arguments) for step in expanded(lists__size=[5], lists__seed=[0]).plan.steps
               if step.kind == "train"}
    for method, epochs in (("gold", "10"), ("lsms", "10"), ("genllm-simple", "3,10"), ("genllm-relabel", "3,10")):
        assert f"--stage-epochs {epochs} " in trained[f"train-epochs-5-{method}-0"]
        assert "--updates 90 " in trained[f"train-steps-5-{method}-0"]


def test_the_rest_of_a_sentence_is_labelled_by_a_model_of_the_same_gold_sentences():
    found = expanded(lists__size=[5], lists__method=["genllm-relabel", "genllm-larger"])
    commands = {step.name: " ".join(step.arguments) for step in found.plan.steps}
    assert "--annotator out/annotators/5" in commands["generate-5-genllm-relabel-fine-tuned"]
    assert "gold/5/gold.jsonl out/annotators/5" in commands["train-relabeller-5"]
    assert "out/gold/larger/seeds.jsonl" in commands["generate-5-genllm-larger-fine-tuned"]
    assert "train-biored-relabeller" not in commands


def test_the_profiles_compare_the_prompts_of_the_publication():
    prompts = {profile: [step.arguments[3].rsplit("/5-")[1] for step in expanded(profile).plan.steps
                         if step.name.startswith("generate-5-")] for profile in ("smoke", "default", "gpu")}
    assert prompts["smoke"] == ["genllm-simple.jsonl"]
    assert len(prompts["default"]) == 5 and len(prompts["gpu"]) == 8
    assert any("chain_of_thought" in step.arguments and "free" in step.arguments
               for step in expanded("gpu").plan.steps)


def test_all_of_train_as_gold_takes_epochs_in_the_gpu_profile():
    found = expanded("gpu")
    trained = {step.name: step.arguments for step in found.plan.steps if step.kind == "all-train"}
    epochs = {name: words[words.index("--stage-epochs") + 1] for name, words in trained.items()}
    assert {name: number for name, number in epochs.items() if name.endswith("-0")} == {
        "all-train-gold-0": "3", "all-train-nuner-0": "3", "all-train-lsms-0": "3", "all-train-llm-da-0": "3",
        "all-train-genllm-0": "1,3"}
    [join] = [step for step in found.plan.steps if step.kind == "all-join"]
    assert [word for word in join.arguments if "genllm-simple" in word][:-1] == [
        f"out/made/{size}-genllm-simple.jsonl" for size in (5, 10, 15, 20, 50, 100)]
    assert set(kinds(expanded("gpu", quick=True))) & {"all-train", "all-join"} == set()


def test_the_curve_trains_on_gold_alone_and_on_generated_sentences_alone_with_the_same_steps():
    found = expanded(lists__part=["curve"], lists__budget=["steps"])
    assert kinds(found)["curve-train-gold"] == 5 * 3 and kinds(found)["curve-train-generated"] == 3
    assert "train" not in kinds(found)
    updates = {words[words.index("--updates") + 1] for words in (
        step.arguments for step in found.plan.steps if step.kind.startswith("curve-train"))}
    assert updates == {"300"}


def test_more_sizes_leave_what_was_made_for_the_others_as_it_is():
    few, more = ({step.name: found.plan.fingerprint(step) for step in found.plan.steps}
                 for found in (expanded(lists__size=[5, 50]), expanded(lists__size=[5, 20, 50])))
    assert few.items() <= more.items()


def test_another_generator_changes_what_is_made_by_it_and_nothing_else(tmp_path):
    other = [{"name": "fine-tuned", "options": ["--generator", str(tmp_path)]}]
    first, second = ({step.name: found.plan.fingerprint(step) for step in found.plan.steps}
                     for found in (expanded(), expanded(lists__writer=other)))
    assert "train-generator" not in second
    changed = {name for name in second if first[name] != second[name]}
    assert {"generate-5-genllm-simple-fine-tuned", "train-steps-5-genllm-simple-0",
            "train-epochs-5-llm-da-0"} <= changed
    assert not changed & {"train-steps-5-gold-0", "train-epochs-5-lsms-0", "change-5-lsms-fine-tuned"}


@pytest.mark.parametrize("profile", ["default", "gpu", "smoke"])
def test_the_strategies_of_a_profile_are_there(profile):
    known = find_config("strategies", CONFIGS / "strategies.cfg", profile).read()["strategies"]
    used = {step.arguments[step.arguments.index("--strategy") + 1] for step in expanded(profile).plan.steps
            if step.arguments[:2] == ("train", "spancat")}
    assert used <= set(known)


@pytest.mark.parametrize("corpus", ["bc5cdr", "tdmsci"])
def test_published_numbers_stand_beside_the_methods_of_their_corpus(corpus, monkeypatch):
    monkeypatch.chdir(ROOT)
    from spacy_bioner.experiments.json_values import find_value

    table = next(each for each in expanded(vars__corpus=corpus).tables if "sample" in each.title)
    told = {line: [find_value(cell.published) for cell in cells] for line, cells in table.lines.items()}
    assert all(told[line].count(None) == 0 for line in ("gold", "nuner", "lsms", "llm-da", "genllm"))
    counts = json.loads((ASSETS / "published" / "genllm_mentions.json").read_text(encoding="utf8"))[corpus]
    assert {"5", "10", "15", "20", "50", "100"} == set(counts)


@needs_corpora
@pytest.mark.parametrize("corpus", ["bc5cdr", "tdmsci"])
def test_gold_sentences_come_near_to_the_published_counts(corpus, tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    made = expand(read_experiment(LOW_RESOURCE, overrides={"vars.corpus": corpus, "lists.size": [5, 50]}),
                  data=CORPORA, out=tmp_path)
    for step in made.plan.steps:
        if step.kind in ("prepare", "draw-gold"):
            done = CliRunner().invoke(app, list(step.arguments))
            assert done.exit_code == 0, (done.output, done.exception)
    for size in (5, 50):
        card = json.loads((tmp_path / "gold" / str(size) / "card.json").read_text())
        for label, wanted in card["wanted"].items():
            # TDMSci has too few sentences that hold only the 50 names of data sets.
            least = 0.45 if (corpus, size, label) == ("tdmsci", 50, "DATASET") else 0.7
            assert least * wanted <= card["mentions"][label] <= wanted


def write_sentence(prompt):
    """Return the entities of the prompt in a sentence."""
    entities = re.search(r"Entities: (.*)", prompt)[1].replace("> <", "> and <")
    around = random.Random(prompt).sample(WORDS, 8)
    return f"<start_sentence> {' '.join(around[:5])} {entities} {' '.join(around[5:])}. </end_sentence>"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Return a working folder with a toy corpus, and configs with an encoder that learns in a second."""
    from thinc.api import Config

    for split, numbers in (("train", range(30)), ("dev", range(8)), ("test", range(12))):
        write_sentences(tmp_path / "data" / "toy" / f"{split}.jsonl", split, numbers)
    (tmp_path / "data" / "toy" / "labels.yml").write_text("corpus: toy\nlang: en\nlabels: {DISEASE: diseases}\n")
    shutil.copytree(CONFIGS, tmp_path / "configs")
    shutil.copytree(ASSETS / "published", tmp_path / "assets" / "published")
    path = tmp_path / "configs" / "spancat.cfg"
    config = Config().from_disk(path, interpolate=False)
    config["components"]["bioner_spancat"]["model"]["tok2vec"] = TOK2VEC
    config.to_disk(path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_smoke_profile_runs_to_its_tables_on_a_corpus_that_no_config_names(folder, start_server):
    writes, refuses = start_server(write_sentence), start_server(lambda prompt: "I cannot write that.")
    variants = [{"name": f"genllm-{name}", "seeds": "{size}",
                 "options": ["--prompt.variant", name, "--checks.similarity", "1.0",
                             "--synthesize.server.base_url", server.url]}
                for name, server in (("simple", writes), ("no_new_entity", refuses))]
    lists = {"size": [3], "method": ["gold", "genllm-simple", "genllm-no_new_entity"], "variant": variants,
             "writer": [{"name": "server", "options": []}]}
    arguments = ["experiment", "configs/experiments/low_resource.yml", "out", "--data", "data", "--profile", "smoke",
                 "--vars.corpus", "toy", "--vars.rule", "some", *(part for name, items in lists.items()
                                           for part in (f"--lists.{name}", json.dumps(items)))]
    first = CliRunner().invoke(app, arguments)
    assert first.exit_code == 0, (first.output, first.exception)
    card = json.loads((folder / "out" / "gold" / "3" / "card.json").read_text())
    assert card["wanted"] == {"DISEASE": 11} == card["mentions"]
    found = json.loads((folder / "out" / "table.json").read_text())
    assert found["not_made"] == ["sample, steps, N = 3: genllm-no_new_entity"]
    [claim] = found["claims"]
    assert claim["verdict"] and claim["compared"]["after"] == "sample, steps, N = 3: genllm-simple"
    [table] = found["tables"]
    assert list(table["lines"]) == ["gold", "genllm", "genllm-simple", "genllm-no_new_entity"]
    text = (folder / "out" / "table.md").read_text()
    assert "| genllm-no_new_entity | not made |" in text and "| N = 3, genllm-no_new_entity | 6 | 0 |" in text
    again = CliRunner().invoke(app, arguments)
    assert again.exit_code == 0, (again.output, again.exception)
    steps = [line for line in again.stderr.splitlines() if line.startswith("[") and "done before" not in line]
    # What has made nothing is tried again, and what needs it is not run.
    assert all("genllm-no_new_entity" in line for line in steps)
