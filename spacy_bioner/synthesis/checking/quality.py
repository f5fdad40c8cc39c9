"""How good generated sentences are: kept without repair, seeds present, varied, likely to a language model."""

import math
import re
from typing import Any, Dict, Iterable, Sequence

from ...codecs.base import Piece
from ...finetuning.forward_passes import answer_losses, plan_passes
from ...finetuning.pairs import Pair
from ...finetuning.selection.ifd import start_id
from ...grounding.folding import fold_plain
from ...llm.local.tokenization import encode_pieces
from ..plan import PlannedSentence
from ..writer import SynthesisReport
from .sentence_checks import count_distinct_ngrams

_TAG = re.compile(r"</?[^<>\s]+>")


def share_present(plan: Sequence[PlannedSentence], replies: Iterable[str]) -> float:
    """Say how many of the seeds stand in what was written, tagged or not, rejected or not.

    plan (Sequence[PlannedSentence]): What was asked for.
    replies (Iterable[str]): The replies, in the order of the plan.
    RETURNS (float): Share of the seeds; 0 where there are none.
    """
    present = wanted = 0
    for planned, reply in zip(plan, replies, strict=True):
        written = fold_plain(_TAG.sub("", reply))
        wanted += len(planned.seeds)
        present += sum(fold_plain(seed.text) in written for seed in planned.seeds)
    return present / wanted if wanted else 0.0


def score_perplexity(lm: Any, texts: Sequence[str], *, max_batch_tokens: int = 4096) -> float:
    """Perplexity of texts under a language model, over all their tokens.

    lm (CausalLM): The model.
    texts (Sequence[str]): The texts.
    max_batch_tokens (int): Tokens of a forward pass, padding included.
    RETURNS (float): The perplexity; infinite where there is no token.
    """
    import torch

    tokens = [tuple(encode_pieces(lm.tokenizer, [Piece(text, "copy")])) for text in texts]
    pairs = [Pair((start_id(lm.tokenizer),), ids) for ids in tokens if ids]
    total, count = 0.0, 0
    for item in plan_passes(pairs, range(len(pairs)), max_tokens=max_batch_tokens, share=False):
        with torch.inference_mode():
            losses = answer_losses(lm.model, [pairs[index] for index in item.indices])
        total, count = total + float(losses.double().sum()), count + len(losses)
    return math.exp(total / count) if count else math.inf


def describe_quality(report: SynthesisReport, sentences: Sequence[str], *, present: float) -> Dict[str, Any]:
    """Bring the figures of a run together.

    report (SynthesisReport): What became of the sentences.
    sentences (Sequence[str]): Texts of the accepted ones.
    present (float): Of `share_present`.
    RETURNS (Dict[str, Any]): Shares of what was asked for, distinct n-grams, and the counts by reason.
    """
    asked = max(1, report.asked)
    return {"asked": report.asked, "accepted": report.accepted / asked, "without_repair": report.untouched / asked,
            "seeds_present": present, "distinct_1": count_distinct_ngrams(sentences, 1),
            "distinct_2": count_distinct_ngrams(sentences, 2), "rejected": dict(report.rejected.most_common()),
            "repaired": dict(report.repaired.most_common()), "errors": dict(report.errors)}
