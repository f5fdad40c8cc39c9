"""The runner: a reply for each request, in order, asked once, kept at once."""

import logging

import pytest

from spacy_bioner.errors import BionerError
from spacy_bioner.llm.annotation.cache import ReplyCache
from spacy_bioner.llm.annotation.request_runner import Runner
from spacy_bioner.llm.protocol import Reply, Request
from spacy_bioner.prompts.build import Prompt


class FakeModel:
    """Answers in reverse order; prompts with "fail" find no service, those with "refuse" are refused, those with
    "silence" are forgotten."""

    context_length = 100

    def __init__(self, revision=1):
        self.asked = []
        self.revision = revision

    def identity(self):
        return {"model": "fake", "revision": self.revision}

    def count_tokens(self, text):
        return len(text.split())

    def generate(self, requests):
        for index in reversed(range(len(requests))):
            prompt = requests[index].prompt.user
            self.asked.append(prompt)
            if "silence" in prompt:
                continue
            if "fail" in prompt:
                yield index, Reply(finish_reason="error", error=f"cannot answer {len(prompt)}", service_failed=True)
            elif "refuse" in prompt:
                yield index, Reply(finish_reason="error", error="refused")
            else:
                yield index, Reply(prompt.upper(), usage={"answer_tokens": 2, "seconds": 1.0})


def requests_of(*prompts):
    return [Request(Prompt("", prompt), text=prompt) for prompt in prompts]


def test_replies_are_in_the_order_of_the_requests():
    replies = Runner(FakeModel()).run(requests_of("a", "b", "fail", "c", "silence"))
    assert [reply.text for reply in replies] == ["A", "B", "", "C", ""]
    assert [reply.error for reply in replies] == [None, None, "cannot answer 4", None, "the model gave no reply"]


def test_what_the_cache_holds_is_not_asked_again(tmp_path):
    first, second = FakeModel(), FakeModel()
    Runner(first, cache=ReplyCache(tmp_path / "c")).run(requests_of("a", "b", "fail"))
    runner = Runner(second, cache=ReplyCache(tmp_path / "c"))
    replies = runner.run(requests_of("c", "b", "a", "fail"))
    assert [reply.text for reply in replies] == ["C", "B", "A", ""]
    assert sorted(second.asked) == ["c", "fail"], "failures are asked again"
    assert (runner.usage.asked, runner.usage.cached) == (2, 2)


def test_another_revision_or_other_labels_are_asked_anew():
    cache = ReplyCache()
    Runner(FakeModel(), cache=cache, settings={"labels": ["A"]}).run(requests_of("a"))
    for model, labels in ((FakeModel(revision=2), ["A"]), (FakeModel(), ["A", "B"])):
        Runner(model, cache=cache, settings={"labels": labels}).run(requests_of("a"))
        assert model.asked == ["a"]


def test_equal_requests_are_asked_once():
    model = FakeModel()
    replies = Runner(model).run(requests_of("a", "a", "b", "a"))
    assert [reply.text for reply in replies] == ["A", "A", "B", "A"]
    assert sorted(model.asked) == ["a", "b"]


def test_many_failures_in_a_row_stop_the_run_and_keep_what_was_answered():
    cache = ReplyCache()
    runner = Runner(FakeModel(), cache=cache, max_failures=3)
    with pytest.raises(BionerError, match="3 failed requests in a row.*to resume"):
        runner.run(requests_of("never asked", "fail 1", "fail 2", "fail 3", "good"))
    assert len(cache) == 1


def test_single_failures_never_stop_the_run():
    runner = Runner(FakeModel(), max_failures=2)
    for _ in range(5):
        runner.run(requests_of("good", "fail"))
    assert runner.usage.asked == 10


def test_failures_of_documents_never_stop_the_run():
    runner = Runner(FakeModel(), max_failures=3)
    replies = runner.run(requests_of(*(f"refuse {number}" for number in range(10)), "good"))
    assert [reply.error for reply in replies] == ["refused"] * 10 + [None]


def test_failures_of_documents_do_not_hide_those_of_the_service():
    runner = Runner(FakeModel(), max_failures=3)
    with pytest.raises(BionerError, match="3 failed requests in a row.*cannot answer 6"):
        runner.run(requests_of("fail 1", "refuse 1", "fail 2", "refuse 2", "fail 3"))


def test_usage_is_counted():
    runner = Runner(FakeModel())
    runner.run(requests_of("a", "b"))
    assert runner.usage.model == {"answer_tokens": 4}
    assert "2 requests asked" in runner.usage.summary()


def test_log_holds_no_text_of_documents(caplog):
    with caplog.at_level(logging.DEBUG, logger="spacy_bioner"):
        Runner(FakeModel()).run(requests_of("Jane Doe must fail"))
    assert "1 of 1 requests failed" in caplog.text
    assert "Jane" not in caplog.text
