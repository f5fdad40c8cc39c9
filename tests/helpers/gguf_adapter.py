"""A LoRA adapter of the embedded model as GGUF, for a server of llama.cpp."""

import json
import re
from pathlib import Path

import numpy
from safetensors.torch import load_file

# Names of the layers in GGUF, and the attention heads of those whose rows stand in another order there.
LAYERS = {"q_proj": "attn_q", "k_proj": "attn_k", "v_proj": "attn_v", "o_proj": "attn_output",
          "gate_proj": "ffn_gate", "up_proj": "ffn_up", "down_proj": "ffn_down"}
HEADS = {"q_proj": 9, "k_proj": 3}
_NAME = re.compile(r"\.layers\.(\d+)\.\w+\.(\w+)\.lora_([AB])\.weight$")


def write_gguf(adapter: Path, path: Path) -> Path:
    """Write an adapter that PEFT has written in llama.cpp's form."""
    from gguf import GGUFWriter

    writer = GGUFWriter(str(path), "llama")
    writer.add_string("general.type", "adapter")
    writer.add_string("adapter.type", "lora")
    alpha = json.loads((adapter / "adapter_config.json").read_text(encoding="utf8"))["lora_alpha"]
    writer.add_float32("adapter.lora.alpha", alpha)
    for name, weight in load_file(adapter / "adapter_model.safetensors").items():
        number, layer, part = _NAME.search(name).groups()
        values = weight.float().numpy()
        if part == "B" and layer in HEADS:
            rows, columns = values.shape
            values = values.reshape(HEADS[layer], 2, -1, columns).swapaxes(1, 2).reshape(rows, columns)
        writer.add_tensor(f"blk.{number}.{LAYERS[layer]}.weight.lora_{part.lower()}", numpy.ascontiguousarray(values))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path
