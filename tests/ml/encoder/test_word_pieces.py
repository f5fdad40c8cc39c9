import random

import pytest
from spacy.vocab import Vocab
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

from spacy_bioner.formats.docbin import build_doc
from spacy_bioner.ml.encoder.word_pieces import MAX_PIECES_A_TOKEN, PieceMaker, cut_windows


@pytest.fixture
def maker():
    vocab = {"[UNK]": 0, "p": 1, "##5": 2, "##3": 3, "gene": 4, ".": 5, "a": 6, "##a": 7}
    tokenizer = Tokenizer(models.WordPiece(vocab, unk_token="[UNK]", max_input_chars_per_word=1000))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    return PieceMaker(tokenizer, unknown_id=0)


def test_pieces_of_a_token_are_made_from_that_token(maker):
    assert maker.pieces(build_doc(Vocab(), "P53 gene.")) == [(1, 2, 3), (4,), (5,)]


def test_tokens_without_pieces_are_unknown(maker):
    assert maker.pieces(build_doc(Vocab(), "gene \n\n gene")) == [(4,), (0,), (4,)]


def test_very_long_tokens_are_seen_by_their_first_pieces(maker):
    assert len(maker.pieces(build_doc(Vocab(), "a" * 300))[0]) == MAX_PIECES_A_TOKEN


def test_empty_text_has_no_pieces(maker):
    assert maker.pieces(build_doc(Vocab(), "")) == []


@pytest.mark.parametrize("seed", range(6))
def test_windows_own_every_token_once_and_stay_within_the_limit(seed):
    chance = random.Random(seed)
    lengths = [chance.randint(1, 24) for _ in range(chance.randint(1, 400))]
    windows = list(cut_windows(7, lengths, max_pieces=60, overlap=20))
    owned = [token for window in windows for token in range(window.own_start, window.own_end)]
    assert owned == list(range(len(lengths)))
    for window in windows:
        assert window.start <= window.own_start <= window.own_end <= window.end
        assert sum(lengths[window.start:window.end]) <= 60
        assert window.doc == 7


def test_neighbouring_windows_share_tokens():
    first, second = list(cut_windows(0, [1] * 90, max_pieces=60, overlap=20))
    assert (first.end - second.start, first.own_end) == (20, 50)
