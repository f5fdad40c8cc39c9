"""Draft and verify equals step-by-step constrained greedy decoding, span by span and score by score."""

import random

import pytest
from step_by_step import write_answer
from tiny_models import tiny_lm

from spacy_bioner.codecs import make_codec
from spacy_bioner.llm.answers import encode_prompt
from spacy_bioner.llm.base import Request
from spacy_bioner.llm.grounded_decoding import GroundedDecoder
from spacy_bioner.llm.source_tokens import SourceTokens
from spacy_bioner.prompts.build import PromptBuilder

LABELS = {"DISEASE": "illnesses", "GENE": ""}
WORDS = ("copper toxicosis BRCA1 gene ( ) [ ] [ ] p < 0.05 > A>G - cancer cancer 铜 中毒 [3H]dopamine [1] <GENE: "
         '</GENE " \\ a').split()
FORMATS = [pytest.param("bracket", {"lines": "all"}, id="bracket-all"),
           pytest.param("bracket", {"lines": "occurring"}, id="bracket-occurring"),
           pytest.param("html", {}, id="html"),
           pytest.param("json", {"shape": "name"}, id="json")]


def random_text(chance: random.Random, most: int = 9) -> str:
    """RETURNS (str): Words with and without white space between them, among them brackets, tags, quotes, Chinese."""
    count = chance.randint(0, most)
    words = (chance.choice(["", " ", " ", " ", "  ", "\n"]) + chance.choice(WORDS) for _ in range(count))
    return "".join(words) + chance.choice(["", "", "\n "])


def make_decoder(lm, name, options, **settings):
    codec = make_codec(name, **options)
    builder = PromptBuilder(template="annotate.en", labels=LABELS, codec=codec)
    decoder = GroundedDecoder(lm, codec=codec, labels=LABELS, **settings)
    return decoder, lambda text: Request(builder.render(text), text=text)


def expected(decoder, request):
    """RETURNS (Tuple): Number of answer tokens, and scores by (start, end, label), written step by step."""
    source = SourceTokens(request.text, decoder._pieces)
    prompt = encode_prompt(decoder.lm.tokenizer, request.prompt)
    tokens, found = write_answer(decoder.lm, decoder._make_grammar(source), prompt)
    places = [((source.units[start].start, source.units[end - 1].end, label), score)
              for start, end, label, score in found]
    assert len(dict(places)) == len(places), "the same span twice"
    return len(tokens), dict(places)


@pytest.mark.parametrize("name, options", FORMATS)
@pytest.mark.parametrize("seed", [0, 1])
def test_answers_equal_step_by_step_decoding(name, options, seed):
    chance = random.Random(seed)
    decoder, ask = make_decoder(tiny_lm(seed), name, options, max_batch_tokens=6000, pass_tokens=250)
    requests = [ask(text) for text in [random_text(chance) for _ in range(40)] + ["", " ", "[", "cancer", "铜"]]
    replies = dict(decoder.generate(requests))
    assert sorted(replies) == list(range(len(requests)))
    for index, request in enumerate(requests):
        reply = replies[index]
        count, scores = expected(decoder, request)
        assert reply.error is None and reply.finish_reason == "stop"
        found = {mention.key: mention.score for mention in reply.mentions}
        assert found == pytest.approx(scores, abs=1e-4), request.text
        assert reply.usage["answer_tokens"] == count


@pytest.mark.parametrize("name, options, bound", [
    pytest.param("bracket", {"lines": "all"}, lambda mentions: 1 + 3 * mentions, id="bracket: open and close"),
    pytest.param("bracket", {"lines": "occurring"}, lambda mentions: 1 + len(LABELS) + 3 * mentions,
                 id="bracket: lines, open and close"),
    pytest.param("html", {}, lambda mentions: 1 + 4 * mentions, id="html: open, label and end"),
    pytest.param("json", {}, lambda mentions: 1 + 3 * mentions, id="json: label, start and end"),
])
def test_passes_are_bounded_by_decisions(name, options, bound):
    chance = random.Random(5)
    decoder, ask = make_decoder(tiny_lm(2), name, options)
    texts = [random_text(chance, most=30) for _ in range(60)] + ["", "cancer " * 150]
    for _, reply in decoder.generate([ask(text) for text in texts]):
        assert reply.usage["passes"] <= bound(len(reply.mentions))
