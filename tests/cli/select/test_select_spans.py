"""The verb select spans: records without what a selector finds wrong; bad input is one line and writes nothing."""

import json
import shutil

import pytest
import torch
from small_trainings import NAMES, small_settings, write_sentences
from tiny_models import tiny_tokenizer
from transformers import LlamaConfig, LlamaForCausalLM

from spacy_bioner.annotation import Annotation
from spacy_bioner.config_files import find_config
from spacy_bioner.formats.jsonl import read_jsonl, write_jsonl
from spacy_bioner.training.selector.selector_training import SelectorRun, run_selector


def train(folder, *, profile=None, updates=40, **overrides):
    """Return the pipeline of a selector."""
    gold = write_sentences(folder / "gold.jsonl", "train", range(20))
    dev = write_sentences(folder / "dev.jsonl", "dev", range(5))
    small = small_settings("span_selector") if profile is None else {}
    run_selector(SelectorRun(config=find_config("selector", profile=profile), gold=gold, dev=dev, predicted=None,
                             dev_predicted=None, seed=1, updates=updates, evaluations=2, tune="none",
                             overrides={**small, **overrides}),
                 folder / "out")
    return folder / "out" / "model-best"


@pytest.fixture(scope="module")
def selector(tmp_path_factory):
    return train(tmp_path_factory.mktemp("selector"))


def save_base(folder, seed):
    """A tiny causal model with random weights."""
    torch.manual_seed(seed)
    config = LlamaConfig(vocab_size=len(tiny_tokenizer()), hidden_size=16, intermediate_size=24, num_hidden_layers=1,
                         num_attention_heads=2, num_key_value_heads=2, max_position_embeddings=512)
    LlamaForCausalLM(config).save_pretrained(folder)
    tiny_tokenizer().save_pretrained(folder)


def test_what_is_kept_and_what_is_dropped_add_up(verb, selector, tmp_path):
    right = write_sentences(tmp_path / "right.jsonl", "train", range(30, 40), score=0.9)
    wrong = write_sentences(tmp_path / "wrong.jsonl", "train", range(40, 50), wrong=True)
    code, out, err = verb("select", "spans", right, wrong, tmp_path / "kept.jsonl", "--selector", selector)
    assert code == 0, err
    kept, dropped = (list(read_jsonl(tmp_path / name)) for name in ("kept.jsonl", "kept.rejected.jsonl"))
    assert len(kept) == 20
    assert sum(len(record.mentions) for record in kept) + sum(len(record.mentions) for record in dropped) == 20
    assert all(0 <= mention.score <= 1 for record in [*kept, *dropped] for mention in record.mentions)
    # It has learnt: right ones stay more often than wrong ones.
    stays = [bool(record.mentions) for record in kept]
    assert sum(stays[:10]) > sum(stays[10:])
    given, stayed, went, unplaced = map(int, out.splitlines()[-1].split()[1:])
    assert (given, stayed + went + unplaced) == (20, 20) and stayed == sum(stays)
    assert all(record.surface(mention) in NAMES for record in kept[:10] for mention in record.mentions)


def test_the_dropped_ones_go_where_they_are_asked_to(verb, selector, tmp_path):
    records = write_sentences(tmp_path / "in.jsonl", "train", range(3))
    assert verb("select", "spans", records, tmp_path / "out.jsonl", "--selector", selector, "--rejected",
                tmp_path / "audit.jsonl")[0] == 0
    assert (tmp_path / "audit.jsonl").is_file() and not (tmp_path / "out.rejected.jsonl").exists()


def test_what_is_kept_and_what_is_dropped_do_not_go_into_one_file(refused, verb, selector, tmp_path):
    records = write_sentences(tmp_path / "in.2024.jsonl", "train", range(3))
    said = refused("select", "spans", records, tmp_path / "out.jsonl", "--selector", selector, "--rejected",
                   tmp_path / "." / "out.jsonl")
    assert "--rejected" in said and not (tmp_path / "out.jsonl").exists()
    for year in ("2024", "2025"):
        assert verb("select", "spans", records, tmp_path / f"out.{year}.jsonl", "--selector", selector)[0] == 0
    assert {path.name for path in tmp_path.glob("*.rejected.jsonl")} == {
        "out.2024.rejected.jsonl", "out.2025.rejected.jsonl"}


@pytest.mark.parametrize("broken", ["meta.json", "config.cfg", "span_selector/model"])
def test_a_damaged_selector_is_one_line(refused, selector, tmp_path, broken):
    shutil.copytree(selector, tmp_path / "selector")
    (tmp_path / "selector" / broken).write_bytes(b"{broken")
    records = write_sentences(tmp_path / "in.jsonl", "train", range(3))
    assert str(tmp_path / "selector") in refused("select", "spans", records, tmp_path / "out.jsonl", "--selector",
                                                 tmp_path / "selector")


def test_documents_that_an_annotator_set_aside_go_along(verb, selector, tmp_path):
    records = write_sentences(tmp_path / "in.jsonl", "train", range(3))
    write_jsonl(tmp_path / "in.failed.jsonl", [Annotation("too long", id="x", meta={"error": "too long"})])
    assert verb("select", "spans", records, tmp_path / "out.jsonl", "--selector", selector)[0] == 0
    assert [annotation.id for annotation in read_jsonl(tmp_path / "out.failed.jsonl")] == ["x"]
    (tmp_path / "in.failed.jsonl").unlink()
    assert verb("select", "spans", records, tmp_path / "out.jsonl", "--selector", selector)[0] == 0
    assert not (tmp_path / "out.failed.jsonl").exists()


def test_a_label_that_the_selector_has_not_learnt_is_refused(refused, selector, tmp_path):
    records = write_sentences(tmp_path / "in.jsonl", "train", range(3), label="VIRUS")
    said = refused("select", "spans", records, tmp_path / "out.jsonl", "--selector", selector)
    assert "'VIRUS'" in said and "DISEASE" in said
    assert [path.name for path in tmp_path.iterdir()] == ["in.jsonl"]


def test_an_older_result_stays_where_the_new_one_fails(refused, verb, selector, tmp_path):
    records = write_sentences(tmp_path / "in.jsonl", "train", range(3))
    assert verb("select", "spans", records, tmp_path / "out.jsonl", "--selector", selector)[0] == 0
    before = (tmp_path / "out.jsonl").read_text()
    with records.open("a", encoding="utf8") as file_:
        file_.write('{"id": "broken"\n')
    assert "line 4" in refused("select", "spans", records, tmp_path / "out.jsonl", "--selector", selector)
    assert (tmp_path / "out.jsonl").read_text() == before


@pytest.mark.parametrize("kind, told", [("absent", "no-such-folder"), ("no selector", "has no span_selector")])
def test_a_pipeline_without_a_selector_is_refused(refused, tmp_path, kind, told):
    records = write_sentences(tmp_path / "in.jsonl", "train", range(3))
    path = tmp_path / "no-such-folder"
    if kind == "no selector":
        import spacy

        spacy.blank("en").to_disk(path)
    assert told in refused("select", "spans", records, tmp_path / "out.jsonl", "--selector", path)
    assert not (tmp_path / "out.jsonl").exists()


def test_lora_of_another_base_model_is_refused(refused, verb, tmp_path):
    base = tmp_path / "base"
    save_base(base, seed=0)
    path = train(tmp_path, profile="selector_llm_marked", updates=2, **{
        "components.span_selector.model.name": str(base), "components.span_selector.model.lora_rank": 2,
        "components.span_selector.model.mixed_precision": False})
    records = write_sentences(tmp_path / "in.jsonl", "train", range(3))
    assert verb("select", "spans", records, tmp_path / "out.jsonl", "--selector", path)[0] == 0
    (tmp_path / "out.jsonl").unlink()
    # The same sizes, other weights: only the weights tell that LoRA was not trained on them.
    shutil.rmtree(base)
    save_base(base, seed=1)
    said = refused("select", "spans", records, tmp_path / "out.jsonl", "--selector", path)
    assert "another model" in said
    assert not (tmp_path / "out.jsonl").exists()
    assert json.loads((path / "meta.json").read_text())["spacy_bioner"]["updates"] == 2
