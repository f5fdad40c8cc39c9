"""Tiny random language models and pairs for them, made on the spot."""

import random

import torch
from transformers import (
    CohereConfig,
    CohereForCausalLM,
    Gemma2Config,
    Gemma2ForCausalLM,
    GraniteConfig,
    GraniteForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
    Qwen3Config,
    Qwen3ForCausalLM,
)

from spacy_bioner.finetuning.pairs import Pair

VOCABULARY = 97
_SIZES = {"vocab_size": VOCABULARY, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2,
          "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 256}
# Kinds that differ in what they do behind their output layer: scale (Granite, Cohere), cap (Gemma 2), nothing.
FAMILIES = {"llama": (LlamaConfig, LlamaForCausalLM, {"head_dim": 8}),
            "qwen3": (Qwen3Config, Qwen3ForCausalLM, {"head_dim": 8}),
            "granite": (GraniteConfig, GraniteForCausalLM, {"logits_scaling": 8.0, "initializer_range": 0.4}),
            "cohere": (CohereConfig, CohereForCausalLM, {"logit_scale": 0.1, "initializer_range": 0.4}),
            "gemma2": (Gemma2Config, Gemma2ForCausalLM, {"head_dim": 8, "final_logit_softcapping": 3.0,
                                                         "initializer_range": 0.4})}


def make_tiny_model(family: str = "llama", seed: int = 0) -> torch.nn.Module:
    """Return a causal language model in float32, its weights drawn at random and frozen."""
    settings, build, own = FAMILIES[family]
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = build(settings(**{**_SIZES, **own}))
    return model.eval().requires_grad_(False)


def make_pairs(count: int, *, seed: int = 0, shared: int = 12, group: str = "", lang: str = "") -> list:
    """Return pairs of ragged lengths whose prompts begin alike; the answer repeats the end of the prompt."""
    chance = random.Random(seed)
    begin = tuple(chance.randrange(3, VOCABULARY) for _ in range(shared))
    pairs = []
    for number in range(count):
        text = tuple(chance.randrange(3, VOCABULARY) for _ in range(chance.randint(2, 14)))
        pairs.append(Pair((*begin, *text), (*text, 2), name=f"r{number}", group=group, lang=lang))
    return pairs
