"""An echo of a part of the source marks that part, not the other places of the same name."""

import pytest

from spacy_bioner.codecs import make_codec

TEXT = "Gout came back after a year. In the knee gout was treated. Nothing else was seen by them in gout of the toe."
LABELS = ["Disease", "Chemical"]
FORMS = {"bracket": ("Disease:  {}[{}]{}\nChemical:  " + TEXT), "html": "{0}<Disease:{1}>{1}</Disease:{1}>{2}",
         "seed_tags": "<start_sentence>{0}<Disease>{1}</Disease>{2}</end_sentence>"}


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("before, marked, after, start", [
    ("In the knee ", "gout", " was treated.", 41),
    ("in the knee ", "gout", " was treated", 41),
    ("In  the  knee ", "gout", " was treated.", 41),
    ("In the knee ", "gout", " was treated. Nothing else was seen by them in gout of the toe.", 41),
    ("knee ", "gout", " was", 41),
    ("In the knees ", "gout", " was treated.", 41),
    ("Nothing else was seen by them in ", "gout", " of the toe.", 92),
    ("Nothing else was seen by the in ", "gout", " of the toe.", 92),
    ("", "Gout", " came back after a year.", 0),
    ("", "Gout", " came back after years", 0),
])
def test_marks_stand_in_the_part_that_is_repeated(name, before, marked, after, start):
    reading = make_codec(name).decode(TEXT, LABELS, FORMS[name].format(before, marked, after))
    assert [(mention.start, mention.end, mention.label) for mention in reading.mentions] == [
        (start, start + 4, "Disease")]
    assert {issue.kind for issue in reading.issues} & {"text_changed", "truncated"}


@pytest.mark.parametrize("name", FORMS)
def test_a_name_alone_stands_for_all_its_places(name):
    reading = make_codec(name).decode(TEXT, LABELS, FORMS[name].format("", "gout", ""))
    assert len(reading.mentions) == 2 and "ambiguous_occurrence" in {issue.kind for issue in reading.issues}


@pytest.mark.parametrize("name", FORMS)
def test_a_part_that_stands_twice_is_not_chosen_silently(name):
    text = "He slept. He had gout. She slept well all the time. He had gout. It rained for a long time, they said."
    reply = FORMS[name].format("He had ", "gout", ".").replace(TEXT, text)
    reading = make_codec(name).decode(text, LABELS, reply)
    assert len(reading.mentions) == 2 and "ambiguous_occurrence" in {issue.kind for issue in reading.issues}


def test_a_part_inside_a_word_is_none():
    reading = make_codec("bracket").decode("Gouty arthritis and pain.", LABELS, "Disease:  [Gout]\nChemical:  ")
    assert [issue.kind for issue in reading.issues if issue.kind == "subword_match"]
