from spacy_bioner.annotation import Annotation, Mention
from spacy_bioner.corpus.summary import draw_examples, inspect_corpus


def _record(number, *, label="X", text="Text {} is about p53 and more."):
    text = text.format(number)
    start = text.find("p53")
    return Annotation(text, (Mention(start, start + 3, label),) if label else (), id=str(number))


def test_every_part_is_counted_compared_and_sampled():
    train = [*map(_record, range(20)), *(_record(number, label="") for number in range(20, 30))]
    test = [_record(5), _record(40, label="Y"), _record(41, label="Y")]
    found = inspect_corpus({"train": train, "test": test}, labels=["X"], examples=5)
    assert found.labels() == ["X", "Y"]
    assert found.unknown_labels == {"Y": 2}
    assert [(one.texts, one.sentences) for one in found.shared] == [(1, 1)]
    assert found.near_sought and all(first != second for first, _, second, _, _ in found.near)
    assert len(found.examples["train"]) == 5 and len(found.examples["test"]) == 3


def test_examples_are_mostly_those_with_mentions():
    records = [*map(_record, range(20)), *(_record(number, label="") for number in range(20, 30))]
    drawn = draw_examples(records, 10, seed=1)
    assert [bool(one.mentions) for one in drawn] == [True] * 8 + [False] * 2
    assert drawn == draw_examples(records, 10, seed=1) != draw_examples(records, 10, seed=2)
    assert len(draw_examples(records[20:], 4, seed=0)) == 4
