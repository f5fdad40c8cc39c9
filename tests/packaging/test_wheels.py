"""Wheels: of a pipeline, of this package from a checkout or as installed, installed by one command."""

import subprocess
import sys
import zipfile
from importlib.metadata import PathDistribution

import pytest
import spacy
from places import ROOT

from spacy_bioner.errors import BionerError
from spacy_bioner.packaging.wheels import package_pipeline, repack

pytestmark = pytest.mark.issue(24)


@pytest.fixture(scope="module")
def wheels(tmp_path_factory):
    folder = tmp_path_factory.mktemp("packages")
    nlp = spacy.blank("en", config={"nlp": {"tokenizer": {"@tokenizers": "spacy-bioner.UnitTokenizer.v1"}}})
    nlp.to_disk(folder / "pipeline")
    (folder / "out").mkdir()
    (folder / "out" / "en_bioner_mini-0.0.1-py3-none-any.whl").write_text("older")
    before = sorted(path.name for path in ROOT.iterdir())
    made = package_pipeline(folder / "pipeline", folder / "out", name="bioner_Mini", version="0.2.0")
    assert sorted(path.name for path in ROOT.iterdir()) == before, "a build leaves nothing in the checkout"
    return made


@pytest.fixture(scope="module")
def installed(wheels, tmp_path_factory):
    """A folder that both wheels were installed into by the command that is told."""
    folder = tmp_path_factory.mktemp("site")
    _, *command = wheels.install.split()
    done = subprocess.run([sys.executable, "-m", "pip", *command, "spacy-bioner", "--no-index", "--no-deps", "--quiet",
                           "--target", str(folder)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder


def test_older_wheels_of_the_pipeline_are_replaced(wheels):
    assert sorted(path.name for path in wheels.pipeline.parent.iterdir()) == [
        "en_bioner_mini-0.2.0-py3-none-any.whl", "spacy_bioner-0.1.0-py3-none-any.whl"]


def test_both_are_installed_by_one_command(installed):
    assert (installed / "en_bioner_Mini").is_dir()
    for path in ("spacy_bioner/cli/package.py", "spacy_bioner/project/project.yml",
                 "spacy_bioner/project/assets/corpora/embedded/raw.jsonl"):
        assert (installed / path).is_file()


def test_the_name_that_is_told_is_that_of_the_module(wheels):
    with zipfile.ZipFile(wheels.pipeline) as archive:
        assert f"{wheels.name}/__init__.py" in archive.namelist()


def test_the_pipeline_requires_this_package(wheels):
    with zipfile.ZipFile(wheels.pipeline) as archive:
        [metadata] = (name for name in archive.namelist() if name.endswith("METADATA"))
        assert "spacy-bioner" in archive.read(metadata).decode()


def test_what_is_installed_gives_the_same_wheel_again(wheels, installed, tmp_path):
    [info] = installed.glob("spacy_bioner-*.dist-info")
    again = repack(PathDistribution(info), tmp_path)
    assert again.name == wheels.own.name
    with zipfile.ZipFile(wheels.own) as one, zipfile.ZipFile(again) as other:
        assert sorted(one.namelist()) == sorted(other.namelist())
        assert all(one.read(name) == other.read(name) for name in one.namelist() if not name.endswith("RECORD"))


def test_a_file_that_was_changed_since_is_not_packed_again(installed, tmp_path):
    [info] = installed.glob("spacy_bioner-*.dist-info")
    changed = installed / "spacy_bioner" / "tokens.py"
    before = changed.read_bytes()
    changed.write_bytes(before + b"# mine\n")
    try:
        with pytest.raises(BionerError, match="tokens.py is not the file that was installed"):
            repack(PathDistribution(info), tmp_path)
    finally:
        changed.write_bytes(before)


@pytest.mark.parametrize("name, version, told", [
    pytest.param("bio-ner", "0.1.0", "name of a package cannot be 'bio-ner'", id="name"),
    pytest.param("bioner", "first", "version of a package cannot be 'first'", id="version"),
])
def test_names_and_versions_that_no_package_can_have_are_refused(tmp_path, name, version, told):
    spacy.blank("en").to_disk(tmp_path / "pipeline")
    with pytest.raises(BionerError, match=told):
        package_pipeline(tmp_path / "pipeline", tmp_path / "out", name=name, version=version)
    assert not (tmp_path / "out").exists()
