"""Log-probabilities come in two forms, and each part of them may be of any type."""

import math

import pytest

from spacy_bioner.llm.server.token_logprobs import TokenLogprobs, read_logprobs


def entry(token, logprob=-0.5, **more):
    return {"token": token, "logprob": logprob, **more}


@pytest.mark.parametrize("logprobs", [
    pytest.param({"content": [entry(" [", -0.5, bytes=[32, 91], top_logprobs=[entry(" [", -0.5), entry(" f", -1.5)]),
                              entry("f", -1, top_logprobs=[entry("g", -3)])]}, id="objects"),
    pytest.param({"tokens": [" [", "f"], "token_logprobs": [-0.5, -1],
                  "top_logprobs": [{" [": -0.5, " f": -1.5}, {"g": -3}], "text_offset": [0, 2]}, id="columns"),
])
def test_both_forms_are_read(logprobs):
    assert read_logprobs({"logprobs": logprobs}) == (
        TokenLogprobs(b" [", -0.5, ((b" [", -0.5), (b" f", -1.5))),
        TokenLogprobs(b"f", -1.0, ((b"f", -1.0), (b"g", -3.0))))


def test_bytes_go_before_the_text_and_empty_tokens_are_left_out():
    content = [entry("\ufffd", bytes=[0xE7]), entry("", bytes=[]), entry("a", bytes=None)]
    assert [token.data for token in read_logprobs({"logprobs": {"content": content}})] == [b"\xe7", b"a"]


@pytest.mark.parametrize("logprob, read", [(-math.inf, -9999.0), (1e-9, 0.0), (-3, -3.0)])
def test_impossible_tokens_have_a_number_too(logprob, read):
    [token] = read_logprobs({"logprobs": {"content": [entry("a", logprob)]}})
    assert token.logprob == read


@pytest.mark.parametrize("odd", [None, True, 5, "x", [], {}, [5], [None], [[]], [{}], [entry(5)], [entry("a", "b")],
                                 [entry("a", math.nan)], [entry("a", True)], [entry("a", bytes=[300])],
                                 [entry("a", bytes=["x"])], [entry("a", top_logprobs=[5])]], ids=str)
def test_what_cannot_be_read_is_no_log_probability(odd):
    columns = {"tokens": odd, "token_logprobs": odd, "top_logprobs": odd}
    for choice in (odd, {"logprobs": odd}, {"logprobs": {"content": odd}}, {"logprobs": columns},
                   {"logprobs": {**columns, "tokens": ["a"]}}, {"logprobs": {**columns, "tokens": ["a", "b"]}}):
        assert read_logprobs(choice) == ()
