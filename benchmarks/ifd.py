"""IFD scoring against a bare forward pass over the same tokens, with and without the prompt.

The bare pass knows neither padding nor scores: the sequences sorted by length, in batches of one length, cut to fit.

    python -m benchmarks ifd
"""

import os
import time
from typing import Any, Dict, List, Sequence

import torch

from benchmarks.training import MODEL, read_pairs
from spacy_bioner.finetuning.pairs import Pair
from spacy_bioner.finetuning.selection.ifd import score_pairs, start_id
from spacy_bioner.llm.local.causal_lm import CausalLM, load_causal_lm

AIM = 0.85
BATCH_TOKENS = {"cpu": 2048, "cuda": 32768}


def bare_pass(lm: CausalLM, sequences: Sequence[Sequence[int]]) -> int:
    """Run the body of the model over sequences, in batches of like length, each row filled with real tokens.

    RETURNS (int): Tokens computed.
    """
    order = sorted(sequences, key=len, reverse=True)
    most = BATCH_TOKENS[lm.device.type]
    done = 0
    while order:
        width = len(order[0])
        rows = order[:max(1, most // width)]
        order = order[len(rows):]
        filled = [[*row, *row][:width] if len(row) * 2 >= width else [*row, *[row[0]] * (width - len(row))]
                  for row in rows]
        with torch.inference_mode():
            lm.model.base_model(input_ids=torch.tensor(filled, device=lm.device), use_cache=False)
        done += width * len(rows)
    if lm.device.type == "cuda":
        torch.cuda.synchronize(lm.device)
    return done


def run(*, quick: bool = False) -> Dict[str, Any]:
    """Return tokens per second of scoring, prompt and answer counted in both runs, and the ratio."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    lm = load_causal_lm(MODEL)
    pairs: List[Pair] = read_pairs(lm, 8 if quick else 96 if lm.device.type == "cpu" else 472, codec="json")
    # A GPU is filled by so few in three passes; a corpus has thousands.
    pairs = pairs * (1 if quick or lm.device.type == "cpu" else 8)
    start = start_id(lm.tokenizer)
    sequences = [(*pair.prompt, *pair.answer) for pair in pairs]
    sequences += [(start, *pair.answer) for pair in pairs]
    tokens = sum(map(len, sequences))
    best = [float("inf"), float("inf")]
    for _ in range(1 if quick else 3):
        began = time.perf_counter()
        list(score_pairs(lm.model, pairs, start=start, max_batch_tokens=BATCH_TOKENS[lm.device.type]))
        middle = time.perf_counter()
        bare = bare_pass(lm, sequences)
        ended = time.perf_counter()
        best = [min(best[0], (middle - began) / tokens), min(best[1], (ended - middle) / bare)]
    return {"ratios": [{"what": "IFD scoring, tokens/s", "against": "a bare forward pass",
                        "ratio": best[1] / best[0], "aim": AIM}],
            "tokens": tokens, "scoring_tokens_per_second": 1 / best[0], "bare_tokens_per_second": 1 / best[1]}
