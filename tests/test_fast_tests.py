"""The short run of the tests covers every package."""

import pytest
from fast_tests import TESTS, list_fast_tests
from places import ROOT

PACKAGES = sorted(path.parent.name for path in (ROOT / "spacy_bioner").glob("*/__init__.py"))


def test_all_fast_tests_exist():
    assert [path for path in list_fast_tests() if not path.exists()] == []


@pytest.mark.issue(20)
@pytest.mark.parametrize("package", [name for name in PACKAGES if name != "errors"])
def test_each_package_has_a_fast_test(package):
    assert any(path.relative_to(TESTS).parts[0] == package for path in list_fast_tests())
