"""Sizes of the models that configs name, as far as an estimate of memory and time needs them."""

import re
from dataclasses import dataclass
from typing import Dict, Optional


@dataclass(frozen=True)
class Shape:
    """The size of a model.

    parameters (float): Weights, embeddings among them.
    hidden (int): Width of a layer.
    layers (int): Number of layers.
    vocabulary (int): Number of tokens.
    """

    parameters: float
    hidden: int
    layers: int
    vocabulary: int


# As their model cards and configurations say.
SHAPES: Dict[str, Shape] = {
    "smollm2-135m-instruct": Shape(0.135e9, 576, 30, 49152),
    "HuggingFaceTB/SmolLM2-360M-Instruct": Shape(0.36e9, 960, 32, 49152),
    "Qwen/Qwen3-0.6B": Shape(0.6e9, 1024, 28, 151936),
    "Qwen/Qwen3-1.7B": Shape(1.7e9, 2048, 28, 151936),
    "Qwen/Qwen3-4B": Shape(4.0e9, 2560, 36, 151936),
    "Qwen/Qwen3-8B": Shape(8.2e9, 4096, 36, 151936),
    "microsoft/biogpt": Shape(0.35e9, 1024, 24, 42384),
    "zai-org/glm-4-9b-chat-hf": Shape(9.4e9, 4096, 40, 151552),
    "meta-llama/Llama-3.2-3B-Instruct": Shape(3.2e9, 3072, 28, 128256),
    "all-minilm-l6-v2": Shape(0.022e9, 384, 6, 30522),
    "multilingual-e5-small-zh": Shape(0.035e9, 384, 12, 29000),
    "google-bert/bert-base-uncased": Shape(0.11e9, 768, 12, 30522),
    "google-bert/bert-base-chinese": Shape(0.1e9, 768, 12, 21128),
    "hfl/chinese-roberta-wwm-ext": Shape(0.1e9, 768, 12, 21128),
    "google-bert/bert-large-uncased": Shape(0.34e9, 1024, 24, 30522),
    "microsoft/BiomedNLP-BiomedBERT-base-uncased-abstract": Shape(0.11e9, 768, 12, 30522),
    "numind/NuNER-v2.0": Shape(0.125e9, 768, 12, 50265),
}
_BILLIONS = re.compile(r"(\d+(?:\.\d+)?)[bB](?![a-zA-Z0-9])")


def find_shape(name: str) -> Optional[Shape]:
    """Find the size of a model.

    name (str): An embedded model, or a hub id.
    RETURNS (Optional[Shape]): Its size; of a model that is not listed what its name tells of billions, as "7B" does,
        with the proportions of common models; None where it tells none.
    """
    if name in SHAPES:
        return SHAPES[name]
    told = _BILLIONS.search(name)
    if told is None:
        return None
    billions = float(told[1])
    layers = 28 if billions < 4 else 36
    return Shape(billions * 1e9, round((billions * 1e9 / (layers * 13)) ** 0.5), layers, 150_000)
