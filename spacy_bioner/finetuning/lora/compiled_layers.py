"""Layers of a model compiled for training: a small model on a GPU waits for calls, and compiled layers make few."""

import os
import shutil
from contextlib import contextmanager
from importlib import util
from typing import Iterator

import torch
from torch import nn

from ...errors import BionerError, Errors


def compile_layers(model: nn.Module) -> None:
    """Have each layer of a language model compiled at its next pass, for passes of any shape.

    Layers are alike, so the code of one serves all; the whole model would take minutes to compile. The size 1 is a case
    of its own to torch, so passes of one row are compiled by themselves, once.

    model (nn.Module): A causal language model, `peft`-wrapped or not.
    RAISES BionerError: E313 where this machine has no compiler, E209 for a model that does not name its layers.
    """
    _check_compiler(next(model.parameters()).device)
    causal = model.get_base_model() if hasattr(model, "get_base_model") else model
    names = set(causal._no_split_modules or ())
    layers = [module for module in causal.modules() if type(module).__name__ in names]
    if not layers:
        wanted = f"false: {type(causal).__name__} does not name its layers"
        raise BionerError(Errors.E209.format(what="compile", value="true", wanted=wanted))
    # The first layer would be compiled by itself if its input had no gradient.
    causal.enable_input_require_grads()
    for layer in layers:
        layer.compile(dynamic=True)


@contextmanager
def uncompiled() -> Iterator[None]:
    """Compute as if nothing was compiled: decoding calls the layers in other ways, each of which would be compiled."""
    with torch.compiler.set_stance("force_eager"):
        yield


def _check_compiler(device: torch.device) -> None:
    kind, given, usual = (("C", "CC", ("cc", "gcc", "clang")) if device.type == "cuda" else
                          ("C++", "CXX", ("g++", "c++", "clang++")))
    if not any(map(shutil.which, [os.environ.get(given) or usual[0], *usual])):
        raise BionerError(Errors.E313.format(what=f"a {kind} compiler"))
    if device.type == "cuda" and util.find_spec("triton") is None:
        raise BionerError(Errors.E313.format(what="the package triton"))
