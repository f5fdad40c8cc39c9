"""Chooses the grammar rules of a codec for a text."""

from functools import lru_cache
from typing import Callable, Optional, Sequence

from ....codecs.base import Codec
from ....codecs.bracket.bracket_codec import BracketCodec
from ....codecs.html.html_codec import HtmlCodec
from ....codecs.json.json_codec import JsonCodec
from .bracket_rules import bracket_rules
from .grammar_rules import Rules
from .html_rules import html_rules
from .json_rules import json_rules

# Grammars are needed again only where a request is tried again.
_KEPT = 64


def make_grammar_writer(codec: Codec, labels: Sequence[str], *, max_depth: int = 2,
                        wrapped: bool = False) -> Optional[Callable[[str], str]]:
    """Make a function that writes the grammar of the legal answers for a text.

    codec (Codec): The codec that reads the answers.
    labels (Sequence[str]): The labels, in the order of the prompt.
    max_depth (int): How deep mentions may nest, in bracket and HTML answers.
    wrapped (bool): Whether a JSON answer is an object that holds the list.
    RETURNS (Optional[Callable[[str], str]]): Text to grammar in GBNF; None where the codec has no grammar.
    """
    options, names = codec.settings(), list(labels)
    rules: Callable[[str], Rules]
    if codec.name == BracketCodec.name:
        rules = lambda text: bracket_rules(text, names, lines=str(options["lines"]), max_depth=max_depth)  # noqa: E731
    elif codec.name == HtmlCodec.name:
        rules = lambda text: html_rules(text, names, max_depth=max_depth)  # noqa: E731
    elif codec.name == JsonCodec.name and options["shape"] == "name":
        rules = lambda text: json_rules(text, names, wrapped=wrapped)  # noqa: E731
    else:
        return None
    return lru_cache(maxsize=_KEPT)(lambda text: rules(text).to_gbnf())
