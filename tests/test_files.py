"""Files and folders are there whole or not at all."""

import errno
import gzip
import os
import resource
from pathlib import Path

import pytest

from spacy_bioner.errors import BionerError
from spacy_bioner.files import (
    fill_folder,
    read_json_lines,
    read_lines,
    read_raw_lines,
    write_folder,
    write_json_lines,
)
from spacy_bioner.temporaries import sweep

DEEP, LONG = '{"a": ' + "[" * 200_000 + "]" * 200_000 + "}", '{"a": ' + "9" * 5000 + "}"
PACKED = gzip.compress("".join(f"line {number}\n" for number in range(2000)).encode("utf8"))
BROKEN_GZIP = [pytest.param(PACKED[:len(PACKED) // 2], id="cut"), pytest.param(b"no gzip", id="other"),
               pytest.param(PACKED[:10] + b"\xff" * 20, id="damaged"),
               pytest.param(PACKED[:-8] + bytes(8), id="other-checksum")]


@pytest.mark.parametrize("line", [pytest.param(DEEP, id="deep"), pytest.param(LONG, id="long-number")])
def test_json_that_is_too_deep_or_too_long_is_an_error_with_its_line(tmp_path, line):
    (tmp_path / "in.jsonl").write_text(f"{{}}\n{line}\n")
    with pytest.raises(BionerError, match="in.jsonl, line 2: not a JSON object") as caught:
        list(read_json_lines(tmp_path / "in.jsonl"))
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize("name", ["in.txt", "in.txt.gz"])
def test_bytes_that_are_no_utf8_are_an_error_with_their_own_line(tmp_path, name):
    content = b"line\n" * 300 + b"caf\xe9 bar\n" + b"line\n" * 9
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    with pytest.raises(BionerError, match=f"{name}, line 301: .*0xe9 in position 3"):
        list(read_lines(tmp_path / name))


def test_only_a_line_feed_ends_a_line(tmp_path):
    (tmp_path / "in.txt").write_bytes("\ufeffa\u2028b\x85c\rd\r\n \r\n\ufeffe".encode("utf8"))
    assert list(read_lines(tmp_path / "in.txt")) == [(1, "a\u2028b\x85c\rd"), (3, "\ufeffe")]


@pytest.mark.parametrize("content", BROKEN_GZIP)
@pytest.mark.parametrize("read", [read_lines, read_raw_lines])
def test_compressed_files_that_are_cut_or_damaged_are_an_error_with_a_line(tmp_path, read, content):
    (tmp_path / "in.jsonl.gz").write_bytes(content)
    with pytest.raises(BionerError, match=r"in\.jsonl\.gz, line \d+: "):
        list(read(tmp_path / "in.jsonl.gz"))


def test_folder_is_replaced_whole(tmp_path):
    write_folder(tmp_path / "out", {"a": b"1", "b": b"2"})
    write_folder(tmp_path / "out", {"a": b"3"})
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == {"a": b"3"}
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_the_working_folder_takes_all_of_the_content_or_none(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rename = os.rename

    def fail_at_second(source, target):
        if Path(target) == Path("second"):
            raise OSError(errno.EACCES, "no")
        rename(source, target)

    def fill(folder):
        for name in ("first", "second", "third"):
            (folder / name).write_text(name)

    monkeypatch.setattr(os, "rename", fail_at_second)
    with pytest.raises(OSError, match="no"):
        fill_folder(Path("."), fill)
    assert list(tmp_path.iterdir()) == []
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    fill_folder(Path("."), fill)
    assert {path.name for path in tmp_path.iterdir()} == {"first", "second", "third"}


@pytest.mark.issue(6)
def test_folder_is_put_back_after_a_kill_between_two_renames(tmp_path, monkeypatch):
    import os
    import shutil

    write_folder(tmp_path / "out", {"a": b"1"})
    renames = []

    def rename(source, target):
        renames.append(source)
        if len(renames) == 2:
            raise KeyboardInterrupt
        original(source, target)

    original = os.rename
    monkeypatch.setattr(os, "rename", rename)
    monkeypatch.setattr(shutil, "rmtree", lambda *arguments, **options: None)
    with pytest.raises(KeyboardInterrupt):
        fill_folder(tmp_path / "out", lambda folder: (folder / "a").write_bytes(b"2"))
    monkeypatch.undo()
    assert not (tmp_path / "out").exists()
    monkeypatch.setattr("spacy_bioner.locks.ProcessName.is_dead", lambda owner: True)
    sweep(tmp_path)
    assert {path.name: (path / "a").read_bytes() for path in tmp_path.iterdir()} == {"out": b"1"}


@pytest.mark.issue(21)
@pytest.mark.parametrize("name", ["out.jsonl", "out.jsonl.gz"])
def test_a_full_disk_is_an_error_that_names_the_file(tmp_path, name):
    limit, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, most))
    try:
        with pytest.raises(OSError) as caught:
            write_json_lines(tmp_path / name, ({"text": os.urandom(100).hex()} for _ in range(2000)))
        with pytest.raises(OSError) as of_folder:
            write_folder(tmp_path / "folder", {"a": bytes(20_000)})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, most))
    assert caught.value.filename == str(tmp_path / name) and of_folder.value.filename == str(tmp_path / "folder")
    assert not list(tmp_path.iterdir())
