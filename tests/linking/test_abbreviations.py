"""Abbreviations that a text defines, and names that hold them."""

import pytest

from spacy_bioner.linking.abbreviations import expand, find_abbreviations


@pytest.mark.parametrize("text, found", [
    pytest.param("Acute myocardial infarction (AMI) is frequent.", {"AMI": "Acute myocardial infarction"}, id="plain"),
    pytest.param("We treated heat shock protein (HSP) loss.", {"HSP": "heat shock protein"}, id="words-before"),
    pytest.param("DMD (Duchenne muscular dystrophy) was seen.", {"DMD": "Duchenne muscular dystrophy"}, id="reversed"),
    pytest.param("Familial adenomatous polyposis (FAP; MIM 175100)",
                 {"FAP": "Familial adenomatous polyposis"}, id="more-in-brackets"),
    pytest.param("Patients were old (mean 70 years) and ill (see Fig. 1).", {}, id="no-abbreviation"),
    pytest.param("The gene (XYZ) was lost.", {}, id="letters-missing"),
    pytest.param("We saw it. Disease begins (WD) here.", {}, id="not-over-sentences"),
    pytest.param("白血病 acute leukemia（AL）。", {"AL": "acute leukemia"}, id="chinese"),
    pytest.param("既往有高血压，冠状动脉粥样硬化性心脏病（冠心病）10年。", {"冠心病": "冠状动脉粥样硬化性心脏病"},
                 id="not-over-commas"),
    pytest.param("高血压、冠状动脉粥样硬化性心脏病（冠心病）", {"冠心病": "冠状动脉粥样硬化性心脏病"},
                 id="not-over-lists"),
    pytest.param("慢性阻塞性肺疾病（chronic obstructive pulmonary disease，COPD）",
                 {"COPD": "chronic obstructive pulmonary disease"}, id="both-in-brackets"),
    pytest.param("(", {}, id="bracket"),
])
def test_definitions_are_found_as_the_paper_says(text, found):
    assert find_abbreviations(text) == found


def test_a_definition_with_a_digit_keeps_its_characters_in_order():
    assert find_abbreviations("neurofibromatosis type 1 (NF1)") == {"NF1": "neurofibromatosis type 1"}


@pytest.mark.parametrize("name, long", [
    pytest.param("MI", "myocardial infarction", id="whole"),
    pytest.param("acute MI", "acute myocardial infarction", id="word"),
    pytest.param("non-MI patients", "non-myocardial infarction patients", id="behind-hyphen"),
    pytest.param("MIT", "MIT", id="part-of-word"),
])
def test_abbreviations_in_a_name_are_spelt_out(name, long):
    assert expand(name, {"MI": "myocardial infarction"}) == long
