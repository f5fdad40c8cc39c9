"""Annotations to reply text and back, one format a file."""

from importlib.metadata import entry_points
from typing import Any, Dict, List, Type

from ..errors import BionerError, Errors
from .base import Codec, Issue, Piece, Reading
from .bracket.bracket_codec import BracketCodec
from .html.html_codec import HtmlCodec
from .json.json_codec import JsonCodec
from .seed_tags.seed_codec import SeedTagCodec

_CODECS: Dict[str, Type[Any]] = {codec.name: codec for codec in (JsonCodec, HtmlCodec, BracketCodec, SeedTagCodec)}
CODEC_NAMES = tuple(_CODECS)
# Codecs of other packages: entry points of this group, name to class.
ENTRY_POINT_GROUP = "spacy_bioner_codecs"


def list_codecs() -> List[str]:
    """List the names of the built-in codecs, then those that other packages registered."""
    return list(dict.fromkeys([*_CODECS, *(point.name for point in entry_points(group=ENTRY_POINT_GROUP))]))


def make_codec(name: str, **options: Any) -> Codec:
    """Make a codec by its name.

    name (str): "json", "html", "bracket", "seed_tags", or a name that another package registered.
    options (Any): Options of the codec, see the classes; `make_codec(**codec.settings())` gives the same codec.
    RETURNS (Codec): The codec.
    RAISES BionerError: E101 for an unknown name, E108 for an unknown option, E109 for a wrong value.
    """
    codecs = dict(_CODECS)
    if name not in codecs:
        codecs.update((point.name, point.load()) for point in entry_points(group=ENTRY_POINT_GROUP, name=name))
    if name not in codecs:
        raise BionerError(Errors.E101.format(name=name, available=", ".join(list_codecs())))
    try:
        return codecs[name](**options)
    except TypeError:
        raise BionerError(Errors.E108.format(name=name, options=", ".join(sorted(options)))) from None


def make_json_codec(shape: str = "name") -> Codec:
    """Return the codec registered as `spacy-bioner.JsonCodec.v1`."""
    return JsonCodec(shape=shape)


def make_html_codec() -> Codec:
    """Return the codec registered as `spacy-bioner.HtmlCodec.v1`."""
    return HtmlCodec()


def make_bracket_codec(lines: str = "all") -> Codec:
    """Return the codec registered as `spacy-bioner.BracketCodec.v1`."""
    return BracketCodec(lines=lines)


__all__ = ["CODEC_NAMES", "Codec", "Issue", "Piece", "Reading", "list_codecs", "make_bracket_codec", "make_codec",
           "make_html_codec", "make_json_codec"]
