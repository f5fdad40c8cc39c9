"""Fixtures that all tests share; `--slow` and `--gpu` opt in to the tests so marked."""

import os
from pathlib import Path

import pytest
from browsers import browser  # noqa: F401  (a fixture)
from corpora import ABSENT, CORPORA
from filelock import FileLock
from loopback_server import llama_server, start_server  # noqa: F401  (fixtures of all folders)

from spacy_bioner.annotation import Annotation, Mention, in_text_order

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")


def pytest_addoption(parser):
    parser.addoption("--slow", action="store_true", help="run tests marked slow too")
    parser.addoption("--gpu", action="store_true", help="run tests marked gpu too")


def pytest_collection_modifyitems(config, items):
    """Leave out what takes minutes or a GPU, unless asked for: `make test` has twenty-five minutes and two cores."""
    # What takes longest starts first, so that no process works on it alone at the end.
    items.sort(key=lambda item: item.path.name != "test_package.py")
    for name in ("slow", "gpu"):
        if not config.getoption(f"--{name}"):
            for item in items:
                if name in item.keywords:
                    # These take minutes, or a GPU that the machine of `make test` has not. The skip shows itself in the
                    # summary, and --slow or --gpu runs them.
                    item.add_marker(pytest.mark.skip(reason=f"needs --{name}"))


@pytest.fixture(scope="session")
def smoke_run(tmp_path_factory, worker_id):
    """The smoke workflow in a folder of its own, run once for all processes that share the tests."""
    from smoke_project import LIMITS, copy_project, run_workflow

    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "smoke_run"
    with FileLock(f"{folder}.lock"):
        if not (folder / "done").exists():
            done = run_workflow(copy_project(folder), **LIMITS)
            assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
            (folder / "done").touch()
    return folder / "project"


@pytest.fixture
def data() -> Path:
    if not CORPORA.is_dir():
        pytest.skip(ABSENT)
    return CORPORA


@pytest.fixture
def nested() -> Annotation:
    """Nested, crossing and doubly labelled mentions over letters outside the basic plane."""
    text = "\U0001d6fc-synuclein gene in Parkinson\u2019s disease, p53 \u03b2-chain."
    return Annotation(text, in_text_order((
        Mention(0, 11, "protein"), Mention(0, 16, "DNA"), Mention(20, 39, "disease"), Mention(20, 39, "topic"),
        Mention(32, 44, "disease"), Mention(41, 52, "protein"),
    )), id="n1", meta={"corpus": "made", "split": "train", "lang": "en"})
