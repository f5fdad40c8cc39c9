"""Settings of torch that hold for a whole process: attention kernels on a GPU, threads after a fork."""

import os

import torch

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
