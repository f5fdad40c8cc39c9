"""Settings of torch: attention kernels on a GPU and in training on a CPU, threads after a fork."""

import os
from contextlib import nullcontext
from typing import ContextManager

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

# Torch's threads do not survive a fork, and a child of `nlp.pipe(n_process=2)` that asks for them waits for ever. One
# thread a process is what several processes want anyway.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=lambda: torch.set_num_threads(1))


def leave_out_planned_attention(device: torch.device) -> None:
    """Keep a GPU from attending by cuDNN, in this process.

    cuDNN makes a plan for each new shape, which takes some 60 ms on an H200, longer than a whole pass of a small
    model takes, and texts come in ever new shapes. The other kernels take any shape at once.

    device (torch.device): Where a model computes; on a CPU nothing changes.
    """
    if device.type == "cuda":
        torch.backends.cuda.enable_cudnn_sdp(False)


def trained_attention(device: torch.device, dtype: torch.dtype) -> ContextManager[None]:
    """Attend by plain products where a CPU trains in bfloat16; to be entered around the forward pass.

    The gradient of torch's fused kernel takes four to eight times as long there as that of the products, for a batch of
    sentences a third of the whole training. In float32 the fused kernel is the faster one.

    device (torch.device): Where the model computes.
    dtype (torch.dtype): What it attends in.
    RETURNS (ContextManager[None]): Inside it, the choice of kernels is that one.
    """
    if device.type == "cpu" and dtype == torch.bfloat16:
        return sdpa_kernel(SDPBackend.MATH)
    return nullcontext()
