"""The files of a project that come with the package, in the checkout and in a wheel."""

import runpy

import pytest
from places import ROOT

from spacy_bioner.project_files import find_project_file, project_folder


@pytest.fixture(scope="module")
def setup_names():
    """Return what setup.py defines, without a call of setup."""
    import setuptools

    called = setuptools.setup
    setuptools.setup = lambda **options: None
    try:
        return runpy.run_path(str(ROOT / "setup.py"))
    finally:
        setuptools.setup = called


def test_the_folder_of_the_checkout_holds_what_is_shipped(setup_names):
    assert project_folder() == ROOT
    for path in setup_names["SHIPPED"]:
        assert (ROOT / path).exists(), path


def test_embedded_corpora_are_shipped_as_files(setup_names, monkeypatch):
    monkeypatch.chdir(ROOT)
    files = setup_names["list_files"]()
    for corpus in ("embedded", "embedded_zh"):
        assert {f"assets/corpora/{corpus}/{name}" for name in ("train.jsonl", "raw.jsonl", "labels.yml")} <= set(files)


def test_a_file_of_the_working_folder_goes_before_the_shipped_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert find_project_file("assets/labels") == ROOT / "assets" / "labels"
    (tmp_path / "assets" / "labels").mkdir(parents=True)
    assert str(find_project_file("assets/labels")) == "assets/labels"


def test_a_path_that_is_nowhere_stays_as_it_is(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert str(find_project_file("nowhere/labels.yml")) == "nowhere/labels.yml"
