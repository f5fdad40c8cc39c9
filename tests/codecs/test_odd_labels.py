"""Odd labels are written and read back, or refused by name; never lost silently."""

import pytest
from odd_labels import BROKEN_LABELS, ODD_LABELS

from spacy_bioner.annotation import Annotation, Mention
from spacy_bioner.codecs import make_codec
from spacy_bioner.codecs.checks import check_readable
from spacy_bioner.errors import BionerError
from spacy_bioner.prompts.build import PromptBuilder

TEXT = "Gout came back after cisplatin; pain in the knee."
CODECS = [
    pytest.param("json", {"shape": "name"}, id="json-name"),
    pytest.param("json", {"shape": "offsets"}, id="json-offsets"),
    pytest.param("json", {"shape": "context"}, id="json-context"), pytest.param("html", {}, id="html"),
    pytest.param("bracket", {"lines": "all"}, id="bracket-all"),
    pytest.param("bracket", {"lines": "occurring"}, id="bracket-occurring"),
    pytest.param("seed_tags", {}, id="seed-tags"),
]


def check_round_trip(codec, mentions, labels):
    annotation = Annotation(TEXT).with_mentions(mentions)
    assert codec.unwritable(annotation) == ()
    reading = codec.decode(TEXT, labels, codec.encode(annotation, labels))
    assert reading.mentions == annotation.mentions
    assert reading.issues == ()


@pytest.mark.parametrize("name, options", CODECS)
@pytest.mark.parametrize("label", ODD_LABELS)
def test_an_odd_label_is_read_back(label, name, options):
    codec = make_codec(name, **options)
    for labels in ([label], [label, "Other"], ["Other", label]):
        check_round_trip(codec, [Mention(0, 4, label), Mention(21, 30, labels[-1]), Mention(32, 36, labels[0])], labels)
        check_readable(codec, labels)


@pytest.mark.parametrize("name, options", CODECS)
def test_all_odd_labels_together_are_read_back(name, options):
    codec = make_codec(name, **options)
    for label in ODD_LABELS:
        check_round_trip(codec, [Mention(0, 4, label), Mention(32, 36, "Disease")], [*ODD_LABELS, "Disease"])


@pytest.mark.parametrize("name, options", CODECS)
@pytest.mark.parametrize("label", BROKEN_LABELS)
def test_a_label_with_a_line_break_is_read_back_or_refused_by_name(label, name, options):
    codec = make_codec(name, **options)
    annotation = Annotation(TEXT).with_mentions([Mention(0, 4, label)])
    if codec.unwritable(annotation):
        with pytest.raises(BionerError, match="unwritable"):
            codec.encode(annotation, [label])
        with pytest.raises(BionerError, match="unwritable"):
            PromptBuilder(template="annotate.en", labels={label: ""}, codec=codec)
    else:
        check_round_trip(codec, annotation.mentions, [label])


@pytest.mark.parametrize("labels", [[""], ["  "], ["a", "a"]])
def test_an_empty_or_repeated_label_is_refused(labels):
    with pytest.raises(BionerError, match="E116|cannot be used"):
        check_readable(make_codec("json"), labels)
