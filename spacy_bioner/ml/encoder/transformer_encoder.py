"""A transformer as a tok2vec layer that is quick on CPUs: tokens in, one vector a token out.

Against the stock layer: tokens are cut into pieces by table, windows are sorted by length and packed so that little is
padding, the pieces of a token are averaged inside torch, bf16 is used where the device is quicker in it, and word
embeddings may stay frozen, which saves half of an update of a small model.
"""

import json
from functools import partial
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, List, Optional, Sequence, Tuple

import numpy
import torch
from spacy.tokens import Doc
from thinc.api import Model, torch2xp, xp2torch
from thinc.types import Floats2d

from ...errors import BionerError, Errors
from ...llm.local.hub import resolve_model
from ...llm.local.numbers.int8_layers import put_int8
from ...llm.local.passes.parallel_passes import compute_side_by_side
from ...llm.local.pretrained import build_model, load_model, load_tokenizer
from ...llm.model_files import UnreadableFile, read_object
from ..head_start.folder import find_head_start, read_head_start
from ..torch_module import ModuleShim, forward_pass
from .encoder_lora import LoraModule, add_lora, check_base
from .word_pieces import (
    MAX_PIECES_A_TOKEN,
    PACKED_CPU,
    PACKED_GPU,
    PACKED_THREAD,
    PieceMaker,
    Window,
    cut_windows,
    find_around,
    has_joined_pieces,
    pack_rows,
)

# Dropout of attention would cost a fifth of an update on a CPU: there is no fused kernel for it.
_ATTENTION_DROPOUT = "attention_probs_dropout_prob"
# Tokens further inside a piece count as that far inside.
_MOST_INSIDE = 8


class PooledTransformer(LoraModule):
    """A transformer whose output is averaged over the pieces of each token.

    transformer (torch.nn.Module): Gives `last_hidden_state` for `input_ids` and `attention_mask`.
    tokenizer (str): The tokenizer's JSON.
    around (Tuple[List[int], List[int]]): Ids put before and after every window.
    pad_id (int): Fills short rows.
    unknown_id (int): Stands for tokens without pieces.
    joins (bool): Whether runs of Chinese characters are cut into pieces as a whole. The tokens of a piece then share
        its output, to which a vector is added that says how far inside a token stands.
    """

    def __init__(self, transformer: torch.nn.Module, *, tokenizer: str, around: Tuple[List[int], List[int]],
                 pad_id: int, unknown_id: int, joins: bool = False):
        from tokenizers import Tokenizer

        super().__init__()
        self.transformer = transformer
        self.piece_maker = PieceMaker(Tokenizer.from_str(tokenizer), unknown_id=unknown_id, joins=joins)
        self.inside = torch.nn.Embedding(_MOST_INSIDE, transformer.config.hidden_size) if joins else None
        if self.inside is not None:
            torch.nn.init.normal_(self.inside.weight, std=0.5)
        self.around = around
        self.pad_id = pad_id

    def forward(self, rows: Sequence[Sequence[Tuple[int, ...]]], owned: Sequence[Tuple[int, int]]) -> torch.Tensor:
        """Encode windows.

        rows (Sequence[Sequence[Tuple[int, ...]]]): For each window the piece ids of its tokens.
        owned (Sequence[Tuple[int, int]]): For each window the tokens to be given back, counted from its start.
        RETURNS (torch.Tensor): The vectors of all owned tokens, in order, as float32.
        """
        before, after = self.around
        width = max(sum(map(len, row)) for row in rows) + len(before) + len(after)
        ids = numpy.full((len(rows), width), self.pad_id, dtype="int64")
        lengths = numpy.zeros(len(rows), dtype="int64")
        places, offsets, depths = [], [], []
        seen = 0
        for index, (row, (first, last)) in enumerate(zip(rows, owned)):
            flat = [*before, *(piece for token in row for piece in token), *after]
            ids[index, :len(flat)] = flat
            lengths[index] = len(flat)
            counts = numpy.asarray([len(token) for token in row])
            starts = index * width + len(before) + numpy.cumsum(counts) - counts
            # A token inside a piece takes the one before its place.
            starts, sizes = (starts - (counts == 0))[first:last], numpy.maximum(counts, 1)[first:last]
            ends = numpy.cumsum(sizes)
            offsets.append(seen + ends - sizes)
            places.append(numpy.repeat(starts - ends + sizes, sizes) + numpy.arange(ends[-1]))
            depths.append(_find_depths(counts)[first:last])
            seen += ends[-1]
        device = next(self.transformer.parameters()).device
        input_ids = torch.from_numpy(ids).to(device)
        mask = (torch.arange(width)[None] < torch.from_numpy(lengths)[:, None]).to(device)
        hidden = self.transformer(input_ids=input_ids, attention_mask=mask).last_hidden_state
        vectors = torch.nn.functional.embedding_bag(
            torch.from_numpy(numpy.concatenate(places)).to(device), hidden.reshape(-1, hidden.shape[-1]).float(),
            torch.from_numpy(numpy.concatenate(offsets)).to(device), mode="mean")
        if self.inside is None:
            return vectors
        return vectors + self.inside(torch.from_numpy(numpy.concatenate(depths)).to(device)).float()


def _find_depths(counts: numpy.ndarray) -> numpy.ndarray:
    """Return how many tokens lie between each token and the last one that has pieces."""
    places = numpy.arange(len(counts))
    return numpy.minimum(places - numpy.maximum.accumulate(numpy.where(counts > 0, places, 0)), _MOST_INSIDE - 1)


def build_transformer_encoder(name: str, max_pieces: int, overlap: int, mixed_precision: bool,
                              frozen_layers: int, layer_decay: float, dropout: float, average: float,
                              lora_rank: int, lora_alpha: int, layers: int, start_from: Optional[str] = None,
                              int8: bool = False) -> Model[List[Doc], List[Floats2d]]:
    """Build the layer; weights are read when it is initialized, or come with the trained pipeline.

    name (str): A folder, an embedded package or a hub id, as `llm.local.hub` takes it.
    max_pieces (int): Most pieces read at once; longer documents are read in windows.
    overlap (int): Pieces that neighbouring windows share.
    mixed_precision (bool): Whether to compute in bf16 where the device is quicker in it.
    frozen_layers (int): -1 trains everything, 0 leaves the word embeddings as they are, n also the first n layers.
    layer_decay (float): Factor on the learning rate from each layer to the one below; the uppermost has all of it.
    dropout (float): Dropout inside the transformer.
    average (float): Decay of the moving average of the weights; 0 keeps none.
    lora_rank (int): 0 trains and stores the weights themselves; n trains LoRA of that rank on all linear layers, stores
        it alone, and reads the base model by its name, which suits a causal language model.
    lora_alpha (int): Scale of LoRA. With LoRA all else is frozen, whatever `frozen_layers` says, and `dropout` is its
        own.
    layers (int): How many of the transformer's layers are used, from below; 0 uses all. Upper layers of a causal
        language model foresee the next word, which is dear and of little use to who judges the words that are there.
    start_from (Optional[str]): The head start whose weights training begins with, see `head_start.folder`; None for
        the weights as they are.
    int8 (bool): Whether weights that are read from a trained pipeline are rounded to 8 bits, see `int8_layers`.
    RETURNS (Model[List[Doc], List[Floats2d]]): One array a document, one row a token.
    RAISES BionerError: E563 for 8-bit weights with LoRA, E571 for a head start with LoRA.
    """
    if int8 and lora_rank:
        raise BionerError(Errors.E563)
    if start_from is not None and lora_rank:
        raise BionerError(Errors.E571)
    shim = ModuleShim(_build_module, rate_factor=partial(_rate_of_layer, decay=layer_decay), average=average,
                      trained_only=lora_rank > 0, finish=_round_weights if int8 else None)
    return Model("transformer_encoder", _forward, init=_init, shims=[shim], dims={"nO": None}, attrs={
        "name": name, "max_pieces": max_pieces, "overlap": overlap, "mixed_precision": mixed_precision,
        "frozen_layers": frozen_layers, "dropout": dropout, "lora_rank": lora_rank, "lora_alpha": lora_alpha,
        "layers": layers, "start_from": start_from})


def _build_module(config: Dict[str, Any]) -> PooledTransformer:
    lora = config.get("lora")
    if lora:
        folder = resolve_model(config["name"])
        transformer = load_model(folder, dtype=torch.float32, **_leave_out_attention_dropout(folder))
    else:
        transformer = build_model(config["transformer"])
    _drop_pooler(transformer)
    if lora:
        check_base(transformer, config)
        _keep_layers(transformer, config.get("layers", 0), config["name"])
        add_lora(transformer, lora)
    module = PooledTransformer(transformer, tokenizer=config["tokenizer"], around=tuple(config["around"]),
                               pad_id=config["pad_id"], unknown_id=config["unknown_id"],
                               joins=config.get("joins", False))
    if config.get("int8"):
        put_int8(transformer, filled=False, embeddings=True)
    elif not lora:
        _freeze(transformer, config["frozen_layers"])
    return module


def _leave_out_attention_dropout(folder: Path) -> Dict[str, Any]:
    """Return the change to the settings of a model that leaves out what has no fused kernel on a CPU."""
    try:
        settings = read_object(folder / "config.json")
    except UnreadableFile:
        return {}  # `load_model` says what is wrong with it
    return {_ATTENTION_DROPOUT: 0.0} if _ATTENTION_DROPOUT in settings else {}


def _round_weights(module: torch.nn.Module, config: Dict[str, Any]) -> Dict[str, Any]:
    if not config.get("int8"):
        put_int8(module.transformer, embeddings=True)
    return {**config, "int8": True}


def _drop_pooler(transformer: torch.nn.Module) -> None:
    # The vector of the whole text is not used; kept, it would be stored and never trained.
    if getattr(transformer, "pooler", None) is not None:
        transformer.pooler = None


def _find_layers(transformer: torch.nn.Module) -> torch.nn.ModuleList:
    lists = (module for module in transformer.modules() if isinstance(module, torch.nn.ModuleList))
    return next((found for found in lists if len(found) == transformer.config.num_hidden_layers),
                torch.nn.ModuleList())


def _keep_layers(transformer: torch.nn.Module, layers: int, name: str) -> None:
    """Leave out a model's upper layers. RAISES BionerError: E546 where it has not so many."""
    if layers == 0:
        return
    found = _find_layers(transformer)
    if not 0 < layers <= len(found):
        raise BionerError(Errors.E546.format(name=name, found=layers, most=len(found)))
    del found[layers:]
    transformer.config.num_hidden_layers = layers


def _freeze(transformer: torch.nn.Module, frozen_layers: int) -> None:
    if frozen_layers < 0:
        return
    transformer.get_input_embeddings().requires_grad_(False)
    if frozen_layers and hasattr(transformer, "embeddings"):
        transformer.embeddings.requires_grad_(False)
    for layer in list(_find_layers(transformer))[:frozen_layers]:
        layer.requires_grad_(False)


def _rate_of_layer(name: str, module: PooledTransformer, *, decay: float) -> float:
    number = next((int(part) for part in name.split(".") if part.isdigit()), None)
    if number is not None:
        return decay ** (module.transformer.config.num_hidden_layers - 1 - number)
    # Embeddings lie below the first layer; what else has no number, such as a last norm, above all of them.
    return decay ** module.transformer.config.num_hidden_layers if "embed" in name else 1.0


def _init(model: Model, X: Optional[List[Doc]] = None, Y: Any = None) -> Model:
    shim: ModuleShim = model.shims[0]
    module, config = _load_pretrained(model.attrs)
    _check_windows(module, model.attrs)
    shim.set_module(module, config)
    model.set_dim("nO", shim.module.transformer.config.hidden_size, force=True)
    return model


def _check_windows(module: PooledTransformer, settings: Dict[str, Any]) -> None:
    """Refuse windows that the transformer cannot read, or that would not get on. RAISES BionerError: E547."""
    most = getattr(module.transformer.config, "max_position_embeddings", None)
    table: Any = getattr(getattr(module.transformer, "embeddings", None), "position_embeddings", None)
    if most and getattr(table, "padding_idx", None) is not None:
        most -= table.padding_idx + 1  # RoBERTa counts positions from there on
    own = sum(map(len, module.around))
    found, overlap = settings["max_pieces"], settings["overlap"]
    usable = (most or found + own) - own
    if not overlap + MAX_PIECES_A_TOKEN <= found <= usable:
        raise BionerError(Errors.E547.format(name=settings["name"], most=most, own=own, found=found, overlap=overlap,
                                             token=MAX_PIECES_A_TOKEN, usable=usable))


def _load_pretrained(settings: Dict[str, Any]) -> Tuple[PooledTransformer, Dict[str, Any]]:
    source = resolve_model(settings["name"])
    tokenizer, transformer = load_tokenizer(source), load_model(source, dtype=torch.float32)
    if settings["start_from"] is not None:
        read_head_start(find_head_start(settings["start_from"])).add_to(transformer, settings["name"])
    if not settings["lora_rank"]:
        # With LoRA the base model is cut when it is read, always anew.
        _keep_layers(transformer, settings["layers"], settings["name"])
    values = transformer.config.to_diff_dict()
    for key, dropout in (("hidden_dropout_prob", settings["dropout"]), (_ATTENTION_DROPOUT, 0.0)):
        if hasattr(transformer.config, key):
            values[key] = dropout
    values["model_type"] = transformer.config.model_type
    config = {"transformer": json.loads(json.dumps(values, default=str)),
              "tokenizer": tokenizer.backend_tokenizer.to_str(),
              "around": [list(ids) for ids in find_around(tokenizer)],
              "pad_id": tokenizer.pad_token_id or 0,
              "unknown_id": tokenizer.unk_token_id if tokenizer.unk_token_id is not None else 0,
              "joins": has_joined_pieces(tokenizer.get_vocab()), "frozen_layers": settings["frozen_layers"],
              "layers": settings["layers"], "name": settings["name"]}
    if settings["lora_rank"]:
        config["lora"] = {"rank": settings["lora_rank"], "alpha": settings["lora_alpha"],
                          "dropout": settings["dropout"]}
        return _build_module(config), config
    module = _build_module(config)
    module.transformer.load_state_dict({name: value for name, value in transformer.state_dict().items()
                                        if not name.startswith("pooler.")})
    return module, config


def _forward(model: Model, docs: List[Doc], is_train: bool) -> Tuple[List[Floats2d], Callable]:
    shim: ModuleShim = model.shims[0]
    if is_train and shim.config.get("int8"):
        raise BionerError(Errors.E562.format(name=shim.config["name"]))
    module: PooledTransformer = shim.for_mode(is_train=is_train)
    pieces = [module.piece_maker.pieces(doc) for doc in docs]
    windows = [window for index, tokens in enumerate(pieces)
               for window in cut_windows(index, [len(token) for token in tokens],
                                         max_pieces=model.attrs["max_pieces"], overlap=model.attrs["overlap"])]
    device = next(module.parameters()).device
    limits = PACKED_GPU if device.type != "cpu" else PACKED_CPU if is_train else PACKED_THREAD
    together = [[windows[place] for place in places]
                for places in pack_rows([_piece_count(pieces, window) for window in windows], limits)]

    def encode(pack: Sequence[Window]) -> torch.Tensor:
        with forward_pass(device, mixed_precision=model.attrs["mixed_precision"], is_train=is_train):
            return module([pieces[window.doc][window.start:window.end] for window in pack],
                          [(window.own_start - window.start, window.own_end - window.start) for window in pack])

    on_threads = device.type == "cpu" and not is_train
    packs = list(zip(together, compute_side_by_side(encode, together) if on_threads else map(encode, together)))
    width = module.transformer.config.hidden_size
    outputs = [model.ops.alloc2f(len(doc), width, zeros=False) for doc in docs]
    for pack, vectors in packs:
        for window, rows in zip(pack, _split(torch2xp(vectors.detach()), pack)):
            outputs[window.doc][window.own_start:window.own_end] = rows

    def backprop(d_outputs: List[Floats2d]) -> List[Doc]:
        gradients = [xp2torch(model.ops.xp.concatenate(
            [d_outputs[window.doc][window.own_start:window.own_end] for window in pack])) for pack, _ in packs]
        # Of an encoder that is frozen as a whole nothing is learnt.
        if packs and packs[0][1].requires_grad:
            torch.autograd.backward([vectors for _, vectors in packs], gradients)
        return []

    return outputs, backprop


def _piece_count(pieces: Sequence[Sequence[Tuple[int, ...]]], window: Window) -> int:
    return sum(map(len, pieces[window.doc][window.start:window.end]))


def _split(rows: Floats2d, pack: Sequence[Window]) -> Iterable[Floats2d]:
    start = 0
    for window in pack:
        end = start + window.own_end - window.own_start
        yield rows[start:end]
        start = end
