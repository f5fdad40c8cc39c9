"""Files of other packages: compared with their sums once, and again when they change."""

from hashlib import sha256

import pytest

from spacy_bioner.errors import BionerError
from spacy_bioner.llm.local import checksums
from spacy_bioner.llm.local.checksums import verify_files

SUMS = {"weights": sha256(b"right").hexdigest()}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with a file that has the right sum, as a process sees it that has just started."""
    monkeypatch.setattr(checksums, "_verified", {})
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "weights").write_bytes(b"right")
    return tmp_path / "package"


def _verify(folder, **other):
    verify_files(folder, SUMS, **{"requirement": "some==1", "stamps": folder.parent / "stamps", **other})


def _count_sums(monkeypatch):
    counted, digest = [], checksums.hashlib.file_digest
    monkeypatch.setattr(checksums.hashlib, "file_digest", lambda *given: counted.append(given) or digest(*given))
    return counted


@pytest.mark.issue(20)
def test_a_verified_file_is_not_read_again_by_the_next_process(folder, monkeypatch):
    counted = _count_sums(monkeypatch)
    _verify(folder)
    monkeypatch.setattr(checksums, "_verified", {})
    _verify(folder)
    assert len(counted) == 1


@pytest.mark.issue(20)
def test_a_file_that_changed_is_verified_again(folder):
    _verify(folder)
    (folder / "weights").write_bytes(b"wrong")
    with pytest.raises(BionerError, match="another file than the one that is wanted"):
        _verify(folder)


@pytest.mark.issue(20)
def test_a_damaged_note_means_another_reading(folder, monkeypatch):
    _verify(folder)
    for note in (folder.parent / "stamps").iterdir():
        note.write_text("[")
    monkeypatch.setattr(checksums, "_verified", {})
    counted = _count_sums(monkeypatch)
    _verify(folder)
    assert len(counted) == 1


@pytest.mark.issue(20)
def test_a_cache_that_cannot_be_written_is_no_error(folder):
    (folder.parent / "file").write_text("")
    _verify(folder, stamps=folder.parent / "file" / "stamps")
