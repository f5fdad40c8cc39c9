"""Shards: every record in exactly one, the same in every run, whatever the file."""

import gzip
import json

import pytest

from spacy_bioner.annotation import Annotation, Mention
from spacy_bioner.errors import BionerError
from spacy_bioner.files import write_json_lines
from spacy_bioner.scale.shards import Shard, find_shards, read_shard, write_shard

RECORDS = [{"id": f"d{number}", "text": f"Fälle {number} 中"} for number in range(25)]


def write_parquet(path, columns):
    pyarrow = pytest.importorskip("pyarrow")
    pytest.importorskip("pyarrow.parquet").write_table(pyarrow.table(columns), path, row_group_size=4)


def write_input(path):
    if path.suffix == ".parquet":
        write_parquet(path, {"id": [record["id"] for record in RECORDS], "text": [r["text"] for r in RECORDS]})
    else:
        write_json_lines(path, RECORDS)
    return path


@pytest.mark.parametrize("name", ["in.jsonl", "in.jsonl.gz", "in.parquet"])
@pytest.mark.parametrize("size", [1, 7, 25, 100])
def test_each_record_is_in_one_shard_in_order(tmp_path, name, size):
    shards = find_shards(write_input(tmp_path / name), tmp_path / "out", size=size)
    assert all(shard.count <= size for shard in shards)
    found = [(annotation.id, annotation.text) for shard in shards for annotation in read_shard(shard)]
    assert found == [(record["id"], record["text"]) for record in RECORDS]
    assert shards == find_shards(tmp_path / name, tmp_path / "out", size=size)


@pytest.mark.parametrize("name", ["in.jsonl", "in.parquet"])
def test_null_is_no_id(tmp_path, name):
    if name.endswith(".parquet"):
        write_parquet(tmp_path / name, {"id": ["a", None, None], "text": ["x", "y", "z"]})
    else:
        write_json_lines(tmp_path / name, [{"id": id, "text": "x"} for id in ("a", None, None)])
    [shard] = find_shards(tmp_path / name, tmp_path / "out", size=5)
    assert [annotation.id for annotation in read_shard(shard)] == ["a", "in-2", "in-3"]


@pytest.mark.parametrize("names, ids", [
    pytest.param(["notes.2020.jsonl", "notes.2021.jsonl.gz"], ["notes.2020-1", "notes.2021-1"], id="dots"),
    pytest.param(["a.jsonl", "a.jsonl.gz"], ["a.jsonl-1", "a.jsonl.gz-1"], id="endings"),
    pytest.param(["a.jsonl", "a.jsonl.gz", "a.jsonl.jsonl"], ["a.jsonl-1", "a.jsonl.gz-1", "a.jsonl.jsonl-1"],
                 id="odd"),
])
def test_texts_of_two_files_have_ids_of_their_own(tmp_path, names, ids):
    for name in names:
        write_json_lines(tmp_path / name, [{"text": "x"}])
    shards = find_shards(tmp_path, tmp_path / "out", size=5)
    assert [annotation.id for shard in shards for annotation in read_shard(shard)] == ids


def test_files_of_a_folder_are_numbered_through(tmp_path):
    (tmp_path / "in").mkdir()
    write_input(tmp_path / "in" / "b.jsonl.gz")
    write_input(tmp_path / "in" / "a.jsonl")
    (tmp_path / "in" / "README").write_text("ignored")
    shards = find_shards(tmp_path / "in", tmp_path / "out", size=10)
    assert [shard.target[-17:] for shard in shards] == [f"part-{number:06}.jsonl" for number in range(6)]
    assert [shard.first for shard in shards] == [0, 10, 20, 0, 10, 20]


@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
def test_what_is_written_is_read_again_and_failures_lie_beside_it(tmp_path, kind):
    if kind == "parquet":
        pytest.importorskip("pyarrow")
    shard = Shard("in", 0, 2, 0, str(tmp_path / f"part-000000.{kind}"))
    good = Annotation("a flu", (Mention(2, 5, "D", score=0.5),), id="1", meta={"issues": {}})
    failed = Annotation("long", id="2", meta={"error": "too long"})
    assert not shard.done
    assert write_shard(shard, [good, failed]) == {"good": 1, "failed": 1}
    assert shard.done
    [again] = find_shards(tmp_path / f"part-000000.{kind}", tmp_path / "out", size=10)
    assert list(read_shard(again)) == [good]
    [line] = (tmp_path / "part-000000.failed.jsonl").read_text().splitlines()
    assert Annotation.from_record(json.loads(line)) == failed
    write_shard(shard, [good])
    assert not (tmp_path / "part-000000.failed.jsonl").exists()


def test_bad_record_is_an_error_with_its_line(tmp_path):
    (tmp_path / "in.jsonl").write_text('{"text": "a"}\n\n{"text": 3}\n')
    shards = find_shards(tmp_path / "in.jsonl", tmp_path / "out", size=1)
    with pytest.raises(BionerError, match="line 3"):
        [list(read_shard(shard)) for shard in shards]


@pytest.mark.parametrize("line", [
    pytest.param('{"text": "a", "meta": ' + "[" * 200_000 + "]" * 200_000 + "}", id="deep"),
    pytest.param('{"text": "a", "n": ' + "9" * 5000 + "}", id="long-number"),
    pytest.param("[]", id="no-object"),
])
@pytest.mark.parametrize("name", ["in.jsonl", "in.parquet"])
def test_json_that_cannot_be_read_is_an_error_with_its_line(tmp_path, name, line):
    lines = ['{"text": "a"}', line]
    if name == "in.parquet":
        write_parquet(tmp_path / name, {"record": lines})
    else:
        (tmp_path / name).write_text("\n".join(lines))
    [shard] = find_shards(tmp_path / name, tmp_path / "out", size=5)
    with pytest.raises(BionerError, match="line 2: not a JSON object"):
        list(read_shard(shard))


@pytest.mark.parametrize("damage", [
    pytest.param(lambda whole: whole[:-30], id="cut"),
    pytest.param(lambda whole: b"no gzip", id="no-gzip"),
    pytest.param(lambda whole: gzip.compress(b"")[:10] + b"\xff" * 20, id="damaged"),
])
def test_a_compressed_input_that_is_cut_or_damaged_is_an_error(tmp_path, damage):
    path = write_input(tmp_path / "in.jsonl.gz")
    *_, last = find_shards(path, tmp_path / "out", size=7)
    path.write_bytes(damage(path.read_bytes()))
    for read in (lambda: find_shards(path, tmp_path / "out", size=7), lambda: list(read_shard(last))):
        with pytest.raises(BionerError, match=r"in\.jsonl\.gz, line \d+: "):
            read()


@pytest.mark.parametrize("name, content", [("in.jsonl", ""), ("in.csv", "x"), ("gone.jsonl", None)])
def test_no_input_is_an_error(tmp_path, name, content):
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(BionerError):
        find_shards(tmp_path / name, tmp_path / "out", size=1)


@pytest.mark.issue(21)
@pytest.mark.parametrize("damage", [lambda content: content[:-20], lambda content: b"", lambda content: b"PAR1" * 9,
                                    lambda content: content[:40] + bytes(20) + content[60:]])
def test_a_damaged_parquet_file_is_one_line(tmp_path, damage):
    pytest.importorskip("pyarrow")
    import pyarrow
    import pyarrow.parquet

    path = tmp_path / "in.parquet"
    pyarrow.parquet.write_table(pyarrow.table({"id": ["a", "b"], "text": ["gout hurts", "so it does"]}), path)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(BionerError, match="in.parquet is not a whole Parquet file") as caught:
        list(read_shard(Shard(str(path), 0, 2, 0, str(tmp_path / "out.parquet"))))
    assert "\n" not in str(caught.value)
