"""A LoRA adapter on a frozen model: put there, read out, taken back, written down."""

import re
from copy import copy
from pathlib import Path
from typing import Any, Dict, List, Optional

import torch
from torch import nn

from ...errors import BionerError, Errors
from ...extras import extra
from ...llm.adapter import WEIGHTS_FILE
from ...llm.local.adapter_loading import read_adapter_config
from ...llm.local.numbers.int8_layers import put_int8
from .lora_settings import LoraSettings


def settings_of(folder: Path, lora: LoraSettings) -> LoraSettings:
    """Find how an adapter has to be put onto a model, to be trained further.

    folder (Path): Folder of the adapter.
    lora (LoraSettings): What is asked for.
    RETURNS (LoraSettings): The same, with rank, scale, modules and layers of the adapter, which its weights fit.
    RAISES BionerError: E208 where there is no adapter, E232 where its files are damaged or of another kind.
    """
    config = read_adapter_config(folder)
    modules, layers = config.target_modules, config.layers_to_transform
    return lora.model_copy(update={"r": config.r, "lora_alpha": config.lora_alpha,
                                   "target_modules": modules if isinstance(modules, str) else sorted(modules),
                                   "layers": len(layers) if isinstance(layers, list) and layers else None})


def put_adapter(model: nn.Module, lora: LoraSettings, *, seed: int, gradient_checkpointing: bool = False,
                start: Optional[Path] = None, int8: bool = False) -> nn.Module:
    """Put a fresh adapter into a model, or one that is to be trained further.

    model (nn.Module): A causal language model; its own weights are frozen.
    lora (LoraSettings): The adapter.
    seed (int): Random seed of its weights.
    gradient_checkpointing (bool): Whether the states of the layers are computed again for their gradients.
    start (Optional[Path]): Folder of an adapter whose weights are taken; `settings_of` says which `lora` they fit.
    int8 (bool): Whether the model's own weights are rounded to 8 bits, on a CPU.
    RETURNS (nn.Module): The model with the adapter, as peft wraps it.
    RAISES BionerError: E209 for layers or modules that the model does not have.
    """
    with extra("llm"):
        from peft import LoraConfig, get_peft_model

    _check_places(model, lora)
    # Not by peft's preparation of 4-bit models: it casts embeddings and head to float32, 2.5 GB more in an 8B model.
    model.requires_grad_(False)
    if gradient_checkpointing:
        model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
        model.enable_input_require_grads()
    count = model.config.get_text_config().num_hidden_layers
    layers = list(range(count))[-lora.layers:] if lora.layers else None
    # peft takes layers only beside names, not beside a word or a pattern.
    modules = linear_names(model) if layers and lora.target_modules == "all-linear" else lora.target_modules
    config = LoraConfig(task_type="CAUSAL_LM", r=lora.r, lora_alpha=lora.lora_alpha, lora_dropout=lora.lora_dropout,
                        target_modules=modules, layers_to_transform=layers)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        wrapped = get_peft_model(model, config, autocast_adapter_dtype=False)
    if start is not None:
        _take_weights(wrapped, Path(start))
    dtype = model.dtype if lora.adapter_dtype == "auto" else getattr(torch, lora.adapter_dtype)
    for weight in wrapped.parameters():
        weight.data = weight.data.to(dtype) if weight.requires_grad else weight.data
    if int8:
        put_int8(model.get_decoder(), trains_below=True)
    return wrapped


def train_last_layers(wrapped: nn.Module, layers: Optional[int]) -> None:
    """Keep the adapter of all layers but the last ones as it is: no gradients are computed for them, nor below them.

    wrapped (nn.Module): The model with the adapter, as peft wraps it.
    layers (Optional[int]): How many of the last layers are trained; None trains all.
    RAISES BionerError: E209 for more layers than the model has.
    """
    count = wrapped.get_base_model().config.get_text_config().num_hidden_layers
    _check_layers(layers, count)
    first = count - layers if layers else 0
    for name, weight in wrapped.named_parameters():
        number = re.search(r"\.(\d+)\.", name)
        if weight.requires_grad and number and int(number[1]) < first:
            weight.requires_grad_(False)


def _take_weights(wrapped: nn.Module, folder: Path) -> None:
    """Put the weights of a written adapter into one of the same settings; raises BionerError E207 for other shapes."""
    with extra("llm"):
        from peft import set_peft_model_state_dict
    from safetensors.torch import load_file

    try:
        fate = set_peft_model_state_dict(wrapped, load_file(folder / WEIGHTS_FILE))
    except RuntimeError as error:
        if "size mismatch" not in str(error):
            raise
        fate = None
    if fate is None or fate.unexpected_keys:
        asked = wrapped.get_base_model().config.name_or_path
        raise BionerError(Errors.E207.format(what="base model", trained=folder, asked=asked)) from None


def _check_places(model: nn.Module, lora: LoraSettings) -> None:
    """Refuse layers and modules that the model does not have; of several names peft needs only one."""
    count = model.config.get_text_config().num_hidden_layers
    _check_layers(lora.layers, count)
    if lora.target_modules == "all-linear":
        return
    names = [name for name, module in model.named_modules()
             if not any(module.children()) and getattr(getattr(module, "weight", None), "ndim", 0) == 2]
    wanted = f"all-linear, or names among {', '.join(linear_names(model))}"
    if isinstance(lora.target_modules, str):
        unknown = [] if any(_matches(lora.target_modules, name) for name in names) else [lora.target_modules]
    else:
        unknown = [target for target in lora.target_modules if not any(f".{name}".endswith(f".{target}")
                                                                        for name in names)]
    if unknown or not lora.target_modules:
        value = unknown[0] if unknown else ""
        raise BionerError(Errors.E209.format(what="target_modules", value=value, wanted=wanted))


def _check_layers(layers: Optional[int], count: int) -> None:
    if layers and layers > count:
        raise BionerError(Errors.E209.format(what="layers", value=layers, wanted=f"at most {count}"))


def _matches(pattern: str, name: str) -> bool:
    try:
        return re.fullmatch(pattern, name) is not None
    except re.error:
        return False


def linear_names(model: nn.Module) -> List[str]:
    """Return names that the linear layers have inside a block, such as "q_proj"; not the output head."""
    head = model.get_output_embeddings()
    return sorted({name.rpartition(".")[2] for name, module in model.named_modules()
                   if isinstance(module, nn.Linear) and module is not head})


def adapter_tensors(model: nn.Module) -> Dict[str, torch.Tensor]:
    """Return a copy of the adapter's weights on the CPU, by name."""
    return {name: weight.detach().cpu().clone() for name, weight in model.named_parameters() if weight.requires_grad}


def load_adapter_tensors(model: nn.Module, tensors: Dict[str, torch.Tensor]) -> None:
    """Put weights back that `adapter_tensors` copied."""
    weights = dict(model.named_parameters())
    with torch.no_grad():
        for name, tensor in tensors.items():
            weights[name].copy_(tensor)


def write_adapter(model: Any, folder: Path, tensors: Dict[str, torch.Tensor], *, base_model: str,
                  dtype: str = "float32") -> None:
    """Write an adapter as peft reads it: safetensors and its configuration.

    model (Any): The model with the adapter, as peft wraps it.
    folder (Path): Where to.
    tensors (Dict[str, torch.Tensor]): The weights to write.
    base_model (str): Name of the model, in place of the folder that it was loaded from.
    dtype (str): Number type of the written weights.
    """
    with extra("llm"):
        from peft import get_peft_model_state_dict
    from safetensors.torch import save

    load_adapter_tensors(model, tensors)
    # Not by save_pretrained, which asks a model hub whether the vocabulary of the base model has changed.
    weights = get_peft_model_state_dict(model, save_embedding_layers=False)
    # As bytes: save_file makes an error of its own of a full disk.
    content = save({name: weight.detach().to("cpu", getattr(torch, dtype)).contiguous()
                    for name, weight in weights.items()}, metadata={"format": "pt"})
    (folder / WEIGHTS_FILE).write_bytes(content)
    config = copy(model.peft_config["default"])
    config.base_model_name_or_path = base_model
    config.inference_mode = True
    if not isinstance(config.target_modules, str):
        # A set, whose order is another one in each process: equal trainings shall give equal files.
        config.target_modules = sorted(config.target_modules)
    config.save_pretrained(str(folder))
