"""The head start in this package: whole, small, and not trained on the corpus of the default run."""

import pytest
from places import ASSETS

from spacy_bioner.ml.head_start.folder import WEIGHTS_FILE, find_head_start, read_head_start
from spacy_bioner.training.head_start_check import check_starts

FOLDER = find_head_start("packaged")


def test_it_is_whole_and_at_most_five_megabytes():
    start = read_head_start(FOLDER)
    assert (FOLDER / WEIGHTS_FILE).stat().st_size <= 5_000_000
    assert len(start.differences) == 36 and len(start.card.labels) == start.card.grid["n_labels"]


def test_its_card_in_plain_words_names_the_sources_and_their_terms():
    said = (FOLDER / "README.md").read_text(encoding="utf8").casefold()
    for source in read_head_start(FOLDER).card.sources:
        assert source.replace("_", "-") in said
    assert "public domain" in said


@pytest.mark.parametrize("corpus", ["embedded"])
def test_the_corpus_of_the_default_run_is_not_among_its_texts(corpus):
    config = {"components": {"bioner_spancat": {"model": {"tok2vec": {"start_from": "packaged"}}}}}
    files = [ASSETS / corpus / f"{split}.jsonl" for split in ("train", "dev", "test")]
    assert check_starts(config, files)["head_start"]["sources"]
