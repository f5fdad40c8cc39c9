"""The registered architectures and their defaults; torch is loaded when one is built."""

from typing import Any, Dict, List, Tuple, Union

from spacy.tokens import Doc
from thinc.api import Model
from thinc.types import Floats1d, Floats2d, Floats3d


def make_transformer_encoder(
    name: str, max_pieces: int = 254, overlap: int = 64, mixed_precision: bool = True, frozen_layers: int = 0,
    layer_decay: float = 1.0, dropout: float = 0.1, average: float = 0.0, lora_rank: int = 0, lora_alpha: int = 32,
    layers: int = 0,
) -> Model[List[Doc], List[Floats2d]]:
    """A transformer as tok2vec layer, quick on CPUs; see `transformer_encoder.build_transformer_encoder`."""
    from .encoder.transformer_encoder import build_transformer_encoder

    return build_transformer_encoder(name, max_pieces=max_pieces, overlap=overlap, mixed_precision=mixed_precision,
                                     frozen_layers=frozen_layers, layer_decay=layer_decay, dropout=dropout,
                                     average=average, lora_rank=lora_rank, lora_alpha=lora_alpha, layers=layers)


def make_span_grid(
    tok2vec: Model[List[Doc], Any], hidden_size: int = 192, rank: int = 48, max_length: int = 24,
    dropout: float = 0.2, rate_factor: float = 20.0, average: float = 0.0,
) -> Model[List[Doc], Floats3d]:
    """Scores of all spans up to a length; see `span_grid.build_span_grid`."""
    from .spans.span_grid import build_span_grid

    return build_span_grid(tok2vec, hidden_size=hidden_size, rank=rank, max_length=max_length, dropout=dropout,
                           rate_factor=rate_factor, average=average)


def make_span_selector_model(
    tok2vec: Model[List[Doc], Any], hidden_size: int = 256, dropout: float = 0.2, rate_factor: float = 10.0,
    average: float = 0.0,
) -> Model[Tuple[List[Doc], Any], Floats1d]:
    """The fast selector, one encoding a text; see `selector_heads.build_span_selector`."""
    from .selector.fast_selector import build_span_selector

    return build_span_selector(tok2vec, hidden_size=hidden_size, dropout=dropout, rate_factor=rate_factor,
                               average=average)


def make_marked_selector(
    name: str, head: str, definitions: Union[Dict[str, str], List[Tuple[str, str]], None] = None, max_pieces: int = 256,
    mixed_precision: bool = True, lora_rank: int = 8, lora_alpha: int = 32, lora_dropout: float = 0.1,
    rate_factor: float = 10.0, average: float = 0.0,
) -> Model[Tuple[List[Doc], Any], Floats1d]:
    """A selector that reads each candidate as a text of its own; see `marked_selector.build_marked_selector`."""
    from .selector.marked_selector import build_marked_selector

    return build_marked_selector(name, head, dict(definitions or {}), max_pieces=max_pieces,
                                 mixed_precision=mixed_precision, lora_rank=lora_rank, lora_alpha=lora_alpha,
                                 lora_dropout=lora_dropout, rate_factor=rate_factor, average=average)
