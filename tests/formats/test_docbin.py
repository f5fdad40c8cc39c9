import json
import zlib

import numpy
import pytest
import srsly
from spacy.tokens import DocBin, Span
from spacy.vocab import Vocab

from spacy_bioner.annotation import Annotation, Mention
from spacy_bioner.errors import BionerError
from spacy_bioner.formats.docbin import (
    annotation_to_doc,
    build_doc,
    doc_to_annotation,
    read_docbin,
    write_docbin,
    write_docs,
)
from spacy_bioner.formats.parsing.problems import Problems
from spacy_bioner.tokens import find_units


@pytest.mark.parametrize("text", [
    pytest.param("", id="empty"),
    pytest.param("aspirin-induced  asthma", id="two-blanks"),
    pytest.param(" p53\n\n(TP53)\t", id="white-space-at-the-edges"),
    pytest.param("儿童SARS（重症）。", id="chinese"),
    pytest.param("\U0001d6fc\u0301-chain \u200b5\u00a0mg", id="marks-and-odd-spaces"),
    pytest.param("a \n b", id="blank-before-line-break"),
])
def test_doc_keeps_the_text_and_cuts_at_units(text):
    doc = build_doc(Vocab(), text)
    assert doc.text == text
    tokens = [(token.idx, token.idx + len(token)) for token in doc if not token.text.isspace()]
    assert tokens == find_units(text)


def test_docs_hold_mentions_and_meta(nested):
    doc, lost = annotation_to_doc(nested, Vocab())
    assert not lost
    assert doc_to_annotation(doc) == nested
    assert {key: doc.user_data[key] for key in ("id", "split", "corpus", "lang")} == {
        "id": "n1", "split": "train", "corpus": "made", "lang": "en"}


def test_mentions_inside_units_are_returned():
    annotation = Annotation("antibodies", (Mention(0, 4, "A"), Mention(0, 10, "B")))
    doc, lost = annotation_to_doc(annotation, Vocab())
    assert lost == (Mention(0, 4, "A"),)
    assert [span.label_ for span in doc.spans["sc"]] == ["B"]


def test_scores_are_a_float_array_beside_the_spans():
    mentions = (Mention(0, 1, "A", score=0.25, grounding="fuzzy"), Mention(2, 3, "A"))
    doc, _ = annotation_to_doc(Annotation("a b", mentions), Vocab())
    scores = doc.spans["sc"].attrs["scores"]
    assert scores.dtype == numpy.float32 and scores[0] == 0.25 and numpy.isnan(scores[1])
    back = doc_to_annotation(doc).mentions
    assert [(mention.score, mention.grounding) for mention in back] == [(0.25, "fuzzy"), (None, None)]


def test_spacy_files_round_trip(nested, tmp_path):
    scored = Annotation("a b", (Mention(0, 1, "A", score=0.5),), id="s", meta={"issues": [{"kind": "x"}], "n": 2})
    path = tmp_path / "train.spacy"
    assert write_docbin(path, [nested, scored, Annotation("", id="e")]) == 3
    back = list(read_docbin(path))
    assert back == [nested, scored, Annotation("", id="e")]
    assert back[1].mentions[0].score == 0.5


@pytest.mark.parametrize("label, scores, message", [
    pytest.param("A", [1.5], "key 'score' holds 1.5, wanted a number from 0 to 1", id="above-1"),
    pytest.param("A", ["high"], "key 'score' holds 'high'", id="in-words"),
    pytest.param("A", [], "key 'scores' holds 0 values, wanted 1", id="too-few"),
    pytest.param("", None, "key 'label' holds '', wanted a label", id="no-label"),
])
def test_spans_with_odd_values_are_one_clear_error(tmp_path, label, scores, message):
    doc = build_doc(Vocab(), "a b")
    doc.spans["sc"] = [doc.char_span(0, 1, label=label)]
    if scores is not None:
        doc.spans["sc"].attrs["scores"] = scores
    doc.user_data["id"] = "d1"
    write_docs(tmp_path / "a.spacy", [doc])
    with pytest.raises(BionerError, match=f"a.spacy, d1: {message}"):
        list(read_docbin(tmp_path / "a.spacy"))


def test_writing_counts_what_is_lost_or_refuses(tmp_path):
    annotations = [Annotation("antibodies", (Mention(0, 4, "A"),), id="x")]
    problems = Problems()
    write_docbin(tmp_path / "a.spacy", annotations, problems=problems)
    assert problems.counts == {"off_boundary": 1}
    with pytest.raises(BionerError, match="mention left out: it begins or ends inside a unit"):
        write_docbin(tmp_path / "b.spacy", annotations)
    assert not (tmp_path / "b.spacy").exists()


def test_a_file_that_is_no_docbin_is_named(tmp_path):
    (tmp_path / "x.spacy").write_bytes(b"no")
    with pytest.raises(BionerError, match="x.spacy is not a .spacy file"):
        list(read_docbin(tmp_path / "x.spacy"))


def test_null_is_no_id(tmp_path):
    doc = build_doc(Vocab(), "a")
    doc.user_data["id"] = None
    assert doc_to_annotation(doc).id == ""
    write_docs(tmp_path / "a.spacy", [doc, doc])
    assert [one.id for one in read_docbin(tmp_path / "a.spacy", raw=True)] == ["a-1", "a-2"]


def _entities(doc, *places):
    doc.ents = [Span(doc, *place) for place in places]
    return doc


@pytest.mark.issue(21)
def test_entities_are_read_where_there_is_no_span_group(tmp_path):
    docs = [_entities(build_doc(Vocab(), "gout hurts"), (0, 1, "Disease")), _entities(build_doc(Vocab(), "it is"))]
    write_docs(tmp_path / "a.spacy", docs)
    problems = Problems(strict=True)
    one, two = read_docbin(tmp_path / "a.spacy", problems=problems)
    assert one.mentions == (Mention(0, 4, "Disease"),) and two.mentions == ()
    assert problems.counts == {"from_ents": 1}
    assert [one.mentions for one in read_docbin(tmp_path / "a.spacy", raw=True)] == [(), ()]


@pytest.mark.issue(21)
def test_spans_under_other_keys_are_an_error_that_names_the_option(tmp_path):
    doc = build_doc(Vocab(), "gout hurts")
    doc.spans["gold"] = [Span(doc, 0, 1, "Disease")]
    write_docs(tmp_path / "a.spacy", [doc])
    with pytest.raises(BionerError, match="spans under 'gold'.*spans_key"):
        list(read_docbin(tmp_path / "a.spacy", problems=Problems()))
    (found,) = read_docbin(tmp_path / "a.spacy", spans_key="gold")
    assert found.mentions == (Mention(0, 4, "Disease"),)
    with pytest.raises(BionerError, match=r"no Doc has spans under 'silver' \(present: 'gold'\).*spans_key"):
        list(read_docbin(tmp_path / "a.spacy", spans_key="silver"))


@pytest.mark.issue(21)
def test_docs_without_any_annotation_are_an_error_unless_raw_text_is_asked_for(tmp_path):
    write_docs(tmp_path / "a.spacy", [build_doc(Vocab(), "gout hurts")])
    with pytest.raises(BionerError, match="no Doc has spans under 'sc'"):
        list(read_docbin(tmp_path / "a.spacy", problems=Problems()))
    assert [one.text for one in read_docbin(tmp_path / "a.spacy", raw=True)] == ["gout hurts"]


@pytest.mark.issue(21)
def test_mentions_that_only_another_group_holds_are_counted(tmp_path):
    doc = _entities(build_doc(Vocab(), "gout and asthma hurt"), (0, 1, "Disease"), (2, 3, "Disease"))
    doc.spans["sc"] = [Span(doc, 0, 1, "Disease")]
    doc.spans["other"] = [Span(doc, 0, 1, "Disease")]
    write_docs(tmp_path / "a.spacy", [doc])
    problems = Problems()
    (found,) = read_docbin(tmp_path / "a.spacy", problems=problems)
    assert len(found.mentions) == 1 and problems.counts == {"other_spans": 1}
    assert "1 under 'ents'" in problems.examples["other_spans"][0].detail


def _message(**changes):
    doc = build_doc(Vocab(), "gout hurts")
    doc.spans["sc"] = [Span(doc, 0, 1, "Disease")]
    message = srsly.msgpack_loads(zlib.decompress(DocBin(docs=[doc], store_user_data=True).to_bytes()))
    return zlib.compress(srsly.msgpack_dumps({**message, **changes}))


DEEP = b"\x91" * 3000 + b"\x01"
BROKEN = {
    "empty": b"", "text": b"no DocBin", "other-zlib": zlib.compress(b"text"), "cut": _message()[:-9],
    "a-list": zlib.compress(srsly.msgpack_dumps([1, 2])), "a-number": zlib.compress(b"\x01"),
    "deep": zlib.compress(DEEP), "absurd-length": zlib.compress(b"\xdd\xff\xff\xff\xff"),
    "absurd-array": zlib.compress(srsly.msgpack_dumps({"nd": True, "type": "<f8", "kind": b"", "shape": [2**62]})),
    **{f"{key}-{value!r:.9}": _message(**{key: value})
       for key in ("attrs", "tokens", "spaces", "lengths", "strings", "cats", "flags", "span_groups", "user_data")
       for value in (None, 7, "x", [], [7], [[]], b"xyz", {"a": 1}, [b"\x91\x91"], [DEEP])},
    "negative-length": _message(lengths=b"\xff\xff\xff\xff"),
    "endless-length": _message(lengths=b"\xff\xff\xff\x7f"),
    "unknown-attributes": _message(attrs=[65, 10**6]), "twice-an-attribute": _message(attrs=[65, 65]),
    "lost-strings": _message(strings=["gout"]),
}
# What an empty list or mapping in a place says is right: there are none.
RIGHT = {"strings-[]", "cats-[{}]"}


@pytest.mark.issue(21)
@pytest.mark.parametrize("name", [name for name in BROKEN if name not in RIGHT])
def test_a_broken_spacy_file_is_one_line(tmp_path, name):
    (tmp_path / "a.spacy").write_bytes(BROKEN[name])
    try:
        found = [(one.text, one.mentions) for one in read_docbin(tmp_path / "a.spacy", problems=Problems())]
    except BionerError as error:
        assert "a.spacy" in str(error) and "\n" not in str(error) and len(str(error)) < 600
    else:
        assert found == [("gout hurts", (Mention(0, 4, "Disease"),))]


@pytest.mark.issue(21)
@pytest.mark.parametrize("meta", ["[1]", "7", '{"a": ' + "[" * 3000 + "]" * 3000 + "}", 7, [1], {"a": b"x"},
                                  {(1, 2): 3}])
def test_metadata_of_another_type_can_be_written_again(tmp_path, meta):
    doc = build_doc(Vocab(), "gout hurts")
    doc.spans["sc"] = [Span(doc, 0, 1, "Disease")]
    doc.user_data["meta"] = meta
    write_docs(tmp_path / "a.spacy", [doc])
    (found,) = read_docbin(tmp_path / "a.spacy", problems=Problems())
    assert len(found.mentions) == 1 and json.dumps(found.to_record())


@pytest.mark.issue(21)
def test_a_spacy_file_that_grows_too_much_is_one_line(tmp_path):
    (tmp_path / "a.spacy").write_bytes(zlib.compress(bytes(80 << 20)))
    with pytest.raises(BionerError, match="a.spacy grows to"):
        list(read_docbin(tmp_path / "a.spacy"))
