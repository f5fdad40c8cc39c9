"""Tiny taggers made on the spot: no weights, no downloads."""

from pathlib import Path
from typing import Dict, Mapping, Optional

import numpy
import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import BertConfig, BertForTokenClassification, BertModel, PreTrainedTokenizerFast

_SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]


def tiny_wordpiece(pieces: Mapping[str, str], *, most: int = 16) -> PreTrainedTokenizerFast:
    """Return a tokenizer that knows these pieces, in lower case; `##` begins those inside a word."""
    vocabulary = {piece: place for place, piece in enumerate([*_SPECIAL, *pieces])}
    backend = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    backend.normalizer = normalizers.BertNormalizer(lowercase=True)
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    backend.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    return PreTrainedTokenizerFast(tokenizer_object=backend, unk_token="[UNK]", pad_token="[PAD]", cls_token="[CLS]",
                                   sep_token="[SEP]", model_max_length=most)


def tiny_bert_config(vocabulary: int, tags: Optional[Dict[int, str]] = None, *, most: int = 16) -> BertConfig:
    """Return the settings of one layer of width 32."""
    return BertConfig(vocab_size=vocabulary, hidden_size=32, num_hidden_layers=1, num_attention_heads=2,
                      intermediate_size=32, max_position_embeddings=most, **({"id2label": tags} if tags else {}))


def save_token_classifier(folder: Path, pieces: Mapping[str, str], *, most: int = 16, head: bool = True) -> None:
    """Write a model that gives each piece the tag that it has in `pieces`, wherever it stands; unknown ones get O."""
    tokenizer = tiny_wordpiece(pieces, most=most)
    tags = ["O", *sorted(set(pieces.values()) - {"O"})]
    config = tiny_bert_config(len(tokenizer), dict(enumerate(tags)), most=most)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = BertForTokenClassification(config).eval().requires_grad_(False)
    model.bert.embeddings.position_embeddings.weight.zero_()
    for layer in model.bert.encoder.layer:
        for part in (layer.attention.output.dense, layer.output.dense):
            part.weight.zero_()
            part.bias.zero_()
    ids = torch.arange(len(tokenizer))[:, None]
    vectors = model.bert(input_ids=ids).last_hidden_state[:, 0].double().numpy()
    wanted = numpy.full((len(tokenizer), len(tags)), -8.0)
    for piece, place in tokenizer.get_vocab().items():
        wanted[place, tags.index(pieces.get(piece, "O"))] = 8.0
    weights = numpy.linalg.lstsq(numpy.hstack([vectors, numpy.ones((len(vectors), 1))]), wanted, rcond=None)[0]
    model.classifier.weight.copy_(torch.tensor(weights[:-1].T))
    model.classifier.bias.copy_(torch.tensor(weights[-1]))
    (model if head else BertModel(config)).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
