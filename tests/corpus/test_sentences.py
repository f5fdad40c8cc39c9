import time

import pytest

from spacy_bioner.annotation import Annotation, Mention
from spacy_bioner.corpus.sentences import find_sentences, guess_language, join_cut, split_sentences
from spacy_bioner.formats.jsonl import read_jsonl


@pytest.mark.parametrize("text", [
    pytest.param("Growth of E. coli and S. Typhimurium was slow.", id="genus"),
    pytest.param("See Fig. 2A and Figs. 3 and 4 for the results.", id="figure"),
    pytest.param("Rats got 5 mg/kg i.v. Aspirin and 3 mg i.p. twice.", id="route"),
    pytest.param("As Smith et al. Reported, p = 0.05 vs. Placebo.", id="citation"),
    pytest.param("The effect (e.g. LFA-3) was seen, i.e. It rose.", id="for-example"),
    pytest.param("The enzyme (EC 1. 1. 1. 49) was lost.", id="enzyme-number"),
    pytest.param("It was 276.9 +/- 14. 4 nm wide.", id="loose-decimal"),
    pytest.param("R. A. Fisher and J. Biol. Chem. 265 agree.", id="initials-and-journal"),
])
def test_stays_one_sentence(text):
    assert [text[start:end] for start, end in find_sentences(text)] == [text]


@pytest.mark.parametrize("parts, lang", [
    pytest.param(["It rose.", "We stopped."], "en", id="plain"),
    pytest.param(["Is it p53?", "p53 it is!", "mRNA rose."], "en", id="small-letters"),
    pytest.param(["It activates NF-kappa B.", "Stimulation with LPS failed."], "en", id="letter-name"),
    pytest.param(["It returned to baseline at 24 h.", "Levels fell."], "en", id="unit"),
    pytest.param(["(It was so.)", "\u201cThen it ended.\u201d", "[Next.]", "End."], "en", id="closers"),
    pytest.param(["One was lost.", "3. Danazol decreased it.", "4. It rose."], "en", id="enumerated"),
    pytest.param(["A new inhibitor [see comments]", "The flow of data."], "en", id="remark"),
    pytest.param(["Treated i.v.", "However, all died."], "en", id="abbreviation-at-the-end"),
    pytest.param(["患者发热。", "无咳嗽；", "有无黄疸？", "无！"], "zh", id="chinese"),
    pytest.param(["他说\u201c好。\u201d", "然后离开。"], "zh", id="chinese-closers"),
    pytest.param(["（见上。）", "【见上。】", "〔见上。〕", "《见上。》", "好。"], "zh", id="chinese-brackets"),
    pytest.param(["体温38．5℃．", "血压正常｡", "好。"], "zh", id="chinese-full-stops"),
    pytest.param(["血糖高。[1]", "血压高。[2,3]", "好。"], "zh", id="chinese-references"),
    pytest.param(['他说"好。', '我走。"', "走了。", '"是。"', "她说。"], "zh", id="ascii-quotes-open-and-close"),
    pytest.param(["有Crohn's病。", "'好。'", "走了。"], "zh", id="apostrophe"),
])
def test_cuts_between_sentences(parts, lang):
    text = ("" if lang == "zh" else " ").join(parts)
    assert [text[start:end] for start, end in find_sentences(text, lang)] == parts


def test_full_width_marks_end_sentences_in_any_language():
    text = "HbA1c 9.2%，LDL-C 4.1mmol/L。予metformin 0.5g tid；LDL-C下降？ It rose. We stopped."
    assert [text[start:end] for start, end in find_sentences(text, "en")] == [
        "HbA1c 9.2%，LDL-C 4.1mmol/L。", "予metformin 0.5g tid；", "LDL-C下降？", "It rose.", "We stopped."]


@pytest.mark.parametrize("text, lang", [("糖尿病 MI", "zh"), ("당뇨병 환자의 혈당.", "en"), ("Gout. 痛风", "en")])
def test_hangul_has_spaces_between_its_words(text, lang):
    assert guess_language(text) == lang


def test_blank_lines_end_sentences():
    text = "HISTORY\r\n\r\nno fever\n \nPLAN"
    assert [text[start:end] for start, end in find_sentences(text)] == ["HISTORY", "no fever", "PLAN"]


def test_never_cuts_a_mention():
    text = "We saw one. The two. It was. End."
    annotation = Annotation(text, (Mention(7, 20, "A"), Mention(16, 28, "B")), id="d")
    sentences = split_sentences(annotation)
    assert [sentence.text for sentence in sentences] == ["We saw one. The two. It was.", "End."]
    assert [sentence.surface(mention) for sentence in sentences for mention in sentence.mentions] == [
        "one. The two.", "two. It was."]


def test_joining_reaches_over_several_sentences():
    assert join_cut([(0, 2), (3, 5), (6, 8), (9, 11)], [Mention(1, 7, "A")]) == [(0, 8), (9, 11)]


def test_sentences_say_where_they_are_from():
    meta = {"split": "train", "subtypes": ["first", "second"]}
    annotation = Annotation("A bc. C de.", (Mention(0, 1, "X"), Mention(6, 7, "X")), id="d", meta=meta)
    one, two = split_sentences(annotation)
    assert (one.id, two.id, two.meta["document"], two.meta["split"]) == ("d-s1", "d-s2", "d", "train")
    assert (one.meta["subtypes"], two.meta["subtypes"]) == (["first"], ["second"])
    assert split_sentences(one) == [one]


@pytest.mark.parametrize("corpus", ["ncbi_disease", "bc5cdr", "biored"])
def test_keeps_all_text_and_all_mentions_of_the_corpora(data, corpus):
    for annotation in read_jsonl(data / corpus / "test.jsonl"):
        sentences = split_sentences(annotation)
        assert "".join("".join(part.text for part in sentences).split()) == "".join(annotation.text.split())
        assert sum(len(part.mentions) for part in sentences) == len(annotation.mentions)


def test_four_thousand_abstracts_take_seconds(data):
    begin = time.perf_counter()
    found = sum(len(find_sentences(annotation.text))
                for annotation in read_jsonl(data / "pubmed_unlabeled" / "train.jsonl"))
    assert found > 40_000
    assert time.perf_counter() - begin < 20
