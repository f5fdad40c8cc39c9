"""The benchmark of drafts: both kinds annotate the same texts alike, short ones with fewer tokens and more passes."""

import pytest
from tiny_models import tiny_lm

from benchmarks.drafts import measure
from spacy_bioner.codecs import make_codec
from spacy_bioner.llm.decoding.grounded import GroundedDecoder
from spacy_bioner.llm.protocol import Request
from spacy_bioner.prompts.build import PromptBuilder

LABELS = {"DISEASE": "illnesses", "GENE": ""}


@pytest.mark.issue(22)
def test_both_kinds_of_drafts_find_the_same_mentions():
    codec = make_codec("html")
    builder = PromptBuilder(template="annotate.en", labels=LABELS, codec=codec)
    decoder = GroundedDecoder(tiny_lm(2), codec=codec, labels=LABELS)
    requests = [Request(builder.render(text), text=text) for text in ("copper toxicosis of BRCA1 families " * 3,
                                                                      "p53 gene and breast cancer in patients " * 2)]
    list(decoder.generate(requests))
    measured = measure(decoder, [requests], rounds=2)
    assert measured["long"]["mentions"] == measured["short"]["mentions"]
    assert measured["short"]["tokens"] < measured["long"]["tokens"]
    assert measured["short"]["passes"] > measured["long"]["passes"]
    assert all(row["seconds"] > 0 for row in measured.values())
