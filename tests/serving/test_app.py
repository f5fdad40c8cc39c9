"""A pipeline behind HTTP: each text gets its own spans, whoever else asks; what is wrong gets one line and a status."""

import asyncio
import json
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
import spacy
from spacy.language import Language
from starlette.testclient import TestClient
from typer.testing import CliRunner

from benchmarks.chaos.long_run import read_memory
from spacy_bioner.cli.main import app
from spacy_bioner.errors import BionerError
from spacy_bioner.llm.local.numbers.freed_memory import FreedMemory
from spacy_bioner.serving.app import MOST_BYTES, Served, listen, make_app
from spacy_bioner.serving.request_batches import Batcher


@pytest.fixture
def nlp():
    nlp = spacy.blank("en")
    nlp.add_pipe("span_ruler", config={"spans_key": "sc"}).add_patterns(
        [{"label": "DISEASE", "pattern": name} for name in ("gout", "Gout", "colon cancer")])
    return nlp


@pytest.fixture
def client(nlp):
    with TestClient(make_app(Served(nlp), hosts=["testserver"])) as client:
        yield client


def test_texts_come_back_as_records_in_order(client):
    answer = client.post("/annotate", json={"texts": ["Gout.", "", "No \U0001d6fc-fever, gout."]})
    assert answer.json() == {"records": [
        {"text": "Gout.", "spans": [{"start": 0, "end": 4, "label": "DISEASE"}]},
        {"text": "", "spans": []},
        {"text": "No \U0001d6fc-fever, gout.", "spans": [{"start": 12, "end": 16, "label": "DISEASE"}]}]}


def test_requests_at_once_get_each_its_own_answer(client):
    def ask(number):
        texts = [f"{number} times gout.", *["No fever."] * (number % 3)]
        return [record["text"] for record in client.post("/annotate", json={"texts": texts}).json()["records"]] == texts

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(ask, range(100)))


@pytest.mark.parametrize("content, status, said", [
    ("{", 400, "not JSON"), ("[" * 9999, 400, "not JSON"), ("[]", 422, "no list of texts"),
    ('{"texts": "gout"}', 422, "no list of texts"), ('{"texts": [1]}', 422, "no list of texts"),
    (r'{"texts": ["\ud800"]}', 422, "lone surrogate"), (json.dumps({"texts": ["x" * 1_000_001]}), 422, "1,000,001"),
    (b"x" * (MOST_BYTES + 1), 413, "more than"),
])
def test_what_cannot_be_annotated_gets_one_line(client, content, status, said):
    answer = client.post("/annotate", content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code == status and said in answer.json()["error"] and "\n" not in answer.json()["error"]


def test_pages_of_other_origins_are_not_answered(client):
    assert client.post("/annotate", content='{"texts": []}', headers={"Content-Type": "text/plain"}).status_code == 415
    assert client.get("/health", headers={"Host": "evil.example"}).status_code == 400


def test_health_names_the_pipeline_and_its_labels(client):
    assert client.get("/health").json() == {"pipeline": "en_pipeline", "version": "0.0.0", "labels": ["DISEASE"]}


def ask_batcher(annotate, requests, *, size=8):
    """Return the answers to requests that come at once, before one whose client goes; and whether it is full then."""
    async def ask():
        batcher = Batcher(annotate, size=size)
        asked = [asyncio.ensure_future(batcher.annotate(texts)) for texts in (*requests, ["gone"])]
        await asyncio.sleep(0)
        asked.pop().cancel()
        work = asyncio.ensure_future(batcher.run())
        answers = await asyncio.gather(*asked)
        work.cancel()
        return answers, batcher.is_full()

    return asyncio.run(ask())


def test_a_text_that_fails_fails_alone():
    def annotate(texts):
        if "bad" in texts:
            raise ValueError("bad")
        return [text.upper() for text in texts]

    answers, full = ask_batcher(annotate, [["a", "bad", "b"], ["c"], [], ["bad"]])
    assert [[found if isinstance(found, str) else repr(found) for found in answer] for answer in answers] == [
        ["A", "ValueError('bad')", "B"], ["C"], [], ["ValueError('bad')"]]
    assert not full


def test_a_batch_is_never_larger_than_asked_for():
    sizes = []

    def annotate(texts):
        sizes.append(len(texts))
        return texts

    requests = [[f"{number}-{place}" for place in range(count)] for number, count in enumerate((1, 7, 20, 2))]
    assert ask_batcher(annotate, requests)[0] == requests
    assert sizes == [8, 8, 8, 6]


@pytest.fixture
def failing_client(nlp):
    @Language.component("fails_on_fever")
    def fail_on_fever(doc):
        if "fever" in doc.text:
            raise RuntimeError("hot:\nfever")
        return doc

    nlp.add_pipe("fails_on_fever", first=True)
    with TestClient(make_app(Served(nlp), hosts=["testserver"]), raise_server_exceptions=False) as client:
        yield client


def test_the_record_of_a_text_that_fails_holds_one_line(failing_client, caplog):
    answer = failing_client.post("/annotate", json={"texts": ["Gout.", "A fever.", "No gout."]})
    assert (answer.status_code, answer.json()) == (200, {"records": [
        {"text": "Gout.", "spans": [{"start": 0, "end": 4, "label": "DISEASE"}]},
        {"text": "A fever.", "error": "RuntimeError hot: fever"},
        {"text": "No gout.", "spans": [{"start": 3, "end": 7, "label": "DISEASE"}]}]})
    [logged] = caplog.records
    assert "1 of 3 texts" in logged.message and "fever" in logged.exc_text, "the operator sees where it failed"


def test_a_request_of_which_every_text_fails_is_an_error(failing_client):
    answer = failing_client.post("/annotate", json={"texts": ["A fever.", "fever"]})
    assert (answer.status_code, answer.json()) == (500, {
        "error": "The pipeline fails on every text: RuntimeError hot: fever",
        "records": [{"text": text, "error": "RuntimeError hot: fever"} for text in ("A fever.", "fever")]})


def test_new_words_are_forgotten(nlp):
    served = Served(nlp)
    served.annotate(["No fever."])
    before = len(nlp.vocab.strings)
    served.annotate([f"word{number}" for number in range(1000)])
    assert len(nlp.vocab.strings) == before


def test_a_pipeline_without_such_spans_is_refused(nlp, tmp_path):
    nlp.to_disk(tmp_path)
    done = CliRunner().invoke(app, ["serve", str(tmp_path), "--port", "0", "--spans-key", "other"])
    assert isinstance(done.exception, BionerError) and "other" in str(done.exception)


def test_a_port_in_use_is_one_line():
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(BionerError, match="another port"):
        listen("127.0.0.1", taken.getsockname()[1])
    with pytest.raises(BionerError, match=r"must be 0-65535\. Give"):
        listen("127.0.0.1", 99_999_999)


@pytest.mark.issue(22)
def test_an_answer_does_not_wait_until_the_client_has_acknowledged_its_first_part():
    """Head and body of an answer are two packets: with Nagle's algorithm the second one waits for 40 ms."""
    with listen("127.0.0.1", 0) as taken, socket.create_connection(taken.getsockname()), taken.accept()[0] as accepted:
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def has_ipv6():
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


needs_ipv6 = pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")


@needs_ipv6
def test_an_address_of_ipv6_can_be_taken():
    with listen("::1", 0) as taken:
        assert taken.getsockname()[0] == "::1"
        with pytest.raises(BionerError, match="another port"):
            listen("::1", taken.getsockname()[1])


def test_a_client_may_call_by_an_address_of_ipv6(nlp):
    with TestClient(make_app(Served(nlp)), base_url="http://[::1]:8080") as client:
        assert client.get("/health").status_code == 200


@needs_ipv6
def test_the_address_that_is_printed_answers(nlp, tmp_path):
    nlp.to_disk(tmp_path)
    command = [sys.executable, "-m", "spacy_bioner", "serve", str(tmp_path), "--host", "::1", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            address = process.stdout.readline().split()[-1]
            assert address.startswith("http://[::1]:")
            answer = httpx.post(address, json={"texts": ["Gout."]}, timeout=60)
            assert answer.json()["records"][0]["spans"]
        finally:
            process.terminate()


@pytest.mark.issue(21)
def test_memory_that_a_batch_took_goes_back_to_the_system(nlp):
    kept = []

    @Language.component("takes_memory")
    def take_memory(doc):
        # Small objects that stay, such as the pieces of new words, lie between large ones that go.
        taken = [(bytearray(100_000), kept.append(bytearray(600))) for _ in range(len(doc))]
        del taken
        return doc

    nlp.add_pipe("takes_memory")
    served = Served(nlp, freed=FreedMemory(between=0))
    served.annotate(["Gout."])
    before = read_memory()
    served.annotate(["gout " * 2_000])
    assert read_memory() - before < 50


@pytest.mark.parametrize("made", [None, "a file"], ids=["nothing", "a-file"])
def test_what_is_no_pipeline_is_one_line(tmp_path, made):
    if made:
        (tmp_path / "pipeline").write_text(made)
    result = CliRunner().invoke(app, ["serve", str(tmp_path / "pipeline"), "--port", "0"])
    assert f"There is no pipeline at {tmp_path / 'pipeline'}" in str(result.exception)


def test_a_client_that_hangs_up_leaves_no_traceback(nlp, tmp_path):
    nlp.to_disk(tmp_path / "pipeline")
    process = subprocess.Popen([sys.executable, "-m", "spacy_bioner", "serve", tmp_path / "pipeline", "--port", "0"],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    address = process.stdout.readline().split()[-1]
    with socket.create_connection(("127.0.0.1", httpx.URL(address).port)) as client:
        client.sendall(b"POST /annotate HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
                       b"Content-Length: 99\r\n\r\n{")
    assert httpx.post(address, json={"texts": ["Gout."]}, trust_env=False).status_code == 200
    process.terminate()
    assert (process.communicate(timeout=20)[1], process.returncode) == ("", 0)


def test_the_verb_serves_a_folder_until_it_is_told_to_end(nlp, tmp_path):
    nlp.to_disk(tmp_path / "pipeline")
    process = subprocess.Popen([sys.executable, "-m", "spacy_bioner", "serve", tmp_path / "pipeline", "--port", "0"],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    address = process.stdout.readline().split()[-1]
    assert httpx.post(address, json={"texts": ["Gout."]}, trust_env=False).json()["records"][0]["spans"]
    process.terminate()
    assert (process.communicate(timeout=20)[1], process.returncode) == ("", 0)
