"""Words that are known to be no mention: common ones, of which most stand outside of mentions."""

from spacy_bioner.annotation import Annotation, Mention
from spacy_bioner.training.common_words import find_common_words, find_doubtful_words


def mark(text, *names):
    """Return a text in which these names are marked."""
    return Annotation(text, tuple(Mention(text.index(name), text.index(name) + len(name), "DISEASE") for name in names))


RECORDS = [mark("Patients with heart failure had fever.", "heart failure"),
           mark("Patients with renal failure had 3 doses.", "renal failure"),
           mark("Patients had failure of the Heart, with 3 drugs.")]


def words(annotation, common):
    return [annotation.text[mention.start:mention.end] for mention in find_doubtful_words(annotation, common)]


def test_rare_words_and_those_that_are_mostly_part_of_names_are_doubtful():
    common = find_common_words(RECORDS, 0.4)
    assert common == {"patients", "with", "had"}
    assert words(RECORDS[0], common) == ["fever"]
    assert words(RECORDS[2], common) == ["failure", "of", "the", "Heart", "drugs"]


def test_the_more_records_a_word_must_stand_in_the_fewer_are_common():
    assert find_common_words(RECORDS, 0.7) == {"patients", "with", "had"}
    assert find_common_words(RECORDS, 1.0) == frozenset()


def test_a_word_counts_once_a_record():
    assert find_common_words([mark("the the the"), mark("a")], 0.5) == frozenset()


def test_chinese_characters_are_words_of_their_own():
    records = [mark("患者有糖尿病。", "糖尿病"), mark("患者有癌。")]
    common = find_common_words(records, 0.5)
    assert common == set("患者有")
    assert words(records[1], common) == ["癌"]
