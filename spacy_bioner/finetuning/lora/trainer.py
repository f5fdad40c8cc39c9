"""Training of a LoRA adapter on pairs of prompt and answer, by loss on the answer alone."""

import hashlib
import json
import logging
import math
import time
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Tuple

import torch
from torch import nn

from ...errors import BionerError, Errors
from ...files import fill_folder
from ...llm.local.fingerprint import adapter_fingerprint
from ...llm.local.numbers.freed_memory import FreedMemory
from ...temporaries import sweep
from ..forward_passes import answer_losses, plan_passes
from ..pairs import Pair, check_pairs, drop_long, hash_pairs
from .adapter_model import adapter_tensors, put_adapter, settings_of, train_last_layers, write_adapter
from .batching import plan_updates
from .checkpoints import (
    Checkpoints,
    TrainingState,
    check_output,
    naming_last_good,
    refuse_other_training,
    write_run,
)
from .compiled_layers import compile_layers, uncompiled
from .lora_settings import LoraSettings, TrainingSettings
from .loss_log import write_losses
from .low_rank_layers import speed_up_products
from .optimizer import MasterAdamW
from .processes import Processes

logger = logging.getLogger(__name__)

# Seconds between two times that freed memory is given back: each costs the time to take it anew.
_SECONDS_BETWEEN = 15.0
Progress = Callable[[Mapping[str, float]], None]
Card = Callable[[Path, Mapping[str, Any]], None]


@dataclass
class Training:
    """How a training went.

    folder (Path): The adapter.
    updates (int): Updates done.
    best_updates (int): Updates after which the kept weights stood.
    score (Optional[float]): Their score on dev, if dev was scored.
    left_out (List[str]): Names of the pairs over the length.
    tokens (int): Prompt and answer tokens that were trained on, each time counted.
    seconds (float): Time that it took, over all runs.
    history (List[Dict[str, float]]): A row of figures an update.
    gpu_gib (Optional[float]): Most GPU memory held since it was last begun, dev included, in GiB; None on a CPU.
    """

    folder: Path
    updates: int
    best_updates: int
    score: Optional[float]
    left_out: List[str]
    tokens: int
    seconds: float
    history: List[Dict[str, float]] = field(repr=False, default_factory=list)
    gpu_gib: Optional[float] = None

    @property
    def speed(self) -> float:
        """Return tokens per second of the updates, without the decoding of dev."""
        return self.tokens / max(sum(row["seconds"] for row in self.history), 1e-9)


def train_adapter(pairs: Sequence[Pair], *, model: nn.Module, output: Path, write_card: Card, base_model: str,
                  lora: LoraSettings, training: TrainingSettings, score: Optional[Callable[[nn.Module], float]] = None,
                  progress: Optional[Progress] = None, processes: Optional[Processes] = None,
                  depends_on: Optional[Mapping[str, Any]] = None, start: Optional[Path] = None,
                  int8: bool = False, overwrite: bool = False) -> Training:
    """Train an adapter, going on from its last checkpoint where there is one.

    pairs (Sequence[Pair]): What is trained on.
    model (nn.Module): The frozen model; the adapter is put into it.
    output (Path): Folder for the adapter. It is there when the training is done; checkpoints lie beside it.
    write_card (Card): Writes into the folder what annotation must know; called with folder and figures.
    base_model (str): Name of the model, kept with the adapter.
    lora (LoraSettings): The adapter.
    training (TrainingSettings): The training.
    score (Optional[Callable[[nn.Module], float]]): Scores the model on dev, higher is better; the best weights are
        kept. None keeps the last.
    progress (Optional[Progress]): Called after each update with its figures.
    processes (Optional[Processes]): The processes of this training.
    depends_on (Optional[Mapping[str, Any]]): What the weights depend on beside pairs and settings, such as revision
        and number type of the model, or what dev holds: a checkpoint made with other values is not taken up.
    start (Optional[Path]): Folder of an adapter to begin with, in place of fresh weights; its rank, scale and places
        are then those of the new one.
    int8 (bool): Whether the frozen weights are rounded to 8 bits, on a CPU.
    overwrite (bool): Whether the adapter of another training is replaced.
    RETURNS (Training): How it went.
    RAISES BionerError: E301 and E302 for pairs that cannot be learnt, E303 for a loss that is no number, E304 for a
        disk that fails, E308 for an output that is no adapter's, E514 for one of another training.
    """
    check_output(output)
    trained_layers = lora.layers
    if start is not None:
        lora = settings_of(start, lora)
        depends_on = {**(depends_on or {}), "start": adapter_fingerprint(start), "trained_layers": trained_layers}
        logger.info("Begins with the adapter %s: rank %s, scale %s", start, lora.r, lora.lora_alpha)
    processes = processes or Processes()
    fitting, long = drop_long(pairs, training.max_length)
    if long:
        logger.warning("%s of %s records are longer than %s tokens and left out", len(long), len(pairs),
                       training.max_length)
    check_pairs(fitting)
    fingerprint = _fingerprint(fitting, base_model, lora, training, depends_on or {})
    if not overwrite:
        refuse_other_training(output, fingerprint)
    # All processes have looked, before one of them writes.
    processes.wait()
    checkpoints = Checkpoints(output.with_name(f"{output.name}.checkpoints"))
    if processes.is_main:
        checkpoints.sweep()
        sweep(output.parent)
    processes.wait()
    wrapped = put_adapter(model, lora, seed=training.seed, gradient_checkpointing=training.gradient_checkpointing,
                          start=start, int8=int8)
    train_last_layers(wrapped, trained_layers)
    if model.device.type == "cpu" and not training.compile:
        speed_up_products(wrapped)
    trainer = Trainer(fitting, model=wrapped, checkpoints=checkpoints, training=training, fingerprint=fingerprint,
                      score=score, progress=progress, processes=processes)
    trainer.run()
    state, gpu_gib = trainer.state, most_gpu_memory(next(model.parameters()).device)
    best_updates, best_score = state.best or (state.updates, None)
    tokens = int(sum(row["tokens"] for row in state.history))
    result = Training(output, state.updates, best_updates, best_score, [pair.name for pair in long], tokens,
                      state.seconds, state.history, gpu_gib)
    if processes.is_main:
        figures = {"updates": result.updates, "best_updates": best_updates, "tokens": tokens, "score": best_score,
                   "seconds": round(state.seconds, 1), "gpu_gib": gpu_gib, "left_out": result.left_out,
                   "lora": lora.model_dump(), "training": training.model_dump(), "pairs": len(fitting)}

        def fill(folder: Path) -> None:
            write_adapter(trainer.model, folder, trainer.kept, base_model=base_model, dtype=lora.save_dtype)
            write_losses(folder, state.history, state.scores)
            write_card(folder, figures)
            write_run(folder, fingerprint)

        with naming_last_good(checkpoints.last(state.fingerprint)):
            fill_folder(output, fill)
        checkpoints.remove(state.fingerprint)
    processes.wait()
    return result


def most_gpu_memory(device: torch.device) -> Optional[float]:
    """Return the most memory that this process has held on a GPU, in GiB; None for a CPU."""
    return round(torch.cuda.max_memory_reserved(device) / 2 ** 30, 2) if device.type == "cuda" else None


def _fingerprint(pairs: Sequence[Pair], base_model: str, lora: LoraSettings, training: TrainingSettings,
                 depends_on: Mapping[str, Any]) -> str:
    settings = json.dumps([base_model, lora.model_dump(), training.model_dump(), dict(depends_on)], sort_keys=True)
    return hashlib.sha256(f"{hash_pairs(pairs)} {settings}".encode()).hexdigest()[:16]


class Trainer:
    """The training loop and its state; see `train_adapter`."""

    def __init__(self, pairs: Sequence[Pair], *, model: nn.Module, checkpoints: Checkpoints,
                 training: TrainingSettings, fingerprint: str, score: Optional[Callable[[nn.Module], float]],
                 progress: Optional[Progress], processes: Processes) -> None:
        self.pairs = pairs
        self.model = model
        self.checkpoints = checkpoints
        self.training = training
        self.processes = processes
        self._score = score
        self._progress = progress
        self._freed = FreedMemory(between=_SECONDS_BETWEEN)
        self._weights = [weight for weight in model.parameters() if weight.requires_grad]
        self._optimizer = MasterAdamW(self._weights, weight_decay=training.weight_decay,
                                      max_grad_norm=training.max_grad_norm)
        self.per_epoch = len(self._plan(0))
        self._planned_epoch: Tuple[int, List[List[int]]] = (-1, [])
        planned = self.per_epoch * training.max_epochs
        self.planned = min(planned, training.max_steps) if training.max_steps else planned
        self.state = TrainingState(fingerprint)
        self.kept = adapter_tensors(model)
        if training.compile:
            compile_layers(model)
        self._resume()

    def run(self) -> None:
        """Train to the end: the planned updates, or until the score on dev rises no more."""
        began = time.monotonic() - self.state.seconds
        while self.state.updates < self.planned and not self._is_over():
            epoch, place = divmod(self.state.updates, self.per_epoch)
            if self._planned_epoch[0] != epoch:
                self._planned_epoch = (epoch, self._plan(epoch))
            started = time.monotonic()
            row = self.update(self._planned_epoch[1][place])
            self.state.updates += 1
            # Of passes of other lengths.
            self._freed.give_back()
            self.state.seconds = time.monotonic() - began
            self.state.history.append({**row, "update": self.state.updates,
                                       "seconds": round(time.monotonic() - started, 3)})
            if self._progress is not None and self.processes.is_main:
                self._progress({**self.state.history[-1], "planned": self.planned})
            if self._is_milestone():
                self._keep()
                self.state.seconds = time.monotonic() - began
                if self.processes.is_main:
                    self.checkpoints.write(self.state, self._tensors())

    def _plan(self, epoch: int) -> List[List[int]]:
        return plan_updates(self.pairs, batch_size=self.training.batch_size, epoch=epoch, seed=self.training.seed,
                            window=self.training.bucket_window, balance=self.training.balance,
                            one_question=self.training.one_question)

    def update(self, indices: Sequence[int]) -> Dict[str, float]:
        """Return the loss, tokens and learning rate of one update."""
        training = self.training
        total = sum(len(self.pairs[index].counted_places) for index in indices)
        device = self._weights[0].device.type
        passes = plan_passes(self.pairs, indices, max_tokens=training.pass_tokens(device),
                             share=training.shares_prefix(device))
        loss = torch.zeros((), dtype=torch.float64, device=self._weights[0].device)
        self.model.train()
        with torch.random.fork_rng():
            # Of the update's own seed, so that a resumed run drops the same inputs.
            torch.manual_seed(training.seed * 1_000_003 + self.state.updates * 1009 + self.processes.index)
            for item in self.processes.share(passes):
                part = answer_losses(self.model, [self.pairs[index] for index in item.indices],
                                     shared=item.shared, trains_shared=training.train_prefix).sum() / total
                part.backward()
                loss += part.detach()
        gradients = self._optimizer.take_gradients()
        self.processes.add_up([loss, *gradients])
        rate = self._learning_rate(self.state.updates)
        norm = self._optimizer.step(gradients, learning_rate=rate)
        if not (math.isfinite(loss) and math.isfinite(norm)):
            kept = self.checkpoints.last(self.state.fingerprint) or "none yet"
            raise BionerError(Errors.E303.format(update=self.state.updates + 1, kept=kept))
        return {"loss": float(loss), "learning_rate": rate, "gradient_norm": round(norm, 4),
                "tokens": sum(self.pairs[index].length for index in indices), "answer_tokens": total}

    def _learning_rate(self, done: int) -> float:
        """Return learning rate of the next update."""
        warmup = math.ceil(self.training.warmup_ratio * self.planned)
        if done < warmup:
            return self.training.learning_rate * (done + 1) / warmup
        passed = (done - warmup) / max(self.planned - warmup, 1)
        shape = {"constant": 1.0, "linear": 1 - passed, "cosine": 0.5 * (1 + math.cos(math.pi * passed))}
        return self.training.learning_rate * shape[self.training.lr_scheduler_type]

    def _is_milestone(self) -> bool:
        every = self.training.eval_frequency or self.per_epoch
        return self.state.updates % every == 0 or self.state.updates == self.planned

    def _keep(self) -> None:
        """Score the weights as they are, and keep them where they are the best so far."""
        if self._score is None:
            self.kept = adapter_tensors(self.model)
            return
        self.model.eval()
        value = 0.0
        if self.processes.is_main:
            with torch.random.fork_rng(), uncompiled() if self.training.compile else nullcontext():
                value = self._score(self.model)
        value = self.processes.first_says(value)
        self.state.scores.append((self.state.updates, value))
        if self.state.best == self.state.scores[-1]:
            self.kept = adapter_tensors(self.model)

    def _is_over(self) -> bool:
        """Return whether the last scores, as many as the patience, brought none that is better."""
        return bool(self.training.patience) and self.state.scores_since_best >= self.training.patience

    def _tensors(self) -> Dict[str, torch.Tensor]:
        return {**{f"kept.{name}": tensor for name, tensor in self.kept.items()},
                **{f"optimizer.{name}": tensor for name, tensor in self._optimizer.tensors().items()}}

    def _resume(self) -> None:
        """Take up the last checkpoint of this training, if there is one."""
        found = self.checkpoints.read(self.state.fingerprint)
        if found is None:
            return
        self.state, tensors = found
        parts: Dict[str, Dict[str, torch.Tensor]] = {"kept": {}, "optimizer": {}}
        for name, tensor in tensors.items():
            part, _, rest = name.partition(".")
            parts[part][rest] = tensor
        self.kept = parts["kept"]
        self._optimizer.load(parts["optimizer"])
        logger.info("Resuming from step %s of %s", self.state.updates, self.planned)
