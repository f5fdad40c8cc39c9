import json
import re
import sys
from pathlib import Path

import pytest
from tiny_models import save_tiny_model

from spacy_bioner.cli._shared.schema import Schema
from spacy_bioner.cli._shared.settings import load_settings
from spacy_bioner.cli.train.annotator import FinetuneSettings, find_start, finetune, parse_corpus
from spacy_bioner.config_files import find_config
from spacy_bioner.errors import BionerError

SCHEMA = Schema({"DISEASE": "diseases"}, "Mini", "en")


def write(path, texts, split):
    records = [{"id": f"{split}{number}", "text": text, "meta": {"split": split},
                "spans": [{"start": 0, "end": len(text.split()[0]), "label": "DISEASE"}]}
               for number, text in enumerate(texts)]
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


@pytest.fixture
def gold(tmp_path):
    return write(tmp_path / "gold.jsonl", ["Gout hurts.", "Asthma is common.", "Measles spread."], "train")


@pytest.fixture(scope="module")
def tiny_model(tmp_path_factory):
    """A tiny random Qwen3 model in a folder."""
    return save_tiny_model(tmp_path_factory.mktemp("model"))


@pytest.mark.parametrize("lines, labels, written", [("auto", 1, "all"), ("auto", 2, "all"), ("auto", 5, "occurring"),
                                                    ("occurring", 1, "occurring"), ("all", 5, "all")])
def test_few_labels_get_a_line_each_and_what_auto_chose_is_told(lines, labels, written, caplog):
    settings = FinetuneSettings(model="any", codec="bracket", codec_options={"lines": lines})
    with caplog.at_level("INFO", logger="spacy_bioner"):
        assert settings.make_codec(labels).settings()["lines"] == written
    assert (f"{labels} labels in a response: {written}" in caplog.text) == (lines == "auto")


@pytest.mark.parametrize("labels, begun, wanted", [
    pytest.param(1, None, {"name": "bracket", "lines": "all"}, id="one-label"),
    pytest.param(2, None, {"name": "html"}, id="two-labels"),
    pytest.param(5, {"name": "bracket", "lines": "occurring"}, {"name": "bracket", "lines": "occurring"}, id="begun"),
    pytest.param(1, {"name": "json", "shape": "name"}, {"name": "json", "shape": "name"}, id="begun-with-json"),
])
def test_automatic_codec_suits_the_labels_or_the_adapter_that_training_begins_with(labels, begun, wanted, caplog):
    settings = FinetuneSettings(model="any", codec="auto", codec_options={"lines": "auto"})
    with caplog.at_level("INFO"):
        assert settings.make_codec(labels, begun=begun).settings() == wanted
    assert f"in one: {wanted['name']}" in caplog.text


def test_lines_that_are_asked_for_are_bracket_lines_whatever_the_labels():
    settings = FinetuneSettings(model="any", codec="auto", codec_options={"lines": "occurring"})
    assert settings.make_codec(5).settings() == {"name": "bracket", "lines": "occurring"}


def test_training_that_begins_with_an_adapter_takes_its_lines():
    settings = FinetuneSettings(model="any", codec="bracket", codec_options={"lines": "auto"})
    assert settings.make_codec(5, begun={"name": "bracket", "lines": "all"}).settings()["lines"] == "all"
    assert settings.make_codec(5, begun={"name": "html"}).settings()["lines"] == "occurring"


def test_training_begins_with_the_packaged_adapter_or_a_folder_or_with_nothing(tmp_path):
    embedded = "smollm2-135m-instruct"
    assert find_start(FinetuneSettings(model=embedded)) is None
    assert find_start(FinetuneSettings(model=embedded, start_from="packaged")).name == "label_sets_adapter"
    assert find_start(FinetuneSettings(model=embedded, start_from="auto")).name == "embedded_adapter"
    with pytest.raises(BionerError, match=f"'other-model', only for {embedded}"):
        find_start(FinetuneSettings(model="other-model", start_from="packaged"))
    with pytest.raises(BionerError, match="No adapter at .*nowhere"):
        find_start(FinetuneSettings(model=embedded, start_from=str(tmp_path / "nowhere")))


@pytest.mark.issue(6)
@pytest.mark.parametrize("codec", ["json", "html"])
def test_automatic_lines_are_passed_over_by_codecs_without_lines(codec):
    settings = FinetuneSettings(model="any", codec=codec, codec_options={"lines": "auto"})
    assert settings.make_codec(5).name == codec


@pytest.mark.parametrize("codec", ["bracket", "html", "json"])
def test_adapter_holds_what_annotation_needs(gold, tmp_path, tiny_model, codec):
    from spacy_bioner.codecs import make_codec
    from spacy_bioner.llm.adapter import AdapterCard
    from spacy_bioner.llm.local.causal_lm import load_causal_lm
    from spacy_bioner.prompts.build import PromptBuilder

    dev = write(tmp_path / "dev.jsonl", ["Mumps came."], "dev")
    settings = FinetuneSettings(model=tiny_model, dtype="float32", codec=codec, loss="decisions",
                                lora={"r": 2}, training={"max_epochs": 1, "batch_size": 2, "seed": 7})
    result = finetune(gold, tmp_path / "adapter", settings, schema=SCHEMA, dev=dev)
    card = AdapterCard.read(result.folder)
    assert (card.base_model, card.labels, card.corpus, card.seed) == (tiny_model, SCHEMA.labels, "Mini", 7)
    assert card.codec["name"] == codec and card.data_hash and card.versions["peft"]
    assert card.score == {"dev_f1": result.score}
    builder = PromptBuilder(template=card.template, labels=card.labels, codec=make_codec(**card.codec),
                            corpus=card.corpus, lang=card.lang)
    assert card.check(builder.settings(), base_model=tiny_model, chat=False) == []
    with pytest.raises(BionerError, match="other-model"):
        card.check(builder.settings(), base_model="other-model")
    assert load_causal_lm(tiny_model, adapter=str(result.folder), dtype="float32").model is not None
    modules = json.loads((result.folder / "adapter_config.json").read_text())["target_modules"]
    assert modules == sorted(modules), "the order of a set is another one in each process"


def test_corpora_are_trained_on_jointly_each_with_its_own_labels(gold, tmp_path, tiny_model):
    other = tmp_path / "zh.jsonl"
    other.write_text(json.dumps({"id": "z", "text": "患者有痛风。", "spans": [{"start": 3, "end": 5, "label": "dis"}],
                                 "meta": {"split": "train", "lang": "zh"}}) + "\n")
    schema = tmp_path / "zh.yml"
    schema.write_text("corpus: Klein\nlang: zh\nlabels:\n  dis: 疾病\n")
    settings = FinetuneSettings(model=tiny_model, dtype="float32", lora={"r": 2},
                                training={"max_epochs": 1, "batch_size": 4, "balance": True})
    result = finetune(gold, tmp_path / "adapter", settings, schema=SCHEMA, added=[(other, schema)])
    figures = json.loads((result.folder / "training.json").read_text())
    assert figures["corpora"] == [["Mini", 3], ["Klein", 1]]
    assert result.updates == 2
    card = json.loads((result.folder / "bioner.json").read_text())
    assert card["more_corpora"] == [{"labels": {"dis": "疾病"}, "corpus": "Klein", "lang": "zh"}]
    assert list(card["more_templates"]) == ["annotate.zh"] and card["max_sentences"] == 1


def test_text_of_dev_in_training_is_an_error(gold, tmp_path):
    dev = write(tmp_path / "dev.jsonl", ["Gout hurts."], "dev")
    with pytest.raises(BionerError, match="also occurs in"):
        finetune(gold, tmp_path / "adapter", FinetuneSettings(model="absent"), schema=SCHEMA, dev=dev)


@pytest.mark.issue(6)
def test_held_out_text_in_training_is_an_error(gold, tmp_path, refused, pytestconfig):
    test = write(tmp_path / "test.jsonl", ["gout hurts"], "test")
    assert "also occurs in" in refused(
        "train", "annotator", gold, tmp_path / "adapter", "--labels",
        pytestconfig.rootpath / "assets/labels/ncbi_disease.yml", "--held-out", gold_free(tmp_path), "--held-out", test,
        "--profile", "smoke")


def gold_free(folder):
    return write(folder / "other.jsonl", ["Fever rose."], "test")


@pytest.mark.issue(6)
@pytest.mark.parametrize("name, message", [(".", "without a name"), ("gold.jsonl", "is a file"), ("full", "notes.txt")])
def test_output_that_is_no_adapter_is_refused(gold, tmp_path, refused, pytestconfig, monkeypatch, name, message):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes.txt").write_text("mine")
    root = pytestconfig.rootpath
    monkeypatch.chdir(tmp_path)
    assert message in refused("train", "annotator", gold, name, "--labels", root / "assets/labels/ncbi_disease.yml",
                              "--profile", "smoke")
    assert (tmp_path / "full" / "notes.txt").read_text() == "mine" and gold.is_file()


@pytest.mark.issue(6)
@pytest.mark.parametrize("configured, gpu_id, process, chosen", [
    pytest.param("auto", -1, None, "cpu", id="no-gpu-asked-for"),
    pytest.param("auto", 1, None, "cuda:1", id="gpu"),
    pytest.param("cuda", -1, None, "cuda", id="config"),
    pytest.param("auto", 0, "cuda:3", "cuda:3", id="each-process-its-own"),
])
def test_device_is_the_one_asked_for(monkeypatch, configured, gpu_id, process, chosen):
    from spacy_bioner.llm.local import causal_lm

    monkeypatch.setattr(causal_lm, "load_causal_lm", lambda name, **options: options["device"])
    assert FinetuneSettings(model="any", device=configured).load(gpu_id, device=process) == chosen


def test_gpu_profile_trains_by_qlora():
    settings = load_settings(find_config("finetune", profile="gpu"), "finetune", FinetuneSettings, {})
    assert (settings.model, settings.quantize) == ("Qwen/Qwen3-8B", "4bit")


def test_unknown_key_is_an_error_with_the_nearest_name():
    with pytest.raises(BionerError, match="warmup_ration.*Did you mean 'warmup_ratio'"):
        load_settings(find_config("finetune"), "finetune", FinetuneSettings, {"finetune.training.warmup_ration": 3})


def test_verbs_import_no_torch():
    import subprocess

    code = ("import sys, spacy_bioner.cli.train.annotator, spacy_bioner.cli.select.records; "
            "sys.exit('torch' in sys.modules)")
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_added_corpus_is_gold_and_schema():
    assert parse_corpus("a.jsonl=b.yml") == (Path("a.jsonl"), Path("b.yml"))
    with pytest.raises(BionerError, match="Write GOLD=SCHEMA"):
        parse_corpus("a.jsonl")


@pytest.mark.issue(6)
@pytest.mark.parametrize("profile, family", [
    ("gpu", "qwen3"), ("gpu,gpu_small", "qwen3"), ("gpu,bioselecttune", "qwen3"), ("gpu,lv2025", "glm"),
    ("gpu,genllm", "llama"), ("gpu,truveta", "qwen3")])
def test_gpu_profile_runs_whole_on_a_tiny_model(gold, tmp_path, verb, profile, family):
    """The configs as they are, of all documents, but for what needs a GPU: select, train, annotate."""
    tiny_model = save_tiny_model(tmp_path / "model", family)
    dev = write(tmp_path / "dev.jsonl", ["Mumps came."], "dev")
    (tmp_path / "labels.yml").write_text("corpus: Mini\nlabels: {DISEASE: diseases}\n")
    shared = ["--labels", tmp_path / "labels.yml", "--profile", profile]
    code, out, err = verb("select", "records", gold, tmp_path / "chosen.jsonl", *shared,
                          "--select_data.model", tiny_model, "--select_data.dtype", "float32",
                          "--select_data.max_ifd", 100)
    assert code == 0, out + err
    code, out, err = verb("train", "annotator", tmp_path / "chosen.jsonl", tmp_path / "adapter", "--dev", dev, *shared,
                          "--finetune.model", tiny_model, "--finetune.quantize",
                          "null", "--finetune.dtype", "float32", "--epochs", 1)
    assert code == 0, out + err
    assert "1 steps" in err and "on dev" in err
    code, out, err = verb("annotate", dev, tmp_path / "found.jsonl", "--profile", profile,
                          "--annotate.model", tiny_model, "--annotate.adapter", tmp_path / "adapter",
                          "--annotate.dtype", "float32", "--annotate.cache", "null")
    assert code == 0, out + err


def test_a_scorer_of_another_family_ranks_records(gold, tmp_path, verb):
    (tmp_path / "labels.yml").write_text("corpus: Mini\nlabels: {DISEASE: diseases}\n")
    code, out, err = verb("select", "records", gold, tmp_path / "chosen.jsonl", "--labels", tmp_path / "labels.yml",
                          "--select_data.model", save_tiny_model(tmp_path / "model", "biogpt"),
                          "--select_data.dtype", "float32", "--select_data.max_ifd", 100)
    assert code == 0, out + err
    report = json.loads((tmp_path / "chosen.selection.json").read_text())
    assert report["mentions"] == report["chosen"]


@pytest.mark.issue(6)
def test_workflow_writes_nothing_into_the_package_and_holds_out_test(pytestconfig):
    from weasel.util.config import load_project_config

    project = load_project_config(pytestconfig.rootpath)
    commands = {command["name"]: command for command in project["commands"]}
    outputs = [path for command in commands.values() for path in command.get("outputs", [])]
    assert not [path for path in outputs if path.startswith("spacy_bioner")]
    [trained] = commands["train-annotator"]["script"]
    assert re.search(r"--held-out \S+/test.jsonl", trained)


@pytest.mark.issue(22)
def test_an_adapter_tells_its_texts_by_hashes_and_is_kept_from_dev_and_test_with_one_of_them(tmp_path, tiny_model):
    texts = ["Gout hurts in the big toe of most patients who drink beer every day of the week.",
             "Asthma is common among children who grow up beside busy roads in large cities of the north."]
    other = "Measles spread in schools where less than nine of ten children had been vaccinated before."
    first, second = (write(tmp_path / f"{name}.jsonl", [text], "train") for name, text in zip("ab", texts))

    def train(name, gold, **arguments):
        settings = FinetuneSettings(model=tiny_model, dtype="float32", lora={"r": 2}, codec="html",
                                    start_from=arguments.pop("start", None), training={"max_epochs": 1})
        return finetune(gold, tmp_path / name, settings, schema=SCHEMA, **arguments).folder

    begun = train("begun", first)
    assert "Gout" not in (begun / "training_texts.json").read_text()
    further = train("further", second, start=str(begun))
    seen = write(tmp_path / "seen.jsonl", [other, texts[0]], "test")
    for start in (begun, further):
        with pytest.raises(BionerError, match="was trained on texts of this corpus: 1 of 2 records of .*seen.jsonl"):
            train("never", write(tmp_path / "c.jsonl", [other[:60]], "train"), start=str(start), held_out=[seen])
    assert not (tmp_path / "never").exists()
    assert train("again", first, start=str(further)).is_dir()
