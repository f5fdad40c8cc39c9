"""What models put round an answer: reasoning blocks, fences and words that say "none"."""

import re

from .collect import Collector

_REASONING_WORDS = "think|thinking|thought|thoughts|reasoning|analysis|reflection|scratchpad"
_REASONING_END = re.compile(rf"</(?:{_REASONING_WORDS})>", re.IGNORECASE)
_REASONING_BLOCK = re.compile(rf"<({_REASONING_WORDS})>.*?(?:</\1>|\Z)", re.IGNORECASE | re.DOTALL)
_FENCE = re.compile(r"^[ \t]*(?:```|~~~)[\w+-]*[ \t]*(?:\n|\Z)", re.MULTILINE)
_NONE_WORDS = frozenset("none no null nothing nil empty noentities noentity noentitiesfound nomentions nonefound "
                        "无 没有 空 无实体 没有实体 未发现实体 无相关实体".split())
_NOT_WORDS = re.compile(r"[\W_]+")


def strip_reasoning(reply: str, found: Collector) -> str:
    """Cut out what a reasoning model thought aloud.

    reply (str): The reply.
    found (Collector): Takes the issues.
    RETURNS (str): The reply without blocks such as `<think>...</think>`, also where only the end tag is there, as
        chat templates open the block themselves. A block that never ends takes all that follows. Tags that stand in
        the source text are text.
    """
    if "<" not in reply or _REASONING_END.search(found.text) or _REASONING_BLOCK.search(found.text):
        return reply
    body = _REASONING_BLOCK.sub("", reply)
    if "</" in body:
        *_, last = [0, *(match.end() for match in _REASONING_END.finditer(body))]
        body = body[last:]
    if body != reply:
        found.issue("extra_text", "reasoning")
    return body


def strip_fences(reply: str, found: Collector) -> str:
    """RETURNS (str): The reply without Markdown fence lines, unless the source text has such lines itself."""
    if ("```" not in reply and "~~~" not in reply) or _FENCE.search(found.text):
        return reply
    body = _FENCE.sub("", reply)
    # A fence that closes behind the last word, unless it is the source that ends so.
    if body.rstrip().endswith("```") and not found.text.rstrip().endswith("```"):
        body = body.rstrip()[:-3]
    if body != reply:
        found.issue("extra_text", "fence")
    return body


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
