"""How good generated sentences are: seeds present, likely to a model, shares of what was asked for."""

import math

import pytest
import torch
from tiny_models import tiny_lm

from spacy_bioner.synthesis.checking.quality import describe_quality, score_perplexity, share_present
from spacy_bioner.synthesis.plan import PlannedSentence
from spacy_bioner.synthesis.seeds import Seed
from spacy_bioner.synthesis.writer import SynthesisReport

PLAN = [PlannedSentence("s-0", (Seed("lung cancer", "DISEASE"), Seed("aspirin", "CHEMICAL")))]


@pytest.mark.parametrize("reply, share", [
    pytest.param("<DISEASE>Lung cancer</DISEASE> and <CHEMICAL>aspirin</CHEMICAL>", 1.0, id="tagged"),
    pytest.param("lung <DISEASE>cancer</DISEASE> and Aspirin", 1.0, id="partly-tagged-or-not"),
    pytest.param("aspirin for cancer", 0.5, id="one"),
    pytest.param("", 0.0, id="none"),
])
def test_seeds_are_present_tagged_or_not(reply, share):
    assert share_present(PLAN, [reply]) == share


def test_perplexity_is_that_of_all_tokens_together():
    lm, texts = tiny_lm(), ["BRCA1 in breast cancer", "gene"]
    total, count = 0.0, 0
    for text in texts:
        ids = lm.tokenizer(text, add_special_tokens=False)["input_ids"]
        logits = lm.model(torch.tensor([[lm.tokenizer.eos_token_id, *ids]])).logits[0, :-1]
        total += float(torch.nn.functional.cross_entropy(logits, torch.tensor(ids), reduction="sum"))
        count += len(ids)
    assert score_perplexity(lm, texts) == pytest.approx(math.exp(total / count), rel=1e-3)
    assert score_perplexity(lm, [""]) == math.inf


def test_shares_are_of_all_that_was_asked_for():
    report = SynthesisReport(asked=10, accepted=8, untouched=6)
    report.rejected.update(["too_short", "too_short"])
    found = describe_quality(report, ["a b c", "a b c"], present=0.9)
    assert (found["accepted"], found["without_repair"], found["seeds_present"]) == (0.8, 0.6, 0.9)
    assert found["distinct_2"] == 0.5 and found["rejected"] == {"too_short": 2}
