"""Draft and verify equals step-by-step constrained greedy decoding, span by span and score by score."""

import random
from dataclasses import replace

import pytest
from grounded_decoders import LABELS, make_decoder, random_text
from step_by_step import write_answer
from tiny_models import tiny_lm

from spacy_bioner.errors import BionerError
from spacy_bioner.llm.annotation.request_runner import Runner
from spacy_bioner.llm.decoding.grammars.html_grammar import HtmlGrammar
from spacy_bioner.llm.decoding.grammars.source_tokens import SourceTokens
from spacy_bioner.llm.local.tokenization import encode_prompt

FORMATS = [pytest.param("bracket", {"lines": "all"}, id="bracket-all"),
           pytest.param("bracket", {"lines": "occurring"}, id="bracket-occurring"),
           pytest.param("html", {}, id="html"),
           pytest.param("json", {"shape": "name"}, id="json")]


def expected(decoder, request):
    """Return the number of answer tokens, and scores by (start, end, label), written step by step."""
    source = SourceTokens(request.text, decoder._pieces)
    prompt = encode_prompt(decoder.lm.tokenizer, request.prompt)
    tokens, found = write_answer(decoder.lm, decoder._make_grammar(source), prompt)
    places = [((source.units[start].start, source.units[end - 1].end, label), score)
              for start, end, label, score in found]
    assert len(dict(places)) == len(places), "the same span twice"
    return len(tokens), dict(places)


@pytest.mark.parametrize("name, options", FORMATS)
@pytest.mark.parametrize("seed, count, most", [
    pytest.param(0, 40, 9, id="short"), pytest.param(1, 15, 16, id="longer"),
    pytest.param(2, 300, 20, id="hundreds", marks=pytest.mark.slow),
])
def test_answers_equal_step_by_step_decoding(name, options, seed, count, most, monkeypatch):
    # A random model opens a tag at every other word; answers of trained ones are far shorter.
    monkeypatch.setattr(HtmlGrammar, "most_tokens", 1500)
    chance = random.Random(seed)
    decoder, ask = make_decoder(tiny_lm(seed), name, options, max_batch_tokens=6000, pass_tokens=250)
    texts = [random_text(chance, most) for _ in range(count)] + ["", " ", "[", "cancer", "铜"]
    requests = [ask(text) for text in texts]
    replies = dict(decoder.generate(requests))
    assert sorted(replies) == list(range(len(requests)))
    for index, request in enumerate(requests):
        reply = replies[index]
        count, scores = expected(decoder, request)
        assert reply.error is None and reply.finish_reason == "stop"
        found = {mention.key: mention.score for mention in reply.mentions}
        assert found == pytest.approx(scores, abs=1e-4), request.text
        assert reply.usage["answer_tokens"] == count


def test_text_over_the_context_is_set_aside_and_the_rest_goes_on():
    decoder, ask = make_decoder(tiny_lm(context=256), "bracket", {})
    replies = dict(decoder.generate([ask("cancer"), ask("cancer " * 60), ask("copper toxicosis")]))
    assert replies[1].finish_reason == "error" and "context of the model has 256" in replies[1].error
    assert replies[0].finish_reason == replies[2].finish_reason == "stop"


def test_texts_over_the_context_never_stop_the_run():
    decoder, ask = make_decoder(tiny_lm(context=256), "bracket", {})
    replies = Runner(decoder, max_failures=3).run(
        [*(ask("cancer " * (60 + number)) for number in range(6)), ask("cancer")])
    assert [reply.error is None for reply in replies] == [False] * 6 + [True]


def test_answer_that_outgrows_its_room_keeps_what_is_closed(monkeypatch):
    decoder, ask = make_decoder(tiny_lm(2), "html", {})
    request = ask("copper toxicosis of some families, breast cancer and BRCA1 gene")
    (_, whole), = decoder.generate([request])
    monkeypatch.setattr(HtmlGrammar, "most_tokens", 80)
    (_, cut), = decoder.generate([request])
    assert cut.finish_reason == "length" and cut.usage["answer_tokens"] <= 80 < whole.usage["answer_tokens"]
    assert set(cut.mentions) <= set(whole.mentions)


def test_a_draft_takes_no_room_from_the_answer(monkeypatch):
    decoder, ask = make_decoder(tiny_lm(2), "html", {})
    request = ask("copper toxicosis of some families, breast cancer and BRCA1 gene")
    (_, whole), = decoder.generate([request])
    size = whole.usage["answer_tokens"]
    for room in (42, 43, 100, size - 7, size - 4):
        monkeypatch.setattr(HtmlGrammar, "most_tokens", room)
        (_, cut), = decoder.generate([request])
        assert (cut.finish_reason, cut.usage["answer_tokens"]) == ("length", room)
        assert {mention.key for mention in cut.mentions} <= {mention.key for mention in whole.mentions}
    monkeypatch.setattr(HtmlGrammar, "most_tokens", size)
    assert dict(decoder.generate([request]))[0].finish_reason == "stop"


def test_second_window_uses_the_prefix_of_the_first():
    decoder, ask = make_decoder(tiny_lm(), "bracket", {})
    requests = [ask(text) for text in ("breast cancer", "copper toxicosis", "BRCA1")]
    first = dict(decoder.generate(requests))
    tokens = decoder._decoder.tokens
    second = dict(decoder.generate(requests))
    assert second == {index: replace(first[index], usage=second[index].usage) for index in first}
    assert decoder._decoder.tokens - tokens < tokens - 20


@pytest.mark.parametrize("shape", ["offsets", "context"])
def test_formats_that_cannot_be_grounded_are_refused(shape):
    with pytest.raises(BionerError, match=f"json {shape}"):
        make_decoder(tiny_lm(), "json", {"shape": shape})


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
    requests = [ask(text) for text in texts]
    for request in requests:
        (_, reply), = decoder.generate([request])
        assert reply.usage["passes"] <= bound(len(reply.mentions))
    # With many texts under way drafts are shorter: more passes over fewer tokens.
    for _, reply in decoder.generate(requests):
        assert reply.usage["passes"] <= 1.4 * bound(len(reply.mentions)) + 2


@pytest.mark.issue(22)
@pytest.mark.parametrize("name", ["bracket", "html", "json"])
def test_many_texts_at_once_have_fewer_tokens_scored_on_a_cpu(name):
    chance = random.Random(6)
    decoder, ask = make_decoder(tiny_lm(2), name, {})
    requests = [ask(random_text(chance, most=30)) for _ in range(40)]
    found, tokens = [], []
    for group in (requests[:1], requests):
        list(decoder.generate(group))
    for groups in ([requests], [[request] for request in requests]):
        before = decoder._decoder.tokens
        found.append([reply.mentions for group in groups for _, reply in sorted(decoder.generate(group))])
        tokens.append(decoder._decoder.tokens - before)
    assert [len(mentions) for mentions in found[0]] == [len(mentions) for mentions in found[1]]
    assert tokens[0] < tokens[1]
