"""The registered architectures; torch is loaded when one is built."""

from typing import Any, List, Tuple

from spacy.tokens import Doc
from thinc.api import Model
from thinc.types import Floats1d, Floats2d, Floats3d

from ..settings import takes_settings
from .settings import EncoderSettings, FastSelectorSettings, MarkedSelectorSettings, SpanGridSettings


@takes_settings(EncoderSettings, place="spacy-bioner.TransformerEncoder.v1")
def make_transformer_encoder(settings: EncoderSettings) -> Model[List[Doc], List[Floats2d]]:
    """A transformer as tok2vec layer, fast on CPUs; see `transformer_encoder.build_transformer_encoder`."""
    from .encoder.transformer_encoder import build_transformer_encoder

    return build_transformer_encoder(**settings.values())


@takes_settings(SpanGridSettings, place="spacy-bioner.SpanGrid.v1")
def make_span_grid(tok2vec: Model[List[Doc], Any], settings: SpanGridSettings) -> Model[List[Doc], Floats3d]:
    """Scores of all spans up to a length; see `span_grid.build_span_grid`."""
    from .spans.span_grid import build_span_grid

    return build_span_grid(tok2vec, **settings.values())


@takes_settings(FastSelectorSettings, place="spacy-bioner.SpanSelector.v1")
def make_span_selector_model(tok2vec: Model[List[Doc], Any],
                             settings: FastSelectorSettings) -> Model[Tuple[List[Doc], Any], Floats1d]:
    """The selector that encodes a text once; see `fast_selector.build_span_selector`."""
    from .selector.fast_selector import build_span_selector

    return build_span_selector(tok2vec, **settings.values())


@takes_settings(MarkedSelectorSettings, place="spacy-bioner.MarkedSelector.v1")
def make_marked_selector(settings: MarkedSelectorSettings) -> Model[Tuple[List[Doc], Any], Floats1d]:
    """The selector that reads each candidate by itself; see `marked_selector.build_marked_selector`."""
    from .selector.marked_selector import build_marked_selector

    return build_marked_selector(**{**settings.values(), "definitions": dict(settings.definitions or {})})
