"""The verb low-resource: data fixed first, parts in order, finished ones not run again."""

import json
from pathlib import Path

import pytest
from corpora import CORPORA, needs_corpora
from typer.testing import CliRunner

from spacy_bioner.annotation import Annotation, Mention
from spacy_bioner.cli.low_resource import read_low_resource
from spacy_bioner.cli.low_resource_data import fix_data
from spacy_bioner.cli.low_resource_steps import LowResourceSettings, LowResourceSteps
from spacy_bioner.cli.main import app
from spacy_bioner.cli.settings import load_settings
from spacy_bioner.errors import BionerError
from spacy_bioner.experiments.running import run_plan
from spacy_bioner.experiments.steps import Plan, Step
from spacy_bioner.files import write_json_lines
from spacy_bioner.formats.jsonl import read_jsonl

CONFIGS = Path(__file__).parents[2] / "configs"


@pytest.fixture
def settings():
    targets = {"toy": {"2": {"DRUG": 3}, "5": {"DRUG": 6}}}
    return LowResourceSettings(sizes=[2, 5], seeds=[0, 1], variants=["simple", "chain_of_thought"], targets=targets,
                               test_sample=3, full_test_sizes=[5])


@pytest.fixture
def corpus(tmp_path):
    """RETURNS (Path): A folder with train, dev and test."""
    for split in ("train", "dev", "test"):
        texts = [f"drug{number % 4} in {split} sentence {number}" for number in range(20)]
        write_json_lines(tmp_path / f"{split}.jsonl", (
            Annotation(text, (Mention(0, 5, "DRUG"),), id=str(number), meta={"split": split}).to_record()
            for number, text in enumerate(texts)))
    return tmp_path


def test_gold_subsets_and_test_sample_are_fixed_first(corpus, settings, tmp_path):
    card = fix_data(corpus, tmp_path / "out", settings, name="toy")
    assert card["2"] == {"sentences": 3, "mentions": {"DRUG": 3}, "wanted": {"DRUG": 3}}
    small, large = (list(read_jsonl(tmp_path / "out" / size / "gold.jsonl")) for size in ("2", "5"))
    assert len(small) == 3 and len(large) == 6
    assert len(list(read_jsonl(tmp_path / "out" / "test-sample.jsonl"))) == 3


def test_sizes_without_mention_counts_are_refused(corpus, settings, tmp_path):
    with pytest.raises(BionerError, match="corpus 'other' for dictionaries of 2"):
        fix_data(corpus, tmp_path / "out", settings, name="other")


def test_every_method_is_trained_with_every_seed_and_scored_on_the_same_sentences(settings, tmp_path):
    steps = LowResourceSteps(settings, corpus=tmp_path, output=tmp_path / "out", labels=tmp_path / "labels.yml",
                             profile=CONFIGS / "smoke").steps()
    verbs = [step.arguments[0] for step in steps]
    assert (verbs.count("synthesize"), verbs.count("augment")) == (4, 4)
    assert (verbs.count("train"), verbs.count("evaluate")) == (2 * 5 * 2, 3)
    outputs = [step.output for step in steps]
    assert len(set(outputs)) == len(outputs) == len({step.name for step in steps})
    assert sorted(step.output for step in Plan(steps).steps) == sorted(outputs)
    free = [step for step in steps if "chain_of_thought" in step.arguments]
    assert all("free" in step.arguments for step in free) and len(free) == 2


@pytest.mark.parametrize("profile", ["embedded", "gpu", "smoke"])
def test_configs_have_the_mention_counts_of_their_sizes(profile):
    found = load_settings(CONFIGS / profile / "low_resource.cfg", "low_resource", LowResourceSettings, {})
    for corpus in ("BC5CDR", "TDMSci"):
        assert {str(size) for size in found.sizes} <= set(found.targets[corpus])


def test_a_finished_part_is_not_run_again_and_a_failed_one_ends_the_run(corpus):
    (corpus / "labels.yml").write_text("labels: {DRUG: drugs}\n")
    arguments = ["seeds", str(corpus / "train.jsonl"), str(corpus / "seeds.jsonl"), "--labels",
                 str(corpus / "labels.yml"), "--config", str(CONFIGS / "smoke" / "synthesize.cfg")]
    step = Step("seeds", tuple(arguments), corpus / "seeds.jsonl")
    run_plan(Plan([step]), corpus / "out")
    written = step.output.stat().st_mtime_ns
    run_plan(Plan([step]), corpus / "out")
    assert step.output.stat().st_mtime_ns == written
    with pytest.raises(BionerError, match="The part `seeds`.*failed"):
        run_plan(Plan([Step("seeds", (*arguments, "--seeds.odd", "1"), step.output)]), corpus / "out")


def test_quick_values_stand_in_the_config_and_overrides_go_before_them():
    path = CONFIGS / "embedded" / "low_resource.cfg"
    full, quick = (read_low_resource(path, {}, quick=quick) for quick in (False, True))
    assert (quick.sizes, quick.seeds, quick.whole_sizes) == ([5, 50], [0], [])
    assert quick.sentences < full.sentences and quick.updates < full.updates
    assert read_low_resource(path, {"low_resource.sentences": 7}, quick=True).sentences == 7


def test_unknown_methods_are_one_clear_line():
    with pytest.raises(BionerError, match="'magic'.*nuner"):
        read_low_resource(CONFIGS / "gpu" / "low_resource.cfg", {"low_resource.methods": ["magic"]})


def test_another_encoder_reaches_its_trainings(settings, tmp_path):
    chosen = settings.model_copy(update={"methods": ["gold", "nuner", "genllm"], "encoders": {"nuner": "some/model"}})
    steps = LowResourceSteps(chosen, corpus=tmp_path, output=tmp_path / "out", labels=tmp_path / "labels.yml",
                             profile=CONFIGS / "smoke").steps()
    other = [step for step in steps if "some/model" in step.arguments]
    assert other and all("nuner" in step.name for step in other)


def test_the_curve_trains_on_growing_parts_of_gold_and_on_generated_sentences_alone(corpus, settings, tmp_path):
    chosen = settings.model_copy(update={"curve": settings.curve.model_copy(update={"gold_sizes": [4, 8]})})
    fix_data(corpus, tmp_path / "out", chosen, name="toy", curve=True)
    few, more = ({record.id for record in read_jsonl(tmp_path / "out" / "curve" / f"gold-{count}.jsonl")}
                 for count in (4, 8))
    assert len(few) == 4 and len(more) == 8 and few < more
    trials = LowResourceSteps(chosen, corpus=corpus, output=tmp_path / "out", labels=tmp_path / "labels.yml",
                              profile=CONFIGS / "smoke")
    added = trials.steps(curve=True)[len(trials.steps()):]
    alone = [step for step in added if step.verb == "train" and "synthetic" in step.arguments]
    assert len(alone) == 2 and not any("--gold" in step.arguments for step in alone)
    assert [step.verb for step in added].count("train") == 6 and added[-1].output.name == "curve.json"


@needs_corpora
@pytest.mark.parametrize("corpus", ["bc5cdr", "tdmsci"])
def test_the_same_command_takes_either_corpus(corpus, tmp_path):
    labels = CONFIGS.parent / "assets" / "labels" / f"{corpus}.yml"
    prepared = CliRunner().invoke(app, ["prepare", str(CORPORA), corpus, str(tmp_path / corpus), "--labels",
                                        str(labels), "--leaks", "drop", "--raw", "train"])
    assert prepared.exit_code == 0, prepared.output
    listed = CliRunner().invoke(app, ["low-resource", str(tmp_path / corpus), str(tmp_path / "out"), "--labels",
                                      str(labels), "--profile", str(CONFIGS / "embedded"), "--quick", "--list"])
    assert listed.exit_code == 0, listed.output
    assert listed.output.count("train ->") == 8
    card = json.loads((tmp_path / "out" / "card.json").read_text())["gold"]
    for size in card.values():
        for label, wanted in size["wanted"].items():
            assert 0.7 * wanted <= size["mentions"][label] <= wanted
