import pytest

from spacy_bioner.annotation import Annotation
from spacy_bioner.corpus.sampling import Fold
from spacy_bioner.errors import BionerError

SENTENCES = [Annotation(f"text {number} {place}", id=f"d{number}-s{place}", meta={"document": f"d{number}"})
             for number in range(300) for place in (1, 2)]


def test_every_record_is_in_one_fold_and_documents_stay_whole():
    folds = [Fold.parse(f"{number}/3") for number in (1, 2, 3)]
    held = [{one.meta["document"] for one in SENTENCES if fold.holds(one, seed=1)} for fold in folds]
    assert not held[0] & held[1] and not held[0] & held[2] and not held[1] & held[2]
    assert len(held[0] | held[1] | held[2]) == 300
    assert all(70 < len(documents) < 130 for documents in held)


def test_order_does_not_matter_and_another_seed_makes_other_folds():
    fold = Fold.parse("1/2")

    def held(sentences, seed):
        return {one.id for one in sentences if fold.holds(one, seed=seed)}

    assert held(SENTENCES, 1) == held(SENTENCES[::-1], 1) != held(SENTENCES, 2)


def test_a_record_that_names_no_document_is_its_own():
    fold = Fold.parse("1/2")
    records = [Annotation(f"text {number}", id=str(number)) for number in range(200)]
    assert 60 < sum(fold.holds(one, seed=0) for one in records) < 140


@pytest.mark.parametrize("found", ["0/3", "4/3", "1/1", "1", "a/b", "1/2/3", ""])
def test_what_is_no_fold_is_an_error_in_one_line(found):
    with pytest.raises(BionerError, match="No fold .* such as 1/3"):
        Fold.parse(found)
