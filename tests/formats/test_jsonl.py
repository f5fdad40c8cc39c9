import gzip
import json

import pytest

from spacy_bioner.annotation import Annotation
from spacy_bioner.errors import BionerError
from spacy_bioner.formats.jsonl import read_jsonl, write_jsonl
from spacy_bioner.formats.parsing.problems import Problems


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz"])
def test_round_trip(nested, tmp_path, name):
    assert write_jsonl(tmp_path / name, [nested]) == 1
    assert list(read_jsonl(tmp_path / name)) == [nested]


@pytest.mark.parametrize("there, asked", [("a.jsonl.gz", "a.jsonl"), ("a.jsonl", "a.jsonl.gz")])
def test_finds_the_other_of_plain_and_compressed(nested, tmp_path, there, asked):
    write_jsonl(tmp_path / there, [nested])
    assert list(read_jsonl(tmp_path / asked)) == [nested]


@pytest.mark.parametrize("line, message", [
    pytest.param("{", "line 2: not a JSON object", id="broken"),
    pytest.param("[]", "line 2: not a JSON object", id="list"),
    pytest.param('{"text": "a", "spans": [{"start": 0, "end": 1, "label": "X"}], "spans": []}',
                 "line 2: .*the key 'spans' comes twice", id="spans-twice"),
    pytest.param('{"text": "a", "text": "b"}', "line 2: .*the key 'text' comes twice", id="text-twice"),
    pytest.param('{"text": "a", "spans": [{"start": 0, "end": 1, "label": "X", "label": "Y"}]}',
                 "line 2: .*the key 'label' comes twice", id="label-of-a-span-twice"),
    pytest.param('{"text": "a", "meta": {"\\n\\ud835": 1, "\\n\\ud835": 2}}', r"line 2: .*'\\n\\ud835' comes twice",
                 id="odd-key-twice"),
    pytest.param('{"id": "a"}', "line 2: record without the key 'text'", id="no-text"),
    pytest.param('{"text": "a", "spans": [{"start": 0, "end": 2, "label": "X"}]}', "line 2: span 0-2", id="outside"),
    pytest.param('{"text": "a b", "spans": [{"start": 0, "end": 2, "label": "X"}]}', "white space", id="blank-edge"),
    pytest.param('{"text": "a\\ud835"}', "line 2: the text holds 0xd835 at 1", id="half-a-character"),
    pytest.param('{"id": "\\ud835", "text": "a"}', "line 2, id: the text holds 0xd835 at 0", id="half-in-id"),
    pytest.param('{"text": "a", "spans": [{"start": 0, "end": 1, "label": "X\\uDC00"}]}',
                 "line 2, label of span 0-1: the text holds 0xdc00 at 1", id="half-in-label"),
    pytest.param('{"text": "a", "meta": {"n": [{"b": "\\ud835"}]}}', "line 2, meta: the text holds", id="half-in-meta"),
    pytest.param('{"text": "a", "meta": {"\\ud835": 1}}', "line 2, meta: the text holds", id="half-in-key"),
    pytest.param('{"text": "a", "meta": {"n": [NaN]}}', "line 2: it holds nan", id="nan-in-meta"),
    pytest.param('{"text": "a", "spans": [{"start": 0, "end": 1, "label": "X", "attributes": {"b": -Infinity}}]}',
                 "line 2: it holds -inf", id="infinity-in-attributes"),
    pytest.param('{"text": "ab", "spans": [{"start": 1, "end": 1, "label": "X"}]}', "line 2: span 1-1", id="empty"),
])
def test_errors_name_file_and_line(tmp_path, line, message):
    path = tmp_path / "bad.jsonl"
    path.write_text(json.dumps({"text": "x"}) + "\n" + line + "\n", encoding="utf8")
    with pytest.raises(BionerError, match=message) as caught:
        list(read_jsonl(path, raw=True))
    assert "bad.jsonl" in str(caught.value)


def test_a_text_may_say_nan_or_infinity(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "NaN and Infinity", "meta": {"NaN": "Infinity"}}')
    assert [one.text for one in read_jsonl(path, raw=True)] == ["NaN and Infinity"]


def test_a_whole_surrogate_pair_is_one_character(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"id": "\\ud835\\udefc", "text": "\\uD835\\uDEFC"}\n')
    assert [(one.id, one.text) for one in read_jsonl(path, raw=True)] == [("\U0001d6fc", "\U0001d6fc")]


@pytest.mark.parametrize("change, message", [
    pytest.param({"score": "high"}, "key 'score' holds 'high', wanted a number from 0 to 1", id="score-in-words"),
    pytest.param({"score": True}, "key 'score' holds True", id="score-is-a-truth-value"),
    pytest.param({"score": float("nan")}, "key 'score' holds nan", id="score-is-no-number"),
    pytest.param({"score": float("inf")}, "key 'score' holds inf", id="score-is-infinite"),
    pytest.param({"score": 1.5}, "key 'score' holds 1.5", id="score-above-1"),
    pytest.param({"score": -1}, "key 'score' holds -1", id="score-below-0"),
    pytest.param({"grounding": 3}, "key 'grounding' holds 3, wanted a string", id="grounding-is-a-number"),
    pytest.param({"label": ""}, "key 'label' holds '', wanted a label", id="empty-label"),
    pytest.param({"label": " "}, "key 'label' holds ' ', wanted a label", id="blank-label"),
])
def test_values_of_a_span_are_checked(tmp_path, change, message):
    path = tmp_path / "bad.jsonl"
    path.write_text(json.dumps({"text": "a", "spans": [{"start": 0, "end": 1, "label": "X", **change}]}))
    with pytest.raises(BionerError, match=f"bad.jsonl, line 1: {message}"):
        list(read_jsonl(path))


@pytest.mark.parametrize("score", [None, 0, 1, 0.25])
def test_scores_from_0_to_1_and_none_are_read(tmp_path, score):
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps({"text": "a", "spans": [{"start": 0, "end": 1, "label": "X", "score": score}]}))
    assert [mention.score for one in read_jsonl(path) for mention in one.mentions] == [score]


def test_byte_order_mark_carriage_returns_and_missing_last_line_end_do_not_matter(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"text": "a"}\r\n\r\n{"id": "x", "text": "b"}')
    assert [(record.id, record.text) for record in read_jsonl(path, raw=True)] == [("a-1", "a"), ("x", "b")]


def test_null_is_no_id(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"id": null, "text": "a"}\n{"id": null, "text": "b"}\n{"id": 0, "text": "c"}\n')
    assert [record.id for record in read_jsonl(path, raw=True)] == ["a-1", "a-2", "0"]
    assert Annotation.from_record({"id": None, "text": "a"}).id == ""


def test_spans_given_twice_count_once(tmp_path):
    span = {"start": 0, "end": 1, "label": "X"}
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps({"text": "a", "spans": [span, span]}), encoding="utf8")
    problems = Problems()
    (annotation,) = read_jsonl(path, problems=problems)
    assert len(annotation.mentions) == 1 and problems.counts == {"duplicate": 1}


def test_a_cut_archive_is_named(tmp_path):
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(gzip.compress(b'{"text": "a"}\n' * 1000)[:30])
    with pytest.raises(BionerError, match="a.jsonl.gz"):
        list(read_jsonl(path))


def _write(tmp_path, *records):
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf8")
    return tmp_path / "a.jsonl"


GOUT = {"start": 0, "end": 4, "label": "X"}


@pytest.mark.issue(21)
@pytest.mark.parametrize("record", [
    pytest.param({"text": "gout"}, id="no-key"), pytest.param({"text": "gout", "label": [[0, 4, "X"]]}, id="doccano"),
    pytest.param({"text": "gout", "entities": [{"start_offset": 0, "end_offset": 4, "label": "X"}]}, id="entities"),
])
def test_a_record_without_spans_is_an_error_unless_raw_text_is_asked_for(tmp_path, record):
    path = _write(tmp_path, {"text": "a", "spans": []}, record)
    for problems in (None, Problems(), Problems(strict=True)):
        with pytest.raises(BionerError, match="line 2: a record without the key 'spans'.*'text'"):
            list(read_jsonl(path, problems=problems))
    assert [one.text for one in read_jsonl(path, raw=True)] == ["a", "gout"]


@pytest.mark.issue(21)
def test_other_keys_are_counted_and_an_error_where_they_may_hold_mentions(tmp_path):
    path = _write(tmp_path, {"text": "gout", "spans": [], "entities": [[0, 4, "X"]], "title": "t"})
    problems = Problems()
    list(read_jsonl(path, problems=problems))
    assert problems.counts == {"unknown_key": 2}
    for strict in (None, Problems(strict=True)):
        with pytest.raises(BionerError, match="line 1 .'entities'.: key left out"):
            list(read_jsonl(path, problems=strict))
    assert len(list(read_jsonl(_write(tmp_path, {"text": "gout", "spans": [], "title": "t"})))) == 1


@pytest.mark.issue(21)
@pytest.mark.parametrize("text, span, mentions, counts", [
    pytest.param("gout", {**GOUT, "text": "gout"}, [(0, 4)], {}, id="right"),
    pytest.param("a gout", {**GOUT, "text": "gout", "score": 0.5}, [(2, 6)], {"shifted": 1}, id="shifted"),
    pytest.param("asthma, not at all gout", {**GOUT, "text": "gout"}, [], {"surface_differs": 1}, id="far-away"),
    pytest.param("\U0001d6fc gout", {"start": 3, "end": 7, "label": "X", "text": "gout"}, [(2, 6)],
                 {"other_counting": 1}, id="utf-16"),
])
def test_a_span_whose_own_text_is_not_at_its_offsets_is_counted(tmp_path, text, span, mentions, counts):
    path = _write(tmp_path, {"text": text, "spans": [span]})
    problems = Problems()
    (found,) = read_jsonl(path, problems=problems)
    assert [(one.start, one.end) for one in found.mentions] == mentions and problems.counts == counts
    assert [one.score for one in found.mentions] in ([], [span.get("score")])
    if counts:
        with pytest.raises(BionerError, match="a.jsonl, line 1"):
            list(read_jsonl(path))


@pytest.mark.issue(21)
@pytest.mark.parametrize("record", [
    {"text": 7, "spans": []}, {"text": "a", "spans": 7}, {"text": "a", "spans": [7]}, {"text": "a", "spans": {"a": 1}},
    {"text": "a", "spans": [{"start": "0", "end": 1, "label": "X", "text": "a"}]},
    {"text": "a", "spans": [], "meta": []},
    {"text": "a", "spans": [{"start": 0, "end": 1, "label": 7, "text": 7}]}, {"text": None, "spans": None},
    {"text": "a", "spans": [{"start": 0, "end": 10**30, "label": "X", "text": "b"}]},
    {"text": "a", "spans": [{"start": -5, "end": 1, "label": "X", "text": "b"}]},
])
def test_values_of_other_types_are_one_line(tmp_path, record):
    with pytest.raises(BionerError, match="a.jsonl, line 1"):
        list(read_jsonl(_write(tmp_path, record), problems=Problems(strict=True)))


@pytest.mark.issue(21)
def test_names_in_upper_case_are_compressed_too(nested, tmp_path):
    write_jsonl(tmp_path / "A.JSONL.GZ", [nested])
    assert (tmp_path / "A.JSONL.GZ").read_bytes()[:2] == b"\x1f\x8b"
    assert list(read_jsonl(tmp_path / "A.JSONL.GZ")) == [nested]
