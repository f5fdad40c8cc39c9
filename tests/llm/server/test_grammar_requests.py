"""Grammars go with requests to servers that take them, in each server's own way."""

import logging

import pytest

from spacy_bioner.annotation import Annotation
from spacy_bioner.codecs import make_codec
from spacy_bioner.errors import BionerError
from spacy_bioner.llm.annotation.assembly import make_annotator
from spacy_bioner.llm.annotation.usage import Usage
from spacy_bioner.llm.server.server_source import make_server
from spacy_bioner.llm.settings import AnnotatorSettings

LABELS = {"DISEASE": "illnesses"}
OWNERS = {"llama.cpp": "llamacpp", "vllm": "vllm", "sglang": "sglang"}


def read_grammar(body):
    """Return the kind of server that a request is meant for, and the grammar in it."""
    if "structured_outputs" in body:
        return "vllm", body["structured_outputs"]["grammar"]
    return next(((kind, body[key]) for kind, key in (("llama.cpp", "grammar"), ("sglang", "ebnf")) if key in body),
                (None, None))


def annotate(server, *, texts=("No flu.",), codec="json", labels=LABELS, cache=None, options=None, **settings):
    source = make_server("m", base_url=server.url, backoff=0.01, concurrency=1, **settings)
    annotator = make_annotator(source, AnnotatorSettings(codec=make_codec(codec, **(options or {})), labels=labels,
                                                         cache=cache),
                               find_sentences=lambda text, lang: [(0, len(text))], usage=Usage())
    return list(annotator.annotate([Annotation(text) for text in texts]))


def say_owner(server, owner):
    server.pages["models"] = {"object": "list", "data": [{"id": "m", "owned_by": owner}]}


@pytest.mark.parametrize("kind", OWNERS)
@pytest.mark.parametrize("is_detected", [True, False])
def test_each_server_gets_the_grammar_in_its_own_way(start_server, kind, is_detected):
    server = start_server(lambda prompt: '[{"type":"DISEASE","name":"flu"}]')
    say_owner(server, OWNERS[kind] if is_detected else "someone")
    [record] = annotate(server, grammar="auto" if is_detected else kind)
    sent, grammar = read_grammar(server.bodies[0])
    assert sent == kind and grammar.startswith("root ::= ") and '"flu"' in grammar
    assert [(mention.start, mention.end) for mention in record.mentions] == [(3, 6)]
    assert len(server.looked_up) == is_detected


@pytest.mark.parametrize("kind", [None, *OWNERS])
def test_half_a_surrogate_pair_ends_no_run(start_server, kind):
    server = start_server(lambda prompt: '[{"type":"DISEASE","name":"flu"}]')
    records = annotate(server, texts=["No \ud800 flu.", "No flu."], grammar=kind)
    assert [len(record.mentions) for record in records] == [1, 1]


@pytest.mark.parametrize("page", [
    pytest.param(None, id="no-page"),
    pytest.param({"data": [{"id": "m", "owned_by": "openai"}]}, id="hosted"),
    pytest.param({"data": []}, id="no-model"),
    pytest.param([1], id="a-list"),
    pytest.param({"data": [{"owned_by": ["vllm"]}]}, id="odd-owner"),
])
def test_unknown_server_is_asked_once_what_it_is_and_gets_no_grammar(start_server, page):
    server = start_server(lambda prompt: "[]")
    if page is not None:
        server.pages["models"] = page
    annotate(server, texts=["No flu.", "Gout.", "Nothing."])
    assert server.looked_up == ["models"] and len(server.bodies) == 3
    assert all(read_grammar(body) == (None, None) for body in server.bodies)


@pytest.mark.parametrize("codec, options", [
    pytest.param("json", {"shape": "offsets"}, id="json-offsets"),
    pytest.param("json", {"shape": "context"}, id="json-context"),
])
def test_codec_without_a_grammar_is_asked_freely_and_looks_nothing_up(start_server, codec, options):
    server = start_server(lambda prompt: "[]")
    annotate(server, codec=codec, options=options, grammar="auto")
    assert read_grammar(server.bodies[0]) == (None, None) and server.looked_up == []


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503])
def test_a_passing_failure_of_the_look_up_decides_nothing(start_server, status):
    server = start_server(lambda prompt: '[{"type":"DISEASE","name":"flu"}]')
    say_owner(server, "vllm")
    server.page_statuses[:] = [status]
    records = annotate(server, texts=["No flu.", "The flu."])
    assert [len(record.mentions) for record in records] == [1, 1]
    assert server.looked_up == ["models", "models"] and len(server.bodies) == 2
    assert all(read_grammar(body)[0] == "vllm" for body in server.bodies)


def test_a_look_up_that_keeps_failing_is_a_failure_of_the_service(start_server):
    server = start_server(lambda prompt: "[]")
    server.page_statuses[:] = [503] * 2
    [record] = annotate(server, max_tries=2)
    assert record.meta["error"].startswith("HTTP 503 from models: if it stays so, set grammar")
    assert server.looked_up == ["models", "models"] and server.bodies == []


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 501])
def test_a_refused_look_up_is_an_answer(start_server, status):
    server = start_server(lambda prompt: "[]")
    server.page_statuses[:] = [status]
    annotate(server, texts=["No flu.", "Gout."])
    assert server.looked_up == ["models"] and all(read_grammar(body) == (None, None) for body in server.bodies)


def test_null_sends_no_grammar(start_server):
    server = start_server(lambda prompt: "[]")
    say_owner(server, "llamacpp")
    annotate(server, grammar=None)
    assert read_grammar(server.bodies[0]) == (None, None) and server.looked_up == []


def test_grammar_takes_the_place_of_the_schema_and_has_its_shape(start_server):
    server = start_server(lambda prompt: '{"entities":[{"type":"DISEASE","name":"flu"}]}')
    [record] = annotate(server, grammar="llama.cpp", structured=True)
    assert "response_format" not in server.bodies[0] and '{\\"entities\\":' in server.bodies[0]["grammar"]
    assert len(record.mentions) == 1 and set(record.meta["issues"]) <= {"schema_variant"}


def test_refused_grammar_is_left_out_with_one_warning(start_server, caplog):
    server = start_server(lambda prompt: '[{"type":"DISEASE","name":"flu"}]')
    server.refuses = ("grammar",)
    with caplog.at_level(logging.WARNING):
        records = annotate(server, texts=["No flu.", "The flu.", "A flu."], grammar="llama.cpp")
    assert all(len(record.mentions) == 1 for record in records)
    assert sum("refuses the grammar" in message for message in caplog.messages) == 1
    assert len(server.bodies) == 4, "only the first request is sent twice"


def test_refused_schema_is_tried_where_the_grammar_was_refused(start_server):
    server = start_server(lambda prompt: "[]")
    server.refuses = ("grammar",)
    annotate(server, grammar="llama.cpp", structured=True)
    assert "response_format" in server.bodies[1]


def test_refused_grammar_stops_the_run_where_this_is_set(start_server, tmp_path):
    server = start_server(lambda prompt: "[]")
    server.refuses = ("grammar",)
    with pytest.raises(BionerError, match=r"refuses a request with a grammar \(llama.cpp\): HTTP 400"):
        annotate(server, texts=["No flu.", "The flu."], grammar="llama.cpp", on_refused_grammar="stop")
    assert [read_grammar(body)[0] for body in server.bodies] == ["llama.cpp"], "nothing is asked freely"


def test_request_that_is_refused_where_others_were_taken_is_set_aside_and_not_asked_freely(start_server, caplog):
    server = start_server(lambda prompt: "[]", lambda prompt, tried: "refused" if "long" in prompt else None)
    records = annotate(server, texts=["Short.", "A long one.", "Brief."], grammar="llama.cpp",
                       on_refused_grammar="stop")
    assert [record.meta.get("error") for record in records] == [
        None, "HTTP 400 (context_length_exceeded) to a request with a grammar", None]
    assert [read_grammar(body)[0] for body in server.bodies] == ["llama.cpp"] * 3


def test_request_that_is_refused_without_its_grammar_too_says_nothing_of_grammars(start_server, caplog):
    server = start_server(lambda prompt: "[]", lambda prompt, tried: "refused" if "long" in prompt else None)
    first, second = annotate(server, texts=["A long one.", "Short."], grammar="llama.cpp")
    assert first.meta["error"].startswith("HTTP 400 (context_length_exceeded)") and "error" not in second.meta
    assert not any("grammar" in message for message in caplog.messages)
    assert read_grammar(server.bodies[-1])[0] == "llama.cpp", "the next text is asked with its grammar"


def test_server_that_is_down_is_asked_again_what_it_is(start_server):
    server = start_server(lambda prompt: "[]")
    say_owner(server, "vllm")
    address = server.url
    server.stop()
    source = make_server("m", base_url=address, backoff=0.01, max_tries=1)
    annotator = make_annotator(source, AnnotatorSettings(codec=make_codec("json"), labels=LABELS),
                               find_sentences=lambda text, lang: [(0, len(text))])
    [record] = annotator.annotate([Annotation("No flu.")])
    assert record.meta["error"].startswith("the connection failed")


@pytest.mark.parametrize("change, asked", [
    pytest.param({}, 1, id="same"),
    pytest.param({"grammar": None}, 2, id="free"),
    pytest.param({"grammar_depth": 3}, 2, id="depth"),
    pytest.param({"on_refused_grammar": "stop"}, 1, id="what-a-refusal-does"),
])
def test_grammar_is_part_of_the_key_of_the_cache(start_server, tmp_path, change, asked):
    server = start_server(lambda prompt: "[]")
    for settings in ({}, change):
        annotate(server, cache=tmp_path / "cache.sqlite", **{"grammar": "llama.cpp", **settings})
    assert len(server.bodies) == asked
