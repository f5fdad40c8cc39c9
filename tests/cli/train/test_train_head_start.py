"""The verb train head-start: weights that another training begins with, but never on their own texts."""

import json

import pytest
import spacy
from small_trainings import write_sentences
from tiny_models import write_bert

ENCODER = "components.bioner_spancat.model.tok2vec"


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Return a folder with two sources, a target corpus, and a small encoder."""
    folder = tmp_path_factory.mktemp("data")
    write_sentences(folder / "one.jsonl", "train", range(0, 12))
    write_sentences(folder / "two.jsonl", "train", range(20, 32), label="Illness")
    write_sentences(folder / "test-of-two.jsonl", "train", range(20, 24))
    write_sentences(folder / "gold.jsonl", "train", range(50, 60), label="FINDING")
    write_sentences(folder / "dev.jsonl", "dev", range(6))
    (folder / "bert").mkdir()
    write_bert(folder / "bert")
    return folder


def small(data, **encoder):
    settings = {"name": data / "bert", "max_pieces": 60, "overlap": 20, **encoder}
    given = {f"{ENCODER}.{name}": value for name, value in settings.items()}
    given.update({"components.bioner_spancat.model.hidden_size": 8, "components.bioner_spancat.model.rank": 4,
                  "training.batcher.size": 60})
    return [part for name, value in given.items() for part in (f"--{name}", value)]


@pytest.fixture(scope="module")
def start(data):
    from typer.testing import CliRunner

    from spacy_bioner.cli.main import app

    done = CliRunner().invoke(app, ["train", "head-start", f"one={data / 'one.jsonl'}", f"two={data / 'two.jsonl'}",
                                    str(data / "start"), "--exclude", str(data / "test-of-two.jsonl"), "--updates", "4",
                                    "--dev", "2", *map(str, small(data, lora_rank=2))])
    assert done.exit_code == 0, done.output
    return data / "start"


def test_each_source_keeps_its_own_labels_and_loses_excluded_texts(start):
    card = json.loads((start / "head_start" / "head_start.json").read_text())
    assert card["labels"] == ["one/DISEASE", "two/Illness"]
    assert card["sources"]["two"]["left_out"] == 4 and card["sources"]["two"]["sentences"] == 6
    assert card["sources"]["one"]["left_out"] == 0 and set(card["dev_f1"]) == {"one", "two"}
    assert "family 25" not in (start / "head_start" / "training_texts.json").read_text()


def train(data, gold, start_from, **encoder):
    return ["train", "spancat", gold, data / "out", "--dev", data / "dev.jsonl", "--updates", 2, "--evaluations", 1,
            "--overwrite", *small(data, start_from=start_from, **encoder)]


def test_a_training_on_another_corpus_begins_with_it(verb, data, start):
    code, _, err = verb(*train(data, data / "gold.jsonl", start / "head_start"))
    assert code == 0, err
    nlp = spacy.load(data / "out" / "model-best")
    assert set(nlp.get_pipe("bioner_spancat").cfg["begun_as"]) == {"FINDING"}
    card = nlp.meta["spacy_bioner"]
    assert card["head_start"]["sources"] == ["one", "two"] and len(card["head_start"]["sha256"]) == 64


def test_a_corpus_that_is_among_its_sources_is_refused(refused, data, start):
    said = refused(*train(data, data / "one.jsonl", start / "head_start"))
    assert "12 of 12 records" in said and "Set start_from = null" in said


def test_held_out_texts_that_are_among_its_sources_are_refused(refused, data, start):
    said = refused(*train(data, data / "gold.jsonl", start / "head_start"), "--held-out", data / "two.jsonl")
    assert "8 of 12 records" in said and str(data / "two.jsonl") in said


def test_it_does_not_go_with_lora(refused, data, start):
    assert "start_from and lora_rank" in refused(*train(data, data / "gold.jsonl", start / "head_start", lora_rank=2))
