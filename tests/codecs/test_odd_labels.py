"""Odd labels are written and read back, or refused by name; never lost silently."""

import pytest
from odd_labels import BROKEN_LABELS, CODECS, ODD_LABELS, check_round_trip, check_written_or_refused

from spacy_bioner.annotation import Mention
from spacy_bioner.codecs import make_codec
from spacy_bioner.codecs.checks import check_readable
from spacy_bioner.errors import BionerError


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
    check_written_or_refused(make_codec(name, **options), label)


@pytest.mark.parametrize("labels", [[""], ["  "], ["a", "a"]])
def test_an_empty_or_repeated_label_is_refused(labels):
    with pytest.raises(BionerError, match="E116|cannot be used"):
        check_readable(make_codec("json"), labels)
