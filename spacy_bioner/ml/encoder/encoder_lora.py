"""LoRA on a base model that is read by its name: only the small matrices are trained and stored."""

from hashlib import sha256
from typing import Any, Dict, List

import torch

from ...errors import BionerError, Errors
from ...extras import extra
from ...locks import ThreadLock

_HASHED_ROWS = 64


def add_lora(transformer: torch.nn.Module, settings: Dict[str, Any]) -> torch.nn.Module:
    """Freeze a model and put LoRA on all its linear layers.

    transformer (torch.nn.Module): The base model.
    settings (Dict[str, Any]): rank, alpha and dropout.
    RETURNS (torch.nn.Module): The same model.
    RAISES BionerError: E706 where peft is not installed.
    """
    with extra("llm"):
        from peft import LoraConfig, inject_adapter_in_model

    transformer.requires_grad_(False)
    linear = sorted({name.split(".")[-1] for name, part in transformer.named_modules()
                     if isinstance(part, torch.nn.Linear)})
    return inject_adapter_in_model(LoraConfig(r=settings["rank"], lora_alpha=settings["alpha"],
                                              lora_dropout=settings["dropout"], target_modules=linear), transformer)


class LoraModule(torch.nn.Module):
    """A module whose LoRA is put into the weights that it changes, as long as it is only used.

    Each linear layer is then one product in place of three. Once it is trained, LoRA stays beside the weights, so that
    they do not drift. Threads may begin to use it at the same time.
    """

    was_trained = False

    def __init__(self) -> None:
        super().__init__()
        self._lock = ThreadLock()

    def train(self, mode: bool = True) -> "LoraModule":
        """Get ready for training or for use; see `torch.nn.Module.train`."""
        with self._lock:
            self.was_trained = self.was_trained or mode
            for layer in self.modules():
                if hasattr(layer, "lora_A") and layer.merged == self.was_trained:
                    layer.unmerge() if self.was_trained else layer.merge()
            return super().train(mode)


def check_base(transformer: torch.nn.Module, config: Dict[str, Any]) -> None:
    """Note what tells the base model from others in a config, or compare it with what was noted in training.

    transformer (torch.nn.Module): The base model as it was found by its name.
    config (Dict[str, Any]): name, and base once it is known: hidden size, layers, vocabulary, hash of some weights.
    RAISES BionerError: E520 where it is another model.
    """
    base = describe_base(transformer)
    wanted = list(config.setdefault("base", base))
    # Components of earlier versions noted the sizes alone.
    if wanted != base[:len(wanted)]:
        raise BionerError(Errors.E520.format(name=config["name"], found=base, wanted=wanted))


def describe_base(transformer: torch.nn.Module) -> List[Any]:
    """Return what tells a base model from others: hidden size, layers, vocabulary, hash of some weights."""
    found: Any = transformer.config
    return [found.hidden_size, found.num_hidden_layers, found.vocab_size, _hash_weights(transformer)]


def _hash_weights(transformer: torch.nn.Module) -> str:
    """Return the hash of the first word embeddings: another for a model of the same sizes, trained otherwise."""
    rows = transformer.get_input_embeddings().weight[:_HASHED_ROWS].detach().float().cpu().contiguous()
    return sha256(rows.numpy().tobytes()).hexdigest()[:16]
