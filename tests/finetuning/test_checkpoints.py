import errno
from pathlib import Path

import pytest
import torch

from spacy_bioner.errors import BionerError
from spacy_bioner.finetuning.checkpoints import Checkpoints, TrainingState, write_folder


@pytest.fixture
def checkpoints(tmp_path):
    return Checkpoints(tmp_path / "checkpoints")


def state(updates, **values):
    return TrainingState("abc", updates, [{"loss": 0.5}] * updates, [(updates, 0.25)], **values)


def test_newest_checkpoint_is_read_and_older_ones_are_removed(checkpoints):
    for updates in (2, 4):
        checkpoints.write(state(updates), {"weight": torch.full((3,), float(updates))})
    found, tensors = checkpoints.read("abc")
    assert found == state(4)
    assert tensors["weight"].tolist() == [4.0, 4.0, 4.0]
    assert [path.name for path in checkpoints.folder.iterdir()] == ["00000004"]


def test_another_training_finds_nothing(checkpoints):
    checkpoints.write(state(2), {"weight": torch.zeros(3)})
    assert checkpoints.read("other") is None


def test_full_disk_keeps_the_last_good_checkpoint(checkpoints, monkeypatch):
    checkpoints.write(state(2), {"weight": torch.zeros(3)})

    def no_room(path, content):
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr(Path, "write_bytes", no_room)
    with pytest.raises(BionerError, match="No space left on device.*00000002"):
        checkpoints.write(state(4), {"weight": torch.ones(3)})
    monkeypatch.undo()
    assert checkpoints.read("abc")[0].updates == 2
    assert [path.name for path in checkpoints.folder.iterdir()] == ["00000002"]


def test_checkpoint_that_a_kill_left_half_written_is_passed_over(checkpoints):
    checkpoints.write(state(2), {"weight": torch.zeros(3)})
    half = checkpoints.folder / ".00000004.x1y2"
    half.mkdir()
    (half / "state.json").write_text("{")
    assert checkpoints.read("abc")[0].updates == 2


def test_folder_is_replaced_whole(tmp_path):
    write_folder(tmp_path / "out", {"a": b"1", "b": b"2"})
    write_folder(tmp_path / "out", {"a": b"3"})
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == {"a": b"3"}
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
