"""A folder of shards is gone on with by the run that began it, and by no other."""

import pytest

from spacy_bioner.errors import BionerError
from spacy_bioner.scale.manifest import keep_manifest, make_manifest

SETTINGS = {"adapter": "a1", "labels": [["DRUG", ""]]}


@pytest.fixture
def begun(tmp_path):
    """Return the folder of a run that has written its first shard."""
    (tmp_path / "in.jsonl").write_text('{"text": "a"}\n')
    (tmp_path / "out").mkdir()
    keep_manifest(tmp_path / "out", make(tmp_path))
    (tmp_path / "out" / "part-000000.jsonl").touch()
    return tmp_path


def make(folder, *, size=4, kind="jsonl", **settings):
    return make_manifest([folder / "in.jsonl"], size=size, kind=kind, settings={**SETTINGS, **settings})


def test_the_same_run_resumes(begun):
    keep_manifest(begun / "out", make(begun))


@pytest.mark.parametrize("changes, told", [
    pytest.param({"size": 2}, "shard_size = 4, but this run has 2", id="smaller-shards"),
    pytest.param({"size": 8}, "shard_size = 4, but this run has 8", id="larger-shards"),
    pytest.param({"kind": "parquet"}, 'kind = "jsonl", but this run has "parquet"', id="kind"),
    pytest.param({"adapter": "a2"}, 'adapter = "a1", but this run has "a2"', id="adapter"),
    pytest.param({"labels": [["DRUG", "drugs"]]}, 'labels = [["DRUG", ""]]', id="definition"),
    pytest.param({"overlap": 2}, "overlap = null, but this run has 2", id="new-key"),
])
def test_other_settings_are_refused_and_named(begun, changes, told):
    with pytest.raises(BionerError) as caught:
        keep_manifest(begun / "out", make(begun, **changes))
    assert told in str(caught.value) and "another output folder" in str(caught.value)
    keep_manifest(begun / "out", make(begun))


def test_another_input_is_refused(begun):
    (begun / "in.jsonl").write_text('{"text": "a"}\n{"text": "b"}\n')
    with pytest.raises(BionerError, match="inputs ="):
        keep_manifest(begun / "out", make(begun))


def test_a_folder_without_shards_is_begun_anew(begun):
    (begun / "out" / "part-000000.jsonl").unlink()
    keep_manifest(begun / "out", make(begun, size=2))
    (begun / "out" / "part-000000.jsonl").touch()
    keep_manifest(begun / "out", make(begun, size=2))


@pytest.mark.parametrize("content", [None, "{", "[]"])
def test_shards_of_which_nothing_is_known_are_refused(begun, content):
    path = begun / "out" / "shards.json"
    path.unlink()
    if content is not None:
        path.write_text(content)
    with pytest.raises(BionerError, match="another output folder"):
        keep_manifest(begun / "out", make(begun))
