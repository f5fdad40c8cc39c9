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
from spacy_bioner.cli.schema import read_schema
from spacy_bioner.codecs import make_codec
from spacy_bioner.finetuning.adapter_model import put_adapter
from spacy_bioner.finetuning.checkpoints import Checkpoints
from spacy_bioner.finetuning.lora import Trainer
from spacy_bioner.finetuning.pairs import Pair
from spacy_bioner.finetuning.processes import Processes
from spacy_bioner.finetuning.records import Corpus
from spacy_bioner.finetuning.settings import LoraSettings, TrainingSettings
from spacy_bioner.finetuning.teaching import Losses, Task, make_pairs
from spacy_bioner.formats.jsonl import read_jsonl
from spacy_bioner.llm.causal_lm import CausalLM, load_causal_lm

MODEL = "smollm2-135m-instruct"
ROOT = Path(__file__).parents[1]
AIM = 1.5


def read_pairs(lm: CausalLM, count: int, *, codec: str = "bracket") -> List[Pair]:
    """RETURNS (List[Pair]): Sentences of the embedded corpus as pairs, drawn with a fixed seed."""
    schema = read_schema(ROOT / "assets/embedded/labels.yml")
    sentences: List[Annotation] = list(read_jsonl(ROOT / "assets/embedded/train.jsonl"))
    english = [sentence for sentence in sentences if sentence.meta.get("lang", "en") == "en"]
    chosen = random.Random(0).sample(english, min(count, len(english)))
    corpus = Corpus(tuple(chosen), schema.labels, schema.corpus, "en")
    return make_pairs([corpus], Task(codec=make_codec(codec)), lm, Losses())


def our_trainer(lm: CausalLM, pairs: Sequence[Pair], folder: Path, batch_size: int) -> Trainer:
    """RETURNS (Trainer): This project's training, ready for updates."""
    settings = TrainingSettings(batch_size=batch_size, warmup_ratio=0, lr_scheduler_type="constant")
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
        """RETURNS (float): Loss of one update."""
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


def compare(dtype: str, *, updates: int, batch_size: int) -> Dict[str, Any]:
    """Train both ways on the same updates.

    dtype (str): Number type of the frozen weights.
    updates (int): Updates; a first one is not timed.
    batch_size (int): Pairs of an update.
    RETURNS (Dict[str, Any]): Tokens per second and losses of both.
    """
    with tempfile.TemporaryDirectory() as folder:
        pairs = read_pairs(load_causal_lm(MODEL, dtype=dtype), (updates + 1) * batch_size)
        ours = our_trainer(load_causal_lm(MODEL, dtype=dtype), pairs, Path(folder) / "ours", batch_size)
        plain = PlainTrainer(load_causal_lm(MODEL, dtype=dtype), Path(folder) / "plain", batch_size)
        plan = random.Random(0).sample(range(len(pairs)), len(pairs))
        batches = [plan[start:start + batch_size] for start in range(0, len(plan), batch_size)]
        seconds, losses, tokens = [0.0, 0.0], [], 0
        for number, batch in enumerate(batches):
            began = time.perf_counter()
            first = ours.update(batch)["loss"]
            middle = time.perf_counter()
            second = plain.update([pairs[index] for index in batch])
            losses.append([first, second])
            if number:
                seconds = [seconds[0] + middle - began, seconds[1] + time.perf_counter() - middle]
                tokens += sum(pairs[index].length for index in batch)
    return {"tokens": tokens, "ours": tokens / seconds[0], "trainer": tokens / seconds[1], "losses": losses}


def run(*, quick: bool = False) -> Dict[str, Any]:
    """RETURNS (Dict[str, Any]): Ratio of the speeds, and the largest difference of the losses in float32."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    many = torch.cuda.is_available()
    fast = compare("auto", updates=1 if quick else 20 if many else 6, batch_size=4 if quick else 16 if many else 8)
    exact = compare("float32", updates=1 if quick else 2, batch_size=4)
    difference = max(abs(first - second) for first, second in exact["losses"])
    return {"ratios": [{"what": "LoRA fine-tuning, tokens/s", "against": "transformers.Trainer, same batch",
                        "ratio": fast["ours"] / fast["trainer"], "aim": AIM}],
            "largest_loss_difference_float32": difference, "bfloat16": fast, "float32": exact}
