"""What the tests of the formats share: the corpora beside the repository, and hand-made annotations."""

from pathlib import Path

import pytest
from corpora import ABSENT, CORPORA

from spacy_bioner.annotation import Annotation, Mention, in_text_order


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
