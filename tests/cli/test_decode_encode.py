"""The verbs decode and encode: order kept, bad lines reported, each undoing the other."""

import json

import pytest
from typer.testing import CliRunner

from spacy_bioner.cli.main import app

RECORDS = [
    {"id": "1", "text": "lung and heart failure, \ud83d\ude00 flu", "spans": [
        {"start": 0, "end": 14, "label": "D"}, {"start": 9, "end": 22, "label": "D"}]},
    {"id": "2", "text": "CSF [HCO3-] and 感冒", "spans": [
        {"start": 4, "end": 11, "label": "C"}, {"start": 16, "end": 18, "label": "D"}]},
    {"id": "3", "text": "nothing", "spans": []},
]


def write(path, records):
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf8")
    return path


def read(path):
    return [json.loads(line) for line in path.read_text(encoding="utf8").splitlines()]


def call(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.mark.parametrize("format_, skipped", [("json", 0), ("html", 0), ("bracket", 2), ("seed_tags", 1)])
def test_decode_gives_back_what_encode_wrote(tmp_path, format_, skipped):
    source, encoded, decoded = write(tmp_path / "in.jsonl", RECORDS), tmp_path / "e.jsonl", tmp_path / "d.jsonl"
    assert call("encode", source, encoded, "--format", format_).exit_code == 0
    assert call("decode", encoded, decoded).exit_code == 0
    assert sum(len(record["skipped"]) for record in read(encoded)) == skipped
    for record, answer, back in zip(RECORDS, read(encoded), read(decoded)):
        assert back["id"] == record["id"]
        assert [span for span in record["spans"] if span not in answer["skipped"]] == back["spans"]


def test_a_good_file_stays_where_no_line_can_be_read(tmp_path):
    source, target = tmp_path / "in.jsonl", write(tmp_path / "out.jsonl", [{"id": "old"}])
    source.write_text('{"id": 1}\n{\n')
    for arguments in (["decode"], ["encode", "--format", "json"]):
        result = call(*arguments, source, target)
        assert result.exit_code == 1 and "not written: 2 lines left out" in result.output
        assert read(target) == [{"id": "old"}] and call(*arguments, source, tmp_path / "new.jsonl").exit_code == 1
    assert not (tmp_path / "new.jsonl").exists()


def test_a_file_without_lines_becomes_one_without_records(tmp_path):
    target = write(tmp_path / "out.jsonl", [{"id": "old"}])
    assert call("decode", write(tmp_path / "in.jsonl", []), target).exit_code == 0 and read(target) == []


def test_decode_reports_bad_lines_and_writes_the_others(tmp_path):
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    good = {"id": "a", "format": "json", "labels": ["D"], "text": "flu", "output": '[{"type":"D","name":"flu"}]'}
    lines = [json.dumps(good), "{", '{"id": 1}', json.dumps({**good, "id": "b", "output": 7}),
             json.dumps({**good, "id": "c", "format": "xml"}), "", json.dumps({**good, "id": "d"})]
    source.write_bytes("\n".join(lines).encode("utf8") + b"\n\xff\n")
    result = call("decode", source, target)
    assert result.exit_code == 1
    assert [record["id"] for record in read(target)] == ["a", "d"]
    assert [f"line {number}:" in result.output for number in (1, 2, 3, 4, 5, 7, 8)] == [
        False, True, True, True, True, False, True]
