"""The adapter's layers compute what those of peft compute, gradients too, whatever the frozen layer is."""

import pytest
import torch
from learning_models import make_tiny_model

from spacy_bioner.finetuning.lora.adapter_model import put_adapter, train_last_layers
from spacy_bioner.finetuning.lora.lora_settings import LoraSettings
from spacy_bioner.finetuning.lora.low_rank_layers import speed_up_products

pytestmark = pytest.mark.issue(22)


def compute(model, *, as_peft):
    """Return the scores of some tokens, and the gradient of each weight."""
    with torch.no_grad():
        for number, weight in enumerate(weight for weight in model.parameters() if weight.requires_grad):
            weight.copy_(torch.randn(weight.shape, generator=torch.Generator().manual_seed(number)) / 10)
    if not as_peft:
        speed_up_products(model)
    scores = model(input_ids=torch.tensor([[3, 4, 5, 6], [7, 8, 3, 9]])).logits
    torch.nn.functional.cross_entropy(scores[:, :-1].flatten(0, 1).float(), torch.tensor([5, 6, 7, 1, 2, 3])).backward()
    return scores.detach(), {name: weight.grad for name, weight in model.named_parameters() if weight.requires_grad}


@pytest.mark.parametrize("lora, int8, dtype, tolerance", [
    pytest.param({}, False, torch.float32, 1e-5, id="float32"),
    pytest.param({}, True, torch.float32, 1e-5, id="8 bits"),
    pytest.param({}, False, torch.bfloat16, 0.05, id="bfloat16"),
    pytest.param({"adapter_dtype": "float32"}, False, torch.bfloat16, 0.05, id="an adapter of another number type"),
])
def test_products_and_gradients_are_those_of_peft(lora, int8, dtype, tolerance):
    scores, gradients = zip(*(compute(
        put_adapter(make_tiny_model().to(dtype), LoraSettings(r=4, **lora), seed=0, int8=int8), as_peft=as_peft)
        for as_peft in (False, True)))
    torch.testing.assert_close(*scores, rtol=tolerance, atol=tolerance)
    assert gradients[0].keys() == gradients[1].keys() and gradients[0]
    for name, gradient in gradients[0].items():
        torch.testing.assert_close(gradient, gradients[1][name], rtol=tolerance, atol=tolerance)
        assert gradient.abs().sum() > 0


def test_layers_that_are_not_trained_take_no_gradient():
    model = put_adapter(make_tiny_model(), LoraSettings(r=4), seed=0)
    train_last_layers(model, 1)
    _, gradients = compute(model, as_peft=False)
    assert gradients and all(".layers.1." in name for name in gradients)


def test_an_adapter_with_dropout_stays_as_peft_computes_it():
    model = put_adapter(make_tiny_model(), LoraSettings(r=4, lora_dropout=0.5), seed=0)
    speed_up_products(model)
    assert not any("forward" in vars(layer) for layer in model.modules())
