"""The label schema: what it holds, and what it is refused for."""

import pytest

from spacy_bioner.cli._shared.schema import read_schema
from spacy_bioner.errors import BionerError


def test_definitions_may_be_missing_and_lines_are_joined(tmp_path):
    path = tmp_path / "labels.yml"
    path.write_text("labels:\n  DISEASE: |\n    an\n    illness\n  DRUG:\n", encoding="utf8")
    assert read_schema(path).labels == {"DISEASE": "an illness", "DRUG": ""}


@pytest.mark.parametrize("labels, message", [
    pytest.param("{'': nothing}", "a label is empty", id="empty"),
    pytest.param("{' ': nothing}", "a label is empty", id="blank"),
    pytest.param("{DISEASE: illness, ~: nothing}", "a label is empty", id="null"),
    pytest.param("[DISEASE]", "no mapping 'labels'", id="list"),
])
def test_labels_that_cannot_be_are_refused(tmp_path, labels, message):
    path = tmp_path / "labels.yml"
    path.write_text(f"labels: {labels}\n", encoding="utf8")
    with pytest.raises(BionerError, match=f"labels.yml: {message}"):
        read_schema(path)


@pytest.mark.issue(21)
@pytest.mark.parametrize("labels", ["{'${x}': nothing}", "{DISEASE: 'as ${paths.train}'}"])
def test_a_variable_of_spacy_configs_is_refused_by_name(tmp_path, labels):
    path = tmp_path / "labels.yml"
    path.write_text(f"labels: {labels}\n", encoding="utf8")
    with pytest.raises(BionerError, match=r"labels.yml: '.*\$\{.*' holds '\$\{', which spaCy configs read"):
        read_schema(path)


def test_a_label_given_twice_is_named_without_advice_for_programmers(tmp_path):
    path = tmp_path / "labels.yml"
    path.write_text("labels:\n  DISEASE: illness\n  DISEASE: sickness\n", encoding="utf8")
    with pytest.raises(BionerError, match='duplicate key "DISEASE"') as told:
        read_schema(path)
    assert "suppress" not in str(told.value) and "http" not in str(told.value)
