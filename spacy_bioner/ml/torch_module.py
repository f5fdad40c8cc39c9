"""A torch module inside a Thinc model: built from a plain config, trained by AdamW, stored as safetensors.

Thinc's own PyTorch shim moves every gradient through its optimizer one by one and never keeps averages for torch
parameters. This one reads rates and decay from the Thinc optimizer of `spacy train`, but steps all parameters at once,
with a factor on the learning rate for each group, and puts moving averages where `nlp.use_params` finds them.
"""

from contextlib import contextmanager, nullcontext
from typing import Any, Callable, Dict, Iterator, Mapping, Optional

import srsly
import torch
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from thinc.api import Optimizer, PyTorchShim
from thinc.util import get_torch_default_device, torch2xp

from ..errors import BionerError, Errors
from ..llm.local.numbers.number_types import is_quick_in_bfloat16
from ..llm.local.passes.attention_kernels import leave_out_planned_attention, trained_attention

# Vectors and biases are not decayed, as is usual for transformers.
_DECAYED_DIMS = 2


class ModuleShim(PyTorchShim):
    """Holds a torch module that can be built again from its config.

    build (Callable[[Dict[str, Any]], torch.nn.Module]): Makes the module, with fresh weights, from its config.
    rate_factor (Optional[Callable[[str, torch.nn.Module], float]]): Name of a parameter, and the module, to a factor
        on the learning rate; None is 1 for all. This and `build` are functions of a module, so that a model can be
        pickled.
    average (float): Decay of the moving average of the weights; 0 keeps none.
    trained_only (bool): Whether only what is trained is stored, because `build` brings the rest.
    finish (Optional[Callable[[torch.nn.Module, Dict[str, Any]], Dict[str, Any]]]): Changes a module that was read from
        its file for use, and gives the config that builds its like.
    """

    def __init__(self, build: Callable[[Dict[str, Any]], torch.nn.Module], *,
                 rate_factor: Optional[Callable[[str, torch.nn.Module], float]] = None, average: float = 0.0,
                 trained_only: bool = False,
                 finish: Optional[Callable[[torch.nn.Module, Dict[str, Any]], Dict[str, Any]]] = None):
        super().__init__(None)
        self.trained_only = trained_only
        self.finish = finish
        self.build = build
        self.rate_factor = rate_factor
        self.average = average
        self.config: Dict[str, Any] = {}
        self._stepper: Optional[torch.optim.AdamW] = None
        self._averages: Dict[str, torch.Tensor] = {}
        self._steps = 0
        self._in_training: Optional[bool] = None

    @property
    def module(self) -> torch.nn.Module:
        """Return the module. RAISES BionerError: E501 before it is initialized or loaded."""
        if self._model is None:
            raise BionerError(Errors.E501)
        return self._model

    def for_mode(self, *, is_train: bool) -> torch.nn.Module:
        """Return the module in the mode for training or for use. RAISES BionerError: E501 as `module` does."""
        # Setting the mode of every part takes as long as a layer does for a short text.
        if self._in_training != is_train:
            self.module.train(is_train)
            self._in_training = is_train
        return self.module

    def set_module(self, module: torch.nn.Module, config: Dict[str, Any]) -> None:
        """Take a module and the config that builds its like."""
        self.config = config
        device = get_torch_default_device()
        leave_out_planned_attention(device)
        self._model = module.to(device)
        self._in_training = None
        self._stepper = None
        self._averages = {}
        self._steps = 0

    def finish_update(self, optimizer: Optimizer) -> None:
        """Step all parameters by AdamW, with the rates that the Thinc optimizer has at this update.

        optimizer (Optimizer): Adam of Thinc; `grad_clip` bounds the norm of all gradients of the module together.
        """
        named = [(name, value) for name, value in self.module.named_parameters() if value.grad is not None]
        if not named:
            return
        if self._stepper is None:
            self._stepper = self._make_stepper()
        for group in self._stepper.param_groups:
            group["lr"] = optimizer.learn_rate * group["factor"]
            group["betas"] = (optimizer.b1, optimizer.b2)
            group["eps"] = optimizer.eps
            group["weight_decay"] = optimizer.L2 if group["decayed"] else 0.0
        if optimizer.grad_clip:
            torch.nn.utils.clip_grad_norm_([value for _, value in named], optimizer.grad_clip)
        self._stepper.step()
        self._stepper.zero_grad(set_to_none=True)
        if self.average:
            self._update_averages(optimizer)

    def _make_stepper(self) -> torch.optim.AdamW:
        groups: Dict[Any, Dict[str, Any]] = {}
        for name, value in self.module.named_parameters():
            if not value.requires_grad:
                continue
            factor = self.rate_factor(name, self.module) if self.rate_factor is not None else 1.0
            decayed = value.dim() >= _DECAYED_DIMS
            group = groups.setdefault((factor, decayed), {"params": [], "factor": factor, "decayed": decayed})
            group["params"].append(value)
        # One pass over the weights: a fifth of the time of the steps one operation after another takes, on a CPU too.
        return torch.optim.AdamW(list(groups.values()), lr=0.0, fused=True)

    def _update_averages(self, optimizer: Optimizer) -> None:
        self._steps += 1
        # A young average would remember the random start for long: its decay grows to the one asked for.
        decay = min(self.average, (1 + self._steps) / (10 + self._steps))
        trained = {name: value.detach() for name, value in self.module.named_parameters() if value.requires_grad}
        if not self._averages:
            self._averages = {name: value.clone() for name, value in trained.items()}
        names = list(trained)
        torch._foreach_lerp_([self._averages[name] for name in names], [trained[name] for name in names], 1 - decay)
        if optimizer.averages is None:
            # From here on Thinc averages its own parameters too: a state is averaged as a whole or not at all.
            optimizer.averages = {}
        for name in names:
            optimizer.averages[f"{self._prefix}{name}"] = torch2xp(self._averages[name])

    @property
    def _prefix(self) -> str:
        return f"pytorch_{self.id}_"

    @contextmanager
    def use_params(self, params: Mapping[Any, Any]) -> Iterator[None]:
        """Work with averaged weights inside the block, where there are any."""
        if not self._averages or not any(isinstance(key, str) and key.startswith(self._prefix) for key in params):
            yield
            return
        trained = {name: value for name, value in self.module.named_parameters() if value.requires_grad}
        backup = {name: value.detach().clone() for name, value in trained.items()}
        self._copy_in(trained, self._averages)
        try:
            yield
        finally:
            self._copy_in(trained, backup)

    @staticmethod
    def _copy_in(targets: Mapping[str, torch.Tensor], values: Mapping[str, torch.Tensor]) -> None:
        with torch.no_grad():
            for name, value in targets.items():
                value.copy_(values[name])

    def to_bytes(self) -> bytes:
        """Return the config and the weights, these as safetensors; empty before initialization."""
        if self._model is None:
            return srsly.msgpack_dumps({"config": None})
        trained = {name for name, value in self._model.named_parameters() if value.requires_grad}
        state = {name: value.detach().cpu().contiguous() for name, value in self._model.state_dict().items()
                 if name in trained or not self.trained_only}
        return srsly.msgpack_dumps({"config": self.config, "weights": save_tensors(state)})

    def from_bytes(self, bytes_data: bytes) -> "ModuleShim":
        """Build the module from its config and fill in the stored weights.

        RAISES BionerError: E553 where they do not fit: each has its place, and what is trained has its weights.
        """
        stored = srsly.msgpack_loads(bytes_data)
        if stored["config"] is None:
            return self
        module = self.build(stored["config"])
        self._fill(module, load_tensors(stored["weights"]), stored["config"])
        self.set_module(module, stored["config"] if self.finish is None else self.finish(module, stored["config"]))
        return self

    def _fill(self, module: torch.nn.Module, weights: Mapping[str, torch.Tensor], config: Mapping[str, Any]) -> None:
        # Names of LoRA are made by peft: under those of another version nothing would be filled in.
        needed = {name for name, value in module.named_parameters() if value.requires_grad or not self.trained_only}
        try:
            left = module.load_state_dict(dict(weights), strict=False)
        except RuntimeError as error:
            why = " ".join(str(error).split())
        else:
            missing, unknown = sorted(needed & set(left.missing_keys)), sorted(left.unexpected_keys)
            if not missing and not unknown:
                return
            why = f"{len(missing)} weights missing, {len(unknown)} without a place, first {[*missing, *unknown][0]}"
        raise BionerError(Errors.E553.format(name=config.get("name", type(module).__name__), why=why))

    def copy(self) -> "ModuleShim":
        fresh = ModuleShim(self.build, rate_factor=self.rate_factor, average=self.average,
                           trained_only=self.trained_only, finish=self.finish)
        return fresh.from_bytes(self.to_bytes())


@contextmanager
def forward_pass(device: torch.device, *, mixed_precision: bool, is_train: bool) -> Iterator[None]:
    """Compute a forward pass: in bfloat16 where that is asked for and quicker, and with gradients in training alone.

    device (torch.device): Where the module computes.
    mixed_precision (bool): Whether to take bfloat16 where it is quicker.
    is_train (bool): Whether gradients are wanted.
    """
    mixed = mixed_precision and is_quick_in_bfloat16(device)
    dtype = torch.bfloat16 if mixed else torch.float32
    with torch.set_grad_enabled(is_train), torch.autocast(device.type, torch.bfloat16, enabled=mixed), \
            trained_attention(device, dtype) if is_train else nullcontext():
        yield


def constant_rate(name: str, module: torch.nn.Module, *, factor: float) -> float:
    """Return the same factor on the learning rate for all parameters."""
    return factor
