import numpy as np
import pytest

from spacy_bioner.finetuning.diversity import choose_diverse


def unit(rows):
    rows = np.asarray(rows, dtype="float32")
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def greedy(vectors, candidates, count):
    """Facility location, every gain computed anew in every step."""
    chosen = []
    for _ in range(count):
        best = max((row for row in candidates if row not in chosen),
                   key=lambda row: np.maximum(vectors @ vectors[[*chosen, row]].T, 0).max(axis=1).sum())
        chosen.append(best)
    return chosen


@pytest.mark.parametrize("seed", range(5))
def test_lazy_choice_is_the_greedy_one(seed):
    vectors = unit(np.random.default_rng(seed).normal(size=(40, 6)))
    candidates = list(range(5, 35))
    assert choose_diverse(vectors, candidates, 8) == greedy(vectors, candidates, 8)


def test_every_cluster_is_covered():
    centres = np.eye(4, 6)
    vectors = unit(np.repeat(centres, 10, axis=0) + np.random.default_rng(0).normal(0, 0.05, (40, 6)))
    assert {row // 10 for row in choose_diverse(vectors, range(40), 4)} == {0, 1, 2, 3}


def test_no_more_than_there_are():
    assert sorted(choose_diverse(unit(np.eye(3)), [0, 2], 5)) == [0, 2]
