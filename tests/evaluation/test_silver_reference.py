"""A reference that a model made is told, and the sentences that most likely hold an error come first."""

from dataclasses import replace

from spacy_bioner.annotation import Annotation, Mention
from spacy_bioner.evaluation.silver_reference import MOST, describe_silver, rank_to_check


def record(id_, *mentions, origin="synthetic"):
    return Annotation("gout and lupus", tuple(Mention(0, 4, label, score=score) for label, score in mentions), id=id_,
                      meta={"origin": origin, "model": "teacher"})


def test_gold_has_nothing_to_check():
    assert describe_silver([record("a", origin="gold")], []) is None


def test_confident_disagreements_come_before_low_scores():
    made = [record("sure", ("A", 0.9)), record("unsure", ("A", 0.2)), record("small", ("A", 0.6)),
            record("large", ("A", 0.9))]
    student = {each.id: each for each in made}
    student["small"] = made[2].with_mentions(())
    student["large"] = replace(made[3], mentions=(Mention(0, 4, "B", score=0.9),))
    assert rank_to_check(made, [student]) == ["large", "small", "unsure", "sure"]


def test_at_most_fifty_sentences_and_the_models_are_named():
    made = [record(str(number)) for number in range(60)]
    told = describe_silver(made, [])
    assert told == {"documents": 60, "models": ["teacher"], "check_first": [str(number) for number in range(MOST)]}
