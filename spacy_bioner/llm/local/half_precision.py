"""Whether a device is quicker in bfloat16 than in float32."""

import torch


def is_quick_in_bfloat16(device: torch.device) -> bool:
    """Find out whether matrices are better multiplied in bfloat16.

    Of Intel's processors those with AMX are quicker; with AVX512-BF16 alone, as where a virtual machine hides AMX,
    bfloat16 trained and read 1.4 to 1.7 times slower than float32, both with SmolLM2-135M and with MiniLM.

    device (torch.device): Where a model computes.
    RETURNS (bool): Whether it is; float32 is never wrong, so not where torch cannot say it.
    """
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    describe = getattr(torch.cpu, "get_capabilities", None)
    if device.type != "cpu" or describe is None:
        return False
    capabilities = describe()
    if capabilities.get("amx_bf16"):
        return True
    return bool(capabilities.get("avx512_bf16")) and not str(capabilities.get("cpu_name", "")).startswith("Intel")
