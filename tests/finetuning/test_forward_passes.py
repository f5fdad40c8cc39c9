from dataclasses import replace

import pytest
import torch
from learning_models import FAMILIES, make_pairs, make_tiny_model

from spacy_bioner.finetuning.forward_passes import Beginnings, answer_losses, plan_passes, shared_length
from spacy_bioner.finetuning.pairs import Pair


def plain_losses(model, pair):
    """Loss of each answer token, from the scores of the whole vocabulary at every place."""
    scores = model(input_ids=torch.tensor([[*pair.prompt, *pair.answer]])).logits[0].float().log_softmax(-1)
    return [-scores[len(pair.prompt) + place - 1, token] for place, token in enumerate(pair.answer)]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("shared", [0, 5, 12], ids=["unshared", "partly_shared", "shared"])
def test_losses_of_a_batch_are_those_of_plain_forward_passes(family, shared):
    model, pairs = make_tiny_model(family), make_pairs(7)
    expected = torch.stack([loss for pair in pairs for loss in plain_losses(model, pair)])
    torch.testing.assert_close(answer_losses(model, pairs, shared=shared), expected, atol=1e-5, rtol=1e-5)


def test_gradients_flow_into_the_shared_beginning():
    pairs = make_pairs(5)
    gradients = []
    for shared in (0, 12):
        model = make_tiny_model().requires_grad_(True)
        answer_losses(model, pairs, shared=shared).sum().backward()
        gradients.append({name: weight.grad for name, weight in model.named_parameters()})
    for name, expected in gradients[0].items():
        torch.testing.assert_close(gradients[1][name], expected, atol=1e-4, rtol=1e-4, msg=name)


@pytest.mark.parametrize("trained", [True, False])
def test_the_shared_beginning_can_be_left_out_of_the_gradients_at_equal_losses(trained):
    model, pairs, beginnings = make_tiny_model().requires_grad_(True), make_pairs(5), Beginnings()
    losses = answer_losses(model, pairs, shared=12, beginnings=beginnings, trains_shared=trained)
    states = beginnings.states(model.base_model, pairs[0].prompt[:12], torch.device("cpu"))
    assert {part.requires_grad for layer in states for part in layer} == {trained}
    torch.testing.assert_close(losses, answer_losses(model, pairs), atol=1e-5, rtol=1e-5)
    losses.sum().backward()
    assert all(weight.grad is not None for weight in model.parameters())


def test_only_counted_tokens_have_losses():
    model = make_tiny_model()
    pair = make_pairs(1)[0]
    part = Pair(pair.prompt, pair.answer, tuple(place % 2 == 1 for place in range(len(pair.answer))))
    torch.testing.assert_close(answer_losses(model, [part]), answer_losses(model, [pair])[1::2])


@pytest.mark.parametrize("prompts, length", [
    pytest.param([(1, 2, 3), (1, 2, 4)], 2, id="differ_at_last"),
    pytest.param([(1, 2, 3), (1, 2, 3)], 2, id="equal_prompts_keep_their_last_token"),
    pytest.param([(1, 2, 3), (1, 2)], 1, id="one_begins_the_other"),
    pytest.param([(5,), (6,)], 0, id="nothing_shared"),
])
def test_shared_length(prompts, length):
    assert shared_length(prompts) == length


def test_passes_hold_every_pair_once_within_the_limit():
    pairs = make_pairs(40, group="a") + make_pairs(20, seed=1, group="b")
    passes = plan_passes(pairs, range(60), max_tokens=120)
    assert sorted(index for item in passes for index in item.indices) == list(range(60))
    for item in passes:
        rows = [pairs[index] for index in item.indices]
        assert len({row.group for row in rows}) == 1
        assert item.shared == (12 if len(rows) > 1 else 0)
        assert item.shared + len(rows) * (max(row.length for row in rows) - item.shared) <= 120


def test_passes_give_a_pair_over_the_limit_a_pass_of_its_own():
    pairs = make_pairs(3)
    assert [len(item.indices) for item in plan_passes(pairs, range(3), max_tokens=1)] == [1, 1, 1]


def test_passes_waste_little_on_padding():
    pairs = make_pairs(200)
    passes = plan_passes(pairs, range(200), max_tokens=256)
    computed = sum(item.shared + len(item.indices) * (pairs[item.indices[0]].length - item.shared) for item in passes)
    needed = sum(item.shared + sum(pairs[index].length - item.shared for index in item.indices) for item in passes)
    assert computed < 1.05 * needed


@pytest.mark.issue(6)
def test_passes_share_prompts_of_one_question_only():
    asked = [replace(pair, question=question) for pair in make_pairs(6) for question in ("DISEASE", "CHEMICAL")]
    passes = plan_passes(asked, range(12), max_tokens=10_000)
    assert sorted(len(item.indices) for item in passes) == [6, 6]
    assert all(len({asked[index].question for index in item.indices}) == 1 for item in passes)
