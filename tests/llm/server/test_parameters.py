"""Parameters: only what is set is sent, and what a server refuses by name is left out once and for all."""

import json

import pytest
from test_client import ask, make_server

from spacy_bioner.errors import BionerError
from spacy_bioner.llm.annotation.request_runner import Runner
from spacy_bioner.llm.protocol import Request
from spacy_bioner.llm.server.batch_files import batch_lines
from spacy_bioner.llm.server.parameters import describe_refusal, find_refused
from spacy_bioner.prompts.build import Prompt

PROMPTS = [f"document {number}" for number in range(30)]


@pytest.mark.issue(21)
def test_a_server_that_refuses_three_parameters_answers_all_requests(start_server, caplog):
    server = start_server()
    server.refuses = ("max_tokens", "temperature", "seed")
    model = make_server(server, seed=3, concurrency=4, timeout=10, max_tries=1)
    assert [reply.error for reply in ask(model, PROMPTS)] == [None] * len(PROMPTS)
    assert set(server.bodies[-1]) == {"model", "messages", "max_completion_tokens"}
    assert len(server.bodies) <= len(PROMPTS) + 3 * 4, "only what was under way is sent again"
    assert [record.message.split("'")[1] for record in caplog.records if "refuses" in record.message] == [
        "max_tokens", "temperature", "seed"]
    server.bodies.clear()
    ask(model, ["another window"])
    assert len(server.bodies) == 1, "it is remembered"


def test_a_seed_is_sent_only_where_it_is_set(start_server):
    server = start_server()
    ask(make_server(server), ["p"])
    ask(make_server(server, temperature=0.5), ["p"])
    assert ["seed" in body for body in server.bodies] == [False, True]


@pytest.mark.issue(23)
def test_null_leaves_a_parameter_out_in_requests_and_in_batch_files(start_server):
    server = start_server()
    model = make_server(server, extra_body={"temperature": None, "max_tokens": None, "max_completion_tokens": 300})
    ask(model, ["p"])
    [line] = batch_lines(model, {"key": Request(Prompt("", "p"))})
    for body in (server.bodies[0], json.loads(line)["body"]):
        assert set(body) == {"model", "messages", "max_completion_tokens"} and body["max_completion_tokens"] == 300


@pytest.mark.issue(21)
def test_the_same_refusal_of_all_requests_stops_the_run_and_names_the_parameter(start_server):
    server = start_server()
    server.refuses = ("response_format",)
    runner = Runner(make_server(server, json_schema={"type": "object"}, timeout=10, concurrency=2), max_failures=5)
    with pytest.raises(BionerError, match=r"5 failed requests in a row.*HTTP 400 \(\w+: response_format\)"):
        runner.run([Request(Prompt("", prompt)) for prompt in PROMPTS * 10])
    assert len(server.bodies) < 15


def test_a_server_that_takes_neither_limit_is_not_asked_for_ever(start_server):
    server = start_server()
    server.refuses = ("max_tokens", "max_completion_tokens")
    [reply] = ask(make_server(server, timeout=10), ["p"])
    assert reply.error.startswith("HTTP 400 (unsupported_parameter: max_") and len(server.bodies) <= 3


@pytest.mark.parametrize("error, refused", [
    ({"error": {"param": "seed", "message": "no"}}, "seed"),
    ({"detail": [{"loc": ["body", "temperature"], "msg": "Extra inputs are not permitted"}]}, "temperature"),
    ({"error": {"message": "Unrecognized request argument supplied: 'seed'"}}, "seed"),
    ({"message": "`max_tokens` is not supported, use `max_completion_tokens`"}, "max_tokens"),
    ([{"error": {"message": "Invalid JSON payload received. Unknown name \"seed\": Cannot find field."}}], "seed"),
    ({"error": {"message": "`seed` is deprecated for this model."}}, "seed"),
    ({"error": {"message": "seed: Input should be less than or equal to 1"}}, "seed"),
    ({"error": {"message": "Unrecognized request argument supplied: max_tokens"}}, "max_tokens"),
    ({"message": {"detail": [{"loc": ["body", "seed"], "msg": "Extra inputs are not permitted"}]}}, "seed"),
    ({"error": {"detail": [{"loc": ["body", "seed"]}]}}, "seed"),
    ({"error": "unknown parameter 'seed'"}, "seed"), ({"error": "seed is no longer accepted"}, "seed"),
    ({"detail": "seed is not supported"}, "seed"),
    ({"error": {"message": "This model supports 4096 tokens, but max_tokens is 9000"}}, None),
    ({"error": {"message": "Context too long with max_tokens 512. Unknown strategy 'auto'"}}, None),
    ({"error": {"message": "messages: text content blocks must be non-empty"}}, None),
    ({"error": {"message": "The model is deprecated, see the list of models"}}, None),
    ({"error": {"message": "Invalid value for 'content': expected a string"}}, None),
    ({"error": {"message": "unknown seeds, randomseed and seed_list"}}, None),
    ({"error": {"message": "Unknown word: the temperature rose"}}, None),
    ({"error": "unsupported language"}, None), ("unknown parameter 'seed'", None), ([[[[[[[["seed"]]]]]]]], None),
    ({"error": {"message": "Invalid text: 'temperature' rose"}}, None),
    ({"error": {"message": "bad document"}}, None),
    ({"error": {"param": 5, "message": ["seed"]}}, None), ([1], None), (None, None),
    ({"detail": [5, {"loc": 3}]}, None),
])
def test_the_parameter_that_a_refusal_names_is_found(error, refused):
    assert find_refused(error, ["max_tokens", "temperature", "seed"], "the 'temperature' rose") == (
        None if refused == "temperature" and "error" in error else refused)


@pytest.mark.parametrize("error, said", [
    ({"error": {"code": "bad_\x1b[31m"}}, ""), ({"error": {"type": "Jane Doe has measles"}}, ""),
    ({"error": {"code": None, "type": "invalid_request_error"}}, " (invalid_request_error)"), ("text", ""), (5, "")])
def test_what_is_said_of_a_refusal_holds_no_free_text(error, said):
    assert describe_refusal(error, None) == said
