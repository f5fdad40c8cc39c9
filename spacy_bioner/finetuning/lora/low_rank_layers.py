"""The products of LoRA on CPUs, each in the layout that is fast there.

An adapter of rank 8 has matrices of 8 rows or columns. The library that multiplies is up to six times as fast where the
short side comes first, and the sum with the frozen layer needs no pass of its own.
"""

from functools import partial
from typing import Any, Optional, Tuple

import torch
from torch import nn

from ...extras import extra


def speed_up_products(wrapped: nn.Module) -> None:
    """Let the adapter's layers compute by `_AddLowRank`, but for those that do more than LoRA does.

    wrapped (nn.Module): A model on a CPU, as peft wraps it.
    """
    with extra("llm"):
        from peft.tuners.lora import Linear

    for layer in wrapped.modules():
        if isinstance(layer, Linear) and isinstance(layer.lora_dropout["default"], nn.Identity):
            layer.forward = partial(_forward, layer)


def _forward(layer: Any, values: torch.Tensor) -> torch.Tensor:
    first, second = layer.lora_A["default"].weight, layer.lora_B["default"].weight
    found = layer.base_layer(values)
    if not found.dtype == values.dtype == first.dtype:
        added = nn.functional.linear(nn.functional.linear(values.to(first.dtype), first), second)
        return found + (added * layer.scaling["default"]).to(found.dtype)
    return _AddLowRank.apply(found, values, first, second, layer.scaling["default"])


class _AddLowRank(torch.autograd.Function):
    """What the frozen layer gives, plus the scaled product of the input with both matrices of the adapter."""

    @staticmethod
    def forward(ctx: Any, found: torch.Tensor, values: torch.Tensor, first: torch.Tensor, second: torch.Tensor,
                scale: float) -> torch.Tensor:
        rows = values.reshape(-1, values.shape[-1])
        low = (first @ rows.T).T
        ctx.save_for_backward(rows, low, first, second)
        ctx.scale, ctx.shape = scale, values.shape
        ctx.mark_dirty(found)
        found.view(-1, found.shape[-1]).addmm_(low, second.T, alpha=scale)
        return found

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> Tuple[Optional[torch.Tensor], ...]:
        rows, low, first, second = ctx.saved_tensors
        behind = gradients[0].reshape(-1, second.shape[0])
        between = (second.T @ behind.T).mul_(ctx.scale)
        of_values = (between.T @ first).view(ctx.shape) if ctx.needs_input_grad[1] else None
        of_first = between @ rows if ctx.needs_input_grad[2] else None
        of_second = (low.T @ behind).mul_(ctx.scale).T if ctx.needs_input_grad[3] else None
        return gradients[0], of_values, of_first, of_second, None
