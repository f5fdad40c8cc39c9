"""Options that would do nothing are refused; hints name the option, the config and the keys that are meant."""


import pytest
from places import CONFIGS

from spacy_bioner.annotation import Annotation, Mention
from spacy_bioner.formats.jsonl import write_jsonl

TEXT = "The patients with severe asthma were given aspirin and heparin."
SEEDS = f"--labels labels.yml --config {CONFIGS / 'generate.cfg'}"


@pytest.fixture
def data(tmp_path, monkeypatch):
    """Return the working folder, with records, a list and a schema, and no configs."""
    write_jsonl(tmp_path / "gold.jsonl", [Annotation(TEXT, (Mention(18, 31, "DISEASE"),), id="a",
                                                     meta={"split": "train"})])
    (tmp_path / "names.txt").write_text("gout\n")
    (tmp_path / "list.csv").write_text("text,label\ngout,DISEASE\n")
    (tmp_path / "labels.yml").write_text("corpus: toy\nlabels: {DISEASE: illnesses}\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("arguments, told", [
    pytest.param("merge out.jsonl --gold gold.jsonl --dictionary-label X", "no --dictionary is given", id="merge"),
    pytest.param("encode gold.jsonl out.jsonl --format html --shape foo", "--shape has no effect", id="shape"),
    pytest.param("encode gold.jsonl out.jsonl --format json --lines all", "--lines has no effect", id="lines"),
    pytest.param(f"generate seeds list.csv out.jsonl --held-out gold.jsonl {SEEDS}", "--held-out is for annotated",
                 id="list"),
    pytest.param(f"generate seeds list.csv out.jsonl --synthesize.nokey 5 {SEEDS}", "--synthesize.nokey has no effect",
                 id="section"),
    pytest.param(f"annotate gold.jsonl out --engine ray --config {CONFIGS / 'annotate.cfg'} --annotate.limit 5",
                 "--annotate.limit has no effect here: --engine ray", id="limit"),
    pytest.param("evaluate gold.jsonl =gold.jsonl -o out.json", "'=gold.jsonl' as a system", id="no-name"),
    pytest.param("evaluate gold.jsonl mine= -o out.json", "'mine=' as a system", id="no-path"),
])
def test_an_option_that_would_do_nothing_is_refused(refused, data, arguments, told):
    assert told in refused(*arguments.split())
    assert not list(data.glob("out*"))


@pytest.mark.parametrize("arguments, told", [
    pytest.param("merge out.jsonl --gold gold.jsonl --dictionary names.txt", "(--dictionary-label).", id="label"),
    pytest.param("merge out.jsonl --gold gold.jsonl --dictionary list.csv --dictionary-label X",
                 "--dictionary-label is for a list without labels", id="labels-twice"),
    pytest.param(f"train selector gold.jsonl out --dev gold.jsonl --config {CONFIGS / 'finetune.cfg'}",
                 "Compare configs/selector.cfg", id="selector"),
    pytest.param(f"train spancat gold.jsonl out --dev gold.jsonl --config {CONFIGS / 'finetune.cfg'}",
                 "Compare configs/spancat.cfg", id="train"),
    pytest.param(f"train annotator gold.jsonl out --labels labels.yml --finetune.training.nokey 1 --config "
                 f"{CONFIGS / 'finetune.cfg'}", "Known: max_epochs, ", id="inner-key"),
    pytest.param(f"train annotator gold.jsonl out --labels labels.yml --finetune.nokey 1 --config "
                 f"{CONFIGS / 'finetune.cfg'}", "Known: model, ", id="outer-key"),
])
def test_a_hint_names_what_is_meant(refused, data, arguments, told):
    assert told in refused(*arguments.split())


def test_a_config_of_ones_own_that_is_missing_is_just_that(refused, data):
    said = refused("train", "spancat", "gold.jsonl", "out", "--dev", "gold.jsonl", "--config", "mine.cfg")
    assert "There is no config file at mine.cfg. Give the path of an existing one." in said


def test_a_codec_that_there_is_not_is_told_before_the_model_is_loaded(refused, data, monkeypatch):
    from spacy_bioner.cli.train.annotator import FinetuneSettings

    monkeypatch.setattr(FinetuneSettings, "load", lambda *_, **__: pytest.fail("the model was loaded"))
    assert "Unknown codec 'nope'" in refused("train", "annotator", "gold.jsonl", "out", "--labels", "labels.yml",
                                             "--config", CONFIGS / "finetune.cfg", "--finetune.codec", "nope")
