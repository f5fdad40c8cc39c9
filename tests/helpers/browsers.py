"""A real browser for the pages that people look at."""

import shutil

import pytest

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]
# Pages are looked at in a real browser, which is no Python package: `make install` installs it where it may, which
# takes root and apt. Elsewhere these tests show themselves as skipped.
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here: install the package chromium")


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api", reason="needs the package playwright")
    with playwright.sync_playwright() as started:
        running = started.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield running
        running.close()
