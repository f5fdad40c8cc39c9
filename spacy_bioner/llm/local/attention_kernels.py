"""Which of torch's attention kernels are used on a GPU."""

import torch


def leave_out_planned_attention(device: torch.device) -> None:
    """Keep a GPU from attending by cuDNN, in this process.

    cuDNN makes a plan for each new shape, which takes some 60 ms on an H200, longer than a whole pass of a small
    model takes, and texts come in ever new shapes. The other kernels take any shape at once.

    device (torch.device): Where a model computes; on a CPU nothing changes.
    """
    if device.type == "cuda":
        torch.backends.cuda.enable_cudnn_sdp(False)
