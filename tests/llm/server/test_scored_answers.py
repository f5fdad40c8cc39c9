"""Spans of a server's answers get scores where the answers come with log-probabilities, and keep them in the cache."""

import json
import math

import pytest
from test_grammar_requests import annotate

from spacy_bioner.annotation import Mention
from spacy_bioner.codecs.base import Issue, Reading
from spacy_bioner.llm.annotation.planner import add_scores

PIECES = ['[{"', "type", '":"', "DISEASE", '","', "name", '":"', "flu", '"}', "]"]
# What may stand in place of these pieces; all others are certain.
OTHERS = {"flu": {"flu": 0.6, "No": 0.2, ".": 0.2}, '"}': {'"}': 0.5, ".": 0.5}, '[{"': {'[{"': 0.9, "[]": 0.1}}
SCORE = 0.9 * 0.6 * 0.5


def list_tokens():
    return [(piece, OTHERS.get(piece, {piece: 1.0, "~": 1e-9})) for piece in PIECES]


def spell(form, *, chat=True):
    """Return a whole reply of a server, with log-probabilities in the one or the other form, or without."""
    logprobs = None
    if form == "objects":
        logprobs = {"content": [{"token": token, "logprob": math.log(listed[token]), "bytes": list(token.encode()),
                                 "top_logprobs": [{"token": other, "logprob": math.log(value)}
                                                  for other, value in listed.items()]}
                                for token, listed in list_tokens()]}
    elif form == "columns":
        logprobs = {"tokens": PIECES, "token_logprobs": [math.log(listed[token]) for token, listed in list_tokens()],
                    "top_logprobs": [{other: math.log(value) for other, value in listed.items()}
                                     for _, listed in list_tokens()]}
    text = "".join(PIECES)
    said = {"message": {"role": "assistant", "content": text}} if chat else {"text": text}
    return json.dumps({"choices": [{"index": 0, "finish_reason": "stop", "logprobs": logprobs, **said}]})


def serve(start_server, form, *, chat=True):
    return start_server(lambda prompt: spell(form, chat=chat), lambda prompt, tried: "verbatim")


@pytest.mark.issue(23)
@pytest.mark.parametrize("form, chat, sent", [
    pytest.param("objects", True, {"logprobs": True, "top_logprobs": 20}, id="chat"),
    pytest.param("objects", False, {"logprobs": 20}, id="completions-of-llama.cpp"),
    pytest.param("columns", False, {"logprobs": 20}, id="completions"),
])
def test_a_grammar_goes_with_a_wish_for_log_probabilities_and_spans_get_scores(start_server, form, chat, sent):
    server = serve(start_server, form, chat=chat)
    [record] = annotate(server, grammar="llama.cpp", chat=chat)
    assert {key: value for key, value in server.bodies[0].items() if "logprobs" in key} == sent
    assert [(mention.start, mention.end) for mention in record.mentions] == [(3, 6)]
    assert record.mentions[0].score == pytest.approx(SCORE)


@pytest.mark.parametrize("form", ["none", "objects"])
def test_scores_come_back_from_the_cache(start_server, tmp_path, form):
    server = serve(start_server, form)
    first, again = (annotate(server, grammar="llama.cpp", cache=tmp_path / "cache.sqlite")[0] for _ in range(2))
    assert len(server.bodies) == 1
    assert [mention.score for mention in first.mentions] == [mention.score for mention in again.mentions]
    assert (first.mentions[0].score is None) == (form == "none")


@pytest.mark.parametrize("settings, is_asked", [
    pytest.param({"grammar": None}, False, id="no-grammar"),
    pytest.param({"grammar": None, "scores": True}, True, id="on"),
    pytest.param({"grammar": "llama.cpp", "scores": False}, False, id="off"),
    pytest.param({"grammar": "llama.cpp"}, True, id="grammar"),
    pytest.param({"grammar": "auto"}, False, id="grammar-is-not-known-to-be-taken"),
])
def test_log_probabilities_are_asked_for_as_the_setting_says(start_server, settings, is_asked):
    server = serve(start_server, "objects")
    annotate(server, **settings)
    assert ("logprobs" in server.bodies[0]) == is_asked


def test_codec_that_cannot_be_scored_asks_for_none(start_server):
    server = serve(start_server, "objects")
    annotate(server, options={"shape": "offsets"}, scores=True)
    assert "logprobs" not in server.bodies[0]


@pytest.mark.parametrize("refused", ["logprobs", "top_logprobs"])
def test_server_that_refuses_log_probabilities_answers_without_scores(start_server, caplog, refused):
    server = serve(start_server, "none")
    server.refuses = (refused,)
    records = annotate(server, texts=["No flu.", "The flu."], grammar="llama.cpp")
    assert [[mention.score for mention in record.mentions] for record in records] == [[None], [None]]
    assert "grammar" in server.bodies[-1] and not {"logprobs", "top_logprobs"} & set(server.bodies[-1])
    assert len(server.bodies) == 3, "only the first request is sent twice"
    assert [message.endswith("so that spans get no scores.") for message in caplog.messages] == [True]


@pytest.mark.parametrize("settings, asked", [
    pytest.param({}, 1, id="same"), pytest.param({"scores": True}, 1, id="said-so"),
    pytest.param({"scores": False}, 2, id="without-scores"),
])
def test_scores_are_part_of_the_key_of_the_cache(start_server, tmp_path, settings, asked):
    server = serve(start_server, "objects")
    for changed in ({}, settings):
        annotate(server, cache=tmp_path / "cache.sqlite", grammar="llama.cpp", **changed)
    assert len(server.bodies) == asked


@pytest.mark.parametrize("issue, score", [("ambiguous_occurrence", 0.5), ("subword_match", None)])
def test_a_name_that_stands_for_several_places_gives_each_its_score(issue, score):
    reading = Reading((Mention(0, 3, "X"), Mention(4, 7, "X"), Mention(4, 7, "Y")), (Issue(issue),))
    scored = add_scores(reading, [Mention(0, 3, "X", score=0.5)], "flu flu")
    assert [mention.score for mention in scored.mentions] == [0.5, score, None] and scored.issues == reading.issues
