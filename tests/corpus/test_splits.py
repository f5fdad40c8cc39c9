"""The split that a record says it is of."""

import pytest

from spacy_bioner.annotation import Annotation
from spacy_bioner.corpus.sampling import check_split
from spacy_bioner.errors import BionerError


@pytest.mark.parametrize("meta", [
    pytest.param({"split": "train"}, id="the-wanted-one"),
    pytest.param({}, id="no-key"),
    pytest.param({"split": None}, id="null"),
    pytest.param({"split": ""}, id="empty"),
])
def test_records_of_the_split_or_of_none_are_taken(meta):
    check_split(Annotation("Gout.", id="a", meta=meta), "train")


@pytest.mark.parametrize("found", ["dev", "Train", " ", 0, False, ["train"]])
def test_another_split_is_an_error(found):
    with pytest.raises(BionerError, match="'a' belongs to split .* needs split 'train'"):
        check_split(Annotation("Gout.", id="a", meta={"split": found}), "train")


@pytest.mark.parametrize("found", [None, "", "dev"])
def test_any_split_is_taken_where_none_is_wanted(found):
    check_split(Annotation("Gout.", id="a", meta={"split": found}), "")
