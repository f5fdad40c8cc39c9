"""A packed pass gives each sequence what it would get alone."""

import pytest
import torch
from tiny_models import tiny_lm
from transformers import (
    CONFIG_MAPPING,
    AutoConfig,
    AutoModelForCausalLM,
    BloomConfig,
    GPT2Config,
    MistralConfig,
    Qwen3Config,
)

from spacy_bioner.errors import BionerError
from spacy_bioner.llm.decoding.packed.packed_attention import Lane, Row, group_rows
from spacy_bioner.llm.decoding.packed.packed_model import PackedModel
from spacy_bioner.llm.local.causal_lm import CausalLM

SHAPE = dict(vocab_size=90, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4,
             num_key_value_heads=2, initializer_range=0.3, head_dim=8, max_position_embeddings=128)
CONFIGS = [
    pytest.param(Qwen3Config(**SHAPE), id="qwen3"),
    pytest.param(MistralConfig(**SHAPE, sliding_window=5), id="mistral-sliding-window"),
    pytest.param(GPT2Config(vocab_size=90, n_embd=32, n_layer=2, n_head=4, initializer_range=0.3), id="gpt2"),
]


def make_lm(config) -> CausalLM:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = AutoModelForCausalLM.from_config(config).eval().requires_grad_(False)
    return CausalLM(model, tiny_lm().tokenizer, name=config.model_type)


def alone(lm, tokens):
    return lm.model.base_model(input_ids=torch.tensor([tokens]), use_cache=False).last_hidden_state[0]


# On a GPU sequences are attended together, in padded groups; both ways run on a CPU.
TOGETHER = pytest.mark.parametrize("together", [False, True], ids=["one-by-one", "together"])


@TOGETHER
@pytest.mark.parametrize("config", CONFIGS)
def test_packed_sequences_do_not_see_each_other(config, together):
    lm = make_lm(config)
    packed = PackedModel(lm, together=together)
    packed.reserve(3, 40)
    rows = [list(range(3, 15)), [40], list(range(60, 67))]
    lanes = [Lane(0), Lane(1), Lane(2)]
    hidden = packed.forward(list(zip(lanes, rows)))
    assert torch.allclose(hidden, torch.cat([alone(lm, row) for row in rows]), atol=1e-5)
    more = [[7, 8, 9], [1, 2], [5]]
    hidden = packed.forward(list(zip(lanes, more)))
    wanted = torch.cat([alone(lm, row + new)[len(row):] for row, new in zip(rows, more)])
    assert torch.allclose(hidden, wanted, atol=1e-5)


@TOGETHER
def test_tokens_taken_back_leave_no_trace(together):
    lm = tiny_lm()
    packed = PackedModel(lm, together=together)
    packed.reserve(1, 30)
    lane = Lane(0)
    packed.forward([(lane, [5, 6, 7, 8, 9])])
    lane.length = 2
    hidden = packed.forward([(lane, [50, 51])])
    assert torch.allclose(hidden, alone(lm, [5, 6, 50, 51])[2:], atol=1e-5)


@TOGETHER
def test_copied_prefix_equals_a_scored_one(together):
    lm = tiny_lm()
    packed = PackedModel(lm, together=together)
    packed.reserve(3, 30)
    prefix, lanes = Lane(0), [Lane(2), Lane(1)]
    packed.forward([(prefix, [5, 6, 7, 8])])
    packed.copy(prefix, lanes, 3)
    hidden = packed.forward([(lanes[0], [20, 21]), (lanes[1], [30])])
    wanted = torch.cat([alone(lm, [5, 6, 7, 20, 21])[3:], alone(lm, [5, 6, 7, 30])[3:]])
    assert torch.allclose(hidden, wanted, atol=1e-5)


def test_at_most_half_of_a_group_is_filling():
    news = [3, 400, 2, 350, 1, 3]
    rows = [Row(0, new, 0, new + 10) for new in news]
    groups = [[row.new for row in group] for group in group_rows(rows)]
    assert groups == [[400, 350, 3], [3, 2, 1]]
    assert all(max(group) * len(group) <= 2 * sum(group) for group in groups)


@pytest.mark.gpu
@pytest.mark.parametrize("config", CONFIGS)
def test_a_gpu_gives_the_states_of_the_cpu(config):
    rows, more = [list(range(3, 15)), [40], list(range(60, 67))], [[7, 8, 9], [1, 2], [5]]
    states = []
    for device in ("cpu", "cuda"):
        lm = make_lm(config)
        lm.model.to(device)
        packed = PackedModel(lm)
        packed.reserve(3, 40)
        lanes = [Lane(0), Lane(1), Lane(2)]
        packed.forward(list(zip(lanes, rows)))
        states.append(packed.forward(list(zip(lanes, more))).cpu())
    assert torch.allclose(*states, atol=1e-4)


def test_choices_are_renormalised_over_legal_tokens():
    lm = tiny_lm()
    packed = PackedModel(lm)
    packed.reserve(1, 30)
    hidden = packed.forward([(Lane(0), [5, 6, 7])])
    logits = lm.model(input_ids=torch.tensor([[5, 6, 7]])).logits[0]
    scores = packed.choose_among(hidden, [[3, 9], [4], [9, 3, 70, 12]])
    for row, (legal, place) in zip(scores, [([3, 9], 0), ([4], 1), ([9, 3, 70, 12], 2)]):
        assert row == pytest.approx(logits[place, legal].log_softmax(-1).tolist(), abs=1e-5)


def test_model_is_left_as_it_was():
    lm = tiny_lm()
    before = lm.model.config._attn_implementation
    packed = PackedModel(lm)
    packed.reserve(1, 10)
    packed.forward([(Lane(0), [5, 6, 7])])
    assert lm.model.config._attn_implementation == before
    assert lm.model.generate(torch.tensor([[5, 6]]), attention_mask=torch.ones(1, 2), max_new_tokens=2).shape == (1, 4)


def test_model_without_attention_interface_is_refused():
    lm = make_lm(BloomConfig(vocab_size=90, hidden_size=32, n_layer=1, n_head=4))
    with pytest.raises(BionerError, match="more than plain attention"):
        PackedModel(lm)


@pytest.mark.parametrize("family, more", [
    pytest.param("lfm2", {"layer_types": ["conv", "full_attention"]}, id="convolution"),
    pytest.param("gpt_oss", {"num_local_experts": 2, "num_experts_per_tok": 1}, id="sinks"),
])
def test_model_of_more_than_plain_attention_is_refused(family, more):
    if family not in CONFIG_MAPPING:
        pytest.skip("this version of transformers does not have it")
    with pytest.raises(BionerError, match="more than plain attention"):
        PackedModel(make_lm(AutoConfig.for_model(family, **SHAPE, **more)))
