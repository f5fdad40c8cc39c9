import random

import pytest
from spacy.vocab import Vocab
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

from spacy_bioner.formats.docbin import build_doc
from spacy_bioner.ml.encoder.word_pieces import (
    MAX_PIECES_A_TOKEN,
    PACKED_CPU,
    PACKED_GPU,
    PackLimits,
    PieceMaker,
    cut_windows,
    has_joined_pieces,
    pack_rows,
)


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


@pytest.fixture
def chinese():
    """A maker with pieces of one, two and three characters."""
    pieces = ["<unk>", "\u2581", "患者", "患", "者", "发", "热", "头孢类", "D", "NA", "。", "mg", "\u2581患"]
    tokenizer = Tokenizer(models.Unigram([(piece, -1.0) for piece in pieces], unk_id=0))
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="never")
    return PieceMaker(tokenizer, unknown_id=0, joins=has_joined_pieces(pieces))


@pytest.mark.issue(22)
@pytest.mark.parametrize("text, wanted", [
    pytest.param("患者发热。", [(2,), (), (5,), (6,), (10,)], id="a piece of two characters"),
    pytest.param("头孢类DNA患者", [(7,), (), (), (8, 9), (2,), ()], id="runs end at Latin words"),
    pytest.param("患 者 患者", [(3,), (1, 4), (1, 2), ()], id="runs end at spaces"),
    pytest.param("患者绀热", [(2,), (), (0,), (6,)], id="unknown"),
    pytest.param("㎎患者", [(11,), (2,), ()], id="a character that becomes two letters"),
])
def test_a_run_of_chinese_characters_is_cut_as_a_whole(chinese, text, wanted):
    assert chinese.pieces(build_doc(Vocab(), text)) == wanted


@pytest.mark.issue(22)
def test_without_joined_pieces_each_chinese_character_is_cut_by_itself(chinese):
    maker = PieceMaker(chinese._tokenizer, unknown_id=0, joins=has_joined_pieces(["<unk>", "患", "##者"]))
    assert maker.pieces(build_doc(Vocab(), "患者")) == [(3,), (4,)]


@pytest.mark.issue(22)
def test_a_window_begins_with_a_token_that_has_pieces():
    lengths = [1, 0, 0] * 40
    windows = list(cut_windows(0, lengths, max_pieces=12, overlap=3))
    assert len(windows) > 3 and all(lengths[window.start] for window in windows)
    assert [token for window in windows for token in range(window.own_start, window.own_end)] == list(range(120))


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


def count_padded(packs, lengths):
    return sum(len(pack) * max(lengths[place] for place in pack) for pack in packs)


@pytest.mark.issue(22)
def test_packs_hold_each_row_once_and_cost_the_least():
    chance = random.Random(3)
    for _ in range(30):
        lengths = [chance.choice([1, 3, 4, 9, 12]) for _ in range(7)]
        limits = PackLimits(chance.choice([8, 20, 60]), chance.choice([0, 5, 40]))
        packs = pack_rows(lengths, limits)
        assert sorted(place for pack in packs for place in pack) == list(range(7))
        assert all(len(pack) == 1 or count_padded([pack], lengths) <= limits.most for pack in packs)
        assert count_padded(packs, lengths) + limits.own_cost * len(packs) == least_cost(sorted(lengths), limits)


def least_cost(ordered, limits):
    """Return the least cost over all ways to cut the ordered rows."""
    return 0 if not ordered else min(
        size * ordered[size - 1] + limits.own_cost + least_cost(ordered[size:], limits)
        for size in range(1, len(ordered) + 1) if size == 1 or size * ordered[size - 1] <= limits.most)


@pytest.mark.issue(22)
def test_little_of_a_batch_of_sentences_is_padding_on_a_cpu_and_a_gpu_gets_few_packs():
    chance = random.Random(1)
    lengths = [chance.randint(6, 60) for _ in range(21)]
    assert count_padded(pack_rows(lengths, PACKED_CPU), lengths) < 1.3 * sum(lengths)
    assert len(pack_rows(lengths, PACKED_GPU)) == 1
    assert pack_rows([], PACKED_CPU) == []
