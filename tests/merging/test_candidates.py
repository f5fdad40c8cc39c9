from collections import Counter

import pytest

from spacy_bioner.annotation import Annotation, Mention
from spacy_bioner.errors import BionerError
from spacy_bioner.merging.candidates import merge_annotations, merge_files
from spacy_bioner.merging.dictionary import Dictionary

TEXT = "Familial colon cancer and APC mutations."
LONG, SHORT, GENE = Mention(0, 21, "DISEASE"), Mention(9, 21, "DISEASE"), Mention(26, 29, "GENE")
AS_DISEASE = Mention(26, 29, "DISEASE")


def scored(mention, score):
    return Mention(mention.start, mention.end, mention.label, score=score)


def merge(sources, **options):
    counts = Counter()
    merged = merge_annotations({name: Annotation(TEXT, tuple(mentions), id="a") for name, mentions in sources.items()},
                               counts=counts, **options)
    return list(merged.mentions), merged.meta["sources"], counts


@pytest.mark.parametrize("sources, kept, ranks", [
    pytest.param({"gold": [SHORT], "llm": [LONG, GENE]}, [SHORT], ["gold"], id="gold alone counts where there is gold"),
    pytest.param({"llm": [SHORT], "bert": [SHORT, GENE]}, [SHORT, GENE], ["agreement", "single"], id="agreement"),
    pytest.param({"llm": [SHORT], "bert": [SHORT], "other": [scored(LONG, 0.99)]}, [SHORT], ["agreement"],
                 id="agreement over a surer single voice"),
    pytest.param({"llm": [SHORT], "dictionary": [LONG, GENE]}, [SHORT, GENE], ["single", "dictionary"],
                 id="annotator over dictionary"),
    pytest.param({"llm": [scored(SHORT, 0.6)], "bert": [scored(LONG, 0.8)]}, [LONG], ["single"], id="higher score"),
    pytest.param({"llm": [SHORT], "bert": [LONG]}, [LONG], ["single"], id="longer of equal ones"),
])
def test_better_ranks_stay(sources, kept, ranks):
    mentions, found, _ = merge(sources)
    assert (mentions, found) == (kept, ranks)


def test_conflicts_are_counted_by_kind():
    other = Mention(26, 29, "DISEASE", score=0.1)
    _, _, counts = merge({"llm": [SHORT, GENE], "bert": [LONG, other]})
    assert counts == {"single": 2, "conflict": 1, "conflict_label": 1}


def test_one_annotator_is_not_set_against_itself():
    both = [scored(LONG, 0.4), scored(SHORT, 0.9), Mention(9, 21, "PHENOTYPE")]
    mentions, ranks, counts = merge({"llm": both, "bert": [GENE]})
    assert [mention.key for mention in mentions] == [LONG.key, SHORT.key, (9, 21, "PHENOTYPE"), GENE.key]
    assert not counts["conflict"] and not counts["conflict_label"]


def test_a_dictionary_is_set_against_itself():
    assert merge({"dictionary": [SHORT, LONG]})[0] == [LONG]


def test_a_name_that_a_dictionary_has_with_several_labels_keeps_them():
    found = Dictionary([("APC", "GENE"), ("APC", "DISEASE")]).annotate(Annotation(TEXT, id="a"))
    counts = Counter()
    merged, = merge_files({"llm": [Annotation(TEXT, (SHORT,), id="a")], "dictionary": [found]}, counts=counts)
    assert [mention.key for mention in merged.mentions] == [SHORT.key, AS_DISEASE.key, GENE.key]
    assert merged.meta["sources"] == ["single", "dictionary", "dictionary"]
    assert counts == {"single": 1, "dictionary": 2}


@pytest.mark.parametrize("sources, kept", [
    pytest.param({"one": [GENE], "two": [AS_DISEASE]}, [AS_DISEASE], id="two-word-lists"),
    pytest.param({"llm": [GENE], "one": [GENE, AS_DISEASE]}, [GENE], id="an-annotator-over-a-word-list"),
])
def test_labels_of_different_voices_clash(sources, kept):
    mentions, _, counts = merge(sources, dictionary=["one", "two"])
    assert [mention.key for mention in mentions] == [mention.key for mention in kept]
    assert counts["conflict_label"] == 1


def test_an_id_that_comes_twice_in_one_source_is_told():
    llm = [Annotation(TEXT, (GENE,), id="a"), Annotation(TEXT, (SHORT,), id="a")]
    with pytest.raises(BionerError, match="'llm' has two records with the id 'a'"):
        list(merge_files({"llm": llm}, counts=Counter()))


def test_nested_mentions_are_kept_where_asked_for():
    assert merge({"llm": [SHORT], "bert": [LONG]}, nested=True)[0] == [LONG, SHORT]


def test_two_dictionaries_do_not_agree():
    _, ranks, _ = merge({"one": [GENE], "two": [GENE]}, dictionary=["one", "two"])
    assert ranks == ["dictionary"]


def test_nested_gold_is_kept_whole_and_has_no_score():
    mentions, _, _ = merge({"gold": [SHORT, LONG]})
    assert mentions == [LONG, SHORT] and all(mention.score is None for mention in mentions)


def test_scores_are_means_over_the_voices():
    mentions, _, _ = merge({"llm": [scored(GENE, 0.9)], "bert": [scored(GENE, 0.5)]})
    assert mentions[0].score == pytest.approx(0.7)


def test_records_are_paired_by_id_and_texts_must_agree():
    llm = [Annotation(TEXT, (GENE,), id="a"), Annotation("Gout.", (), id="b")]
    bert = [Annotation(TEXT, (GENE,), id="a")]
    merged = list(merge_files({"llm": llm, "bert": bert}, counts=Counter()))
    assert [(record.id, len(record.mentions)) for record in merged] == [("a", 1), ("b", 0)]
    with pytest.raises(BionerError, match="different texts"):
        list(merge_files({"llm": llm, "bert": [Annotation("Other.", id="a")]}, counts=Counter()))
