"""AdamW over float32 copies of weights that compute in a smaller number type."""

import math
from typing import Dict, List, Sequence

import torch
from torch import nn


class MasterAdamW:
    """Takes its steps in float32, since bfloat16 would round the small ones away.

    weights (Sequence[nn.Parameter]): The weights, in any number type; they follow their copies.
    weight_decay (float): Of AdamW.
    max_grad_norm (float): Longer gradients are cut to this length; 0 leaves them.
    """

    def __init__(self, weights: Sequence[nn.Parameter], *, weight_decay: float, max_grad_norm: float) -> None:
        self._weights = list(weights)
        self._masters = [weight.detach().float().clone() for weight in weights]
        self._gradients = [torch.zeros_like(master) for master in self._masters]
        self._adam = torch.optim.AdamW(self._masters, weight_decay=weight_decay)
        self._max_grad_norm = max_grad_norm or math.inf

    def take_gradients(self) -> List[torch.Tensor]:
        """Return Float32 gradients, zeros where there was none, good until the next call; the
        weights' own are cleared."""
        torch._foreach_zero_(self._gradients)
        given = [(kept, weight.grad) for kept, weight in zip(self._gradients, self._weights) if weight.grad is not None]
        if given:
            # One call for all: on a GPU hundreds of small ones would take longer than the step.
            torch._foreach_copy_(*map(list, zip(*given)))
        for weight in self._weights:
            weight.grad = None
        return self._gradients

    def step(self, gradients: Sequence[torch.Tensor], *, learning_rate: float) -> float:
        """Move the weights; where the gradients are no finite numbers nothing moves.

        gradients (Sequence[torch.Tensor]): One a weight.
        learning_rate (float): Of this step.
        RETURNS (float): Length of the gradients before they were cut.
        """
        for master, gradient in zip(self._masters, gradients):
            master.grad = gradient
        norm = float(nn.utils.clip_grad_norm_(self._masters, self._max_grad_norm))
        if math.isfinite(norm):
            for group in self._adam.param_groups:
                group["lr"] = learning_rate
            self._adam.step()
            self._follow()
        self._adam.zero_grad(set_to_none=True)
        return norm

    def tensors(self) -> Dict[str, torch.Tensor]:
        """Return the copies and what AdamW knows of each, by name."""
        found = {f"{number}.master": master for number, master in enumerate(self._masters)}
        for number, entries in self._adam.state_dict()["state"].items():
            found.update({f"{number}.{key}": value for key, value in entries.items()})
        return found

    def load(self, tensors: Dict[str, torch.Tensor]) -> None:
        """Take back what `tensors` gave; the weights follow."""
        entries: Dict[int, Dict[str, torch.Tensor]] = {}
        for name, tensor in tensors.items():
            number, _, key = name.partition(".")
            if key == "master":
                self._masters[int(number)].copy_(tensor)
            else:
                entries.setdefault(int(number), {})[key] = tensor
        self._adam.load_state_dict({"state": entries, "param_groups": self._adam.state_dict()["param_groups"]})
        self._follow()

    def _follow(self) -> None:
        with torch.no_grad():
            torch._foreach_copy_(self._weights, self._masters)
