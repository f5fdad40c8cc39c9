"""Fixtures that all tests share; `--slow` and `--gpu` opt in to the tests so marked."""

import os

import pytest
from loopback_server import start_server  # noqa: F401  (a fixture of all folders)

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")


def pytest_addoption(parser):
    parser.addoption("--slow", action="store_true", help="run tests marked slow too")
    parser.addoption("--gpu", action="store_true", help="run tests marked gpu too")


def pytest_collection_modifyitems(config, items):
    for name in ("slow", "gpu"):
        if not config.getoption(f"--{name}"):
            for item in items:
                if name in item.keywords:
                    item.add_marker(pytest.mark.skip(reason=f"needs --{name}"))
