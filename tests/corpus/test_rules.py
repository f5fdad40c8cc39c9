"""Rules across the splits of a corpus, on small ones made for it and on the embedded one."""

import re
from dataclasses import asdict
from functools import lru_cache

import pytest
import srsly
from places import ASSETS

from spacy_bioner.annotation import Annotation, Mention
from spacy_bioner.corpus.findings import format_report
from spacy_bioner.corpus.rules import CorpusRules, check_corpus
from spacy_bioner.formats.jsonl import read_jsonl

LENIENT = CorpusRules(min_nested=0.0, min_surfaces=0, min_unseen=0.0, min_empty=0.0, max_empty=1.0)


def annotate(text, *spans, id="a", **meta):
    return Annotation(text, tuple(Mention(*span) for span in spans), id, {"unit": "sentence", **meta})


def broken(splits, rules=LENIENT):
    return [(finding.rule, finding.place) for finding in check_corpus(splits, rules=rules).findings]


@pytest.mark.parametrize("spans, nested", [
    pytest.param([(0, 13, "D"), (0, 6, "A")], 1, id="same-start"),
    pytest.param([(0, 13, "D"), (7, 13, "D")], 1, id="same-end"),
    pytest.param([(0, 13, "D"), (0, 6, "A"), (0, 2, "G")], 2, id="two-levels"),
    pytest.param([(0, 6, "A"), (0, 6, "D")], 0, id="same-place"),
    pytest.param([(0, 6, "A"), (7, 13, "D")], 0, id="side-by-side"),
    pytest.param([(0, 8, "A"), (4, 13, "D")], 0, id="crossing"),
    pytest.param([(0, 13, "A"), (2, 13, "D"), (2, 13, "G")], 2, id="same-place-inside"),
])
def test_nested_are_those_inside_a_longer_one(spans, nested):
    report = check_corpus({"train": [annotate("breast cancer", *spans)]}, rules=LENIENT)
    assert report.splits["train"].nested == nested


def test_sound_corpus_breaks_no_rule():
    splits = {"train": [annotate("Breast cancer is frequent.", (0, 13, "DISEASE"), (0, 6, "ANATOMY"))],
              "test": [annotate("He has asthma today.", (7, 13, "DISEASE"), id="b")]}
    assert broken(splits, CorpusRules(min_surfaces=3, min_empty=0.0)) == []


@pytest.mark.parametrize("spans, rule", [
    pytest.param([(0, 40, "D")], "offsets", id="outside"),
    pytest.param([(0, 7, "D")], "offsets", id="white-space"),
    pytest.param([(0, 5, "D")], "boundary", id="inside-a-unit"),
    pytest.param([(0, 6, "D"), (0, 6, "D")], "repeated_mention", id="twice"),
])
def test_bad_mentions_are_found(spans, rule):
    assert broken({"train": [annotate("Breast cancer", *spans)]}) == [(rule, "a")]


@pytest.mark.parametrize("first, second, split, rule", [
    pytest.param("No change was seen.", "no change was seen", "test", "two_splits", id="other-split"),
    pytest.param("No change was seen.", "No change  was seen.", "train", "repeated_text", id="same-split"),
    pytest.param("No change was seen in any of these mice.", "No change was seen in any of these rats.", "raw",
                 "near_duplicate", id="nearly-the-same"),
])
def test_repeated_texts_are_found(first, second, split, rule):
    splits = {"train": [annotate(first)]}
    splits.setdefault(split, []).append(annotate(second, id="b"))
    assert broken(splits) == [(rule, "b")]


def test_repeated_id_is_found_across_splits():
    splits = {"train": [annotate("It was seen.")], "dev": [annotate("We do not know.")]}
    assert broken(splits) == [("repeated_id", "a")]


def test_sentence_of_a_document_is_found_in_another_split():
    document = annotate("It was cold that day. Nobody came to the clinic.", unit="document")
    splits = {"train": [document], "dev": [annotate("Nobody came to the clinic.", id="b")]}
    assert ("two_splits", "b") in broken(splits)


def test_heading_in_two_splits_is_no_finding():
    splits = {"train": [annotate("METHODS. It was cold that day.", unit="abstract")],
              "dev": [annotate("METHODS. Nobody came to the clinic.", id="b", unit="abstract")]}
    assert broken(splits) == []


@pytest.mark.parametrize("text, found", [
    pytest.param("She has asthma.", True, id="plain"),
    pytest.param("Asthma is common.", True, id="first-of-sentence"),
    pytest.param("ASTHMA is a name of a trial.", False, id="capitals"),
    pytest.param("The asthmatic child left.", False, id="inside-a-word"),
])
def test_surface_annotated_elsewhere_is_found_unmarked(text, found):
    splits = {"train": [annotate("He has asthma today.", (7, 13, "DISEASE"))], "dev": [annotate(
        text + " The heart is fine.", (len(text) + 5, len(text) + 10, "ANATOMY"), id="b")]}
    assert (("unmarked", "b") in broken(splits)) is found


def test_raw_text_is_not_searched_for_unmarked_surfaces():
    splits = {"train": [annotate("He has asthma today.", (7, 13, "DISEASE"))],
              "raw": [annotate("She has asthma.", id="b")]}
    assert broken(splits) == []


@pytest.mark.parametrize("rule, rules", [
    pytest.param("nested", {"min_nested": 0.6}, id="nested"),
    pytest.param("surfaces", {"min_surfaces": 4}, id="surfaces"),
    pytest.param("unseen", {"min_unseen": 0.6}, id="unseen"),
    pytest.param("empty", {"min_empty": 0.5}, id="too-few-empty"),
    pytest.param("empty", {"max_empty": 0.1}, id="too-many-empty"),
])
def test_shares_are_compared_with_what_is_wanted(rule, rules):
    splits = {
        "train": [annotate("Breast cancer is frequent.", (0, 13, "DISEASE"), (0, 6, "ANATOMY"))],
        "test": [annotate("A breast was examined for asthma.", (2, 8, "ANATOMY"), (26, 32, "DISEASE"), id="b"),
                 annotate("We do not know why.", id="c")],
    }
    wanted = CorpusRules(**{**asdict(LENIENT), **rules})
    assert [found for found, _ in broken(splits, wanted)] == [rule]


@lru_cache(maxsize=None)
def read_splits(folder):
    return {split: list(read_jsonl(ASSETS / folder / f"{split}.jsonl")) for split in ("train", "dev", "test", "raw")}


def test_embedded_corpus_keeps_all_rules():
    splits = read_splits("embedded")
    report = check_corpus(splits, rules=CorpusRules(min_empty=0.2, max_empty=0.3))
    assert report.findings == (), format_report(report)
    assert [len(splits[name]) >= least for name, least in
            [("train", 220), ("dev", 65), ("test", 110), ("raw", 320)]] == [True] * 4
    for name in ("train", "dev", "test"):
        assert report.splits[name].nested / report.splits[name].mentions >= 0.15
    lengths = [len(annotation.text.split()) for annotations in splits.values() for annotation in annotations]
    assert (min(lengths), max(lengths) <= 45) == (8, True)


def test_embedded_chinese_keeps_all_rules():
    splits = read_splits("embedded_zh")
    report = check_corpus(splits, rules=CorpusRules(min_surfaces=250, min_empty=0.2, max_empty=0.3))
    assert report.findings == (), format_report(report)
    assert sum(len(splits[name]) for name in ("train", "dev", "test")) >= 75
    assert all("\u4e00" <= max(annotation.text) for annotations in splits.values() for annotation in annotations)


@pytest.mark.parametrize("folder, lang", [("embedded", "en"), ("embedded_zh", "zh")])
def test_embedded_records_say_what_they_are(folder, lang):
    labels = srsly.read_yaml(ASSETS / folder / "labels.yml")["labels"]
    for split, annotations in read_splits(folder).items():
        meta = {"corpus": "embedded", "split": "train" if split == "raw" else split, "lang": lang,
                "origin": "raw" if split == "raw" else "gold", "unit": "sentence"}
        assert all(annotation.meta == meta for annotation in annotations)
        assert {mention.label for annotation in annotations for mention in annotation.mentions} <= set(labels)


def read_example(code):
    """Surface and mentions of an example like `[[breast]ANATOMY cancer]DISEASE`."""
    text, opened, mentions = "", [], []
    for piece in re.findall(r"\[|\][A-Z]+|[^\[\]]", code):
        if piece == "[":
            opened.append(len(text))
        elif piece[0] == "]":
            mentions.append((opened.pop(), len(text), piece[1:]))
        else:
            text += piece
    return text, sorted(mentions)


GUIDELINE = (ASSETS / "embedded" / "GUIDELINE.md").read_text(encoding="utf8")
EXAMPLES = sorted(set(re.findall(r"`(\[[^`]*\][A-Z]+)`", GUIDELINE)))


@pytest.mark.parametrize("code", EXAMPLES)
def test_examples_of_the_guideline_stand_so_in_the_corpus(code):
    surface, expected = read_example(code)
    found = []
    for annotations in [*read_splits("embedded").values(), *read_splits("embedded_zh").values()]:
        for annotation in annotations:
            for mention in annotation.mentions:
                if annotation.surface(mention).lower() == surface.lower():
                    inside = [other for other in annotation.mentions
                              if mention.start <= other.start and other.end <= mention.end]
                    found.append(sorted((other.start - mention.start, other.end - mention.start, other.label)
                                        for other in inside))
    assert found and all(mentions == expected for mentions in found)
