"""The verb low-resource: data fixed first, parts in order, finished ones not run again."""

import json

import pytest
from corpora import CORPORA, needs_corpora
from places import CONFIGS
from typer.testing import CliRunner

from spacy_bioner.annotation import Annotation, Mention
from spacy_bioner.cli._shared.settings import load_config, load_settings, read_overrides
from spacy_bioner.cli.low_resource_data import fix_data, join_generated
from spacy_bioner.cli.low_resource_settings import HighResourceSettings, LowResourceSettings, Variant, read_low_resource
from spacy_bioner.cli.low_resource_steps import LowResourceSteps, spell_overrides
from spacy_bioner.cli.main import app
from spacy_bioner.cli.train.generator import PromptSettings, TeachSettings
from spacy_bioner.errors import BionerError
from spacy_bioner.experiments.execution import run_plan
from spacy_bioner.experiments.steps import Plan, Step
from spacy_bioner.files import write_json, write_json_lines
from spacy_bioner.formats.jsonl import read_jsonl


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


def trials_of(settings, folder, **options):
    return LowResourceSteps(settings, corpus=folder, output=folder / "out", labels=folder / "labels.yml",
                            profile=CONFIGS / "smoke", **options)


def steps_of(settings, folder, **options):
    return trials_of(settings, folder, **options).steps()


def value_of(step, option):
    """RETURNS (str): What stands after an option in the command line of a step."""
    return step.arguments[step.arguments.index(option) + 1]


def test_gold_subsets_and_test_sample_are_fixed_first(corpus, settings, tmp_path):
    card = fix_data(corpus, tmp_path / "out", settings, name="toy")
    assert card["2"] == {"sentences": 3, "mentions": {"DRUG": 3}, "wanted": {"DRUG": 3}}
    small, large = (list(read_jsonl(tmp_path / "out" / size / "gold.jsonl")) for size in ("2", "5"))
    assert len(small) == 3 and len(large) == 6
    assert {record.id for record in small} < {record.id for record in large}
    assert len(list(read_jsonl(tmp_path / "out" / "test-sample.jsonl"))) == 3


def test_sizes_without_mention_counts_are_refused_where_there_is_no_rule(corpus, settings, tmp_path):
    with pytest.raises(BionerError, match="corpus 'other' for dictionaries of 2"):
        fix_data(corpus, tmp_path / "out", settings, name="other")


@pytest.mark.parametrize("name, wanted", [
    pytest.param("toy", 3, id="counts-go-before-the-rule"),
    pytest.param("other", 5, id="rule"),
])
def test_another_corpus_has_mentions_in_proportion_to_its_names(corpus, settings, tmp_path, name, wanted):
    chosen = settings.model_copy(update={"mentions_per_name": 2.5, "sizes": [2]})
    assert fix_data(corpus, tmp_path / "out", chosen, name=name)["2"]["wanted"] == {"DRUG": wanted}


def test_a_label_with_fewer_names_than_asked_for_has_mentions_by_its_names(corpus, settings, tmp_path):
    chosen = settings.model_copy(update={"mentions_per_name": 2.0, "sizes": [100]})
    assert fix_data(corpus, tmp_path / "out", chosen, name="toy")["100"]["wanted"] == {"DRUG": 2 * 4}


def test_every_method_is_trained_with_every_seed_and_scored_on_the_same_sentences(settings, tmp_path):
    steps = steps_of(settings, tmp_path)
    verbs = [step.verb for step in steps]
    assert (verbs.count("generate sentences"), verbs.count("generate variants")) == (4, 4)
    assert (verbs.count("train spancat"), verbs.count("evaluate")) == (2 * 5 * 2, 3)
    outputs = [step.output for step in steps]
    assert len(set(outputs)) == len(outputs) == len({step.name for step in steps})
    assert sorted(step.output for step in Plan(steps).steps) == sorted(outputs)
    free = [step for step in steps if "chain_of_thought" in step.arguments]
    assert all("free" in step.arguments for step in free) and len(free) == 2


def test_reports_are_those_of_the_parts_of_this_run(settings, tmp_path):
    reports = trials_of(settings.model_copy(update={"methods": ["gold", "genllm"]}), tmp_path).reports()
    assert reports == {f"{size} {name}": tmp_path / "out" / size / f"{name}.report.json"
                       for size in ("2", "5") for name in ("genllm-simple", "genllm-chain_of_thought")}


@pytest.mark.parametrize("profile", ["embedded", "gpu", "smoke"], ids="profile-{}".format)
def test_configs_have_the_mention_counts_of_their_sizes(profile):
    found = load_settings(CONFIGS / profile / "low_resource.cfg", "low_resource", LowResourceSettings, {})
    for corpus in ("BC5CDR", "TDMSci"):
        assert {str(size) for size in found.sizes} <= set(found.targets[corpus])


def test_a_finished_part_is_not_run_again_and_a_failed_one_ends_the_run(corpus):
    (corpus / "labels.yml").write_text("labels: {DRUG: drugs}\n")
    arguments = ["generate", "seeds", str(corpus / "train.jsonl"), str(corpus / "seeds.jsonl"), "--labels",
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


@pytest.mark.parametrize("changes, message", [
    pytest.param({"full_test_methods": ["gold", "genlm"]}, "full_test_methods.*'genlm'.*genllm-simple-filter",
                 id="method"),
    pytest.param({"full_test_sizes": [5, 51]}, "full_test_sizes.*'51'.*15, 20", id="size"),
    pytest.param({"sizes": [0]}, "sizes", id="no-names"),
    pytest.param({"sizes": []}, "sizes.*at least 1 item", id="no-sizes"),
    pytest.param({"methods": []}, "methods.*at least 1 item", id="no-methods"),
    pytest.param({"seeds": []}, "seeds.*at least 1 item", id="no-seeds"),
    pytest.param({"variants": []}, "variants", id="no-variant"),
    pytest.param({"variants": [{"variant": "simple", "mod": "filter"}]}, "mod", id="key-of-a-variant"),
    pytest.param({"methods": ["gold"], "high_resource.methods": ["genllm"]}, "genllm is not among", id="not-generated"),
    pytest.param({"high_resource.methods": ["gold", "lsm"]}, "epochs has no number for lsm", id="no-epochs"),
])
def test_typos_are_one_clear_line(changes, message):
    with pytest.raises(BionerError, match=message):
        read_low_resource(CONFIGS / "gpu" / "low_resource.cfg", {f"low_resource.{key}": value
                                                                 for key, value in changes.items()})


def test_fewer_sizes_than_the_config_has_are_no_typo():
    found = read_low_resource(CONFIGS / "embedded" / "low_resource.cfg", {"low_resource.sizes": [10]})
    assert found.whole_sizes == []


def test_a_variant_may_have_a_mode_and_settings_of_its_own(settings, tmp_path):
    variants = ["simple", {"variant": "simple", "mode": "filter"},
                {"variant": "chain_of_thought", "options": {"synthesize.max_new_tokens": 512}}]
    chosen = LowResourceSettings.model_validate({**settings.model_dump(), "variants": variants, "sizes": [2]})
    made = {step.output.stem: step for step in steps_of(chosen, tmp_path) if step.verb == "generate sentences"}
    assert list(made) == ["genllm-simple", "genllm-simple-filter", "genllm-chain_of_thought"]
    assert "--synthesize.mode" not in made["genllm-simple"].arguments
    assert value_of(made["genllm-simple-filter"], "--synthesize.mode") == "filter"
    assert value_of(made["genllm-chain_of_thought"], "--synthesize.max_new_tokens") == "512"
    assert value_of(made["genllm-chain_of_thought"], "--synthesize.decoding") == "free"


def test_the_profiles_compare_the_variants_of_the_document():
    names = {profile: [[variant.name for variant in read_low_resource(CONFIGS / profile / "low_resource.cfg", {},
                                                                      quick=quick).variants] for quick in (False, True)]
             for profile in ("embedded", "gpu")}
    assert names["embedded"] == [["genllm-simple", "genllm-no_new_entity", "genllm-simple-filter"], ["genllm-simple"]]
    assert names["gpu"] == [["genllm-simple", "genllm-simple-filter", "genllm-no_new_entity",
                             "genllm-chain_of_thought"], ["genllm-simple"]]


@pytest.mark.parametrize("value, spelt", [
    pytest.param("some/model", "some/model", id="word"),
    pytest.param(["a", 'b"'], '["a", "b\\""]', id="list"),
    pytest.param(True, "true", id="truth"),
    pytest.param(None, "null", id="nothing"),
])
def test_overrides_are_read_as_they_were_meant(value, spelt):
    arguments = spell_overrides({"section.key": value})
    assert arguments == ["--section.key", spelt]
    assert read_overrides(arguments) == {"section.key": value}


def write_made(folder, *, full=(), empty=()):
    """Write sentences as the parts that make them would."""
    for name in full:
        write_json_lines(folder / f"{name}.jsonl", [Annotation("a drug", id="1").to_record()])
    for name in empty:
        write_json_lines(folder / f"{name}.jsonl", [])


def test_methods_for_which_no_sentence_was_made_are_not_trained(settings, tmp_path):
    chosen = settings.model_copy(update={
        "sizes": [2], "variants": [Variant(variant="simple")], "full_test_sizes": [2],
        "full_test_methods": ["gold", "genllm"], "curve": settings.curve.model_copy(update={"gold_sizes": [4]})})
    write_made(tmp_path / "out" / "2", full=["lsms"], empty=["llm-da", "genllm-simple"])
    write_made(tmp_path / "out" / "curve", empty=["synthetic"])
    trials = trials_of(chosen, tmp_path, curve=True)
    assert trials.failed() == {"2": ["llm-da", "genllm-simple"], "2-whole-test": ["genllm-simple"],
                               "curve": ["synthetic"]}
    steps = trials.steps()
    assert [step.output.name for step in steps if step.verb == "train spancat"] == [
        "gold-0", "gold-1", "lsms-0", "lsms-1", "gold-4-0", "gold-4-1"]
    scored = [argument for step in steps if step.verb == "evaluate" for argument in step.arguments if "@" in argument]
    assert not any(name in argument for argument in scored for name in ("llm-da", "genllm", "synthetic"))
    assert {step.output.stem for step in trials.data_steps()} == {"lsms", "llm-da", "genllm-simple", "synthetic"}


def test_a_part_that_reported_nothing_and_ended_with_an_error_is_a_failed_method(settings, tmp_path):
    chosen = settings.model_copy(update={"sizes": [2], "variants": [Variant(variant="simple")], "full_test_sizes": []})
    write_made(tmp_path / "out" / "2", full=["lsms"])
    write_json(tmp_path / "out" / "2" / "llm-da.report.json", {"made": 0, "error": "why"})
    write_json(tmp_path / "out" / "2" / "genllm-simple.report.json", {"accepted": 0, "error": "why"})
    trials = trials_of(chosen, tmp_path)
    assert trials.failed() == {"2": ["llm-da", "genllm-simple"]}
    assert [step.output.stem for step in trials.steps() if step.verb.startswith("generate ")] == ["lsms"]
    assert len(trials.data_steps()) == 3, "they are tried again"


def test_a_generator_that_was_taught_again_makes_its_sentences_anew(settings, tmp_path):
    adapter = tmp_path / "generator" / "adapter.safetensors"
    adapter.parent.mkdir()

    def fingerprints(content):
        adapter.write_text(content)
        plan = Plan(steps_of(settings, tmp_path, generator=adapter.parent))
        return {step.name: plan.fingerprint(step) for step in plan.steps}

    first, second = fingerprints("1"), fingerprints("2")
    changed = {name for name in first if first[name] != second[name]}
    assert {"2-llm-da.jsonl", "2-genllm-simple.jsonl", "2-training-genllm-simple-0", "metrics-2.json"} <= changed
    assert not changed & {"2-lsms.jsonl", "2-training-lsms-0", "2-training-gold-0"}


def high_of(settings):
    high = HighResourceSettings(methods=["gold", "lsms", "llm-da", "nuner", "genllm"], seeds=[3],
                                epochs={"gold": 3, "lsms": 6, "llm-da": 9, "nuner": 3, "genllm": 4})
    return settings.model_copy(update={"high_resource": high, "encoders": {"nuner": "some/model"}})


def test_with_all_gold_every_method_is_trained_so_many_epochs_and_scored_on_the_whole_test_part(settings, tmp_path):
    plain, steps = steps_of(settings, tmp_path), steps_of(high_of(settings), tmp_path)
    added = [step for step in steps if step not in plain]
    trained = {step.output.name: step for step in added if step.verb == "train spancat"}
    assert {name: value_of(step, "--epochs") for name, step in trained.items()} == {
        "gold-3": "3", "lsms-3": "6", "llm-da-3": "9", "nuner-3": "3", "genllm-simple-3": "4"}
    assert all(step.arguments[2] == str(tmp_path / "train.jsonl") for step in trained.values())
    assert not any("--updates" in step.arguments for step in trained.values())
    assert value_of(trained["genllm-simple-3"], "--strategy") == "pretrain_once"
    assert value_of(trained["genllm-simple-3"], "--synthetic") == str(
        tmp_path / "out" / "high-resource" / "genllm-simple.jsonl")
    assert {step.output.name: step.arguments[2] for step in added if step.verb == "generate variants"} == {
        "lsms.jsonl": str(tmp_path / "train.jsonl"), "llm-da.jsonl": str(tmp_path / "train.jsonl")}
    assert added[-1].verb == "evaluate" and added[-1].arguments[1] == str(tmp_path / "test.jsonl")
    assert len({step.name for step in steps}) == len(steps)


def test_generated_sentences_of_all_sizes_are_joined_with_ids_of_their_own(settings, tmp_path):
    for size in settings.sizes:
        write_made(tmp_path / f"{size}", full=["genllm-simple"])
    assert join_generated(tmp_path, settings) == 2
    joined = read_jsonl(tmp_path / "high-resource" / "genllm-simple.jsonl")
    assert [sentence.id for sentence in joined] == ["2-1", "5-1"]


def test_all_of_train_as_gold_is_in_the_gpu_profile_and_not_in_its_quick_form():
    path = CONFIGS / "gpu" / "low_resource.cfg"
    full, quick = (read_low_resource(path, {}, quick=quick).high_resource for quick in (False, True))
    assert full.methods == ["gold", "lsms", "llm-da", "nuner", "genllm"] and quick is None


def test_another_encoder_reaches_its_trainings(settings, tmp_path):
    chosen = settings.model_copy(update={"methods": ["gold", "nuner", "genllm"], "encoders": {"nuner": "some/model"}})
    steps = steps_of(chosen, tmp_path)
    other = [step for step in steps if "some/model" in step.arguments]
    assert other and all("nuner" in step.name for step in other)


def test_the_curve_trains_on_growing_parts_of_gold_and_on_generated_sentences_alone(corpus, settings, tmp_path):
    chosen = settings.model_copy(update={"curve": settings.curve.model_copy(update={"gold_sizes": [4, 8]})})
    fix_data(corpus, tmp_path / "out", chosen, name="toy", curve=True)
    few, more = ({record.id for record in read_jsonl(tmp_path / "out" / "curve" / f"gold-{count}.jsonl")}
                 for count in (4, 8))
    assert len(few) == 4 and len(more) == 8 and few < more
    plain, with_curve = (steps_of(chosen, tmp_path, curve=curve) for curve in (False, True))
    added = [step for step in with_curve if step not in plain]
    alone = [step for step in added if step.verb == "train spancat" and "synthetic" in step.arguments]
    assert len(alone) == 2 and not any(step.arguments[2] != "-" for step in alone)
    assert [step.verb for step in added].count("train spancat") == 6 and added[-1].output.name == "curve.json"


@pytest.mark.parametrize("own, wanted", [pytest.param(300, "300", id="own"), pytest.param(0, "90", id="as-all")])
def test_all_trainings_of_the_curve_take_the_same_updates(settings, tmp_path, own, wanted):
    curve = settings.curve.model_copy(update={"updates": own, "gold_sizes": [4]})
    steps = steps_of(settings.model_copy(update={"updates": 90, "curve": curve}), tmp_path, curve=True)
    for step in (step for step in steps if step.verb == "train spancat"):
        of_curve = step.output.parts[-3] == "curve"
        assert value_of(step, "--updates") == (wanted if of_curve else "90")


@pytest.mark.parametrize("profile", ["embedded", "gpu", "smoke"], ids="profile-{}".format)
def test_the_strategies_of_a_profile_are_there(profile):
    found = read_low_resource(CONFIGS / profile / "low_resource.cfg", {})
    known = load_config(CONFIGS / profile / "strategies.cfg")["strategies"]
    high = HighResourceSettings(methods=[], epochs={}).strategy
    assert {found.strategy, high, "gold", "synthetic", "S2"} <= set(known)
    assert [stage["passes"] for stage in known["pretrain_once"]["stages"]] == [1, 3]


@pytest.mark.parametrize("profile, pairs", [("embedded", 300), ("gpu", 4000), ("smoke", 16)],
                         ids=lambda value: f"of-{value}")
def test_the_generator_of_a_profile_is_taught_from_its_own_number_of_raw_pairs(profile, pairs):
    path = CONFIGS / profile / "low_resource_generator.cfg"
    load_settings(path, "prompt", PromptSettings, {})
    taught = load_settings(path, "teach", TeachSettings, {})
    assert (taught.raw_pairs, taught.gold_pairs) == (pairs, 0)
    shared = load_settings(CONFIGS / profile / "synthesize.cfg", "teach", TeachSettings, {})
    assert taught.model_copy(update={"raw_pairs": 0, "gold_pairs": 0}) == shared.model_copy(
        update={"raw_pairs": 0, "gold_pairs": 0}), "all else is as in synthesize.cfg"


def test_the_default_corpus_goes_without_a_change_of_the_config(tmp_path):
    folder = CONFIGS.parent / "assets" / "embedded"
    listed = CliRunner().invoke(app, ["low-resource", str(folder), str(tmp_path / "out"), "--labels",
                                      str(folder / "labels.yml"), "--profile", str(CONFIGS / "embedded"), "--list"])
    assert listed.exit_code == 0, listed.output
    assert listed.output.count("train spancat ->") == 5 * 6 * 3
    card = json.loads((tmp_path / "out" / "card.json").read_text())["gold"]
    assert set(card["5"]["wanted"].values()) == {19}, "3.75 mentions for each of 5 names"
    assert all(count > 9 for count in card["5"]["mentions"].values())


@needs_corpora
@pytest.mark.parametrize("corpus", ["bc5cdr", "tdmsci"])
def test_the_same_command_takes_either_corpus(corpus, tmp_path):
    labels = CONFIGS.parent / "assets" / "labels" / f"{corpus}.yml"
    prepared = CliRunner().invoke(app, ["prepare", str(CORPORA), corpus, str(tmp_path / corpus), "--labels",
                                        str(labels), "--leaks", "drop", "--raw", "none"])
    assert prepared.exit_code == 0, prepared.output
    listed = CliRunner().invoke(app, ["low-resource", str(tmp_path / corpus), str(tmp_path / "out"), "--labels",
                                      str(labels), "--profile", str(CONFIGS / "embedded"), "--quick", "--list"])
    assert listed.exit_code == 0, listed.output
    assert listed.output.count("train spancat ->") == 8
    card = json.loads((tmp_path / "out" / "card.json").read_text())["gold"]
    for size in card.values():
        for label, wanted in size["wanted"].items():
            assert 0.7 * wanted <= size["mentions"][label] <= wanted
