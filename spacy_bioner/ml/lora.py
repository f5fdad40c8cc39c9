"""LoRA on a base model that is read by its name: only the small matrices are trained and stored."""

from typing import Any, Dict

import torch

from ..errors import BionerError, Errors


def add_lora(transformer: torch.nn.Module, settings: Dict[str, Any]) -> torch.nn.Module:
    """Freeze a model and put LoRA on all its linear layers.

    transformer (torch.nn.Module): The base model.
    settings (Dict[str, Any]): rank, alpha and dropout.
    RETURNS (torch.nn.Module): The same model.
    RAISES BionerError: E705 where peft is not installed.
    """
    try:
        from peft import LoraConfig, inject_adapter_in_model
    except ImportError:
        raise BionerError(Errors.E705.format(package="peft", extra="llm")) from None
    transformer.requires_grad_(False)
    linear = sorted({name.split(".")[-1] for name, part in transformer.named_modules()
                     if isinstance(part, torch.nn.Linear)})
    return inject_adapter_in_model(LoraConfig(r=settings["rank"], lora_alpha=settings["alpha"],
                                              lora_dropout=settings["dropout"], target_modules=linear), transformer)


def check_base(transformer: torch.nn.Module, config: Dict[str, Any]) -> None:
    """Note the sizes of the base model in a config, or compare them with those noted when it was trained.

    transformer (torch.nn.Module): The base model as it was found by its name.
    config (Dict[str, Any]): name, and base once it is known.
    RAISES BionerError: E528 where it is another model.
    """
    found = transformer.config
    sizes = [found.hidden_size, found.num_hidden_layers, found.vocab_size]
    if config.setdefault("base", sizes) != sizes:
        raise BionerError(Errors.E528.format(name=config["name"], found=sizes, wanted=config["base"]))
