"""The training is that of `transformers.Trainer`: equal losses in float32, update by update."""

import pytest
import torch
from learning_models import make_pairs, make_tiny_model

from spacy_bioner.finetuning.lora.adapter_model import put_adapter
from spacy_bioner.finetuning.lora.batching import plan_updates
from spacy_bioner.finetuning.lora.lora_settings import LoraSettings, TrainingSettings
from spacy_bioner.finetuning.lora.trainer import train_adapter


def stock_losses(pairs, updates, folder):
    """Losses of the stock trainer, a padded batch an update."""
    from transformers import Trainer, TrainingArguments

    arguments = TrainingArguments(str(folder), learning_rate=1e-2, lr_scheduler_type="constant", report_to=[],
                                  weight_decay=0.0, use_cpu=True)
    trainer = Trainer(put_adapter(make_tiny_model("qwen3"), LoraSettings(r=4), seed=0), arguments)
    trainer.create_optimizer_and_scheduler(100)
    trainer.current_gradient_accumulation_steps = 1  # version 5 sets it in its own loop only
    losses = []
    for update in updates:
        rows = [pairs[index] for index in update]
        width = max(row.length for row in rows)
        batch = {
            "input_ids": [[*row.prompt, *row.answer] + [0] * (width - row.length) for row in rows],
            "attention_mask": [[1] * row.length + [0] * (width - row.length) for row in rows],
            "labels": [[-100] * len(row.prompt) + [*row.answer] + [-100] * (width - row.length) for row in rows],
        }
        losses.append(float(trainer.training_step(trainer.model, {key: torch.tensor(value)
                                                                  for key, value in batch.items()})))
        torch.nn.utils.clip_grad_norm_(trainer.model.parameters(), 1.0)
        trainer.optimizer.step()
        trainer.model.zero_grad()
    return losses


def test_losses_are_those_of_the_stock_trainer(tmp_path):
    pairs = make_pairs(24)
    settings = TrainingSettings(max_epochs=2, batch_size=6, learning_rate=1e-2, lr_scheduler_type="constant",
                                warmup_ratio=0, max_batch_tokens=80)
    ours = train_adapter(pairs, model=make_tiny_model("qwen3"), output=tmp_path / "ours", base_model="tiny",
                         write_card=lambda folder, figures: None, lora=LoraSettings(r=4), training=settings)
    updates = [update for epoch in range(2) for update in plan_updates(pairs, batch_size=6, epoch=epoch, seed=0)]
    expected = stock_losses(pairs, updates, tmp_path / "stock")
    assert [row["loss"] for row in ours.history] == pytest.approx(expected, abs=1e-3)
