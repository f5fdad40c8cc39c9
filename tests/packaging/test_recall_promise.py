"""A promise of recall lists every label of gold, and says whether it holds for all of them."""

import pytest

from spacy_bioner.annotation import Annotation, Mention
from spacy_bioner.packaging.model_card import _promise_lines
from spacy_bioner.packaging.recall_promise import promise_labels


@pytest.mark.parametrize("gold, without", [
    pytest.param((), [], id="all labels"),
    pytest.param((Mention(5, 8, "NEW"),), ["NEW"], id="a label that the pipeline lacks"),
])
def test_a_label_that_the_pipeline_lacks_is_listed_and_changes_no_threshold(gold, without):
    found = [Annotation("Gout now", (Mention(0, 4, "D", score=0.9),), id=str(number)) for number in range(400)]
    records = [one.with_mentions([*one.mentions, *gold]) for one in found]
    kept = promise_labels(records, found, ["D"], missed=0.2)
    assert kept["D"] == promise_labels(found, found, ["D"], missed=0.2)["D"] and kept["D"].holds
    assert [label for label, one in kept.items() if not one.holds] == without
    said = _promise_lines({"confidence": 0.95, "missed": 0.2, "documents": 400, "data": {"file": "c.jsonl"},
                           "labels": {label: {"holds": one.holds} for label, one in kept.items()}})[-1]
    assert said == ("- No guarantee: NEW; so none of all labels together" if without else
                    "- It holds of the mentions of all labels together too, counted so")
