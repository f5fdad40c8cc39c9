"""Folders that tests read from, wherever the test that asks lies."""

from pathlib import Path

HELPERS = Path(__file__).resolve().parent
TESTS = HELPERS.parent
ROOT = TESTS.parent
CONFIGS = ROOT / "configs"
ASSETS = ROOT / "assets"
DOCS = ROOT / "docs"
# Corpora and worked cases that are not part of this repository; tests that need them are skipped without them.
SHARED = ROOT.parent / "shared"
