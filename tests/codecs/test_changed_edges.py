"""A character changed at the edge of a Chinese mention: the whole mention is taken, or none where it is not certain."""

import pytest

from spacy_bioner.codecs import make_codec

TEXT = "患者有糖尿病和高血压，给予二甲双胍，血压平稳。"
PRESSURE, DIABETES, DRUG = (7, 10), (3, 6), (13, 17)
FORMS = {"bracket": "D:  {}[{}]{}", "html": "{0}<D:{1}>{1}</D:{1}>{2}"}


def read(name, before, marked, after, text=TEXT):
    reading = make_codec(name).decode(text, ["D"], FORMS[name].format(before, marked, after))
    return [(mention.start, mention.end) for mention in reading.mentions], [issue.kind for issue in reading.issues]


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("before, marked, after, span", [
    pytest.param("患者有糖尿病和", "高血壓", "，给予二甲双胍，血压平稳。", PRESSURE, id="last"),
    pytest.param("患者有糖尿病和", "髙血压", "，给予二甲双胍，血压平稳。", PRESSURE, id="first"),
    pytest.param("患者有糖尿病與", "髙血压", "，给予二甲双胍，血压平稳。", PRESSURE, id="first-and-before"),
    pytest.param("患者有糖尿病和", "高血壓", "；给予二甲双胍，血压平稳。", PRESSURE, id="last-and-after"),
    pytest.param("患者有", "糖尿疒", "和高血压，给予二甲双胍，血压平稳。", DIABETES, id="shape"),
    pytest.param("患者有", "糖屎病", "和高血压，给予二甲双胍，血压平稳。", DIABETES, id="middle"),
    pytest.param("患者有糖尿病和高血压，给予", "二甲双瓜", "，血压平稳。", DRUG, id="drug"),
    pytest.param("患者有糖尿病和高血压，给予", "二甲双月瓜", "，血压平稳。", DRUG, id="one-as-two"),
])
def test_a_changed_edge_stays_in_the_mention(name, before, marked, after, span):
    spans, issues = read(name, before, marked, after)
    assert spans == [span]
    assert "text_changed" in issues


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("text, before, marked, after, span", [
    ("确诊2型糖尿病3年。", "确诊", "Ⅱ型糖尿病", "3年。", (2, 7)),
    ("有头痛和咳嗽。", "有", "頭痛", "和咳嗽。", (1, 3)),
    ("有头痛 和咳嗽。", "有", "头疼", " 和咳嗽。", (1, 3)),
    ("高血压3年。", "", "高血壓", "3年。", (0, 3)),
    ("有高血压", "有", "高血壓", "", (1, 4)),
    ("高血压[1]3年。", "", "髙血压", "[1]3年。", (0, 3)),
    ("有高血压。", "有", "的高血压", "。", (1, 4)),
    ("对aspirin过敏。", "对", "aspirim", "过敏。", (1, 8)),
])
def test_a_changed_edge_of_other_texts_stays_in_the_mention(name, text, before, marked, after, span):
    assert read(name, before, marked, after, text)[0] == [span]


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("text, before, marked, after", [
    pytest.param("患者有原发性高血压，血压平稳。", "患者有", "髙血压", "，血压平稳。", id="more-left-out"),
    pytest.param("患者高血压，血压平稳。", "患", "髙血压", "，血压平稳。", id="one-left-out-before"),
    pytest.param("患者有高血压及糖尿病。", "患者有", "高血壓", "糖尿病。", id="one-left-out-after"),
])
def test_an_edge_that_is_not_certain_gives_no_mention(name, text, before, marked, after):
    spans, issues = read(name, before, marked, after, text)
    assert spans == []
    assert "not_found" in issues
