"""What is read from files is bounded in size, ratio, depth and types."""

import gzip
import json
import zlib

import pytest

from spacy_bioner import loading
from spacy_bioner.errors import BionerError
from spacy_bioner.files import read_lines
from spacy_bioner.loading import Limits, inflate, parse_json, parse_msgpack, read_bounded, read_json, read_limits

pytestmark = pytest.mark.issue(21)
BLANK = b" " * (80 << 20)


@pytest.fixture
def bomb(tmp_path):
    """A gzip file that grows by a factor of about 1,000."""
    path = tmp_path / "bomb.jsonl.gz"
    path.write_bytes(gzip.compress(BLANK, 1))
    return path


@pytest.mark.parametrize("read", [lambda path: list(read_lines(path)), read_bounded], ids=["lines", "whole"])
def test_a_file_that_grows_too_much_is_an_error_that_names_it(bomb, read, monkeypatch):
    monkeypatch.setenv("SPACY_BIONER_MAX_LINE_BYTES", str(1 << 30))
    with pytest.raises(BionerError, match="bomb.jsonl.gz grows to .* SPACY_BIONER_MAX_RATIO"):
        read(bomb)


def test_the_ratio_can_be_raised(bomb, monkeypatch):
    monkeypatch.setenv("SPACY_BIONER_MAX_RATIO", "5000")
    assert read_bounded(bomb) == BLANK


@pytest.mark.parametrize("name", ["in.txt", "in.txt.gz", "IN.TXT.GZ"])
def test_size_and_length_of_a_line_are_bounded(tmp_path, name, monkeypatch):
    path = tmp_path / name
    path.write_bytes(gzip.compress(b"line\n" * 300) if name.lower().endswith(".gz") else b"line\n" * 300)
    assert len(list(read_lines(path))) == 300
    monkeypatch.setenv("SPACY_BIONER_MAX_WHOLE_BYTES", "1000")
    with pytest.raises(BionerError, match="holds more than 1000 bytes"):
        read_bounded(path)
    monkeypatch.setenv("SPACY_BIONER_MAX_LINE_BYTES", "4")
    with pytest.raises(BionerError, match="line 1: longer than 4 bytes"):
        list(read_lines(path))


def test_a_compressed_stream_is_bounded_by_what_it_holds_in_all(tmp_path, monkeypatch):
    monkeypatch.setenv("SPACY_BIONER_MAX_STREAMED_BYTES", "1000")
    (tmp_path / "in.txt.gz").write_bytes(gzip.compress(b"line\n" * 300))
    with pytest.raises(BionerError, match="holds more than 1000 bytes"):
        list(read_lines(tmp_path / "in.txt.gz"))


@pytest.mark.parametrize("value", ["0", "-1", "many", "1.5"])
def test_a_bound_that_is_no_number_is_an_error(monkeypatch, value):
    monkeypatch.setenv("SPACY_BIONER_MAX_RATIO", value)
    with pytest.raises(BionerError, match="SPACY_BIONER_MAX_RATIO is"):
        read_limits()


def test_a_zlib_stream_is_bounded(tmp_path):
    with pytest.raises(BionerError, match="grows to"):
        inflate(zlib.compress(BLANK), path=tmp_path / "a.spacy")
    with pytest.raises(EOFError):
        inflate(zlib.compress(b"abc" * 1000)[:-6], path=tmp_path / "a.spacy")
    assert inflate(zlib.compress(b"abc"), path=tmp_path / "a.spacy") == b"abc"


@pytest.mark.parametrize("depth, deep", [(100, False), (101, True), (2000, True), (200_000, True)])
def test_json_may_nest_to_a_bound(depth, deep):
    for text in ("[" * depth + "]" * depth, ("[" * depth + "]" * depth).encode(), '{"a":' * depth + "1" + "}" * depth):
        if deep:
            with pytest.raises(ValueError, match="it nests deeper than 100 levels"):
                parse_json(text)
        else:
            parse_json(text)


def test_many_brackets_side_by_side_are_not_deep():
    assert len(parse_json(json.dumps([{"a": [number]} for number in range(1000)]))) == 1000


@pytest.mark.parametrize("content", [
    pytest.param(b"{", id="cut"), pytest.param(b"\xff\xfe", id="no-utf8"), pytest.param(b"", id="empty"),
    pytest.param(b"[" * 5000 + b"]" * 5000, id="deep"), pytest.param(b"9" * 5000, id="long-number"),
    pytest.param(b'[{"a": 1, "a": 2}]', id="key-twice"),
])
def test_a_file_that_is_no_json_is_one_line(tmp_path, content):
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(BionerError, match="a.json is not a list") as caught:
        read_json(tmp_path / "a.json", wanted="a list")
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 400


@pytest.mark.parametrize("content", [
    pytest.param(b"", id="empty"), pytest.param(b"\xdd\xff\xff\xff\xff", id="absurd-length"),
    pytest.param(b"\x91" * 300 + b"\x01", id="deep"), pytest.param(b"\xc1", id="no-type"),
    pytest.param(b"\xa5abc", id="cut"), pytest.param(b"\x01\x02", id="more-behind"),
])
def test_bytes_that_are_no_msgpack_are_a_value_error(content):
    with pytest.raises(ValueError):
        parse_msgpack(content)


def test_each_bound_but_the_start_of_the_ratio_has_a_variable():
    assert set(loading._VARIABLES) == set(vars(Limits())) - {"ratio_from"}
