"""Labels that a format, a config or a terminal may take for something else, and what must hold for them."""

import pytest

from spacy_bioner.annotation import Annotation, Mention
from spacy_bioner.errors import BionerError
from spacy_bioner.prompts.build import PromptBuilder

TEXT = "Gout came back after cisplatin; pain in the knee."
# Name and options of each codec.
CODECS = [("json", {"shape": "name"}), ("json", {"shape": "offsets"}), ("json", {"shape": "context"}), ("html", {}),
          ("bracket", {"lines": "all"}), ("bracket", {"lines": "occurring"}), ("seed_tags", {})]

ODD_LABELS = [
    "UMLS:T047", "#Tag", "1. Disease", "a[b]", "[b]", "病：症", "- x", "* x", "1) x", "L" * 61, "L" * 200, "type",
    "context", "text", "label", "name", "entity", "start", "end", " lead", "trail ", "none", "None", "a<b>",
    "a/b", "<b", "b>",
    "/b", 'q"uote', "q'x", "a\\b", "a:b:c", ":a", "a:", "a  b", "a\tb", "${x}", "${paths.train}", "$x", "$${x}", "a%b",
    "%(x)s", "a=b", "a;b", ",", "{x}", "{{x}}", "think", "analysis", "answer", "null", "true", "1", "[]", "\u202ex",
    "\x1b[31m", "é", "e\u0301", "**b**", "`x`", "_", "-", "类型", "a|b", "---", "```", "disease", "DISEASE",
    "Ｄisease", "Disease:gout", "gout", "sentence", "Final answer", "Result", "end_sentence", "@misc", "plan",
    "final", "Draft", "internal", "meta-analysis",
]
BROKEN_LABELS = ["x\ny", "x\r\ny", "x\u2028y"]


def check_round_trip(codec, mentions, labels):
    """Fail unless what the codec writes for these mentions is read back without an issue."""
    annotation = Annotation(TEXT).with_mentions(mentions)
    assert codec.unwritable(annotation) == ()
    reading = codec.decode(TEXT, labels, codec.encode(annotation, labels))
    assert reading.mentions == annotation.mentions
    assert reading.issues == ()


def check_written_or_refused(codec, label):
    """Fail unless a label is read back as it was written, or refused by name wherever it is used."""
    annotation = Annotation(TEXT).with_mentions([Mention(0, 4, label)])
    if codec.unwritable(annotation):
        with pytest.raises(BionerError, match="unwritable"):
            codec.encode(annotation, [label])
        with pytest.raises(BionerError, match="unwritable"):
            PromptBuilder(template="annotate.en", labels={label: ""}, codec=codec)
    else:
        check_round_trip(codec, annotation.mentions, [label])
