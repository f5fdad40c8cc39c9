"""Folded texts lead back to exact offsets; parts of a long sentence cover it, each short enough."""

import random
import re

import pytest

from spacy_bioner.annotation import Mention
from spacy_bioner.llm.annotation.long_sentences import cut_sentence, fold_gaps
from spacy_bioner.tokens import find_units


@pytest.mark.parametrize("text, folded", [
    ("a b", "a b"), ("a  b\n\nc", "a  b\n\nc"), ("a   b", "a b"), ("a \n\n b", "a\nb"), ("   a", " a"), ("a    ", "a "),
    ("", ""), ("\u3000\u3000\u3000甲", " 甲")])
def test_long_runs_of_white_space_are_folded(text, folded):
    assert fold_gaps(text).text == folded


@pytest.mark.parametrize("seed", range(30))
def test_each_mention_is_given_back_where_it_stood(seed):
    chance = random.Random(seed)
    text = "".join(chance.choice(["word", "b", " ", "   ", "\n\n\n\n", "\t" * 9, "甲"]) for _ in range(60))
    folded = fold_gaps(text)
    units, places = find_units(text), find_units(folded.text)
    assert len(units) == len(places)
    pairs = sorted(chance.sample(range(len(units)), 2) for _ in range(5))
    mentions = [Mention(places[min(pair)][0], places[max(pair)][1], "x") for pair in pairs]
    assert [(mention.start, mention.end) for mention in folded.give_back(mentions)] == [
        (units[min(pair)][0], units[max(pair)][1]) for pair in pairs]


@pytest.mark.issue(21)
@pytest.mark.parametrize("text", ["word " * 500, "甲乙丙" * 300, "ACGT" * 2000, "a/b-c" * 400,
                                  "x" * 70 + " yy zz" * 90])
@pytest.mark.parametrize("most", [4, 50, 333])
def test_the_parts_of_a_long_sentence_cover_it_and_fit(text, most):
    def count(part):
        return sum(-(-(end - start) // 4) for start, end in find_units(part))

    parts = list(cut_sentence(text, (0, len(text)), count_tokens=count, most=most))
    assert "".join(text[start:end] for start, end in parts) == text
    assert max(count(text[start:end]) for start, end in parts) <= max(1, most // 4)
    inside = [end for _, end in parts[:-1] if re.fullmatch(r"\w\w", text[end - 1:end + 1]) and text[end] < "\u2e80"]
    longest = max(count(text[start:end]) for start, end in find_units(text))
    assert not inside or longest > most // 4, "words stay whole"


def test_a_sentence_of_a_megabyte_is_cut_quickly():
    import time

    started = time.monotonic()
    text = "word " * 200_000
    assert len(list(cut_sentence(text, (0, len(text)), count_tokens=lambda part: part.count(" "), most=2000))) == 400
    assert time.monotonic() - started < 10
