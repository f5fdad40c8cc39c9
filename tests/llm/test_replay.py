"""Recorded replies: found by text or prompt, sample by sample; what was not recorded is said."""

import pytest

from spacy_bioner.errors import BionerError
from spacy_bioner.files import write_json_lines
from spacy_bioner.llm.annotation.request_runner import Runner
from spacy_bioner.llm.protocol import Request
from spacy_bioner.llm.replay import Replay, read_replay
from spacy_bioner.prompts.build import Prompt


def test_replies_are_found_by_text_then_by_prompt(tmp_path):
    write_json_lines(tmp_path / "r.jsonl", [{"text": "a", "output": "1"}, {"text": "a", "output": "2", "id": "x"},
                                            {"prompt": "system\n\nwrite", "output": "3"}])
    model = read_replay(tmp_path / "r.jsonl")
    requests = [Request(Prompt("", "p"), text="a"), Request(Prompt("", "p"), text="a", sample=1),
                Request(Prompt("system", "write")), Request(Prompt("", "p"), text="b")]
    replies = [reply for _, reply in model.generate(requests)]
    assert [reply.text for reply in replies] == ["1", "2", "3", ""]
    assert [reply.error for reply in replies] == [None, None, None, "no reply was recorded for this text"]


def test_texts_that_were_not_recorded_never_stop_the_run():
    runner = Runner(Replay([{"text": "a", "output": "A"}]), max_failures=3)
    replies = runner.run([Request(Prompt("", text), text=text) for text in ("b", "c", "d", "e", "a")])
    assert [reply.error is None for reply in replies] == [False] * 4 + [True]


def test_other_recordings_have_another_identity():
    assert Replay([{"text": "a", "output": "1"}]).identity() != Replay([{"text": "a", "output": "2"}]).identity()


@pytest.mark.parametrize("record", [{"output": "x"}, {"text": "x"}, {"text": 1, "output": "x"}])
def test_record_without_its_keys_is_an_error_with_its_line(tmp_path, record):
    write_json_lines(tmp_path / "r.jsonl", [{"text": "a", "output": "1"}, record])
    with pytest.raises(BionerError, match="line 2"):
        read_replay(tmp_path / "r.jsonl")
