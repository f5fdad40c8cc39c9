"""Local causal language models: any Hugging Face model or folder, the embedded one, with or without an adapter."""

import hashlib
from dataclasses import dataclass, field
from importlib import util
from pathlib import Path
from typing import TYPE_CHECKING, Any, Dict, Mapping, Optional, Tuple, Union

import torch

from ...errors import BionerError, Errors
from ...locks import ThreadLock
from ..adapter import CARD_FILE, AdapterCard
from ..decoding.free import FreeDecoder
from ..model_memory import refuse_too_large
from .adapter_loading import add_adapter, read_adapter_config
from .fingerprint import adapter_fingerprint, fingerprint
from .hub import model_revision, resolve_model
from .numbers.int8_layers import can_use_int8, put_int8
from .numbers.number_types import is_quick_in_bfloat16, is_quickest_in_int8
from .passes.attention_kernels import leave_out_planned_attention
from .pretrained import load_model, load_tokenizer
from .tokenization import encode_text, end_id

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

__all__ = ["CausalLM", "FreeDecoder", "choose_device", "choose_dtype", "load_causal_lm"]

_HASHED_WORDS = 64
_SHAPES = ("hidden_size", "num_hidden_layers", "vocab_size")


@dataclass
class CausalLM:
    """A loaded model, ready for inference.

    model (PreTrainedModel): The model, an adapter merged into it (into 4-bit weights it is not merged but kept beside).
    tokenizer (PreTrainedTokenizerBase): Its tokenizer.
    name (str): The name that it was loaded by.
    settings (Dict[str, Any]): Revision, adapter, dtype and quantisation.
    base_hash (str): See `hash_base`; empty where it was not loaded from a folder.
    lock (ThreadLock): Held by whoever uses model or tokenizer: decoding sets the model's attention, and keeps keys
        and values for all texts under way.
    """

    model: "PreTrainedModel"
    tokenizer: "PreTrainedTokenizerBase"
    name: str = ""
    settings: Dict[str, Any] = field(default_factory=dict)
    base_hash: str = ""
    lock: ThreadLock = field(default_factory=ThreadLock, repr=False, compare=False)

    @property
    def device(self) -> torch.device:
        return self.model.get_input_embeddings().weight.device

    @property
    def context_length(self) -> int:
        """Return tokens that prompt and answer may have together."""
        config = self.model.config.get_text_config()
        return int(getattr(config, "max_position_embeddings", None) or self.tokenizer.model_max_length)

    @property
    def end_ids(self) -> Tuple[int, ...]:
        """Return tokens that end an answer, the tokenizer's first."""
        configured = getattr(self.model.generation_config, "eos_token_id", None) or []
        configured = configured if isinstance(configured, list) else [configured]
        return tuple(dict.fromkeys([end_id(self.tokenizer), *configured]))

    @property
    def shapes(self) -> Dict[str, int]:
        """Return hidden size, layers and vocabulary: what tells models from each other whose names
        say nothing."""
        config = self.model.config.get_text_config()
        return {key: int(getattr(config, key)) for key in _SHAPES if getattr(config, key, None) is not None}

    def count_tokens(self, text: str) -> int:
        with self.lock:
            return len(encode_text(self.tokenizer, text))

    def identity(self) -> Mapping[str, Any]:
        """Return all that tells this model from another one of the same name."""
        return {"model": self.name, **self.settings}


def load_causal_lm(name: str, *, adapter: Union[str, Path, None] = None, revision: Optional[str] = None,
                   device: str = "auto", dtype: str = "auto", quantize: Optional[str] = None,
                   for_training: bool = False) -> CausalLM:
    """Load a model.

    name (str): A folder, an embedded model or a hub id, see `resolve.resolve_model`.
    adapter (Optional[str]): Folder of a LoRA adapter.
    revision (Optional[str]): Revision of a hub model.
    device (str): "cpu", "cuda", "cuda:1"; "auto" takes CUDA where there is some.
    dtype (str): "float32", "bfloat16", "float16", or "int8" for weights of 8 bits on a CPU; "auto" takes what the
        device is quickest in.
    quantize (Optional[str]): "4bit" for NF4 weights on CUDA, or None.
    for_training (bool): Whether an adapter will be trained on it. Its weights are then rounded to 8 bits by
        `finetuning.lora.adapter_model.put_adapter`.
    RETURNS (CausalLM): The model in evaluation mode.
    RAISES BionerError: E201 to E203, E230 and E231 where the model cannot be had, E207 where the adapter is another
        model's, E208 and E232 where it is none, E209 for a device, dtype or quantisation that this machine does not
        have, E247 where the model does not fit into memory, E706 where peft or bitsandbytes is missing.
    """
    if adapter is not None:
        read_adapter_config(Path(adapter))
    folder = resolve_model(name, revision=revision)
    place = choose_device(device)
    leave_out_planned_attention(place)
    is_int8 = choose_int8(dtype, place, for_training=for_training, quantize=quantize)
    number_type = torch.float32 if is_int8 else choose_dtype(dtype, place)
    options = _quantization(quantize, place, number_type)
    refuse_too_large(folder, name=name, dtype=number_type, device=place, quantized=quantize is not None)
    tokenizer = load_tokenizer(folder)
    model = load_model(folder, dtype=number_type, head="causal", **options)
    if not options:
        model.to(place)
    base_hash = hash_base(model)
    if adapter is not None:
        if (Path(adapter) / CARD_FILE).is_file():
            AdapterCard.read(Path(adapter)).check_model(CausalLM(model, tokenizer).shapes, base_hash)
        model = add_adapter(model, Path(adapter), number_type, merge=quantize is None)
    model.eval().requires_grad_(False)
    if is_int8 and not for_training:
        put_int8(model.get_decoder())
    settings = {"revision": model_revision(name, revision=revision) or fingerprint(folder),
                "adapter": adapter_fingerprint(Path(adapter)) if adapter is not None else None,
                "dtype": "int8" if is_int8 else str(number_type).removeprefix("torch."), "quantize": quantize}
    return CausalLM(model, tokenizer, name=name, settings=settings, base_hash=base_hash)


def choose_device(device: str) -> torch.device:
    """Return the device of that name; raises BionerError E209 where this machine has none."""
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        place = torch.device(device)
    except RuntimeError:
        raise BionerError(Errors.E209.format(what="device", value=device, wanted="auto, cpu or cuda")) from None
    if place.type == "cuda" and not torch.cuda.is_available():
        raise BionerError(Errors.E209.format(what="device", value=device, wanted="auto or cpu, there is no CUDA here"))
    return place


def choose_int8(dtype: str, device: torch.device, *, for_training: bool, quantize: Optional[str]) -> bool:
    """Return whether weights are rounded to 8 bits; raises BionerError E209 where that is asked for and cannot be."""
    if dtype == "auto":
        return quantize is None and is_quickest_in_int8(device, for_training=for_training)
    if dtype == "int8" and (device.type != "cpu" or quantize is not None or not can_use_int8()):
        raise BionerError(Errors.E209.format(what="dtype", value=dtype, wanted="another one: int8 is for x86 CPUs, "
                                             "without quantize"))
    return dtype == "int8"


def choose_dtype(dtype: str, device: torch.device) -> torch.dtype:
    """Return the number type of that name; "auto" is bfloat16 where that is quicker."""
    if dtype == "auto":
        return torch.bfloat16 if is_quick_in_bfloat16(device) else torch.float32
    known = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
    if dtype not in known:
        raise BionerError(Errors.E209.format(what="dtype", value=dtype, wanted=", ".join(["auto", "int8", *known])))
    return known[dtype]


def _quantization(quantize: Optional[str], device: torch.device, dtype: torch.dtype) -> Dict[str, Any]:
    """Return what `from_pretrained` needs for quantised weights; nothing for plain ones."""
    if quantize is None:
        return {}
    if quantize != "4bit":
        raise BionerError(Errors.E209.format(what="quantize", value=quantize, wanted="4bit"))
    if device.type != "cuda":
        raise BionerError(Errors.E209.format(what="quantize", value=quantize, wanted="a CUDA device"))
    if util.find_spec("bitsandbytes") is None:
        raise BionerError(Errors.E706.format(package="bitsandbytes", extra="gpu"))
    from transformers import BitsAndBytesConfig

    config = BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True,
                                bnb_4bit_compute_dtype=dtype)
    return {"quantization_config": config, "device_map": {"": device}}


def hash_base(model: "PreTrainedModel") -> str:
    """Hash of weights that two models of the same shapes do not share, however they were saved, named and loaded.

    model (PreTrainedModel): The model, before an adapter is put on it.
    RETURNS (str): Short hash of the first word vectors and of all norms and biases, rounded to bfloat16; none of them
        is quantised with the others.
    """
    digest = hashlib.sha256()
    words = model.get_input_embeddings().weight[:_HASHED_WORDS]
    for weight in (words, *(value for value in model.parameters() if value.ndim == 1)):
        digest.update(weight.detach().to("cpu", torch.bfloat16).contiguous().view(torch.int16).numpy().tobytes())
    return digest.hexdigest()[:16]
