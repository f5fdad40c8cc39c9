"""Whether a sentence is in the language that was asked for."""

import pytest

from spacy_bioner.synthesis.checking.language import is_language, read_stop_words


@pytest.mark.parametrize("text, lang, fits", [
    pytest.param("Aspirin lowered the risk of stroke in patients with fibrillation.", "en", True, id="english"),
    pytest.param("TNF-α and IL-1β were higher in κ-light chain disease.", "en", True, id="english-with-greek-names"),
    pytest.param("Overdose of DES in LA led to EN EL.", "en", True, id="abbreviations-are-no-words"),
    pytest.param("De novo synthesis of cholesterol was seen in vitro and in vivo.", "en", True, id="latin-phrases"),
    pytest.param("Le patient atteint de mucoviscidose a été traité par l'aspirine.", "en", False, id="french"),
    pytest.param("Der Patient mit Gicht wurde mit Aspirin behandelt.", "en", False, id="german"),
    pytest.param("El paciente con asma fue tratado con aspirina.", "en", False, id="spanish"),
    pytest.param("Ο ασθενής με άσθμα έλαβε ασπιρίνη για τον πόνο.", "en", False, id="greek"),
    pytest.param("Пациент с астмой получал аспирин.", "en", False, id="russian"),
    pytest.param("阿司匹林降低了房颤患者的卒中风险。", "en", False, id="chinese"),
    pytest.param("患者服用 aspirin 后出现胃出血。", "zh", True, id="chinese-with-a-latin-name"),
    pytest.param("アスピリンは心房細動患者の脳卒中の危険性を低下させた。", "zh", False, id="japanese-is-not-chinese"),
    pytest.param("Aspirin lowered the risk of stroke.", "zh", False, id="english-is-not-chinese"),
    pytest.param("アスピリンは心房細動患者の脳卒中の危険性を低下させた。", "ja", True, id="japanese"),
    pytest.param("Пациент с астмой получал аспирин (aspirin).", "ru", True, id="russian-is-russian"),
    pytest.param("The patient with asthma was given aspirin.", "ru", False, id="english-is-not-russian"),
    pytest.param("Der Patient mit Gicht wurde mit Aspirin behandelt.", "de", True, id="german-is-german"),
    pytest.param("The patient with asthma was given aspirin.", "de", False, id="english-is-not-german"),
    pytest.param("The patient with asthma was given aspirin.", "xx-unknown", True, id="without-a-list-any-words-fit"),
    pytest.param("12 ± 3", "en", True, id="no-letters"),
])
def test_a_language_is_told_by_script_and_function_words(text, lang, fits):
    assert is_language(text, lang) is fits


def test_a_language_without_a_list_has_no_function_words():
    assert read_stop_words("xx-unknown") == set()
    assert "with" in read_stop_words("en") and "mit" in read_stop_words("de")
