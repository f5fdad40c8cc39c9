"""Names that the last stage would refuse are refused in the first."""

import pytest

from spacy_bioner.corpus.readiness import check_names
from spacy_bioner.errors import BionerError

pytestmark = pytest.mark.issue(21)


@pytest.mark.parametrize("name", ["mine", "ncbi_disease", "BC5CDR", "2024_notes", "a__b"])
def test_names_that_a_wheel_can_have_pass(name):
    check_names(name, "0.1.0")
    check_names(name, "")


@pytest.mark.parametrize("name", ["NCBI-Disease.v2", "NCBI-Disease", "my corpus", "a.b", "caf\u00e9", "mine_", "",
                                  "a/b", "a\n"])
def test_names_that_no_wheel_can_have_are_refused(name):
    with pytest.raises(BionerError, match="a wheel bioner_"):
        check_names(name, "")


@pytest.mark.parametrize("version", ["one", "1.0 beta", "v1..2", "1.0-x-y"])
def test_versions_that_no_package_can_have_are_refused(version):
    with pytest.raises(BionerError, match="is no version of a package"):
        check_names("mine", version)
