import pytest
import torch
from transformers import (
    BloomConfig,
    BloomModel,
    GPT2Config,
    GPT2Model,
    LlamaConfig,
    LlamaModel,
    MptConfig,
    MptModel,
    Qwen3Config,
    Qwen3Model,
)

from spacy_bioner.ml.selector.prefix_tree import PrefixTree, grow_trees, last_states, reads_trees

ROWS = [(5, 6, 7, 8), (5, 6, 9), (5, 6, 7), (3, 6, 7, 8, 1), (5, 6, 7, 8), (4,)]


@pytest.fixture(scope="module")
def transformer():
    torch.manual_seed(0)
    return LlamaModel(LlamaConfig(vocab_size=16, hidden_size=16, intermediate_size=24, num_hidden_layers=3,
                                  num_attention_heads=4, num_key_value_heads=2, initializer_range=0.4)).eval()


def test_a_common_beginning_stands_once():
    tree = PrefixTree()
    tree.plant(0, (5, 6, 7, 8))
    assert tree.missing((5, 6, 9)) == 1
    tree.plant(1, (5, 6, 9))
    assert (tree.ids, tree.depths, tree.parents, tree.ends) == ([5, 6, 7, 8, 9], [0, 1, 2, 3, 2], [-1, 0, 1, 2, 1],
                                                                [3, 4])
    assert tree.visible().sum(dim=1).tolist() == [1, 2, 3, 4, 3]
    assert tree.visible()[4].tolist() == [True, True, False, False, True]


@pytest.mark.parametrize("most", [1, 5, 8, 100])
def test_each_row_stands_in_one_tree_and_no_tree_is_too_large(most):
    trees = grow_trees(ROWS, most)
    assert sorted(row for tree in trees for row in tree.rows) == list(range(len(ROWS)))
    # A row that is longer by itself is the only kind of tree that may be larger.
    assert all(len(tree.ids) <= most or len({ROWS[row] for row in tree.rows}) == 1 for tree in trees)


@pytest.mark.parametrize("most", [5, 100])
@pytest.mark.parametrize("attention", ["sdpa", "eager"])
def test_states_and_gradients_are_those_of_rows_alone(transformer, most, attention):
    transformer.config._attn_implementation = attention
    alone = torch.stack([transformer(input_ids=torch.tensor([row])).last_hidden_state[0, -1] for row in ROWS])
    trees = grow_trees(ROWS, most)
    order = torch.tensor([row for tree in trees for row in tree.rows]).argsort()
    together = torch.cat([last_states(transformer, tree) for tree in trees])[order]
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=1e-5)
    weights = list(transformer.parameters())
    for one, other in zip(torch.autograd.grad(together.square().sum(), weights),
                          torch.autograd.grad(alone.square().sum(), weights)):
        torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-4)


def test_in_bfloat16_the_mask_still_hides(transformer):
    half = LlamaModel(transformer.config).to(torch.bfloat16).eval()
    half.load_state_dict(transformer.state_dict())
    rows = [(5, 6, 7, 8), (5, 6, 9, 8)]
    tree, = grow_trees(rows, 100)
    alone = torch.stack([half(input_ids=torch.tensor([row])).last_hidden_state[0, -1] for row in rows])
    torch.testing.assert_close(last_states(half, tree), alone, atol=0.05, rtol=0.05)


SIZES = {"vocab_size": 32, "hidden_size": 16, "initializer_range": 0.4}


@pytest.mark.parametrize("build, reads", [
    pytest.param(lambda: LlamaModel(LlamaConfig(intermediate_size=24, num_hidden_layers=2, num_attention_heads=2,
                                                **SIZES)), True, id="llama"),
    pytest.param(lambda: Qwen3Model(Qwen3Config(intermediate_size=24, num_hidden_layers=2, num_attention_heads=2,
                                                num_key_value_heads=1, head_dim=8, **SIZES)), True, id="qwen3"),
    pytest.param(lambda: GPT2Model(GPT2Config(n_layer=2, n_head=2, n_embd=16, vocab_size=32)), True, id="gpt2"),
    pytest.param(lambda: MptModel(MptConfig(d_model=16, n_heads=2, n_layers=2, vocab_size=32)), False, id="alibi"),
    pytest.param(lambda: BloomModel(BloomConfig(n_layer=2, n_head=2, **SIZES)), False, id="bloom"),
])
def test_a_model_is_asked_whether_it_reads_trees(build, reads):
    torch.manual_seed(0)
    model = build().train()
    assert reads_trees(model) is reads and model.training
