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
    """Return a text of so many fragments at most."""
    text = "".join(random_.choice(FRAGMENTS) + random_.choice(["", "", " "])
                   for _ in range(random_.randint(0, most)))
    return text


def make_annotation(random_: random.Random, most: int, *, mentions: int = 6) -> Annotation:
    """Return a text with random mentions, nested and crossing ones among them."""
    text = make_text(random_, most)
    spans: List[Mention] = []
    for _ in range(random_.randint(0, mentions)):
        start = random_.randint(0, len(text))
        end = min(len(text), start + random_.randint(1, 12))
        if text[start:end] and text[start:end] == text[start:end].strip():
            spans.append(Mention(start, end, random_.choice(LABELS)))
    return Annotation(text).with_mentions(spans)


def damage(random_: random.Random, reply: str, other: str) -> str:
    """Return the reply, damaged once or more often: cut, spliced, shuffled, repeated, with foreign signs."""
    for _ in range(random_.randint(1, 4)):
        first, second = sorted((random_.randint(0, len(reply)), random_.randint(0, len(reply))))
        reply = random_.choice(_DAMAGES)(random_, reply[:first], reply[first:second], reply[second:], other)
    return reply


# Each takes the head, the middle and the tail of a reply, and another reply.
_DAMAGES = [
    lambda random_, head, middle, tail, other: head,
    lambda random_, head, middle, tail, other: middle + tail,
    lambda random_, head, middle, tail, other: head + tail,
    lambda random_, head, middle, tail, other: head + other[:random_.randint(0, len(other))] + tail,
    lambda random_, head, middle, tail, other: head + middle * random_.randint(2, 4) + tail,
    lambda random_, head, middle, tail, other: head + "".join(random_.sample(middle, len(middle))) + tail,
    lambda random_, head, middle, tail, other: tail + head + middle,
    lambda random_, head, middle, tail, other: head + random_.choice(FRAGMENTS) + middle + tail,
    lambda random_, head, middle, tail, other: head + random_.choice(_STRANGE) + middle + tail,
    lambda random_, head, middle, tail, other: head + middle.swapcase() + tail,
    lambda random_, head, middle, tail, other: (head + middle + tail).replace(
        random_.choice('"[]{}<>:,'), random_.choice(["", "'", "[", "}", "：", "<"])),
    lambda random_, head, middle, tail, other: "Sure:\n```\n" + head + middle + tail + "\n```",
    lambda random_, head, middle, tail, other: random_.choice(_REASONING).format(other, head + middle + tail),
    lambda random_, head, middle, tail, other: head + random_.choice(_REASONING).format(middle, tail),
    lambda random_, head, middle, tail, other: (head + middle + tail).replace(
        random_.choice(_KEYS), random_.choice(_KEYS)),
    lambda random_, head, middle, tail, other: '{"entities":' + head + middle + tail + "}",
    lambda random_, head, middle, tail, other: middle,
    lambda random_, head, middle, tail, other: "Example: " + other + "\nAnswer: " + head + middle + tail,
]
_KEYS = ['"type"', '"name"', '"entity"', '"kind"', '"value"', '"context"', '"start_idx"', '"end_idx"', "Disease",
         "Drug"]
_REASONING = [
    "<think>{}</think>{}", "<think>{}{}", "{}</think>{}", "[THINK]{}[/THINK]{}", "◁think▷{}◁/think▷{}",
    "analysisWe {}assistantfinal{}", "<seed:think>{}</seed:think>{}", "<answer>{}</answer>{}",
    "Reasoning: {}\nFinal answer: {}",
    "<|channel|>analysis<|message|>{}<|end|><|start|>assistant<|channel|>final<|message|>{}", "<!-- {} -->{}",
    "```thinking\n{}\n```\n{}", "<|START_THINKING|>{}<|END_THINKING|>{}", "([thinking] {} [/thinking]{}",
]
