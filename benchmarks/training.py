"""LoRA training against `transformers.Trainer` with ordinary padding: the same pairs, batch, adapter and number type.

Both contenders take the same updates in turn, so that other work on the machine slows both alike. In float32 their
losses are compared: the two must be the same training.

    python -m benchmarks training
"""

import os
import random
import tempfile
import time
from pathlib import Path
from typing import Any, Dict, List, Sequence

import torch

from spacy_bioner.annotation import Annotation
from spacy_bioner.cli._shared.schema import read_schema
from spacy_bioner.codecs import make_codec
from spacy_bioner.finetuning.annotator_training import Losses, Task, make_pairs
from spacy_bioner.finetuning.lora.adapter_model import put_adapter
from spacy_bioner.finetuning.lora.checkpoints import Checkpoints
from spacy_bioner.finetuning.lora.lora_settings import LoraSettings, TrainingSettings
from spacy_bioner.finetuning.lora.processes import Processes
from spacy_bioner.finetuning.lora.trainer import Trainer
from spacy_bioner.finetuning.pairs import Pair
from spacy_bioner.finetuning.records import Corpus
from spacy_bioner.formats.jsonl import read_jsonl
from spacy_bioner.llm.local.causal_lm import CausalLM, load_causal_lm

MODEL = "smollm2-135m-instruct"
ROOT = Path(__file__).parents[1]
AIM = 1.5


def read_pairs(lm: CausalLM, count: int, *, codec: str = "bracket") -> List[Pair]:
    """Return sentences of the embedded corpus as pairs, drawn with a fixed seed."""
    schema = read_schema(ROOT / "assets/embedded/labels.yml")
    sentences: List[Annotation] = list(read_jsonl(ROOT / "assets/embedded/train.jsonl"))
    english = [sentence for sentence in sentences if sentence.meta.get("lang", "en") == "en"]
    chosen = random.Random(0).sample(english, min(count, len(english)))
    corpus = Corpus(tuple(chosen), schema.labels, schema.corpus, "en")
    return make_pairs([corpus], Task(codec=make_codec(codec)), lm, Losses())


def our_trainer(lm: CausalLM, pairs: Sequence[Pair], folder: Path, batch_size: int, *, compiled: bool) -> Trainer:
    """Return this project's training, ready for updates."""
    settings = TrainingSettings(batch_size=batch_size, warmup_ratio=0, lr_scheduler_type="constant", compile=compiled)
    return Trainer(pairs, model=put_adapter(lm.model, LoraSettings(), seed=0), checkpoints=Checkpoints(folder),
                   training=settings, fingerprint="", score=None, progress=None, processes=Processes())


class PlainTrainer:
    """`transformers.Trainer` with the padding of a batch to its longest pair and labels on the answer."""

    def __init__(self, lm: CausalLM, folder: Path, batch_size: int) -> None:
        from transformers import Trainer as Stock
        from transformers import TrainingArguments

        arguments = TrainingArguments(str(folder), per_device_train_batch_size=batch_size, learning_rate=1e-3,
                                      lr_scheduler_type="constant", report_to=[], use_cpu=lm.device.type == "cpu")
        # float32 adapter weights beside frozen ones of any type, as peft makes them.
        model = put_adapter(lm.model, LoraSettings(adapter_dtype="float32"), seed=0)
        self.trainer = Stock(model, arguments)
        self.device = lm.device
        self.trainer.create_optimizer_and_scheduler(1000)

    def update(self, pairs: Sequence[Pair]) -> float:
        """Return the loss of one update."""
        width = max(pair.length for pair in pairs)
        batch: Dict[str, List[List[int]]] = {"input_ids": [], "attention_mask": [], "labels": []}
        for pair in pairs:
            filling = width - pair.length
            batch["input_ids"].append([*pair.prompt, *pair.answer] + [0] * filling)
            batch["attention_mask"].append([1] * pair.length + [0] * filling)
            batch["labels"].append([-100] * len(pair.prompt) + list(pair.answer) + [-100] * filling)
        tensors = {key: torch.tensor(rows, device=self.device) for key, rows in batch.items()}
        loss = self.trainer.training_step(self.trainer.model, tensors)
        torch.nn.utils.clip_grad_norm_(self.trainer.model.parameters(), 1.0)
        self.trainer.optimizer.step()
        self.trainer.model.zero_grad()
        return float(loss)


def compare(dtype: str, *, updates: int, batch_size: int, compiled: bool = False) -> Dict[str, Any]:
    """Train both ways on the same updates.

    dtype (str): Number type of the frozen weights.
    updates (int): Updates; one more at the beginning is not timed, with compiled layers three.
    batch_size (int): Pairs of an update.
    compiled (bool): Whether this project's layers are compiled; those of the other never are.
    RETURNS (Dict[str, Any]): Tokens per second and losses of both, and the seconds of what was not timed.
    """
    untimed = 3 if compiled else 1
    with tempfile.TemporaryDirectory() as folder:
        pairs = read_pairs(load_causal_lm(MODEL, dtype=dtype), (updates + untimed) * batch_size)
        ours = our_trainer(load_causal_lm(MODEL, dtype=dtype, for_training=True), pairs, Path(folder) / "ours",
                           batch_size, compiled=compiled)
        plain = PlainTrainer(load_causal_lm(MODEL, dtype=dtype, for_training=True), Path(folder) / "plain", batch_size)
        draw = random.Random(0)
        before, seconds, losses, tokens = [0.0, 0.0], [0.0, 0.0], [], 0
        for number in range(updates + untimed):
            batch = draw.sample(range(len(pairs)), min(batch_size, len(pairs)))
            began = time.perf_counter()
            first = ours.update(batch)["loss"]
            middle = time.perf_counter()
            second = plain.update([pairs[index] for index in batch])
            losses.append([first, second])
            clock = seconds if number >= untimed else before
            clock[0] += middle - began
            clock[1] += time.perf_counter() - middle
            tokens += sum(pairs[index].length for index in batch) if number >= untimed else 0
    return {"tokens": tokens, "batch_size": batch_size, "ours": tokens / seconds[0], "trainer": tokens / seconds[1],
            "seconds_not_timed": before, "losses": losses}


def run(*, quick: bool = False) -> Dict[str, Any]:
    """Return ratios of the speeds, and the largest difference of the losses in float32."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    on_gpu = torch.cuda.is_available()
    sizes = [4] if quick else [16, 64] if on_gpu else [8]
    updates = 1 if quick else 20 if on_gpu else 6
    fast, ratios = [], []
    # Compiled layers pay on a GPU, where a small model waits for calls.
    for compiled in (False, True) if on_gpu and not quick else (False,):
        for size in sizes:
            fast.append({"compiled": compiled, **compare("auto", updates=updates, batch_size=size, compiled=compiled)})
            what = f"LoRA fine-tuning{', compiled' if compiled else ''}, batches of {size}, tokens/s"
            ratios.append({"what": what, "against": "transformers.Trainer, same batches",
                           "ratio": fast[-1]["ours"] / fast[-1]["trainer"], "aim": AIM})
    exact = compare("float32", updates=1 if quick else 2, batch_size=4)
    difference = max(abs(first - second) for first, second in exact["losses"])
    return {"ratios": ratios, "largest_loss_difference_float32": difference, "auto": fast, "float32": exact}
