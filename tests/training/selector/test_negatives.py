import random

import pytest

from spacy_bioner.annotation import Annotation, Mention
from spacy_bioner.errors import BionerError
from spacy_bioner.tokens import find_units
from spacy_bioner.training.selector.negatives import (
    KINDS,
    Candidate,
    NegativeSettings,
    count_candidates,
    make_candidates,
    pair_predictions,
)

LABELS = ["DISEASE", "GENE", "CHEMICAL"]
GOLD = Annotation("Mutations of the APC gene cause familial adenomatous polyposis (FAP) in most families seen.", (
    Mention(17, 20, "GENE"), Mention(32, 61, "DISEASE"), Mention(63, 66, "DISEASE")), id="a")


def make(seed=0, predicted=(), gold=GOLD, **changes):
    return make_candidates(gold, LABELS, NegativeSettings(**changes), random.Random(seed), predicted=predicted)


@pytest.mark.parametrize("seed", range(20))
def test_no_negative_is_gold_and_none_comes_twice(seed):
    candidates = make(seed, shift=6, label=3, both=3, spurious=3)
    keys = [candidate.mention.key for candidate in candidates]
    gold = {mention.key for mention in GOLD.mentions}
    assert len(keys) == len(set(keys))
    assert {candidate.mention.key for candidate in candidates if candidate.valid} == gold
    assert all(candidate.kind == "gold" or candidate.mention.key not in gold for candidate in candidates)


def test_moved_edges_move_by_one_or_two_units():
    units = find_units(GOLD.text)
    place = {**{start: number for number, (start, _) in enumerate(units)},
             **{end: number for number, (_, end) in enumerate(units)}}
    for seed in range(20):
        for candidate in make(seed, label=0, both=0, spurious=0):
            if candidate.kind == "shift":
                gold = GOLD.mentions[candidate.group]
                moved = [abs(place[candidate.mention.start] - place[gold.start]),
                         abs(place[candidate.mention.end] - place[gold.end])]
                assert sorted(moved) in ([0, 1], [0, 2])
                assert candidate.mention.label == gold.label


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_can_be_had_alone(kind):
    kinds = {candidate.kind for candidate in make(**{**dict.fromkeys(KINDS, 0), kind: 2})}
    assert kinds == {"gold", kind}


def test_made_up_spans_share_nothing_with_a_mention_and_begin_and_end_in_words():
    for seed in range(20):
        for candidate in make(seed, shift=0, label=0, both=0, spurious=2):
            if candidate.kind == "spurious":
                surface = GOLD.surface(candidate.mention)
                assert surface[0].isalnum() and surface[-1].isalnum()
                assert not any(mention.start < candidate.mention.end and candidate.mention.start < mention.end
                               for mention in GOLD.mentions)


def test_errors_of_an_annotator_are_negatives_and_its_hits_are_not():
    wrong, right = Mention(0, 9, "GENE"), GOLD.mentions[0]
    made = make(predicted=[wrong, right], **dict.fromkeys(KINDS, 0))
    assert [(candidate.mention, candidate.kind) for candidate in made if not candidate.valid] == [(wrong, "annotator")]


def test_the_seed_decides():
    assert make(3) == make(3) != make(4)


def test_one_label_has_no_other():
    made = make_candidates(GOLD, ["DISEASE"], NegativeSettings(shift=0, label=2, both=2, spurious=0), random.Random(0))
    assert {candidate.kind for candidate in made} <= {"gold", "label", "both"}


@pytest.mark.parametrize("valid", [True, False], ids=["no negative", "no positive"])
def test_one_sided_candidates_are_an_error(valid):
    with pytest.raises(BionerError, match="needs both"):
        count_candidates([Candidate(Mention(0, 1, "A"), valid, "gold" if valid else "shift")])


def test_predictions_are_paired_by_id_and_text():
    other = Annotation(GOLD.text, (Mention(0, 9, "GENE"),), id="a")
    assert list(pair_predictions([GOLD], {"a": other})) == [(GOLD, other.mentions)]
    assert list(pair_predictions([GOLD], {})) == [(GOLD, ())]
    with pytest.raises(BionerError, match="different texts"):
        list(pair_predictions([GOLD], {"a": Annotation("Another text.", id="a")}))


def test_no_edge_moves_to_a_punctuation_mark():
    for seed in range(40):
        for candidate in make(seed, shift=6, label=0, both=3, spurious=0):
            if not candidate.valid:
                surface, gold = GOLD.surface(candidate.mention), GOLD.mentions[candidate.group]
                moved = surface[-1 if candidate.mention.start == gold.start else 0]
                assert moved.isalnum()
