"""Names find their places: folded where they must be, and always back at offsets of the source."""

import pytest

from spacy_bioner.grounding.names import find_all_places, find_contexts, find_places, nearest_place


def surfaces(text, name):
    return [text[place.start:place.end] for place in find_places(text, name)]


@pytest.mark.parametrize("text, name, found", [
    pytest.param("gout and Gout", "gout", ["gout"], id="as-written-before-folded"),
    pytest.param("APC2 resembles APC", "APC", ["APC"], id="words-before-parts"),
    pytest.param("hepatomegaly", "hepato", ["hepato"], id="part-of-a-word-where-nothing-else"),
    pytest.param("Crohn ' s disease", "Crohn's disease", ["Crohn ' s disease"], id="spacing"),
    pytest.param("İstanbul ASTHMA", "asthma", ["ASTHMA"], id="dotted-capital-shifts-nothing"),
    pytest.param("ﬁbrosis and ﬂu", "fibrosis", ["ﬁbrosis"], id="ligature"),
    pytest.param("TNF-α rose", "TNF-alpha", ["TNF-α"], id="greek-name"),
    pytest.param("ＴＮＦ rose", "TNF", ["ＴＮＦ"], id="full-width"),
    pytest.param("met\u00adformin", "metformin", ["met\u00adformin"], id="soft-hyphen"),
    pytest.param("zero\u200bwidth", "zerowidth", ["zero\u200bwidth"], id="zero-width-space"),
    pytest.param("IL\u20112 rose", "IL-2", ["IL\u20112"], id="other-hyphen"),
    pytest.param("cafe\u0301 au lait", "café", ["cafe\u0301"], id="combining-mark"),
    pytest.param("👩\u200d⚕️ has gout", "gout", ["gout"], id="joined-emoji-before"),
    pytest.param("\ud800 gout", "gout", ["gout"], id="lone-surrogate-before"),
    pytest.param("שיגדון (gout)", "gout", ["gout"], id="right-to-left-before"),
    pytest.param("糖尿病患者", "糖尿病", ["糖尿病"], id="chinese"),
    pytest.param("gout", "flu", [], id="not-there"),
    pytest.param("gout", "", [], id="empty-name"),
])
def test_a_name_finds_the_characters_of_the_source(text, name, found):
    assert surfaces(text, name) == found


def test_the_nearest_place_is_taken_for_a_wrong_offset():
    places = find_places("Loss of APC was seen. Cells without APC died.", "APC")
    assert nearest_place(places, 33).start == 36
    assert nearest_place(places, 2).start == 8


@pytest.mark.parametrize("context, found", [
    pytest.param("and cancer .", ["and cancer."], id="tokenised"),
    pytest.param("In colon carcinoma", ["In colon carcinoma"], id="as-written"),
    pytest.param("malignancy workup", [], id="not-there"),
])
def test_a_context_is_found_without_regard_to_spacing(context, found):
    text = "In colon carcinoma cells APC is lost, and cancer. The end."
    assert [text[place.start:place.end] for place in find_contexts(text, context)] == found


@pytest.mark.parametrize("text, name, found", [
    pytest.param("Gout and gout", "gout", ["Gout", "gout"], id="case"),
    pytest.param("TNF-α, TNF alpha", "TNF-alpha", ["TNF-α"], id="greek"),
    pytest.param("lung  cancer, lung-cancer", "lung cancer", ["lung  cancer"], id="spacing"),
    pytest.param("All had ALL, all", "ALL", ["ALL"], id="abbreviation"),
    pytest.param("HYPERTENSION: hypertension", "HYPERTENSION", ["HYPERTENSION", "hypertension"], id="heading"),
    pytest.param("gouty gout", "gout", ["gout", "gout"], id="part-of-a-word"),
    pytest.param("none", "", [], id="empty"),
])
def test_all_places_are_found_however_they_are_written(text, name, found):
    places = find_all_places(text, name)
    assert [text[place.start:place.end] for place in places] == found
    assert [place.exact for place in places] == [surface == name for surface in found]
    if name == "gout" and text == "gouty gout":
        assert [place.bounded for place in places] == [False, True]


def test_no_place_has_white_space_at_its_edges():
    """Folded, a combining mark goes with the blank before it."""
    text = "cell> \u0301[b"
    assert [text[place.start:place.end] for place in find_all_places(text, "\u0301 \ufeff[")] == ["\u0301["]
