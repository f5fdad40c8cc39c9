"""Batch services: requests go to a file, results come from one, under the keys of the cache."""

import json
import math

import pytest

from spacy_bioner.annotation import Annotation, Mention
from spacy_bioner.cli.main import app
from spacy_bioner.codecs import make_codec
from spacy_bioner.files import write_json_lines

TEXTS = ["No flu.", "The flu came.", "Gout."]


@pytest.fixture
def run(tmp_path, start_server):
    from typer.testing import CliRunner

    write_json_lines(tmp_path / "in.jsonl", ({"id": str(number), "text": text} for number, text in enumerate(TEXTS)))
    (tmp_path / "labels.yml").write_text("labels: {DISEASE: illnesses}\n")
    server = start_server(lambda prompt: answer(prompt))

    def invoke(*options, url=server.url):
        return CliRunner().invoke(app, ["annotate", str(tmp_path / "in.jsonl"), str(tmp_path / "out.jsonl"), "--labels",
                                        str(tmp_path / "labels.yml"), "--annotate.server.base_url", url,
                                        "--annotate.model", "m", "--annotate.cache", str(tmp_path / "cache.sqlite"),
                                        *map(str, options)])

    invoke.server = server
    return invoke


def answer(prompt):
    text = prompt.split("Text: ")[-1].split("\n")[0]
    start = text.find("flu")
    mentions = (Mention(start, start + 3, "DISEASE"),) if start >= 0 else ()
    return make_codec("json").encode(Annotation(text, mentions), ["DISEASE"])


def serve(requests, results, *, fails=(), add_tokens=lambda choice: None, usage=None):
    """Write the results file that a batch service would."""
    lines = []
    for line in map(json.loads, requests.read_text().splitlines()):
        body = {"choices": [{"finish_reason": "stop", "message": {
            "role": "assistant", "content": answer(line["body"]["messages"][-1]["content"])}}]}
        add_tokens(body["choices"][0])
        body.update({"usage": usage} if usage else {})
        done = not any(word in str(line["body"]) for word in fails)
        lines.append({"id": "r", "custom_id": line["custom_id"], "error": None if done else {"code": "expired"},
                      "response": {"status_code": 200, "body": body} if done else None})
    write_json_lines(results, reversed(lines))


def list_tokens(choice):
    """Write an answer as a grammar would, and add its tokens, one a character; a name could begin with N."""
    text = json.dumps(json.loads(choice["message"]["content"]), separators=(",", ":"))
    choice["message"]["content"] = text
    choice["logprobs"] = {"content": [spell_token(letter, "N" if '"flu' == text[place - 1:place + 3] else "~")
                                      for place, letter in enumerate(text)]}


def spell_token(written, other):
    share = 0.75 if other == "N" else 1 - 1e-9
    return {"token": written, "logprob": math.log(share), "top_logprobs": [
        {"token": written, "logprob": math.log(share)}, {"token": other, "logprob": math.log(1 - share)}]}


def read(path):
    return [json.loads(line)["spans"] for line in path.read_text().splitlines()]


@pytest.mark.issue(23)
def test_results_of_a_batch_are_the_answers_of_the_server(tmp_path, run):
    assert run("--write-batch", tmp_path / "requests.jsonl").exit_code == 0
    assert not (tmp_path / "out.jsonl").exists() and run.server.bodies == []
    lines = [json.loads(line) for line in (tmp_path / "requests.jsonl").read_text().splitlines()]
    assert [line["method"] + line["url"] for line in lines] == ["POST/v1/chat/completions"] * 3
    assert len({line["custom_id"] for line in lines}) == 3 and all(len(line["custom_id"]) <= 64 for line in lines)
    serve(tmp_path / "requests.jsonl", tmp_path / "results.jsonl")
    done = run("--read-batch", tmp_path / "results.jsonl")
    assert done.exit_code == 0, done.output
    assert run.server.bodies == [], "nothing is asked"
    spans = read(tmp_path / "out.jsonl")
    assert [[(span["start"], span["end"]) for span in found] for found in spans] == [[(3, 6)], [(4, 7)], []]


@pytest.mark.issue(23)
def test_batches_and_requests_can_be_mixed(tmp_path, run):
    run("--write-batch", tmp_path / "requests.jsonl")
    serve(tmp_path / "requests.jsonl", tmp_path / "results.jsonl", fails=("Gout",))
    done = run("--read-batch", tmp_path / "results.jsonl")
    assert done.exit_code == 0 and len(run.server.bodies) == 1, "what failed there is asked"
    assert "1 failed" in done.output
    run("--write-batch", tmp_path / "requests.jsonl")
    assert (tmp_path / "requests.jsonl").read_text() == "", "nothing is left to ask"


@pytest.mark.parametrize("fails, options, said", [
    pytest.param(("flu", "Gout"), (), "3 failed there, mostly: the batch service failed; 0 of no text", id="failed"),
    pytest.param((), ("--annotate.max_new_tokens", "600"), "0 failed there; 3 of no text of this run", id="settings"),
    pytest.param(("Gout",), ("--annotate.max_new_tokens", "600"), "0 failed there; 3 of no text", id="both"),
])
def test_results_of_no_use_are_an_error_before_anything_is_asked(tmp_path, run, fails, options, said):
    run("--write-batch", tmp_path / "requests.jsonl")
    serve(tmp_path / "requests.jsonl", tmp_path / "results.jsonl", fails=fails)
    done = run("--read-batch", tmp_path / "results.jsonl", *options)
    assert done.exit_code == 1 and said in str(done.exception) and "\n" not in str(done.exception)
    assert run.server.bodies == [] and not (tmp_path / "out.jsonl").exists()


def test_results_are_counted_by_their_use(tmp_path, run):
    run("--write-batch", tmp_path / "requests.jsonl")
    serve(tmp_path / "requests.jsonl", tmp_path / "results.jsonl", fails=("No flu",))
    options = ("--read-batch", tmp_path / "results.jsonl", "--annotate.limit", "2")
    said = f"1 results of {tmp_path / 'results.jsonl'} used; 1 failed there, mostly: the batch service failed; 1 of no"
    done = run(*options)
    assert done.exit_code == 0 and said in done.output and len(run.server.bodies) == 1
    assert said in run(*options).output, "also where the cache has all of them"
    assert len(run.server.bodies) == 1


@pytest.mark.parametrize("usage, said", [
    pytest.param({"prompt_tokens": 100, "completion_tokens": 10}, "; cost 0.3600\n", id="counted"),
    pytest.param(None, "of no text of this run\n", id="not-counted"),
])
def test_cost_of_results_is_told(tmp_path, run, usage, said):
    prices = ("--annotate.server.price_in_per_million", "1000", "--annotate.server.price_out_per_million", "2000")
    run("--write-batch", tmp_path / "requests.jsonl")
    serve(tmp_path / "requests.jsonl", tmp_path / "results.jsonl", usage=usage)
    assert said in run("--read-batch", tmp_path / "results.jsonl", *prices).output


def test_results_take_the_place_of_responses_that_were_cut(tmp_path, run):
    run.server.fault = lambda prompt, tried: "cut_text"
    run()
    run.server.bodies.clear()
    assert run("--write-batch", tmp_path / "requests.jsonl", "--retry-truncated").exit_code == 0
    serve(tmp_path / "requests.jsonl", tmp_path / "results.jsonl")
    done = run("--read-batch", tmp_path / "results.jsonl", "--retry-truncated")
    assert done.exit_code == 0 and "3 results" in done.output
    assert run.server.bodies == [], "nothing is asked"
    assert [len(spans) for spans in read(tmp_path / "out.jsonl")] == [1, 1, 0]


@pytest.mark.issue(23)
def test_results_with_log_probabilities_give_scores(tmp_path, run):
    options = ("--annotate.server.scores", "true")
    run("--write-batch", tmp_path / "requests.jsonl", *options)
    bodies = [json.loads(line)["body"] for line in (tmp_path / "requests.jsonl").read_text().splitlines()]
    assert all(body["logprobs"] is True and body["top_logprobs"] == 20 for body in bodies)
    serve(tmp_path / "requests.jsonl", tmp_path / "results.jsonl", add_tokens=list_tokens)
    done = run("--read-batch", tmp_path / "results.jsonl", *options)
    assert done.exit_code == 0 and run.server.bodies == [], done.output
    first, second, third = read(tmp_path / "out.jsonl")
    # In the first text another name could begin with the other letter.
    assert 0.5 < first[0]["score"] < 0.75 + 1e-6 and 0.5 < second[0]["score"] < 1 and third == []


@pytest.mark.parametrize("name", ["in.jsonl", "labels.yml", "cache.sqlite", "examples.jsonl", "own.cfg",
                                  "results.jsonl"])
def test_requests_take_the_place_of_no_input(tmp_path, run, name):
    write_json_lines(tmp_path / "examples.jsonl", [{"id": "e", "text": "No gout.", "spans": []}])
    write_json_lines(tmp_path / "results.jsonl", [])
    (tmp_path / "own.cfg").write_text("[annotate]\n\n[annotate.server]\n")
    run()
    before = (tmp_path / name).read_bytes()
    done = run("--config", tmp_path / "own.cfg", "--annotate.examples", tmp_path / "examples.jsonl",
               "--read-batch", tmp_path / "results.jsonl", "--write-batch", tmp_path / name)
    assert done.exit_code == 1 and f"{name} is also an input" in str(done.exception)
    assert (tmp_path / name).read_bytes() == before


@pytest.mark.parametrize("results", ["out.jsonl", "out.failed.jsonl"])
def test_records_take_the_place_of_no_results(tmp_path, run, results):
    assert run("--write-batch", tmp_path / "requests.jsonl").exit_code == 0
    serve(tmp_path / "requests.jsonl", tmp_path / results)
    before = (tmp_path / results).read_bytes()
    done = run("--read-batch", tmp_path / results)
    assert done.exit_code == 1 and f"{results} is also an input" in str(done.exception)
    assert (tmp_path / results).read_bytes() == before


def test_results_are_no_cache(tmp_path, run):
    write_json_lines(tmp_path / "results.jsonl", [])
    done = run("--read-batch", tmp_path / "results.jsonl", "--annotate.cache", tmp_path / "results.jsonl")
    assert done.exit_code == 1 and "results.jsonl, which this command reads" in str(done.exception)


def test_requests_take_the_place_of_no_records(tmp_path, run):
    done = run("--write-batch", tmp_path / "out.jsonl")
    assert done.exit_code == 1 and "out.jsonl" in str(done.exception)


@pytest.mark.issue(23)
@pytest.mark.parametrize("line", ['{"text": "a"}', '{"custom_id": 5, "response": {}}'])
def test_a_file_of_something_else_is_no_results_file(tmp_path, run, line):
    (tmp_path / "results.jsonl").write_text(line + "\n")
    done = run("--read-batch", tmp_path / "results.jsonl")
    assert done.exit_code == 1 and "results.jsonl, line 1: not a result" in str(done.exception)
