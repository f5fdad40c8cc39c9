import json
from pathlib import Path

import pytest

from spacy_bioner.experiments.amounts import Amount, Amounts
from spacy_bioner.experiments.estimate import estimate_plan
from spacy_bioner.experiments.model_shapes import find_shape
from spacy_bioner.experiments.steps import Plan, Step

SENTENCE = "Carbamazepine caused ataxia in two of the patients, who recovered soon. "


@pytest.fixture
def data(tmp_path):
    for split in ("train", "dev", "test"):
        path = tmp_path / "corpus" / f"{split}.jsonl"
        path.parent.mkdir(exist_ok=True)
        path.write_text("".join(json.dumps({"id": f"{split}{number}", "text": SENTENCE * 20, "spans": []}) + "\n"
                                for number in range(50)), encoding="utf8")
    return tmp_path


def make_plan(data, *more, limit=0):
    prepared, adapter = data / "prepared", data / "adapter"
    return Plan([
        Step("prepare", ("prepare", str(data), "corpus", str(prepared), "--gold-limit", str(limit)), prepared),
        Step("finetune", ("train", "annotator", str(prepared / "train.jsonl"), str(adapter), "--profile", "gpu", *more),
             adapter),
        Step("annotate", ("annotate", str(prepared / "test.jsonl"), str(data / "found.jsonl"), "--profile", "gpu",
                          "--annotate.adapter", str(adapter)), data / "found.jsonl")])


def test_abstracts_are_counted_as_sentences_once_prepared(data):
    amounts = Amounts(make_plan(data, limit=100))
    whole, sample, test = (amounts.of(path) for path in (
        data / "corpus" / "train.jsonl", data / "prepared" / "train.jsonl", data / "prepared" / "test.jsonl"))
    assert whole.records == 50 and test.records > 400 and test.tokens == whole.tokens
    assert sample.records == 100 and sample.tokens < whole.tokens / 4


def test_more_sentences_take_more_hours_and_no_more_memory(data):
    few, all_of_them = (estimate_plan(make_plan(data, limit=limit)) for limit in (100, 0))
    assert few.by_kind["train annotator"] < all_of_them.by_kind["train annotator"]
    assert few.gibibytes == all_of_them.gibibytes


def test_four_bits_and_smaller_models_take_less_memory(data):
    sizes = []
    for more in (["--finetune.quantize", "null"], [], ["--finetune.model", "Qwen/Qwen3-1.7B"]):
        plan = make_plan(data, *more)
        sizes.append(estimate_plan(plan, left=plan.steps[1:2]).gibibytes)
    assert sizes == sorted(sizes, reverse=True) and 8 < sizes[1] < 24


def test_the_measured_training_of_an_8b_model_is_met(data):
    plan = make_plan(data, "--finetune.training.max_batch_tokens", "2600")
    assert 9 < estimate_plan(plan, left=plan.steps[1:2]).gibibytes < 15  # 11.8 GiB measured


def test_what_cannot_be_told_is_named(data):
    plan = make_plan(data, "--finetune.model", "some/model")
    assert estimate_plan(plan).unknown == ["finetune", "annotate"]
    missing = Plan([Step("label", ("annotate", "nowhere.jsonl", "out.jsonl"), Path("out.jsonl"))])
    assert estimate_plan(missing).unknown == ["label"]


@pytest.mark.parametrize("name, billions", [("Qwen/Qwen3-8B", 8.2), ("org/Model-13B-Chat", 13), ("org/model", None)])
def test_the_size_of_a_model_is_known_or_told_by_its_name(name, billions):
    shape = find_shape(name)
    assert (shape and shape.parameters / 1e9) == billions


def test_an_amount_of_nothing_stays_so():
    assert Amount(0, 0).at_most(5) == Amount(0, 0) and Amount(4, 40).at_most(0) == Amount(4, 40)
