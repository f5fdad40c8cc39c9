"""On a CPU as many passes run at once as there are threads; each text gets what it would get in one."""

import random
from dataclasses import replace

import pytest
import torch
from grounded_decoders import make_decoder, random_text
from tiny_models import tiny_lm

from spacy_bioner.llm.decoding.draft_verify import AnswerWalk
from spacy_bioner.llm.decoding.packed.packed_model import PackedModel
from spacy_bioner.llm.local.passes import parallel_passes


@pytest.fixture
def threads():
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


def decode(decoder, requests):
    return {index: replace(reply, usage={}) for index, reply in decoder.generate(requests)}


@pytest.mark.issue(22)
@pytest.mark.parametrize("name", ["bracket", "html", "json"])
@pytest.mark.parametrize("count", [1, 2, 3, 17])
def test_replies_are_those_of_one_thread(threads, name, count):
    chance = random.Random(count)
    decoder, ask = make_decoder(tiny_lm(2), name, {}, max_batch_tokens=3000, pass_tokens=100)
    requests = [ask(random_text(chance, most=30)) for _ in range(count)]
    threads(1)
    alone = decode(decoder, requests)
    threads(3)
    assert decode(decoder, requests) == alone
    assert len(decoder._decoder._models) == min(3, count)
    assert torch.get_num_threads() == 3


@pytest.mark.issue(22)
@pytest.mark.parametrize("count", [1, 3])
def test_a_pass_of_a_small_model_has_one_thread(threads, monkeypatch, count):
    decoder, ask = make_decoder(tiny_lm(2), "html", {})
    forward, seen = PackedModel.forward, set()

    def note(model, rows):
        seen.add(torch.get_num_threads())
        return forward(model, rows)

    monkeypatch.setattr(PackedModel, "forward", note)
    threads(2)
    decode(decoder, [ask("breast cancer")] * count)
    assert seen == {1}
    assert torch.get_num_threads() == 2


def test_whoever_takes_no_more_ends_the_passes(threads):
    decoder, ask = make_decoder(tiny_lm(2), "html", {})
    requests = [ask("breast cancer and BRCA1 gene " * (1 + number)) for number in range(12)]
    threads(1)
    wanted = decode(decoder, requests)
    threads(2)
    replies = decoder.generate(requests)
    index, first = next(replies)
    passes = decoder._decoder.passes
    replies.close()
    assert decoder._decoder.passes <= passes + 2 * 2
    assert replace(first, usage={}) == wanted[index]
    assert decode(decoder, requests) == wanted
    assert torch.get_num_threads() == 2


def test_an_error_in_one_of_the_threads_reaches_the_caller(threads, monkeypatch):
    decoder, ask = make_decoder(tiny_lm(2), "html", {})
    requests = [ask(f"breast cancer {number}") for number in range(6)]
    attention = decoder.lm.model.config._attn_implementation
    threads(2)

    def fail(walk, scores):
        raise MemoryError("no room left")

    with monkeypatch.context() as patched, pytest.raises(MemoryError, match="no room left"):
        patched.setattr(AnswerWalk, "observe", fail)
        decode(decoder, requests)
    assert decoder.lm.model.config._attn_implementation == attention
    assert set(decode(decoder, requests)) == set(range(6))


def test_a_large_model_runs_one_pass_at_a_time_with_all_threads(threads, monkeypatch):
    decoder, ask = make_decoder(tiny_lm(2), "html", {})
    monkeypatch.setattr(parallel_passes, "_MOST_PARAMETERS", 10)
    threads(2)
    decode(decoder, [ask("breast cancer"), ask("BRCA1")])
    assert len(decoder._decoder._models) == 1
