"""Which grammar rules a codec has for servers; other packages register theirs beside their codec."""

from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import entry_points
from typing import Callable, Dict, Optional, Tuple

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


@dataclass(frozen=True)
class RulesContext:
    """What the rules of all texts share.

    codec (Codec): The codec that reads the answers.
    labels (Tuple[str, ...]): The labels, in the order of the prompt.
    max_depth (int): How deep mentions may nest, in bracket and HTML answers.
    wrapped (bool): Whether a JSON answer is an object that holds the list.
    """

    codec: Codec
    labels: Tuple[str, ...]
    max_depth: int = 2
    wrapped: bool = False


RulesMaker = Callable[[str], Rules]
# Makes the rules of each text, or is None if answers with the options of the codec have no rules.
RulesFactory = Callable[[RulesContext], Optional[RulesMaker]]


def make_bracket_rules(context: RulesContext) -> RulesMaker:
    lines = str(context.codec.settings()["lines"])
    return lambda text: bracket_rules(text, context.labels, lines=lines, max_depth=context.max_depth)


def make_html_rules(context: RulesContext) -> RulesMaker:
    return lambda text: html_rules(text, context.labels, max_depth=context.max_depth)


def make_json_rules(context: RulesContext) -> Optional[RulesMaker]:
    if context.codec.settings()["shape"] != "name":
        return None
    return lambda text: json_rules(text, context.labels, wrapped=context.wrapped)


_FACTORIES: Dict[str, RulesFactory] = {BracketCodec.name: make_bracket_rules, HtmlCodec.name: make_html_rules,
                                       JsonCodec.name: make_json_rules}
# Rules of other packages: entry points of this group, name of the codec to function.
ENTRY_POINT_GROUP = "spacy_bioner_answer_rules"


def make_grammar_writer(context: RulesContext) -> Optional[Callable[[str], str]]:
    """Make a function that writes the grammar of the legal answers for a text.

    context (RulesContext): The codec, the labels, and what else rules are made from.
    RETURNS (Optional[Callable[[str], str]]): Text to grammar in GBNF; None where the codec has no rules.
    """
    name = context.codec.name
    factories = dict(_FACTORIES)
    if name not in factories:
        factories.update((point.name, point.load()) for point in entry_points(group=ENTRY_POINT_GROUP, name=name))
    maker = factories[name](context) if name in factories else None
    return None if maker is None else lru_cache(maxsize=_KEPT)(lambda text: maker(text).to_gbnf())
