import errno
import os
from pathlib import Path

import pytest
import torch

from spacy_bioner.errors import BionerError
from spacy_bioner.files import write_folder
from spacy_bioner.finetuning.lora.checkpoints import Checkpoints, TrainingState, check_output
from spacy_bioner.locks import ProcessName


@pytest.fixture
def checkpoints(tmp_path):
    return Checkpoints(tmp_path / "checkpoints")


def state(updates, **values):
    return TrainingState("abc", updates, [{"loss": 0.5}] * updates, [(updates, 0.25)], **values)


def names(checkpoints):
    return sorted(path.name for path in checkpoints.folder.iterdir())


def test_newest_checkpoint_is_read_and_all_but_two_are_removed(checkpoints):
    for updates in (2, 4, 6):
        checkpoints.write(state(updates), {"weight": torch.full((3,), float(updates))})
    found, tensors = checkpoints.read("abc")
    assert found == state(6)
    assert tensors["weight"].tolist() == [6.0, 6.0, 6.0]
    assert names(checkpoints) == ["00000004-abc", "00000006-abc"]


@pytest.mark.issue(6)
def test_another_training_finds_nothing_and_removes_nothing(checkpoints, caplog):
    checkpoints.write(state(2), {"weight": torch.zeros(3)})
    assert checkpoints.read("other") is None
    assert "training with other settings" in caplog.text
    for updates in (2, 4, 6):
        checkpoints.write(TrainingState("other", updates), {"weight": torch.zeros(3)})
    checkpoints.remove("other")
    assert names(checkpoints) == ["00000002-abc"]
    checkpoints.remove("abc")
    assert not checkpoints.folder.exists()


@pytest.mark.issue(6)
@pytest.mark.parametrize("name, content", [
    pytest.param("tensors.safetensors", lambda whole: whole[:-5], id="truncated-tensors"),
    pytest.param("tensors.safetensors", lambda whole: b"", id="empty-tensors"),
    pytest.param("tensors.safetensors", lambda whole: whole[:-1] + b"\x01", id="flipped-bytes"),
    pytest.param("sha256.json", lambda whole: b"{}", id="no-sums"),
    pytest.param("tensors.safetensors", None, id="no-tensors"),
    pytest.param("state.json", lambda whole: b"", id="empty-state"),
    pytest.param("state.json", lambda whole: b"[]", id="no-state"),
    pytest.param("state.json", lambda whole: whole.replace(b"updates", b"steps"), id="other-version"),
    pytest.param("state.json", lambda whole: b'{"fingerprint": "abc", "scores": 3}', id="other-scores"),
])
def test_damaged_checkpoint_is_passed_over_with_a_warning(checkpoints, caplog, name, content):
    for updates in (2, 4):
        checkpoints.write(state(updates), {"weight": torch.full((3,), float(updates))})
    path = checkpoints.folder / "00000004-abc" / name
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content(path.read_bytes()))
    found, tensors = checkpoints.read("abc")
    assert (found.updates, tensors["weight"].tolist()) == (2, [2.0, 2.0, 2.0])
    assert "damaged" in caplog.text and "00000004-abc" in caplog.text
    assert checkpoints.last("abc") == checkpoints.folder / "00000002-abc", "the last good one, as errors call it"


@pytest.mark.issue(6)
@pytest.mark.parametrize("scores, best", [
    pytest.param([(2, 0.0), (4, 0.0)], (4, 0.0), id="zeros-take-the-last"),
    pytest.param([(2, 0.3), (4, 0.3), (6, 0.1)], (2, 0.3), id="ties-take-the-first"),
    pytest.param([(2, 0.0), (4, 0.1), (6, 0.0)], (4, 0.1), id="best"),
    pytest.param([], None, id="none"),
])
def test_best_score(scores, best):
    assert TrainingState("abc", scores=scores).best == best


def test_scores_since_the_best_count_from_the_first_of_them():
    assert TrainingState("abc", scores=[(2, 0.0), (4, 0.0), (6, 0.0)]).scores_since_best == 2


def test_full_disk_keeps_the_last_good_checkpoint(checkpoints, monkeypatch):
    checkpoints.write(state(2), {"weight": torch.zeros(3)})

    def no_room(path, content):
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr(Path, "write_bytes", no_room)
    with pytest.raises(BionerError, match="No space left on device.*00000002-abc"):
        checkpoints.write(state(4), {"weight": torch.ones(3)})
    monkeypatch.undo()
    assert checkpoints.read("abc")[0].updates == 2
    assert names(checkpoints) == ["00000002-abc"]


def test_checkpoint_that_a_kill_left_half_written_is_passed_over(checkpoints):
    checkpoints.write(state(2), {"weight": torch.zeros(3)})
    half = checkpoints.folder / f".00000004-abc.{ProcessName(ProcessName.own().host, os.getpid(), 1)}.a1b2c3d4"
    half.mkdir()
    (half / "state.json").write_text("{")
    assert checkpoints.read("abc")[0].updates == 2
    checkpoints.sweep()
    assert names(checkpoints) == ["00000002-abc"]


@pytest.mark.issue(6)
@pytest.mark.parametrize("make, why", [
    pytest.param(lambda path: path.write_text("text"), "is a file", id="file"),
    pytest.param(lambda path: write_folder(path, {"thesis.tex": b""}), "such as thesis.tex", id="other-files"),
])
def test_an_adapter_takes_no_other_place(tmp_path, make, why):
    make(tmp_path / "out")
    with pytest.raises(BionerError, match=why):
        check_output(tmp_path / "out")


@pytest.mark.issue(6)
@pytest.mark.parametrize("path", [".", "..", "/"])
def test_a_folder_without_a_name_is_no_place_for_an_adapter(path):
    with pytest.raises(BionerError, match="without a name"):
        check_output(Path(path))


@pytest.mark.parametrize("files", [{}, {"adapter_config.json": b"{}"}, {"bioner.json": b"{}", "README.md": b""}])
def test_an_adapter_takes_an_empty_place_or_that_of_an_adapter(tmp_path, files):
    write_folder(tmp_path / "out", files)
    check_output(tmp_path / "out")
    check_output(tmp_path / "new")
