"""Worked cases: recorded replies with the spans and the issues that reading them must give."""

import json

import pytest
from places import SHARED, TESTS

from spacy_bioner.codecs import make_codec
from spacy_bioner.codecs.recorded import decode_record

OWN = TESTS / "data"
EXAMPLES = SHARED / "examples"


def read_cases(path):
    if not path.is_file():
        # The shared cases are no part of this repository, so a checkout alone cannot run them, and says so in the
        # summary; the project's own, in `tests/data`, always run.
        return [pytest.param(None, id=path.stem, marks=pytest.mark.skip(reason=f"no {path.name} beside the checkout"))]
    records = [json.loads(line) for line in path.read_text(encoding="utf8").splitlines()]
    return [pytest.param(record, id=record["id"]) for record in records]


def check_case(record):
    decoded = decode_record(record)
    wanted = sorted(record["expected"], key=lambda span: (span["start"], -span["end"], span["label"]))
    assert decoded["spans"] == wanted, record["why"]
    assert set(record["expected_issues"]) <= set(decoded["issues"]), record["why"]
    return decoded


@pytest.mark.parametrize("record", read_cases(OWN / "decoding_cases.jsonl"))
def test_reply_gives_these_spans_and_issues(record):
    decoded = check_case(record)
    if not record["expected_issues"]:
        assert decoded["issues"] == []


@pytest.mark.parametrize("record", read_cases(EXAMPLES / "decoding_examples.jsonl"))
def test_example_gives_these_spans_and_issues(record):
    check_case(record)


@pytest.mark.parametrize("record", read_cases(EXAMPLES / "seed_tag_examples.jsonl"))
def test_example_sentence_gives_this_text_and_verdict(record):
    decoded = check_case(record)
    assert decoded["text"] == record["text"]
    assert decoded["keep"] is record["keep"]


ASPIRIN = [("aspirin", "Chemical")]
RESISTANCE = [("insulin resistance", "Disease")]


@pytest.mark.parametrize("reply, seeds, repair, text, spans, issues", [
    pytest.param("<start_sentence>Take aspirin.</end_sentence>", ASPIRIN, False, "Take aspirin.", [], {"seed_untagged"},
                 id="untagged"),
    pytest.param("<start_sentence>Take aspirin.</end_sentence>", ASPIRIN, True, "Take aspirin.",
                 [(5, 12, "Chemical")], {"seed_untagged"}, id="untagged-repaired"),
    pytest.param("<start_sentence>Had <Disease>insulin</Disease> resistance.</end_sentence>", RESISTANCE, False,
                 "Had insulin resistance.", [(4, 11, "Disease")], {"seed_boundary"}, id="partial"),
    pytest.param("<start_sentence>Had <Disease>insulin</Disease> resistance.</end_sentence>", RESISTANCE, True,
                 "Had insulin resistance.", [(4, 22, "Disease")], {"seed_boundary"}, id="partial-repaired"),
    pytest.param("<start_sentence>Take <Chemical>ibuprofen</Chemical>.</end_sentence>", ASPIRIN, False,
                 "Take ibuprofen.", [(5, 14, "Chemical")], {"seed_missing", "new_entity"}, id="missing-and-new"),
    pytest.param("<start_sentence>Had <Disease>dsm-iv bipolar I</Disease>.</end_sentence>",
                 [("DSM - IV bipolar I", "Disease")], False, "Had dsm-iv bipolar I.", [(4, 20, "Disease")], set(),
                 id="spacing-and-case"),
    pytest.param("<start_sentence>Take <chemical>aspirin</chemical>.</end_sentence>", ASPIRIN, False, "Take aspirin.",
                 [(5, 12, "Chemical")], {"label_normalised"}, id="label-case"),
    pytest.param("First I think.\n<start_sentence>Take <Chemical>aspirin</Chemical>.</end_sentence> Done.", ASPIRIN,
                 False, "Take aspirin.", [(5, 12, "Chemical")], {"extra_text"}, id="chain-of-thought"),
    pytest.param("Take <Chemical>aspirin</Chemical>.", ASPIRIN, False, "", [], {"no_wrapper"}, id="no-wrapper"),
    pytest.param("<start_sentence>Take <Chemical>aspirin</Disease>.</end_sentence>", ASPIRIN, False, "", [],
                 {"tag_mismatch", "unbalanced_marker"}, id="mismatch"),
    pytest.param("", ASPIRIN, False, "", [], {"no_output"}, id="empty"),
    pytest.param("<start_sentence>服用<Chemical>阿司匹林</Chemical>。</end_sentence>", [("阿司匹林", "Chemical")],
                 False, "服用阿司匹林。", [(2, 6, "Chemical")], set(), id="chinese"),
])
def test_generated_sentence_is_checked_against_its_seeds(reply, seeds, repair, text, spans, issues):
    reading = make_codec("seed_tags", repair=repair).read(reply, ["Chemical", "Disease"], seeds)
    assert reading.text == text
    assert reading.keep is bool(text)
    assert [mention.key for mention in reading.mentions] == spans
    assert {issue.kind for issue in reading.issues} == issues
