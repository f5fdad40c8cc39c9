"""Files and folders are there whole or not at all."""

import pytest

from spacy_bioner.files import fill_folder, sweep_beside, write_folder


def test_folder_is_replaced_whole(tmp_path):
    write_folder(tmp_path / "out", {"a": b"1", "b": b"2"})
    write_folder(tmp_path / "out", {"a": b"3"})
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == {"a": b"3"}
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.issue(6)
def test_leftovers_of_killed_runs_are_swept_and_nothing_else(tmp_path):
    for name in (".out.a1b2c3d4", ".out.a1b2c3d4.old", ".out.config", ".other.a1b2c3d4", "out"):
        (tmp_path / name).mkdir()
    sweep_beside(tmp_path / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".other.a1b2c3d4", ".out.config", "out"]


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
    sweep_beside(tmp_path / "out")
    assert {path.name: (path / "a").read_bytes() for path in tmp_path.iterdir()} == {"out": b"1"}
