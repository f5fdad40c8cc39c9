"""Chunks: they cover the text, fit the room, overlap, and their mentions come back once."""

import random
import re

import pytest

from spacy_bioner.annotation import Mention
from spacy_bioner.llm.annotation.chunking import cut_text, join_mentions


def count_words(text):
    return len(text.split())


def find_sentences(text):
    return [match.span() for match in re.finditer(r"\S[^.]*(\.|$)", text)]


def cut(text, room, **options):
    return cut_text(text, count_tokens=count_words, room=room, find_sentences=find_sentences, **options)


def test_text_that_fits_is_one_chunk_without_outer_white_space():
    [chunk] = cut("  one two. three.\n", 10)
    assert (chunk.start, chunk.end) == (2, 17)


@pytest.mark.parametrize("text", ["", "  \n "])
def test_white_space_is_not_asked_for(text):
    assert cut(text, 10) == []


def test_chunks_share_a_sentence():
    text = "a a. b b. c c. d d. e e."
    assert [text[chunk.start:chunk.end] for chunk in cut(text, 6)] == ["a a. b b. c c.", "c c. d d. e e."]
    assert [text[chunk.start:chunk.end] for chunk in cut(text, 6, overlap=0)] == ["a a. b b. c c.", "d d. e e."]


def test_sentence_by_sentence():
    text = "a a. b b. c c."
    assert [text[chunk.start:chunk.end] for chunk in cut(text, 6, max_sentences=1)] == ["a a.", "b b.", "c c."]


def test_line_breaks_help_where_a_sentence_is_too_long():
    text = "one two three\nfour five six\nseven"
    assert [text[chunk.start:chunk.end] for chunk in cut(text, 3, overlap=0)] == [
        "one two three", "four five six", "seven"]


def test_sentence_longer_than_the_room_is_a_chunk_by_itself():
    """It may fit the context all the same; its neighbours are cut as ever."""
    text = "a. x. b c d e f. g. h."
    assert [text[chunk.start:chunk.end] for chunk in cut(text, 4, overlap=0)] == ["a. x.", "b c d e f.", "g. h."]
    assert [text[chunk.start:chunk.end] for chunk in cut(text, 4)] == ["a. x.", "b c d e f.", "g. h."]


@pytest.mark.parametrize("seed", range(40))
def test_each_mention_comes_back_once_whatever_the_cut(seed):
    chance = random.Random(seed)
    words = [chance.choice(["aa", "b", "c.", "dd."]) for _ in range(chance.randint(1, 120))]
    text = chance.choice([" ", "\n"]).join(words)
    room, overlap = chance.randint(40, 60), chance.randint(0, 3)
    chunks = cut(text, room, overlap=overlap, max_sentences=chance.choice([0, 0, 2, 5]))
    assert all(count_words(text[chunk.start:chunk.end]) <= room for chunk in chunks)
    covered = set().union(*(range(chunk.start, chunk.end) for chunk in chunks)) if chunks else set()
    assert all(place in covered for place, character in enumerate(text) if not character.isspace())
    gold = {Mention(match.start(), match.end(), "W") for match in re.finditer(r"\w+", text)}
    found = [[Mention(match.start(), match.end(), "W") for match in re.finditer(r"\w+", text[chunk.start:chunk.end])]
             for chunk in chunks]
    joined = join_mentions(chunks, found)
    assert len(joined) == len(gold) and set(joined) == gold


def test_mention_across_a_wrong_boundary_is_seen_by_one_chunk_whole():
    text = "x x. y St. Louis z. w w. v v."
    sentences = [(0, 4), (5, 10), (11, 19), (20, 24), (25, 29)]
    chunks = cut_text(text, count_tokens=count_words, room=5, find_sentences=lambda _: sentences)
    mention = Mention(text.index("St."), text.index(" z"), "CITY")
    assert any(chunk.start <= mention.start and mention.end <= chunk.end
               and chunk.owned[0] <= mention.start < chunk.owned[1] for chunk in chunks)


def test_long_text_is_cut_into_as_few_chunks_as_its_overlaps_allow():
    text = "one two three four five. " * 4_000
    chunks = cut(text, 400)
    assert len(chunks) == 51 and chunks[-1].end == len(text) - 1
