"""Heads of a head start: a label begins with the trained one that finds its spans."""

from pathlib import Path

import numpy
import pytest
import torch

from spacy_bioner.ml.head_start.folder import HeadStart, HeadStartCard
from spacy_bioner.ml.head_start.heads import build_grid, choose_heads, count_agreement, fits, take_heads
from spacy_bioner.ml.spans.span_grid import SpanGrid

SIZES = {"n_in": 6, "n_labels": 3, "hidden_size": 5, "rank": 4, "max_length": 7, "dropout": 0.0}


@pytest.fixture
def start():
    torch.manual_seed(0)
    grid = SpanGrid(**SIZES)
    for value in grid.parameters():
        torch.nn.init.normal_(value)
    card = HeadStartCard(kind="", encoder="tiny", base=[], grid=SIZES, labels=["a/GENE", "a/CELL", "b/GENE"],
                         sources={}, sha256={})
    return HeadStart(Path(), card, {}, grid.state_dict())


def test_agreement_is_f1_of_exact_spans_for_each_pair():
    found = [{(0, 2, 0), (3, 4, 0), (3, 4, 1)}, {(1, 2, 1)}]
    gold = [{(0, 2, 0), (3, 4, 1)}, {(1, 2, 1), (5, 6, 1)}]
    # Label 0 finds one of 1 and one of 3 gold spans with 2 of its own, label 1 none and two.
    wanted = [[2 * 1 / (2 + 1), 2 * 1 / (2 + 3)], [0, 2 * 2 / (2 + 3)]]
    numpy.testing.assert_allclose(count_agreement(found, gold, 2, 2), wanted)


def test_the_best_trained_label_is_chosen_and_none_where_none_agrees():
    assert choose_heads(numpy.asarray([[0.5, 0.0, 0.05], [0.6, 0.0, 0.02]])) == [1, None, None]


def test_a_label_scores_like_the_one_it_begins_as(start):
    grid = SpanGrid(**{**SIZES, "n_labels": 4}).eval()
    take_heads(grid, start, [2, None, 0, 2])
    tokens = torch.randn(9, 6)
    with torch.no_grad():
        mine, theirs = grid(tokens), build_grid(start)(tokens)
    torch.testing.assert_close(mine[..., [0, 2, 3]], theirs[..., [2, 0, 2]])
    assert not any(torch.allclose(mine[..., 1], theirs[..., label]) for label in range(3))


@pytest.mark.parametrize("changes, same", [({"n_labels": 9, "dropout": 0.5}, True), ({"rank": 5}, False),
                                           ({"max_length": 8}, False), ({"hidden_size": 6}, False)])
def test_heads_fit_a_grid_of_the_same_sizes(start, changes, same):
    assert fits(SpanGrid(**{**SIZES, **changes}), start) == same
