"""The public corpora that some tests read, and the mark of those tests."""


import pytest
from places import SHARED

CORPORA = SHARED / "data"
ABSENT = "no corpora beside the checkout (../shared/data)"
# Their terms keep the corpora out of this repository: a checkout alone cannot run these tests, and its summary says so.
# Where the corpora lie beside it all of them run.
needs_corpora = pytest.mark.skipif(not CORPORA.is_dir(), reason=ABSENT)
