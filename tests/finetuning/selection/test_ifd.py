import math
from types import SimpleNamespace

import pytest
import torch
from learning_models import VOCABULARY, make_pairs, make_tiny_model

from spacy_bioner.errors import BionerError
from spacy_bioner.finetuning.pairs import Pair
from spacy_bioner.finetuning.selection.ifd import AnswerLosses, ifd, score_pairs

START = 1


def mean_loss(model, before, answer, counted):
    """Mean loss of the counted answer tokens, one plain forward pass a token."""
    losses = []
    for place, token in enumerate(answer):
        if counted is None or counted[place]:
            scores = model(input_ids=torch.tensor([[*before, *answer[:place]]])).logits[0, -1].double()
            losses.append(-float(scores.log_softmax(-1)[token]))
    return sum(losses) / len(losses) if losses else 0.0


PAIRS = [
    *make_pairs(6),
    Pair((5, 6, 7), (9,), name="one_token"),
    Pair((5, 6, 7), (), name="empty"),
    Pair((5, 6, 7), (9, 10, 11), (False, True, True), name="mentions_only"),
    Pair((5, 6, 7), (9, 10), (False, False), name="no_mention_token"),
]


@pytest.mark.parametrize("max_batch_tokens", [1, 64, 4096])
def test_scores_are_those_of_a_plain_reference(max_batch_tokens):
    model = make_tiny_model()
    scores = dict(score_pairs(model, PAIRS, start=START, max_batch_tokens=max_batch_tokens))
    assert sorted(scores) == list(range(len(PAIRS)))
    for index, pair in enumerate(PAIRS):
        assert scores[index].conditioned == pytest.approx(mean_loss(model, pair.prompt, pair.answer, pair.counted),
                                                          abs=1e-5), pair.name
        assert scores[index].direct == pytest.approx(mean_loss(model, (START,), pair.answer, pair.counted), abs=1e-5)
        assert scores[index].tokens == len(pair.counted_places)
        for ratio in ("perplexity", "loss"):
            assert math.isfinite(ifd(scores[index], ratio=ratio))


@pytest.mark.issue(22)
def test_scores_do_not_depend_on_the_number_of_threads():
    model, before = make_tiny_model(), torch.get_num_threads()
    found = []
    try:
        for threads in (1, 3):
            torch.set_num_threads(threads)
            found.append(dict(score_pairs(model, PAIRS, start=START, max_batch_tokens=32)))
            assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
    for index, losses in found[0].items():
        assert found[1][index].conditioned == pytest.approx(losses.conditioned, abs=1e-6)
        assert found[1][index].direct == pytest.approx(losses.direct, abs=1e-6)


def test_ifd_is_below_one_where_the_prompt_helps():
    """A model that repeats the token two places before knows the answer from the prompt."""
    class Echo(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = torch.nn.Embedding.from_pretrained(torch.eye(VOCABULARY) * 20)
            self.base_model = self
            self.config = SimpleNamespace()

        def get_input_embeddings(self):
            return self.embedding

        def get_output_embeddings(self):
            return torch.nn.Identity()

        def __call__(self, input_ids, use_cache=False):
            states = self.embedding(input_ids).roll(1, dims=1)
            return SimpleNamespace(last_hidden_state=states)

    pair = Pair((3, 4, 3, 4), (3, 4, 3))
    score = dict(score_pairs(Echo(), [pair], start=START))[0]
    assert ifd(score) < 0.01


@pytest.mark.parametrize("losses, ratio, expected", [
    pytest.param(AnswerLosses(1.0, 2.0, 3), "perplexity", math.exp(-1), id="perplexity"),
    pytest.param(AnswerLosses(1.0, 2.0, 3), "loss", 0.5, id="loss"),
    pytest.param(AnswerLosses(0.0, 0.0, 0), "perplexity", 1.0, id="nothing_scored"),
    pytest.param(AnswerLosses(0.0, 0.0, 0), "loss", 1.0, id="nothing_scored_loss"),
    pytest.param(AnswerLosses(0.0, 0.0, 2), "loss", 1.0, id="both_certain"),
])
def test_ifd_is_defined(losses, ratio, expected):
    assert ifd(losses, ratio=ratio) == pytest.approx(expected)


def test_ifd_of_extreme_losses_is_a_number():
    assert math.isfinite(ifd(AnswerLosses(5000.0, 0.0, 1)))
    assert math.isfinite(ifd(AnswerLosses(1.0, 0.0, 1), ratio="loss"))


@pytest.mark.issue(6)
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_loss_that_is_no_number_names_the_record(value):
    model = make_tiny_model()
    with torch.no_grad():
        model.get_input_embeddings().weight[9] = value
    with pytest.raises(BionerError, match="loss of record 'spoilt' is not a finite number"):
        list(score_pairs(model, [*PAIRS[:2], Pair((5, 9, 7), (9, 10), name="spoilt")], start=START,
                         max_batch_tokens=1))


def test_a_shared_beginning_is_computed_once_and_short_answers_go_together(monkeypatch):
    model, pairs, shapes = make_tiny_model(), make_pairs(30), []
    backbone = type(model.base_model)
    original = backbone.forward

    def forward(self, input_ids, **options):
        shapes.append((tuple(input_ids.shape), options.get("past_key_values") is not None))
        return original(self, input_ids, **options)

    monkeypatch.setattr(backbone, "forward", forward)
    list(score_pairs(model, pairs, start=START, max_batch_tokens=128))
    beginning, behind, alone = (
        [shape for shape, cached in shapes if cached and shape[0] == 1],
        [shape for shape, cached in shapes if cached and shape[0] > 1],
        [shape for shape, cached in shapes if not cached])
    assert beginning == [(1, 12)]
    assert len(behind) > len(alone) > 1
    assert all(rows * width <= 128 for rows, width in alone)
    assert sum(rows for rows, _ in behind) == sum(rows for rows, _ in alone) == 30
