"""Diversity of a selection: facility location on sentence vectors, so that the training set covers what there is."""

import heapq
from typing import TYPE_CHECKING, List, Sequence

import numpy as np

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


def choose_diverse(vectors: np.ndarray, candidates: Sequence[int], count: int) -> List[int]:
    """Choose candidates so that each sentence has a like one among them.

    Greedy facility location: each step takes the candidate that raises the sum, over all sentences, of the likeness
    to their nearest chosen one the most. Gains only shrink, so an old gain is a bound and few are computed anew.

    vectors (np.ndarray): Sentence vectors of length 1, (sentences, width).
    candidates (Sequence[int]): Rows to choose from; of equal gains the first wins.
    count (int): How many to choose.
    RETURNS (List[int]): Chosen rows in the order in which they were taken.
    """
    nearest = np.zeros(len(vectors), dtype=vectors.dtype)
    queue = []
    for place, row in enumerate(candidates):
        gain = np.maximum(vectors @ vectors[row], 0).sum()
        queue.append((-float(gain), place, 0))
    heapq.heapify(queue)
    chosen: List[int] = []
    while queue and len(chosen) < count:
        _, place, seen = heapq.heappop(queue)
        row = candidates[place]
        if seen == len(chosen):
            chosen.append(row)
            nearest = np.maximum(nearest, vectors @ vectors[row])
            continue
        gain = np.maximum(vectors @ vectors[row] - nearest, 0).sum()
        heapq.heappush(queue, (-float(gain), place, len(chosen)))
    return chosen


def embed_sentences(texts: Sequence[str], *, encoder: str, batch_size: int = 64) -> np.ndarray:
    """Encode sentences with a small encoder: the mean of the token states, scaled to length 1.

    texts (Sequence[str]): The sentences.
    encoder (str): Name of the encoder, see `llm.local.hub`.
    batch_size (int): Sentences of a pass.
    RETURNS (np.ndarray): Vectors, (sentences, width), float32.
    """
    import torch

    from ...llm.local.hub import resolve_model
    from ...llm.local.pretrained import load_model, load_tokenizer

    folder = resolve_model(encoder)
    tokenizer = load_tokenizer(folder)
    model = load_model(folder, dtype=torch.float32).eval()
    order = sorted(range(len(texts)), key=lambda index: len(texts[index]))
    vectors = np.zeros((len(texts), model.config.hidden_size), dtype="float32")
    limit = _longest_text(tokenizer, model)
    for start in range(0, len(order), batch_size):
        rows = order[start:start + batch_size]
        batch = tokenizer([texts[index] for index in rows], padding=True, truncation=True, max_length=limit,
                          return_tensors="pt")
        with torch.inference_mode():
            states = model(**batch).last_hidden_state
        mask = batch["attention_mask"][..., None]
        means = (states * mask).sum(1) / mask.sum(1)
        vectors[rows] = torch.nn.functional.normalize(means, dim=-1).numpy()
    return vectors


def _longest_text(tokenizer: "PreTrainedTokenizerBase", model: "PreTrainedModel") -> int:
    """Return how many tokens of a text an encoder takes."""
    # A tokenizer that was not told its limit has a huge one. Encoders such as RoBERTa count positions from behind the
    # padding: with 514 positions they take 512 tokens.
    positions = getattr(getattr(model, "embeddings", None), "position_embeddings", None)
    padding = getattr(positions, "padding_idx", None)
    reserved = 0 if padding is None else padding + 1
    return min(tokenizer.model_max_length, model.config.max_position_embeddings - reserved)
