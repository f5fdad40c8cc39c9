import pytest

from spacy_bioner.annotation import Annotation
from spacy_bioner.corpus.shared_texts import SharedTexts, find_near

LONG = "The p53 gene was lost in all of them."


def test_parts_are_compared_by_texts_and_sentences():
    texts = SharedTexts()
    for name, id, text in [
        ("train", "a", f"Results. {LONG}"), ("train", "b", "Results."), ("train", "c", "results"),
        ("test", "d", f"Results. Nothing else here to see. {LONG.upper()}"), ("test", "e", "Results."),
    ]:
        texts.add(name, Annotation(text, id=id))
    (both,) = texts.between()
    assert (both.first, both.second, both.texts, both.sentences) == ("train", "test", 1, 1)
    assert both.examples == (("b", "e"), ("a-s2", "d-s3"))
    assert [(one.first, one.texts) for one in texts.repeated()] == [("train", 1), ("test", 0)]


def test_near_texts_are_those_of_other_parts_that_are_not_the_same():
    parts = {"train": [Annotation(LONG, id="a"), Annotation("All is well in this place.", id="b")],
             "test": [Annotation(LONG.replace("them", "us"), id="c"), Annotation("All is well in this place!", id="d")]}
    ((first, one, second, other, share),) = find_near(parts, max_share=0.5)
    assert (first, one, second, other) == ("train", "a", "test", "c") and 0.5 < share < 1


@pytest.mark.parametrize("train, test", [
    pytest.param([LONG, LONG], [f"{LONG} So it was."], id="twins-in-train"),
    pytest.param([LONG], [LONG, f"{LONG} So it was."], id="copy-in-test"),
    pytest.param([f"{LONG} So it was."], [LONG, LONG], id="twins-in-test"),
    pytest.param([f"{LONG} So it was.", f"{LONG} So it is."], [LONG.replace("them", "us")], id="near-twins"),
])
def test_a_near_text_of_another_part_is_found_whatever_a_part_repeats(train, test):
    parts = {"train": [Annotation(text, id=f"r{number}") for number, text in enumerate(train)],
             "test": [Annotation(text, id=f"t{number}") for number, text in enumerate(test)]}
    found = find_near(parts, max_share=0.5)
    assert found and all((first, second) == ("train", "test") for first, _, second, _, _ in found)


def test_a_text_of_three_parts_is_told_of_each_two():
    parts = {"train": [Annotation(LONG, id="a")], "dev": [Annotation(LONG, id="b"), Annotation(f"{LONG} Yes.", id="c")],
             "test": [Annotation(f"{LONG} So it was.", id="d")]}
    found = {(one, other) for _, one, _, other, _ in find_near(parts, max_share=0.5)}
    assert {("a", "c"), ("a", "d"), ("b", "d"), ("c", "d")} <= found
