"""Adversarial texts, random annotations, and replies damaged in the ways that models and networks damage them."""

import random
from typing import List

from spacy_bioner.annotation import Annotation, Mention

LABELS = ["Disease", "Drug", "细胞", "a"]
FRAGMENTS = [
    "aspirin", "p53", "[1]", "[", "]", "[[", "]]", "][", "<", ">", "</", "<Disease:", "</Drug:a>", "<p>", "Disease:",
    "Disease:  ", "\nDrug: x", "Drug", ":", "：", '"', "'", "\\", "{", "}", "[]", ",", "\n", "\r\n", "\t", " ", "  ",
    "糖尿病", "【", "】", "α", "é", "e\u0301", "ﬁ", "İ", "ß", "👩‍🔬", "🇨🇳", "\u200b", "\u00ad", "\u202e", "\x07",
    "none", "A>B", "a", "x", "-", "(", ")", ".", "5", "\ufeff", "עברית", "&lt;", "```", "<think>", "null",
]
_STRANGE = "\ud800\udfff\u2028\x00\u0301\u200d\U0010ffff［］｛｝“”"


def make_text(random_: random.Random, most: int) -> str:
    """RETURNS (str): A text of so many fragments at most."""
    text = "".join(random_.choice(FRAGMENTS) + random_.choice(["", "", " "])
                   for _ in range(random_.randint(0, most)))
    return text


def make_annotation(random_: random.Random, most: int, *, mentions: int = 6) -> Annotation:
    """RETURNS (Annotation): A text with random mentions, nested and crossing ones among them."""
    text = make_text(random_, most)
    spans: List[Mention] = []
    for _ in range(random_.randint(0, mentions)):
        start = random_.randint(0, len(text))
        end = min(len(text), start + random_.randint(1, 12))
        if text[start:end] and text[start:end] == text[start:end].strip():
            spans.append(Mention(start, end, random_.choice(LABELS)))
    return Annotation(text).with_mentions(spans)


def damage(random_: random.Random, reply: str, other: str) -> str:
    """RETURNS (str): The reply, damaged once or more often: cut, spliced, shuffled, repeated, with foreign signs."""
    for _ in range(random_.randint(1, 4)):
        first, second = sorted((random_.randint(0, len(reply)), random_.randint(0, len(reply))))
        reply = random_.choice([
            lambda: reply[:first],
            lambda: reply[first:],
            lambda: reply[:first] + reply[second:],
            lambda: reply[:first] + other[:random_.randint(0, len(other))] + reply[second:],
            lambda: reply[:second] + reply[first:second] * random_.randint(1, 3) + reply[second:],
            lambda: "".join(random_.sample(reply, len(reply))) if len(reply) < 60 else reply[second:] + reply[:second],
            lambda: reply[:first] + random_.choice(FRAGMENTS) + reply[first:],
            lambda: reply[:first] + random_.choice(_STRANGE) + reply[first:],
            lambda: reply.swapcase(),
            lambda: reply.replace(random_.choice('"[]{}<>:,'), random_.choice(["", "'", "[", "}", "：", "<"])),
            lambda: "Sure:\n```\n" + reply + "\n```",
            lambda: "<think>" + other + "</think>" + reply,
        ])()
    return reply
