"""Servers: every request is answered right, or set aside with its reason, whatever the server does."""

import json
import logging
import math
import random
import time

import pytest

from spacy_bioner.errors import BionerError
from spacy_bioner.llm.annotation.cache import ReplyCache
from spacy_bioner.llm.annotation.request_runner import Runner
from spacy_bioner.llm.annotation.usage import Usage
from spacy_bioner.llm.protocol import Request
from spacy_bioner.llm.server.answers import read_retry_after
from spacy_bioner.llm.server.budget import make_budget
from spacy_bioner.llm.server.client import Server, ServerSettings
from spacy_bioner.prompts.build import Prompt


def make_server(server, *, score_spans=None, **options):
    quick = {"backoff": 0.01, "timeout": 0.5, "max_wait": 0.3, "max_tries": 4}
    settings = ServerSettings(model="m", base_url=server.url, **{**quick, **options})
    return Server(settings, score_spans=score_spans, budget=make_budget(settings))


def ask(model, prompts):
    replies = list(model.generate([Request(Prompt("", prompt), text=prompt) for prompt in prompts]))
    assert sorted(index for index, _ in replies) == list(range(len(prompts))), "each request once"
    return [reply for _, reply in sorted(replies, key=lambda pair: pair[0])]


def fails_once(fault):
    return lambda prompt, tried: fault if tried == 1 else None


PASSING = ["too_large", "bomb", "damaged_gzip", "endless", "busy", "busy_seconds", "busy_date", "busy_for_ever",
           "broken", "unavailable", "silent", "dropped", "half", "cut_json", "html", "no_choices", "odd_reason",
           "no_reason", "trickle"]


@pytest.mark.parametrize("fault", PASSING)
def test_fault_that_passes_is_tried_again(start_server, fault):
    server = start_server(lambda prompt: f"answer to {prompt}", fails_once(fault))
    [reply] = ask(make_server(server), ["p"])
    assert (reply.text, reply.finish_reason, reply.error) == ("answer to p", "stop", None)
    assert (reply.usage["requests"], reply.usage["retries"]) == (2, 1)


@pytest.mark.parametrize("fault, reason, tries", [
    pytest.param("refused", "HTTP 400 (context_length_exceeded)", 1, id="refused"),
    pytest.param("filtered", "the server refused to answer (content_filter)", 1, id="filtered"),
    pytest.param("broken", "HTTP 500 (4 tries)", 4, id="always-500"),
    pytest.param("silent", "no answer within 0.5 s (4 tries)", 4, id="always-silent"),
    pytest.param("dropped", "the connection failed (4 tries)", 4, id="always-dropped"),
    pytest.param("trickle", "no answer within 0.5 s (4 tries)", 4, id="always-trickle"),
    pytest.param("html", "the answer was not JSON (4 tries)", 4, id="always-html"),
])
def test_fault_that_stays_is_set_aside_with_its_reason(start_server, fault, reason, tries):
    server = start_server(fault=lambda prompt, tried: fault if prompt == "bad" else None)
    bad, good = ask(make_server(server), ["bad", "good"])
    assert (bad.finish_reason, bad.error) == ("error", reason)
    assert server.tries["bad"] == tries
    assert good.error is None, "the neighbour is whole"


@pytest.mark.parametrize("fault, of_service", [
    *((fault, True) for fault in ("broken", "unavailable", "busy", "silent", "dropped", "trickle", 401, 403, 404, 405)),
    *((fault, True) for fault in ("elsewhere", 301)),
    *((fault, False) for fault in ("too_large", "bomb", "damaged_gzip")),
    *((fault, False) for fault in ("refused", "filtered", "html", "cut_json", "no_choices", "odd_reason", 413, 422)),
])
def test_failure_says_whether_it_speaks_of_the_service(start_server, fault, of_service):
    server = start_server(fault=lambda prompt, tried: fault if "faulty" in prompt else None)
    asked = make_server(server, max_tries=2, timeout=0.5 if fault in ("silent", "trickle") else 10)
    [answered] = ask(asked, ["p"])
    [reply] = ask(asked, ["faulty"])
    assert (answered.error, reply.error is not None, reply.service_failed) == (None, True, of_service)


def test_what_stays_refused_is_set_aside_in_the_second_run_too(start_server, tmp_path):
    server = start_server(fault=lambda prompt, tried: "refused" if int(prompt) % 5 == 0 else None)
    requests = [Request(Prompt("", str(number)), text=str(number)) for number in range(50)]
    for asked in (50, 10):
        runner = Runner(make_server(server, timeout=10), cache=ReplyCache(tmp_path / "cache"), max_failures=3)
        assert sum(reply.error is not None for reply in runner.run(requests)) == 10
        assert runner.usage.asked == asked, "failures are asked again"


def test_a_service_that_lets_nobody_in_stops_the_run(start_server):
    server = start_server(fault=lambda prompt, tried: 401)
    runner = Runner(make_server(server, timeout=10), max_failures=3)
    with pytest.raises(BionerError, match="3 failed requests in a row, the last one: HTTP 401"):
        runner.run([Request(Prompt("", str(number))) for number in range(50)])


@pytest.mark.parametrize("fault, why", [("no_choices", "holds no choices"), ("html", "not JSON")])
def test_what_never_gave_a_readable_answer_stops_the_run(start_server, fault, why):
    server = start_server(fault=lambda prompt, tried: fault)
    runner = Runner(make_server(server, max_tries=1, timeout=10), max_failures=3)
    with pytest.raises(BionerError, match=f"3 failed requests in a row, the last one: the answer (was )?{why}"):
        runner.run([Request(Prompt("", str(number))) for number in range(50)])


def say(content, reason="stop"):
    return {"choices": [{"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": reason}]}


def ask_for(start_server, spelt):
    """Return what is made of a whole reply of the server, and how often it was asked."""
    server = start_server(lambda prompt: spelt, lambda prompt, tried: "verbatim")
    [reply] = ask(make_server(server, max_tries=2, timeout=10), ["p"])
    return reply, server.tries["p"]


ODD = [None, True, 5, 1.5, "hi", [], {}, [None], [5], ["stop"], [[]], {"a": 1}, {"content": {"a": 1}}]


@pytest.mark.parametrize("chat", [True, False])
@pytest.mark.parametrize("wrap", [
    pytest.param(lambda odd: odd, id="reply"),
    pytest.param(lambda odd: {"choices": odd}, id="choices"),
    pytest.param(lambda odd: {"choices": [odd]}, id="choice"),
    pytest.param(lambda odd: {"choices": [{"message": odd, "finish_reason": "stop"}]}, id="message"),
    pytest.param(say, id="content"),
    pytest.param(lambda odd: {"choices": [{"text": odd, "finish_reason": "stop"}]}, id="text"),
    pytest.param(lambda odd: say([{"type": "text", "text": odd}]), id="part"),
    pytest.param(lambda odd: say("yes", odd), id="reason"),
    pytest.param(lambda odd: {**say("yes"), "usage": odd}, id="usage"),
    pytest.param(lambda odd: {**say("yes"), "usage": {"prompt_tokens": odd}}, id="count"),
])
def test_answer_of_any_shape_is_a_reply_or_the_error_of_its_document(start_server, wrap, chat):
    odd = {json.dumps(value): json.dumps(wrap(value)) for value in ODD}
    good = say("yes") if chat else {"choices": [{"text": "yes", "finish_reason": "stop"}]}
    spelt = {"like others": json.dumps(good), **odd}
    server = start_server(spelt.get if chat else lambda prompt: spelt[prompt[:-1]], lambda prompt, tried: "verbatim")
    asked = make_server(server, max_tries=2, chat=chat, timeout=10)
    assert ask(asked, ["like others"])[0].text == "yes"
    for reply in ask(asked, odd):
        assert isinstance(reply.text, str) and not reply.service_failed
        assert (reply.error is None) == (reply.finish_reason == "stop")


@pytest.mark.parametrize("number", [10 ** 400, -10 ** 400, 2 ** 53, math.inf],
                         ids=["integer", "negative", "imprecise", "infinite"])
@pytest.mark.parametrize("options", [{}, {"price_in_per_million": 1.0, "price_out_per_million": 1.0}],
                         ids=["free", "priced"])
def test_answer_with_a_number_beyond_all_bounds_is_a_reply(start_server, number, options):
    token = {"token": "yes", "logprob": number, "top_logprobs": [{"token": "no", "logprob": number}]}
    answer = say("yes")
    answer["choices"][0]["logprobs"] = {"content": [token]}
    answer["usage"] = {"prompt_tokens": number, "completion_tokens": number}
    server = start_server(lambda prompt: json.dumps(answer), lambda prompt, tried: "verbatim")
    asked = make_server(server, scores=True, score_spans=lambda text, answer, tokens: (), timeout=10, **options)
    usage = Usage()
    for reply in ask(asked, ["p", "q"]):
        assert (reply.text, reply.error) == ("yes", None) and "prompt_tokens" not in reply.usage
        usage.add_reply(reply.usage)
    assert "2 requests" in usage.summary()


def test_answer_nested_without_end_is_the_error_of_its_document(start_server):
    reply, _ = ask_for(start_server, "[" * 100_000)
    assert reply.error == "the answer was not JSON (2 tries)"


@pytest.mark.parametrize("spelt, error", [
    pytest.param({"choices": 5}, "the answer holds no choices (2 tries)", id="choices"),
    pytest.param({"choices": [{"message": "hi", "finish_reason": "stop"}]}, "the answer holds no text", id="message"),
    pytest.param(say("yes", ["stop"]), "the answer ended with the reason 'None' (2 tries)", id="reason"),
    pytest.param(say(None), "the answer holds no text", id="null"),
    pytest.param(say(None, "length"), "the answer holds no text", id="thought-too-long"),
    pytest.param(say([]), "the answer holds no text", id="no-parts"),
    pytest.param(say([{"type": "image_url", "image_url": {}}]), "the answer holds no text", id="no-text-part"),
    pytest.param(say([{"type": "text", "text": 5}]), "the answer holds no text", id="part-without-text"),
    pytest.param(say(None, "content_filter"), "the server refused to answer (content_filter)", id="refused"),
])
def test_answer_without_text_says_why_and_is_asked_again_only_where_it_helps(start_server, spelt, error):
    reply, tries = ask_for(start_server, json.dumps(spelt))
    assert (reply.error, tries) == (error, 2 if "tries" in error else 1)


@pytest.mark.parametrize("content, text", [
    pytest.param([{"type": "text", "text": "No "}, {"type": "text", "text": "flu."}], "No flu.", id="joined"),
    pytest.param([{"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]},
                  {"type": "text", "text": "No flu."}], "No flu.", id="thoughts-left-out"),
    pytest.param("", "", id="empty"),
])
@pytest.mark.parametrize("reason, finish", [("stop", "stop"), ("length", "length")])
def test_parts_of_an_answer_are_joined(start_server, content, text, reason, finish):
    reply, tries = ask_for(start_server, json.dumps(say(content, reason)))
    assert (reply.text, reply.finish_reason, reply.error, tries) == (text, finish, None, 1)


def test_reason_holds_no_text_of_the_document(start_server):
    server = start_server(fault=lambda prompt, tried: "refused")
    [reply] = ask(make_server(server), ["Jane Doe has measles"])
    assert "Jane" not in reply.error


def test_logs_hold_no_text_of_the_document(start_server, caplog):
    server = start_server(lambda prompt: "Jane Doe", fails_once("broken"))
    with caplog.at_level(logging.DEBUG):
        ask(make_server(server), ["Jane Doe has measles"])
    assert "Jane" not in caplog.text and "127.0.0.1" in caplog.text


def test_answer_cut_by_the_limit_says_so(start_server):
    server = start_server(fault=lambda prompt, tried: "cut")
    [reply] = ask(make_server(server), ["p"])
    assert reply.finish_reason == "length"


def test_server_is_given_the_time_that_it_asks_for_but_no_more(start_server):
    server = start_server(fault=fails_once("busy_seconds"))
    ask(make_server(server), ["p"])
    assert 0.2 <= server.times[1] - server.times[0] < 1.0
    started = time.monotonic()
    server.fault = fails_once("busy_for_ever")
    ask(make_server(server), ["q"])
    assert 0.3 <= time.monotonic() - started < 2.0


def test_faults_in_a_third_of_all_requests_lose_and_double_nothing(start_server):
    chance = random.Random(1)
    quick = [fault for fault in PASSING if fault not in ("busy_date", "busy_seconds", "silent", "trickle")]
    prompts = [f"document {number}" for number in range(300)]
    plan = {prompt: [chance.choice(quick) if chance.random() < 0.3 else None for _ in range(20)] for prompt in prompts}
    server = start_server(lambda prompt: prompt.upper(), lambda prompt, tried: plan[prompt][tried - 1])
    replies = ask(make_server(server, max_tries=3, max_wait=0.02, concurrency=8), prompts)
    for prompt, reply in zip(prompts, replies):
        doomed = all(plan[prompt][:3])
        assert (reply.text == "" and reply.error.endswith("(3 tries)")) if doomed else reply.text == prompt.upper()
        assert server.answered[prompt] == (0 if doomed else 1)
    # A try on a connection that the server has just closed is one that the server never saw.
    assert 0 <= sum(reply.usage["requests"] for reply in replies) - sum(server.tries.values()) < 10


def test_no_more_requests_are_under_way_than_allowed(start_server):
    server = start_server(fault=lambda prompt, tried: "slow")
    ask(make_server(server, concurrency=3, timeout=5), [str(number) for number in range(20)])
    assert server.most_under_way == 3


def test_nothing_new_is_asked_before_the_replies_that_came_are_taken(start_server):
    """A run that is killed then repeats at most so many requests as may be under way."""
    server = start_server()
    replies = make_server(server, concurrency=3, timeout=5).generate(
        [Request(Prompt("", str(number))) for number in range(20)])
    next(replies)
    time.sleep(0.3)
    assert sum(server.tries.values()) <= 3
    assert len(list(replies)) == 19


def test_plain_prompts_go_to_the_completions(start_server):
    server = start_server()
    ask(make_server(server, chat=False), ["p"])
    assert server.bodies[0]["prompt"] == "p\n", "as adapters are trained"


def test_options_reach_the_server_and_the_key_of_the_cache(start_server):
    server = start_server()
    options = {"json_schema": {"type": "array"}, "extra_body": {"top_k": 1}, "seed": 7}
    model = make_server(server, **options)
    ask(model, ["p"])
    assert server.bodies[0]["response_format"]["json_schema"]["schema"] == {"type": "array"}
    assert (server.bodies[0]["top_k"], server.bodies[0]["seed"]) == (1, 7)
    assert model.identity() != make_server(server).identity()
    assert "secret" not in str(make_server(server, api_key="secret").identity())


def test_usage_is_read_from_the_reply(start_server):
    server = start_server(lambda prompt: "one two")
    [reply] = ask(make_server(server), ["a b c"])
    assert (reply.usage["prompt_tokens"], reply.usage["answer_tokens"]) == (3, 2)


@pytest.mark.parametrize("fault", ["verbatim", "html", "silent"])
def test_what_an_answer_costs_that_does_not_say_so_counts_as_the_most(start_server, fault):
    server = start_server(lambda prompt: json.dumps(say("yes")), lambda prompt, tried: fault)
    asked = make_server(server, max_tries=1, concurrency=1, price_in_per_million=1.0, price_out_per_million=1.0,
                        max_new_tokens=100_000, max_cost=0.25)
    with pytest.raises(BionerError, match=r"Stopped before the limit of 0\.25: 0\.2001 is spent"):
        ask(asked, [f"{number:02}" for number in range(20)])
    assert len(server.bodies) == 2


@pytest.mark.parametrize("fault", ["refused", "unavailable", "dropped"])
def test_what_was_not_answered_costs_nothing(start_server, fault):
    server = start_server(fault=lambda prompt, tried: fault)
    asked = make_server(server, max_tries=1, concurrency=1, price_in_per_million=1.0, price_out_per_million=1.0,
                        max_new_tokens=100_000, max_cost=0.25)
    assert all(reply.error is not None for reply in ask(asked, [str(number) for number in range(5)]))
    assert len(server.bodies) == 5


def test_leaving_early_ends_what_is_under_way(start_server):
    server = start_server(fault=lambda prompt, tried: None if prompt == "first" else "silent")
    model = make_server(server, timeout=20, concurrency=4)
    replies = model.generate([Request(Prompt("", prompt)) for prompt in ("first", "b", "c", "d", "e", "f")])
    next(replies)
    started = time.monotonic()
    replies.close()
    assert time.monotonic() - started < 2


@pytest.mark.parametrize("key, sent", [("sk-abc\n", "Bearer sk-abc"), (" \t", None)])
def test_white_space_around_a_key_is_not_sent(start_server, monkeypatch, key, sent):
    monkeypatch.setenv("OPENAI_API_KEY", key)
    server = start_server()
    [reply] = ask(make_server(server), ["p"])
    assert (reply.error, server.headers[0].get("Authorization")) == (None, sent)


@pytest.mark.parametrize("key", ["sk-\u2026", "sk-a\nb", "sk-\x7f", "sk-\udc80"])
@pytest.mark.parametrize("place", ["OPENAI_API_KEY", "api_key"])
def test_a_key_that_cannot_be_sent_is_an_error_that_does_not_show_it(start_server, monkeypatch, place, key):
    if place == "OPENAI_API_KEY":
        monkeypatch.setenv(place, key)
    server = start_server()
    with pytest.raises(BionerError, match=f"The key in {place} ") as told:
        ask(make_server(server, **({"api_key": key} if place == "api_key" else {})), ["p"])
    assert "sk-" not in str(told.value) and server.bodies == []


def test_a_server_without_address_is_an_error(monkeypatch):
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    with pytest.raises(BionerError, match="base_url"):
        Server(ServerSettings(model="m"))


@pytest.mark.parametrize("address", ["localhost:8000/v1", "127.0.0.1:8000", "ftp://localhost/v1", "http://", "http://[::1",
                                     "http://a b/v1", "http://localhost:99999/v1", "http://localhost:0/v1", "mine"])
@pytest.mark.parametrize("place", ["setting", "environment"])
def test_what_is_no_address_is_an_error_before_anything_is_asked(monkeypatch, place, address):
    monkeypatch.setenv("OPENAI_BASE_URL", address)
    with pytest.raises(BionerError, match="'base_url' is .*http://"):
        Server(ServerSettings(model="m", base_url=address if place == "setting" else None))


def test_a_variable_for_the_key_that_is_named_and_not_set_is_an_error(start_server, monkeypatch):
    monkeypatch.delenv("MY_KEY", raising=False)
    server = start_server()
    with pytest.raises(BionerError, match="'api_key_env' is 'MY_KEY'"):
        ask(make_server(server, api_key_env="MY_KEY"), ["p"])
    monkeypatch.setenv("MY_KEY", "")
    assert server.bodies == [] and ask(make_server(server, api_key_env="MY_KEY"), ["p"])[0].error is None


@pytest.mark.parametrize("value, seconds", [("", None), ("3", 3.0), ("-1", 0.0), ("soon", None), ("nan", None),
                                            ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
                                            ("Wed, 21 Oct 99999999999999999999 07:28:00 GMT", None)])
def test_retry_after_is_read(value, seconds):
    assert read_retry_after({"retry-after": value}) == seconds
