import numpy as np
import pytest

from spacy_bioner.finetuning.selection.diversity import choose_diverse, embed_sentences


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


@pytest.mark.parametrize("kind, places, declared, limit", [
    pytest.param("Roberta", 34, 32, 32, id="two-places-reserved"),
    pytest.param("Roberta", 34, None, 32, id="two-places-reserved-and-tokenizer-without-limit"),
    pytest.param("Bert", 32, None, 32, id="tokenizer-without-limit"),
    pytest.param("Bert", 32, 16, 16, id="tokenizer-with-a-smaller-limit"),
])
def test_long_sentences_are_cut_to_what_the_encoder_takes(kind, places, declared, limit, tmp_path):
    import torch
    import transformers
    from tiny_models import tiny_tokenizer

    fast = tiny_tokenizer().backend_tokenizer
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=fast, pad_token="<|im_end|>", clean_up_tokenization_spaces=False,
        **({"model_max_length": declared} if declared else {}))
    tokenizer.save_pretrained(tmp_path)
    torch.manual_seed(0)
    config = getattr(transformers, f"{kind}Config")(
        vocab_size=len(tokenizer), hidden_size=16, intermediate_size=24, num_hidden_layers=1, num_attention_heads=2,
        max_position_embeddings=places, pad_token_id=tokenizer.pad_token_id)
    getattr(transformers, f"{kind}Model")(config).save_pretrained(tmp_path)
    longest = "x" * limit
    assert len(tokenizer(longest)["input_ids"]) == limit
    whole, cut = embed_sentences([longest, longest + " gene" * 40], encoder=str(tmp_path))
    np.testing.assert_allclose(cut, whole, atol=1e-5)
