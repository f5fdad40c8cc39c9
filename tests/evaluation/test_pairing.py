"""Gold and predicted documents are matched by id and have the same text."""

import pytest

from spacy_bioner.annotation import Annotation
from spacy_bioner.errors import BionerError
from spacy_bioner.evaluation.pairing import pair_documents

GOLD = [Annotation("one", id="1"), Annotation("two", id="2")]


def test_documents_are_matched_by_id_in_any_order():
    pairs, extra = pair_documents(GOLD, [Annotation("x", id="9"), GOLD[1], GOLD[0]], system="s")
    assert [(pair.gold.id, pair.predicted.id) for pair in pairs] == [("1", "1"), ("2", "2")] and extra == 1


@pytest.mark.parametrize("predicted, message", [
    pytest.param(GOLD[:1], "1 of 2 gold documents are missing in the predictions of 's', first '2'", id="missing"),
    pytest.param([GOLD[0], GOLD[0], GOLD[1]], "Two documents of s have the id '1'", id="twice"),
    pytest.param([GOLD[0], Annotation("twO", id="2")], "differs .* from character 2", id="other text"),
    pytest.param([GOLD[0], Annotation("two ", id="2")], "differs .* from character 3", id="longer text"),
])
def test_what_does_not_match_is_an_error(predicted, message):
    with pytest.raises(BionerError, match=message):
        pair_documents(GOLD, predicted, system="s")
