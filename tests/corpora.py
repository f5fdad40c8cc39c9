"""The public corpora that some tests read, and the mark of those tests."""

from pathlib import Path

import pytest

# Their terms keep the corpora out of this repository; they are read where they lie beside the checkout.
CORPORA = Path(__file__).resolve().parents[2] / "shared" / "data"
ABSENT = "no corpora beside the checkout (../shared/data)"
needs_corpora = pytest.mark.skipif(not CORPORA.is_dir(), reason=ABSENT)
