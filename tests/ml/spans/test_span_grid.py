import numpy
import pytest
import torch

from spacy_bioner.ml.spans.span_grid import SpanGrid


def make_grid(**changes):
    torch.manual_seed(0)
    sizes = {"n_in": 6, "n_labels": 3, "hidden_size": 5, "rank": 4, "max_length": 7, "dropout": 0.0}
    grid = SpanGrid(**{**sizes, **changes})
    torch.nn.init.normal_(grid.length)
    return grid.eval()


def score_one_by_one(grid, tokens):
    """The same scores, span by span."""
    tokens = grid.norm(tokens)
    first, second = torch.nn.functional.gelu(grid.edges(tokens)).chunk(2, dim=-1)
    starts = grid.start(first).view(len(tokens), grid.n_labels, -1)
    ends = grid.end(second).view(len(tokens), grid.n_labels, -1)
    inside = grid.inside(tokens)
    scores = torch.full((len(tokens), grid.max_length, grid.n_labels), float("nan"))
    for start in range(len(tokens)):
        for end in range(start, min(len(tokens), start + grid.max_length)):
            pair = (starts[start, :, 1:] * ends[end, :, 1:]).sum(-1) * grid.rank ** -0.5
            scores[start, end - start] = (pair + starts[start, :, 0] + ends[end, :, 0] + grid.length[end - start]
                                          + inside[start:end + 1].mean(0) + grid.bias)
    return scores


@pytest.mark.parametrize("count", [1, 5, 63, 64, 65, 200])
def test_scores_equal_those_taken_span_by_span(count):
    grid = make_grid()
    tokens = torch.randn(count, 6)
    wanted = score_one_by_one(grid, tokens)
    inside = ~torch.isnan(wanted)
    torch.testing.assert_close(grid(tokens)[inside], wanted[inside], rtol=1e-4, atol=1e-5)


def test_spans_longer_than_a_block_are_scored():
    grid = make_grid(max_length=90)
    tokens = torch.randn(100, 6)
    torch.testing.assert_close(grid(tokens)[5, 89], score_one_by_one(grid, tokens)[5, 89], rtol=1e-4, atol=1e-5)


def test_a_document_does_not_depend_on_its_neighbours():
    grid = make_grid()
    first, second = torch.randn(9, 6), torch.randn(80, 6)
    together, alone = grid(torch.cat([first, second])), grid(first)
    for start in range(9):
        fits = min(7, 9 - start)
        torch.testing.assert_close(together[start, :fits], alone[start, :fits], rtol=1e-4, atol=1e-5)


def test_an_untrained_grid_finds_mentions_unlikely():
    assert numpy.all(torch.sigmoid(make_grid().bias).detach().numpy() < 0.02)


def test_gradients_are_those_of_the_scores():
    grid = make_grid().double()
    tokens = torch.randn(6, 6, dtype=torch.float64, requires_grad=True)
    fits = torch.tensor([[start + width < 6 for width in range(7)] for start in range(6)])
    assert torch.autograd.gradcheck(lambda row: grid(row)[fits].sum(), (tokens,))
