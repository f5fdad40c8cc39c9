from spacy_bioner.annotation import Annotation
from spacy_bioner.formats.shared_texts import SharedTexts, find_near

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
