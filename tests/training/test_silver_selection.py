"""What a teacher annotated: a part is held out where there is no gold, and spans with low scores are dropped."""

import pytest

from spacy_bioner.annotation import Annotation, Mention
from spacy_bioner.errors import BionerError
from spacy_bioner.training.silver_selection import choose_least_scores, choose_spans, hold_out


def silver(count, *, documents):
    return [Annotation(f"Sentence {number} on gout.", id=f"s{number}",
                       meta={"document": f"d{number % documents}", "origin": "synthetic", "split": "train"})
            for number in range(count)]


@pytest.mark.parametrize("missing", [(), ("dev",), ("dev", "test")])
@pytest.mark.parametrize("documents", [1, 40], ids=["one-document", "many-documents"])
def test_each_sentence_is_in_one_part_and_says_so(missing, documents):
    records = silver(80, documents=documents)
    parts = hold_out(records, missing, seed=1)
    assert sorted(record.id for part in parts.values() for record in part) == sorted(record.id for record in records)
    assert all(record.meta["split"] == name for name, part in parts.items() for record in part)
    assert all(len(parts[name]) == 12 for name in missing) and set(parts) == {"train", *missing}


def test_sentences_of_a_document_stay_together_where_there_are_many():
    parts = hold_out(silver(80, documents=40), ["dev", "test"], seed=1)
    of_part = [{record.meta["document"] for record in part} for part in parts.values()]
    assert sum(map(len, of_part)) == 40


def test_too_few_sentences_are_an_error():
    with pytest.raises(BionerError, match="too few to divide"):
        hold_out(silver(2, documents=2), ["dev", "test"], seed=1)


def scored(id_, *mentions):
    return Annotation("gout and lupus", tuple(Mention(start, end, "DISEASE", score=score)
                                              for start, end, score in mentions), id=id_)


def test_the_least_score_is_the_one_that_is_best_on_dev():
    gold = [scored("a", (0, 4, None)), scored("b", (9, 14, None))]
    found = [scored("a", (0, 4, 0.9), (9, 14, 0.3)), scored("b", (9, 14, 0.8), (0, 4, 0.4))]
    least = choose_least_scores(gold, found)
    assert set(least) == {"*"} and 0.4 < least["*"] < 0.8
    chosen = choose_spans(found, least)
    assert [len(record.mentions) for record in chosen.kept] == [1, 1]
    assert [mention.score for record in chosen.rejected for mention in record.mentions] == [0.3, 0.4]
    assert chosen.counts["DISEASE"] == {"given": 4, "dropped": 2}


@pytest.mark.parametrize("gold, found", [
    pytest.param([], [scored("a", (0, 4, 0.1))], id="no-gold"),
    pytest.param([scored("a", (0, 4, None))], [scored("a", (0, 4, None))], id="no-scores"),
])
def test_without_gold_or_scores_every_span_is_kept(gold, found):
    assert choose_least_scores(gold, found) == {}
    assert choose_spans(found, {}).kept == found


def test_a_teacher_that_is_always_right_loses_nothing():
    found = [scored("a", (0, 4, 0.1))]
    assert choose_spans(found, choose_least_scores(found, found)).rejected == []


def test_spans_of_a_sure_teacher_are_told_apart_by_their_last_digits():
    found = [scored(f"g{number}", (0, 4, 0.99999), (9, 14, 0.99993)) for number in range(60)]
    gold = [scored(f"g{number}", (0, 4, None)) for number in range(60)]
    chosen = choose_spans(found, choose_least_scores(gold, found))
    assert [[mention.start for mention in record.mentions] for record in chosen.kept] == [[0]] * 60
