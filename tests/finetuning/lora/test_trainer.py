import errno
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy
import pytest
import torch
from learning_models import make_pairs, make_tiny_model
from places import HELPERS
from safetensors.torch import save_file

from spacy_bioner.errors import BionerError
from spacy_bioner.finetuning.lora.lora_settings import LoraSettings, TrainingSettings
from spacy_bioner.finetuning.lora.trainer import train_adapter

SETTINGS = {"max_epochs": 4, "batch_size": 5, "learning_rate": 0.02, "max_batch_tokens": 120, "eval_frequency": 2}


@pytest.mark.parametrize("settings, device, tokens, shares", [
    pytest.param({}, "cpu", 1024, True, id="cpu"), pytest.param({}, "cuda", 16384, False, id="gpu"),
    pytest.param({"max_batch_tokens": 60, "share_prefix": True}, "cuda", 60, True, id="as-said"),
    pytest.param({"share_prefix": True, "gradient_checkpointing": True}, "cpu", 1024, False, id="checkpointing"),
])
def test_forward_passes_suit_the_device_where_nothing_is_said(settings, device, tokens, shares):
    training = TrainingSettings(**settings)
    assert (training.pass_tokens(device), training.shares_prefix(device)) == (tokens, shares)


def train(output, *, family="llama", pairs=None, lora=None, score=None, progress=None, depends_on=None, start=None,
          overwrite=False, int8=False, **settings):
    return train_adapter(pairs or make_pairs(18), model=make_tiny_model(family), output=Path(output),
                         write_card=lambda folder, figures: (folder / "card").write_text(json.dumps(figures)),
                         base_model="tiny", lora=LoraSettings(r=4, lora_dropout=0.2, **(lora or {})),
                         training=TrainingSettings(**{**SETTINGS, **settings}), score=score, progress=progress,
                         depends_on=depends_on, start=start, overwrite=overwrite, int8=int8)


@pytest.mark.issue(20)
def test_an_adapter_is_replaced_by_the_same_training_and_by_another_where_that_is_asked_for(tmp_path):
    first = weights(train(tmp_path / "adapter", max_epochs=1).folder)
    again = weights(train(tmp_path / "adapter", max_epochs=1).folder)
    assert all(torch.equal(first[name], again[name]) for name in first)
    with pytest.raises(BionerError, match="other settings or data"):
        train(tmp_path / "adapter", max_epochs=1, seed=5)
    assert all(torch.equal(first[name], kept) for name, kept in weights(tmp_path / "adapter").items())
    other = weights(train(tmp_path / "adapter", max_epochs=1, seed=5, overwrite=True).folder)
    assert not all(torch.equal(first[name], other[name]) for name in first)


def weights(folder):
    from safetensors.torch import load_file

    return load_file(folder / "adapter_model.safetensors")


@pytest.mark.parametrize("family", ["llama", "qwen3"])
def test_training_lowers_the_loss_and_peft_reads_the_adapter(tmp_path, family):
    from peft import PeftModel

    result = train(tmp_path / "adapter", family=family, max_epochs=8, eval_frequency=100)
    losses = [row["loss"] for row in result.history]
    assert sum(losses[-4:]) < sum(losses[:4]) - 0.1
    assert result.updates == 32
    assert {path.name for path in result.folder.iterdir()} == {
        "adapter_config.json", "adapter_model.safetensors", "card", "loss.svg", "losses.jsonl", "run.json"}
    assert not (tmp_path / "adapter.checkpoints").exists()
    model = PeftModel.from_pretrained(make_tiny_model(family), str(result.folder))
    tokens = torch.tensor([make_pairs(1)[0].prompt])
    assert not torch.equal(model(input_ids=tokens).logits, make_tiny_model(family)(input_ids=tokens).logits)


@pytest.mark.parametrize("modules", ["all-linear", ["q_proj", "v_proj"]], ids=["all-linear", "named"])
def test_only_the_last_layers_get_an_adapter_and_peft_reads_it(tmp_path, modules):
    from peft import PeftModel

    folder = train(tmp_path / "adapter", max_steps=2, lora={"layers": 1, "target_modules": modules}).folder
    names = weights(folder)
    assert {name.split("layers.")[1].split(".")[0] for name in names} == {"1"}
    assert not any("lm_head" in name for name in names)
    assert ("gate_proj" in str(list(names))) == (modules == "all-linear")
    PeftModel.from_pretrained(make_tiny_model("llama"), str(folder))


def test_a_training_can_begin_with_an_adapter_whatever_rank_is_asked_for(tmp_path):
    first = train(tmp_path / "first", max_steps=8).folder
    on = train(tmp_path / "on", max_steps=1, learning_rate=1e-9, start=first, lora={"target_modules": ["q_proj"]})
    before, after = weights(first), weights(on.folder)
    assert before.keys() == after.keys()
    assert all(torch.allclose(before[name], after[name], atol=1e-5) for name in before)
    assert json.loads((on.folder / "card").read_text())["lora"]["r"] == 4
    fresh = train(tmp_path / "fresh", max_steps=1, learning_rate=1e-9)
    assert on.history[0]["loss"] < fresh.history[0]["loss"]


@pytest.mark.issue(22)
def test_of_an_adapter_to_begin_with_the_last_layers_alone_are_trained_on_where_that_is_asked_for(tmp_path):
    first = train(tmp_path / "first", max_steps=4).folder
    on = train(tmp_path / "on", max_steps=2, start=first, lora={"layers": 1}).folder
    before, after = weights(first), weights(on)
    assert before.keys() == after.keys()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed and all("layers.1." in name for name in changed)
    with pytest.raises(BionerError, match="at most 2"):
        train(tmp_path / "more", max_steps=2, start=first, lora={"layers": 3})
    all_layers = train(tmp_path / "all", max_steps=2, start=first).folder
    assert any("layers.0." in name for name in before if not torch.equal(before[name], weights(all_layers)[name]))


@pytest.mark.issue(22)
@pytest.mark.parametrize("family", ["llama", "qwen3"])
def test_an_adapter_is_trained_on_8_bit_weights_as_on_float_ones(tmp_path, family):
    rounded = train(tmp_path / "rounded", family=family, int8=True, max_epochs=8)
    exact = train(tmp_path / "exact", family=family, max_epochs=8)
    losses = {name: [row["loss"] for row in result.history] for name, result in [("8", rounded), ("32", exact)]}
    # Not the same to the last digit, but nearly. Small differences grow in between, where the losses fall fastest.
    assert losses["8"] != losses["32"]
    assert losses["8"][:5] == pytest.approx(losses["32"][:5], abs=0.01)
    assert losses["8"][-5:] == pytest.approx(losses["32"][-5:], abs=0.05)
    assert numpy.mean(numpy.abs(numpy.subtract(losses["8"], losses["32"]))) < 0.04
    assert sum(losses["8"][-4:]) < sum(losses["8"][:4]) - 0.1
    assert weights(rounded.folder).keys() == weights(exact.folder).keys()


def test_checkpoints_of_fresh_weights_are_not_taken_up_by_a_training_that_begins_with_an_adapter(tmp_path, caplog):
    first = train(tmp_path / "first", max_steps=2).folder

    def stop(row):
        if row["update"] == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "adapter", progress=stop)
    assert len(train(tmp_path / "adapter", max_steps=4, start=first).history) == 4
    assert "other settings or data" in caplog.text


@pytest.mark.parametrize("damage, told", [("nothing", "No adapter in"), ("shape", "another base model"),
                                          ("layers", "another base model")])
def test_an_adapter_that_does_not_fit_begins_no_training(tmp_path, damage, told):
    first = train(tmp_path / "first", max_steps=1).folder
    if damage == "nothing":
        (first / "adapter_config.json").unlink()
    elif damage == "shape":
        save_file({name: weight[:, :-1].contiguous() for name, weight in weights(first).items()},
                  first / "adapter_model.safetensors")
    elif damage == "layers":
        save_file({name.replace("layers.1", "layers.7"): weight for name, weight in weights(first).items()},
                  first / "adapter_model.safetensors")
    with pytest.raises(BionerError, match=told):
        train(tmp_path / "adapter", start=first)
    assert not (tmp_path / "adapter").exists()


def test_same_seed_same_weights_other_seed_other_weights(tmp_path):
    runs = [weights(train(tmp_path / str(number), max_steps=3, seed=seed).folder)
            for number, seed in enumerate([1, 1, 2])]
    assert all(torch.equal(runs[0][name], runs[1][name]) for name in runs[0])
    assert not all(torch.equal(runs[0][name], runs[2][name]) for name in runs[0])


def test_forward_passes_and_sharing_do_not_change_the_training(tmp_path):
    runs = {}
    for name, settings in {"one_pass": {"share_prefix": False, "max_batch_tokens": 10_000},
                           "small_passes": {"share_prefix": True, "max_batch_tokens": 60},
                           "checkpointed": {"gradient_checkpointing": True}}.items():
        result = train_adapter(make_pairs(18), model=make_tiny_model("qwen3"), output=tmp_path / name,
                               write_card=lambda folder, figures: None, base_model="tiny", lora=LoraSettings(r=4),
                               training=TrainingSettings(**{**SETTINGS, "max_epochs": 2, "learning_rate": 1e-3,
                                                            **settings}))
        runs[name] = [row["loss"] for row in result.history]
    assert runs["small_passes"] == pytest.approx(runs["one_pass"], abs=1e-4)
    assert runs["checkpointed"] == pytest.approx(runs["one_pass"], abs=1e-4)


class Stop(RuntimeError):
    pass


def stop_at(update):
    def progress(row):
        if row["update"] == update:
            raise Stop

    return progress


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A training that nothing has stopped."""
    return train(tmp_path_factory.mktemp("whole") / "adapter")


@pytest.mark.parametrize("update", [1, 4, 7])
def test_stopped_training_ends_with_the_same_weights(tmp_path, whole, update):
    with pytest.raises(Stop):
        train(tmp_path / "stopped", progress=stop_at(update))
    resumed = train(tmp_path / "stopped")
    assert [row["loss"] for row in resumed.history] == [row["loss"] for row in whole.history]
    for name, tensor in weights(whole.folder).items():
        assert torch.equal(weights(resumed.folder)[name], tensor)


def test_killed_training_resumes_in_the_same_order(tmp_path, whole):
    """SIGKILL in the middle of the training, then the same call again."""
    code = ("import sys, time; sys.path[:0] = sys.argv[1:3]\n"
            "from test_trainer import train\n"
            "train(sys.argv[3], progress=lambda row: (print(row['update'], flush=True), time.sleep(0.05)))\n")
    command = [sys.executable, "-c", code, str(HELPERS), str(Path(__file__).parent), str(tmp_path / "killed")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            if int(line) >= 5:
                os.kill(process.pid, signal.SIGKILL)
                break
    assert not (tmp_path / "killed").exists()
    seen = []
    resumed = train(tmp_path / "killed", progress=lambda row: seen.append(row["update"]))
    assert seen[0] > 1
    assert [row["loss"] for row in resumed.history] == [row["loss"] for row in whole.history]


@pytest.mark.issue(6)
@pytest.mark.parametrize("change", [{"learning_rate": 0.01}, {"depends_on": {"dev": "other"}}], ids=["rate", "dev"])
def test_checkpoint_of_another_training_is_not_taken_up_and_stays(tmp_path, change):
    with pytest.raises(Stop):
        train(tmp_path / "adapter", progress=stop_at(5))
    kept = sorted((tmp_path / "adapter.checkpoints").iterdir())
    seen = []
    train(tmp_path / "adapter", progress=lambda row: seen.append(row["update"]), **change)
    assert len(seen) == 16
    assert sorted((tmp_path / "adapter.checkpoints").iterdir()) == kept


@pytest.mark.issue(6)
def test_full_disk_while_the_adapter_is_written_keeps_the_checkpoint(tmp_path, monkeypatch):
    original = Path.write_bytes

    def write_bytes(path, content):
        if path.name == "adapter_model.safetensors":
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        return original(path, content)

    monkeypatch.setattr(Path, "write_bytes", write_bytes)
    with pytest.raises(BionerError, match="No space left on device.*00000016"):
        train(tmp_path / "adapter")
    assert [path.name for path in tmp_path.iterdir()] == ["adapter.checkpoints"]
    monkeypatch.undo()
    seen = []
    train(tmp_path / "adapter", progress=seen.append)
    assert not seen, "trained already"


@pytest.mark.issue(6)
def test_training_refuses_a_folder_that_is_no_adapter(tmp_path):
    (tmp_path / "adapter").mkdir()
    (tmp_path / "adapter" / "thesis.tex").write_text("years of work")
    with pytest.raises(BionerError, match="thesis.tex"):
        train(tmp_path / "adapter")
    assert (tmp_path / "adapter" / "thesis.tex").read_text() == "years of work"


def test_best_weights_on_dev_are_kept_and_patience_ends_the_training(tmp_path):
    scores = iter([0.3, 0.6, 0.5, 0.6, 0.1])
    result = train(tmp_path / "adapter", score=lambda model: next(scores), patience=2)
    assert (result.score, result.best_updates, result.updates) == (0.6, 4, 8)
    short = train(tmp_path / "short", max_steps=16, score=_scores_once_at(4))
    for name, tensor in weights(short.folder).items():
        assert torch.equal(weights(result.folder)[name], tensor)


def _scores_once_at(update):
    calls = []

    def score(model):
        calls.append(2 * (len(calls) + 1))
        return float(calls[-1] == update)

    return score


def test_long_records_are_left_out_and_named(tmp_path, caplog):
    pairs = make_pairs(18)
    limit = sorted(pair.length for pair in pairs)[-3]
    result = train(tmp_path / "adapter", pairs=pairs, max_length=limit - 1, max_steps=1)
    assert set(result.left_out) == {pair.name for pair in pairs if pair.length >= limit}
    assert "left out" in caplog.text


def test_no_record_left_is_an_error(tmp_path):
    with pytest.raises(BionerError, match="No training record"):
        train(tmp_path / "adapter", max_length=3)


def test_loss_that_is_no_number_keeps_the_last_checkpoint(tmp_path, monkeypatch):
    from spacy_bioner.finetuning.lora import trainer as lora

    calls = []

    def answer_losses(*arguments, **options):
        calls.append(1)
        return original(*arguments, **options) * (float("nan") if len(calls) > 8 else 1.0)

    original = lora.answer_losses
    monkeypatch.setattr(lora, "answer_losses", answer_losses)
    with pytest.raises(BionerError, match="not a finite number.*checkpoint.*adapter.checkpoints/0000"):
        train(tmp_path / "adapter")
    assert len(list((tmp_path / "adapter.checkpoints").iterdir())) == 2
    monkeypatch.setattr(lora, "answer_losses", original)
    resumed = train(tmp_path / "adapter")
    assert all(torch.isfinite(tensor).all() for tensor in weights(resumed.folder).values())


@pytest.mark.issue(6)
def test_loss_that_is_no_number_from_the_start_names_no_checkpoint(tmp_path, monkeypatch):
    from spacy_bioner.finetuning.lora import trainer as lora

    original = lora.answer_losses
    monkeypatch.setattr(lora, "answer_losses", lambda *args, **options: original(*args, **options) * float("nan"))
    with pytest.raises(BionerError, match="step 1 .*none yet"):
        train(tmp_path / "adapter")


def test_speed_and_losses_are_written(tmp_path):
    result = train(tmp_path / "adapter", score=lambda model: 0.5)
    rows = [json.loads(line) for line in (result.folder / "losses.jsonl").read_text().splitlines()]
    assert [row["update"] for row in rows] == list(range(1, 17))
    assert {row["update"] for row in rows if "dev_f1" in row} == {2, 4, 6, 8, 10, 12, 14, 16}
    assert all(row["tokens"] > row["answer_tokens"] > 0 for row in rows)
    assert "<svg" in (result.folder / "loss.svg").read_text()


@pytest.mark.parametrize("schedule, rates", [
    pytest.param("constant", [0.5, 1, 1, 1], id="constant"),
    pytest.param("linear", [0.5, 1, 1, 0.5], id="linear"),
    pytest.param("cosine", [0.5, 1, 1, 0.5], id="cosine"),
])
def test_learning_rate_rises_then_falls(tmp_path, schedule, rates):
    result = train(tmp_path / "adapter", max_steps=4, warmup_ratio=0.5, lr_scheduler_type=schedule, learning_rate=1e-3)
    assert [row["learning_rate"] / 1e-3 for row in result.history] == pytest.approx(rates)


@pytest.mark.issue(6)
def test_speed_is_that_of_the_steps_alone(tmp_path):
    import time

    result = train(tmp_path / "adapter", max_steps=2, score=lambda model: time.sleep(0.5) or 0.5)
    assert result.seconds > 0.5
    assert result.speed == result.tokens / sum(row["seconds"] for row in result.history)


@pytest.mark.issue(6)
@pytest.mark.parametrize("lora, message", [
    pytest.param({"layers": 3}, "'layers' is '3'. Wanted: at most 2", id="layers"),
    pytest.param({"target_modules": ["q_proj", "qkv_proj"]}, "'target_modules' is 'qkv_proj'.*q_proj", id="name"),
    pytest.param({"target_modules": ["self_attn"]}, "'target_modules' is 'self_attn'", id="no-linear-layer"),
    pytest.param({"target_modules": "al-linear"}, "'target_modules' is 'al-linear'", id="word"),
    pytest.param({"target_modules": "(q_proj"}, "'target_modules'", id="broken-pattern"),
    pytest.param({"target_modules": []}, "'target_modules'", id="none"),
])
def test_places_that_the_model_does_not_have_are_refused(tmp_path, lora, message):
    with pytest.raises(BionerError, match=message):
        train(tmp_path / "adapter", max_steps=1, lora=lora)


@pytest.mark.parametrize("modules", [r".*\.(q|v)_proj", ["self_attn.q_proj"], ["q_proj", "lm_head"]])
def test_places_are_named_as_peft_names_them(tmp_path, modules):
    assert weights(train(tmp_path / "adapter", max_steps=1, lora={"target_modules": modules}).folder)


@pytest.mark.issue(6)
def test_frozen_weights_of_a_4bit_model_stay_in_bfloat16():
    from spacy_bioner.finetuning.lora.adapter_model import put_adapter

    model = make_tiny_model("qwen3").to(torch.bfloat16)
    model.is_loaded_in_4bit = True
    wrapped = put_adapter(model, LoraSettings(r=2), seed=0, gradient_checkpointing=True)
    assert {weight.dtype for weight in wrapped.parameters()} == {torch.bfloat16}
    assert wrapped.get_base_model().is_gradient_checkpointing


@pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=pytest.mark.gpu)])
def test_the_most_gpu_memory_is_noted_where_there_is_a_gpu(tmp_path, device):
    found = {}
    result = train_adapter(make_pairs(4), model=make_tiny_model().to(device), output=tmp_path / "adapter",
                           write_card=lambda folder, figures: found.update(figures), base_model="tiny",
                           lora=LoraSettings(r=4), training=TrainingSettings(max_steps=1))
    assert result.gpu_gib == found["gpu_gib"]
    assert (result.gpu_gib is None) if device == "cpu" else (result.gpu_gib > 0)
