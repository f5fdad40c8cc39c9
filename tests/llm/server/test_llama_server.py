"""A real server, llama.cpp with the embedded model: with a grammar its spans are exact."""

import json
import threading
import time

import pytest
from gguf_adapter import write_gguf

from benchmarks.llama_server import LlamaServer, missing_package
from spacy_bioner.annotation import Annotation
from spacy_bioner.codecs import make_codec
from spacy_bioner.llm.annotation.assembly import make_annotator
from spacy_bioner.llm.local.model_source import make_causal_lm
from spacy_bioner.llm.protocol import Request
from spacy_bioner.llm.server.client import Server, ServerSettings
from spacy_bioner.llm.server.server_source import make_server
from spacy_bioner.llm.settings import AnnotatorSettings
from spacy_bioner.prompts.build import Prompt

LABELS = {"DISEASE": "illnesses", "CHEMICAL": "drugs"}
TEXTS = ['No "[flu]" was\u00a0seen, {so}.', "<b>Gicht</b> \u03b1, \U0001f9ec 发热。"]


ADAPTER_TEXTS = ["Selinexor caused fatigue, anorexia and blurred vision.",
                 "Tonsillar abscess was treated with clindamycin and metronidazole."]


@pytest.fixture(scope="module")
def served_adapter(tmp_path_factory):
    """Return a server of the embedded model with the packaged adapter."""
    missing = missing_package()
    if missing is not None:
        pytest.skip(f"{missing} is not installed: llama.cpp with the embedded model comes with the extra dev")
    adapter = write_gguf(make_causal_lm().adapter_folder, tmp_path_factory.mktemp("gguf") / "adapter.gguf")
    server = LlamaServer(slots=1, threads=1, adapter=adapter).start()
    yield server
    server.kill()


def make(server, *, codec="json", cache=None, max_new_tokens=96, window=256, **settings):
    source = make_server("embedded", base_url=server.url, concurrency=2, max_new_tokens=max_new_tokens,
                         backoff=0.5, **settings)
    return make_annotator(source, AnnotatorSettings(codec=make_codec(codec), labels=LABELS, cache=cache,
                                                    window=window),
                          find_sentences=lambda text, lang: [(0, len(text))])


@pytest.mark.parametrize("codec", ["json", "bracket", "html"])
def test_with_a_grammar_no_reply_is_malformed_and_each_span_is_exact(llama_server, codec):
    annotator = make(llama_server, codec=codec, max_new_tokens=200)
    records = list(annotator.annotate([Annotation(text) for text in TEXTS]))
    issues = {kind for record in records for kind in record.meta["issues"]}
    # A name may stand at several places, inside a word too, and may be said twice: so much is left to the model.
    assert issues <= {"ambiguous_occurrence", "duplicate", "subword_match"}
    assert not any("error" in record.meta for record in records)
    assert all(mention.grounding != "fuzzy" for record in records for mention in record.mentions)


@pytest.mark.issue(23)
@pytest.mark.parametrize("codec", ["json", "html"])
def test_with_a_grammar_each_span_has_a_score(llama_server, codec):
    annotator = make(llama_server, codec=codec, max_new_tokens=200, chat=False)
    [record] = annotator.annotate([Annotation("Lung cancer screening found emphysema in 24% of heavy smokers.")])
    assert record.mentions and all(0 < mention.score <= 1 for mention in record.mentions)


@pytest.mark.issue(23)
def test_scores_agree_with_those_of_local_grounded_decoding(served_adapter):
    """The packaged adapter, asked for bracket lines with the same prompts. llama.cpp computes in 4 bits, and cuts
    prompt and answer into other tokens."""
    local = make_causal_lm(dtype="float32")
    served = make_server("m", base_url=served_adapter.url, adapter=str(local.adapter_folder), concurrency=1)
    local_scores, scores = ({(record.text, *mention.key): mention.score for record in make_annotator(
        source, AnnotatorSettings(), find_sentences=lambda text, lang: [(0, len(text))]).annotate(
            map(Annotation, ADAPTER_TEXTS)) for mention in record.mentions} for source in (local, served))
    assert all(0 < score <= 1 for score in scores.values())
    both = local_scores.keys() & scores.keys()
    assert len(both) >= 5 and len(both) >= 0.8 * max(len(local_scores), len(scores))
    differences = [abs(scores[key] - local_scores[key]) for key in both]
    assert max(differences) < 0.15 and sum(differences) / len(differences) < 0.04


def ask(server, prompts, **settings):
    model = Server(ServerSettings(model="m", base_url=server.url, **{"max_new_tokens": 8, "grammar": None, **settings}))
    return [reply for _, reply in sorted(model.generate([Request(Prompt("", prompt)) for prompt in prompts]),
                                         key=lambda pair: pair[0])]


def test_free_answers_come_with_their_counts(llama_server):
    [reply] = ask(llama_server, ["Say hello."])
    assert reply.error is None and reply.text and reply.usage["answer_tokens"] > 0 < reply.usage["prompt_tokens"]


def test_answers_to_a_schema_are_objects_that_hold_the_list(llama_server):
    annotator = make(llama_server, structured=True, grammar=None, max_new_tokens=64)
    [reply] = ask_schema(annotator)
    content = json.loads(reply.text) if reply.finish_reason == "stop" else {"entities": []}
    assert list(content) == ["entities"] and reply.text.lstrip().startswith("{")


def ask_schema(annotator):
    planner, runner = annotator._askers[0]
    return runner.run(planner.plan("Aspirin eased her gout.").requests)


def test_requests_are_answered_side_by_side(llama_server):
    replies = ask(llama_server, [f"Say {number}." for number in range(4)], concurrency=4)
    assert [reply.error for reply in replies] == [None] * 4


def test_log_probabilities_are_returned_on_request(llama_server):
    [reply] = ask(llama_server, ["Say hello."], extra_body={"logprobs": True})
    assert reply.error is None and reply.text


def test_cancelled_request_leaves_the_server_ready(llama_server):
    model = Server(ServerSettings(model="m", base_url=llama_server.url, max_new_tokens=1500, grammar=None))
    answers = model.generate([Request(Prompt("", "Say hello.")), Request(Prompt("", "Write a very long story."))])
    started = time.monotonic()
    next(answers)
    answers.close()
    [reply] = ask(llama_server, ["Say hello."])
    assert reply.error is None and time.monotonic() - started < 60


def test_killed_and_restarted_server_loses_nothing(llama_server, tmp_path):
    own = LlamaServer(slots=2, threads=1).start()
    texts = [f"Case {number}: no gout." for number in range(8)]
    cache = tmp_path / "cache.sqlite"
    restarted = threading.Timer(1.0, lambda: (own.kill(), own.start()))
    restarted.start()
    try:
        annotator = make(own, cache=cache, max_new_tokens=24, window=4)
        records = list(annotator.annotate([Annotation(text) for text in texts]))
        assert [record.text for record in records] == texts
        assert not any("error" in record.meta for record in records)
        again = make(own, cache=cache, max_new_tokens=24, window=4)
        assert [record.mentions for record in again.annotate(map(Annotation, texts))] == [
            record.mentions for record in records]
        assert again.usage.asked == 0
    finally:
        restarted.join()
        own.kill()
