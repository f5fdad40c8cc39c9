"""Servers on the command line: what a user can mend is one line, and what a run costs is counted and bounded."""

import json
import logging

import pytest
from typer.testing import CliRunner

from spacy_bioner.cli.main import app
from spacy_bioner.errors import BionerError
from spacy_bioner.files import write_json_lines


@pytest.fixture
def run(tmp_path, monkeypatch):
    (tmp_path / "labels.yml").write_text("labels: {DISEASE: illnesses}\n")
    monkeypatch.setenv("OPENAI_API_KEY", "wrong")

    def invoke(url, *options, texts=("No flu.", "The flu.")):
        write_json_lines(tmp_path / "in.jsonl", ({"id": str(number), "text": text}
                                                 for number, text in enumerate(texts)))
        return CliRunner().invoke(app, [
            "annotate", str(tmp_path / "in.jsonl"), str(tmp_path / "out.jsonl"), "--labels",
            str(tmp_path / "labels.yml"), "--annotate.server.base_url", url, "--annotate.model", "m",
            "--annotate.cache", str(tmp_path / "cache.sqlite"), "--annotate.server.max_tries", "2",
            "--annotate.server.backoff", "0.01", "--annotate.server.concurrency", "1", *options])

    invoke.output = tmp_path / "out.jsonl"
    return invoke


def error_of(done):
    assert done.exit_code == 1 and isinstance(done.exception, BionerError), done.output
    assert "\n" not in str(done.exception)
    return str(done.exception)


@pytest.mark.issue(23)
@pytest.mark.parametrize("fault, said", [
    pytest.param(401, "HTTP 401: check the key in OPENAI_API_KEY", id="wrong-key"),
    pytest.param(404, "HTTP 404: check base_url and the model 'm'", id="unknown-model"),
    pytest.param("html", "the answer was not JSON", id="html"),
    pytest.param("refused", "HTTP 400 (context_length_exceeded)", id="refused"),
])
def test_server_that_answers_nothing_is_one_line_and_no_output(start_server, run, fault, said):
    server = start_server(fault=lambda prompt, tried: fault)
    assert said in error_of(run(server.url))
    assert not run.output.exists()


@pytest.mark.issue(23)
def test_server_that_is_down_is_one_line_and_no_output(start_server, run):
    server = start_server()
    server.stop()
    assert "the connection failed" in error_of(run(server.url))
    assert not run.output.exists()


@pytest.mark.issue(23)
def test_model_without_a_chat_template_is_told_from_its_refusal(start_server, run):
    server = start_server(lambda prompt: "")
    server._refused = lambda handler, prompt, chat: server._send(
        handler, 400, json.dumps({"error": {"message": "this model has no chat template", "code": 400}}))
    server.fault = lambda prompt, tried: "refused"
    assert "set chat to false" in error_of(run(server.url))


@pytest.mark.issue(23)
@pytest.mark.parametrize("options, said", [
    pytest.param(["--annotate.server.price_in", "2"], "price_in_per_million", id="no-unit"),
    pytest.param(["--annotate.server.price_in_per_million", "2 EUR"], "price_in_per_million", id="a-currency"),
    pytest.param(["--annotate.server.max_cost", "2"], "there is no price of prompt and response tokens", id="no-price"),
    pytest.param(["--annotate.server.max_cost", "2", "--annotate.server.price_in_per_million", "1"],
                 "there is no price of response tokens", id="no-price-out"),
    pytest.param(["--annotate.server.max_cost", "2", "--annotate.server.price_out_per_million", "1"],
                 "there is no price of prompt tokens", id="no-price-in"),
    pytest.param(["--annotate.server.grammar", "gbnf"], "grammar", id="unknown-kind"),
])
def test_setting_that_does_not_fit_is_one_line(run, options, said):
    assert said in error_of(run("http://127.0.0.1:9/v1", *options))


@pytest.mark.issue(23)
@pytest.mark.parametrize("reply, codec, said", [
    pytest.param('[{"type":"DISEASE","name":"flu"}]', "bracket", "codec = json", id="json-for-brackets"),
    pytest.param("Sorry, I cannot help.", "json", "structured", id="prose"),
    pytest.param("", "json", "max_new_tokens", id="nothing"),
])
def test_run_without_a_readable_response_is_an_error_with_their_shapes(start_server, run, reply, codec, said):
    server = start_server(lambda prompt: reply)
    error = error_of(run(server.url, "--annotate.codec", codec))
    assert "None of 2 responses could be read" in error and said in error
    assert "flu" not in error and "Sorry" not in error, "no text of a response"
    assert not run.output.exists()


@pytest.mark.issue(23)
def test_run_with_mostly_unreadable_responses_says_so(start_server, run, caplog):
    server = start_server(lambda prompt: '[{"type":"DISEASE","name":"flu"}]' if "The" in prompt else "Hm, hm. 12?")
    with caplog.at_level(logging.WARNING):
        assert run(server.url, texts=["The flu.", "No flu.", "A flu."]).exit_code == 0
    [message] = [message for message in caplog.messages if "could not be read" in message]
    assert "Of 3 responses 2 could not be read and 2 hold no span" in message and "a, a. 0?" in message


@pytest.mark.issue(23)
@pytest.mark.parametrize("count, warned", [(10, True), (3, False)])
def test_run_without_a_span_says_so(start_server, run, caplog, count, warned):
    server = start_server(lambda prompt: "[]")
    with caplog.at_level(logging.WARNING):
        assert run(server.url, texts=[f"Text {number}." for number in range(count)]).exit_code == 0
    assert any("hold no span" in message for message in caplog.messages) is warned


PRICES = ["--annotate.server.price_in_per_million", "1000", "--annotate.server.price_out_per_million", "2000"]


@pytest.mark.issue(23)
def test_cost_of_a_run_is_told(start_server, run):
    server = start_server(lambda prompt: "[]")
    done = run(server.url, *PRICES)
    words = sum(len(body["messages"][-1]["content"].split()) for body in server.bodies)
    assert f"cost {(words * 1000 + 2 * 2000) / 1e6:.4f}" in done.output


@pytest.mark.parametrize("options, kind", [
    pytest.param(PRICES[:2], "response", id="in"),
    pytest.param(PRICES[2:], "prompt", id="out"),
    pytest.param([*PRICES[:3], "0"], None, id="out-is-free"),
    pytest.param([], None, id="none"),
])
def test_one_price_alone_is_a_warning(start_server, run, caplog, options, kind):
    run(start_server(lambda prompt: "[]").url, *options)
    said = [message for message in caplog.messages if "No price is set for" in message]
    assert said == ([f"No price is set for {kind} tokens, so the cost leaves them out. Set both prices; one may be 0."]
                    if kind else [])


@pytest.mark.issue(23)
def test_run_stops_before_its_limit_and_resumes(start_server, run):
    server = start_server(lambda prompt: "[]")
    texts = [f"Text {number}." for number in range(8)]
    # A response may cost 10 and costs 1, so that three requests fit.
    limit = ["--annotate.server.price_in_per_million", "0", "--annotate.server.price_out_per_million", "1000000",
             "--annotate.max_new_tokens", "10", "--annotate.server.max_cost", "12"]
    runs = 0
    while (done := run(server.url, *limit, texts=texts)).exit_code:
        assert "Stopped before the limit of 12" in error_of(done) and not run.output.exists()
        runs += 1
        assert len(server.bodies) == 3 * runs
    assert runs == 2 and len(server.bodies) == 8, "nothing is asked twice"
