"""What models put round an answer: fences and words that say "none"."""

import re

from ..grounding.names import find_places
from .collect import Collector

_FENCE = re.compile(r"^[ \t]*(?:```|~~~)[\w+-]*[ \t]*(?:\n|\Z)", re.MULTILINE)
_NONE_WORDS = frozenset("none no null nothing nil empty noentities noentity noentitiesfound nomentions nonefound "
                        "无 没有 空 无实体 没有实体 未发现实体 无相关实体".split())
_NOT_WORDS = re.compile(r"[\W_]+")


def strip_fences(reply: str, found: Collector) -> str:
    """Return the reply without Markdown fence lines, unless the source text has such lines itself."""
    if ("```" not in reply and "~~~" not in reply) or _FENCE.search(found.text):
        return reply
    body = _FENCE.sub("", reply)
    # A fence that closes behind the last word, unless it is the source that ends so.
    if body.rstrip().endswith("```") and not found.text.rstrip().endswith("```"):
        body = body.rstrip()[:-3]
    if body != reply:
        found.issue("extra_text", "fence")
    return body


def is_abbreviation(name: str, text: str) -> bool:
    """Tell whether a text in capitals that may also say "none" is a name: "NO" (nitric oxide) where the source has it.

    name (str): The text.
    text (str): The source text; one that is all in capitals tells nothing.
    RETURNS (bool): Whether it is.
    """
    name = name.strip()
    return name.isupper() and not text.isupper() and any(place.exact and place.bounded
                                                         for place in find_places(text, name))


def says_none(reply: str, text: str = "") -> bool:
    """Tell whether a reply says in words that there is nothing.

    reply (str): The reply, or a line of it.
    text (str): The source text; where it is such a word itself, the reply is its echo, marked or not.
    RETURNS (bool): Whether it does.
    """
    if len(reply) > 40:
        return False
    words = _NOT_WORDS.sub("", reply).casefold()
    return words in _NONE_WORDS and words != _NOT_WORDS.sub("", text[:80]).casefold()
