"""Which grammar grounds the answers of a codec; other packages register theirs beside their codec."""

from importlib.metadata import entry_points
from typing import Callable, Dict, Optional

from ....codecs.bracket.bracket_codec import BracketCodec
from ....codecs.html.html_codec import HtmlCodec
from ....codecs.json.json_codec import JsonCodec
from ....errors import BionerError, Errors
from .bracket_grammar import ground_bracket
from .grammar import GrammarContext, GrammarMaker
from .html_grammar import ground_html
from .json_grammar import ground_json

# A grounding makes the grammar of each text, or is None if answers with the options of the codec cannot be grounded.
Grounding = Callable[[GrammarContext], Optional[GrammarMaker]]

_GROUNDINGS: Dict[str, Grounding] = {BracketCodec.name: ground_bracket, HtmlCodec.name: ground_html,
                                     JsonCodec.name: ground_json}
# Groundings of other packages: entry points of this group, name of the codec to function.
ENTRY_POINT_GROUP = "spacy_bioner_grammars"


def find_grammar(context: GrammarContext) -> Optional[GrammarMaker]:
    """Find the grammar of a codec by the codec's name.

    context (GrammarContext): The codec, the labels, and what else a grammar is made from.
    RETURNS (Optional[GrammarMaker]): Makes the grammar of a source text; None if the codec has no grammar, or none for
        its options.
    """
    name = context.codec.name
    groundings = dict(_GROUNDINGS)
    if name not in groundings:
        groundings.update((point.name, point.load()) for point in entry_points(group=ENTRY_POINT_GROUP, name=name))
    return groundings[name](context) if name in groundings else None


def choose_grammar(context: GrammarContext) -> GrammarMaker:
    """Find the grammar of a codec as `find_grammar` does; raises BionerError E212 if there is none."""
    maker = find_grammar(context)
    if maker is None:
        options = [str(value) for key, value in context.codec.settings().items() if key != "name"]
        raise BionerError(Errors.E212.format(codec=" ".join([context.codec.name, *options])))
    return maker
