"""A tiny random model with a byte-level tokenizer, both made on the spot: no weights, no downloads."""

from functools import lru_cache

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoTokenizer,
    BertConfig,
    BertModel,
    BertTokenizerFast,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
)

from spacy_bioner.llm.local.causal_lm import CausalLM
from spacy_bioner.llm.local.hub import resolve_model

_TEXTS = ["Mutations of the BRCA1 gene cause breast cancer and ovarian cancer in some families.",
          "DISEASE:  CHEMICAL:  GENE:  none [copper toxicosis] (see [1]) p < 0.05", "<DISEASE:x>x</DISEASE>",
          '[{"type": "DISEASE", "name": "copper toxicosis"}, {"type": "GENE", "name": "ATP7B"}]']


@lru_cache(maxsize=1)
def tiny_tokenizer() -> PreTrainedTokenizerFast:
    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=420, special_tokens=["<|im_start|>", "<|im_end|>"], show_progress=False,
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    backend.train_from_iterator(_TEXTS, trainer)
    return PreTrainedTokenizerFast(tokenizer_object=backend, eos_token="<|im_end|>", pad_token="<|im_end|>",
                                   clean_up_tokenization_spaces=False)


@lru_cache(maxsize=4)
def tiny_lm(seed: int = 0, dtype: torch.dtype = torch.float32, context: int = 4096) -> CausalLM:
    """Return two layers, grouped key heads, weights large enough that choices vary."""
    tokenizer = tiny_tokenizer()
    config = LlamaConfig(vocab_size=len(tokenizer), hidden_size=32, intermediate_size=48, num_hidden_layers=2,
                         num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=context,
                         initializer_range=0.4, eos_token_id=tokenizer.eos_token_id, bos_token_id=None,
                         pad_token_id=tokenizer.pad_token_id, tie_word_embeddings=False)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = LlamaForCausalLM(config).to(dtype).eval().requires_grad_(False)
    return CausalLM(model, tokenizer, name=f"tiny-{seed}", settings={"dtype": str(dtype)})


def save_tiny_model(folder, family="qwen3"):
    """Write a tiny random model of a family with the embedded model's tokenizer."""
    tokenizer = AutoTokenizer.from_pretrained(resolve_model("smollm2-135m-instruct"))
    more = {} if family == "biogpt" else {"num_key_value_heads": 2, "head_dim": 8}
    config = AutoConfig.for_model(family, vocab_size=len(tokenizer), hidden_size=32, intermediate_size=48,
                                  num_hidden_layers=2, num_attention_heads=4, max_position_embeddings=2048,
                                  pad_token_id=0, **more)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        AutoModelForCausalLM.from_config(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return str(folder)


def write_bert(folder, seed=0):
    """Write a random BERT of two layers that reads letter by letter."""
    letters = "abcdefghijklmnopqrstuvwxyz0123456789().,-"
    vocab = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *(f"##{letter}" for letter in letters), "gene"]
    (folder / "vocab.txt").write_text("\n".join(vocab), encoding="utf8")
    BertTokenizerFast(str(folder / "vocab.txt")).save_pretrained(folder)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        BertModel(BertConfig(vocab_size=len(vocab), hidden_size=16, num_hidden_layers=2, num_attention_heads=2,
                             intermediate_size=24, max_position_embeddings=80)).save_pretrained(folder)
    return folder
