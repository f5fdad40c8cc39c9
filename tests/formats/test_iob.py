import pytest

from spacy_bioner.annotation import Annotation, Mention
from spacy_bioner.errors import BionerError
from spacy_bioner.formats.iob import read_iob, write_iob
from spacy_bioner.formats.jsonl import read_jsonl, write_jsonl
from spacy_bioner.formats.parsing.problems import Problems


def _read(tmp_path, text, **options):
    path = tmp_path / "a.conll"
    path.write_bytes(text.encode("utf8"))
    return list(read_iob(path, **options))


@pytest.mark.parametrize("part, sentences, mentions", [("devel", 923, 787), ("test", 940, 960)])
def test_reads_the_published_files(data, part, sentences, mentions):
    found = list(read_iob(data / "raw" / "ncbi_disease" / "iob" / f"{part}.tsv"))
    assert (len(found), sum(len(one.mentions) for one in found)) == (sentences, mentions)


@pytest.mark.parametrize("tags, spans", [
    pytest.param("B-X I-X O B-X", [(0, 3), (6, 7)], id="iob2"),
    pytest.param("I-X I-X O I-Y", [(0, 3), (6, 7)], id="iob1"),
    pytest.param("I-X B-X O O", [(0, 1), (2, 3)], id="iob1-neighbours"),
    pytest.param("B-X E-X O S-X", [(0, 3), (6, 7)], id="iobes"),
    pytest.param("U-X B-X L-X O", [(0, 1), (2, 5)], id="bilou"),
    pytest.param("B-X I-Y O O", [(0, 1), (2, 3)], id="label-changes"),
    pytest.param("B-cell-line I-cell-line O O", [(0, 3)], id="hyphen-in-label"),
])
@pytest.mark.parametrize("between", ["\t", " ", " _ _ "])
def test_reads_all_schemes_and_separators(tmp_path, tags, spans, between):
    rows = "\r\n".join(f"{word}{between}{tag}" for word, tag in zip("abcd", tags.split()))
    (found,) = _read(tmp_path, f"\ufeff{rows}", problems=Problems())
    assert found.text == "a b c d"
    assert [(mention.start, mention.end) for mention in found.mentions] == spans


def test_several_columns_of_tags_hold_nested_mentions(nested, tmp_path):
    plain = Annotation("# sent_id = no", (Mention(0, 1, "X"),), id="odd")
    assert write_iob(tmp_path / "a.conll", [nested, plain], problems=Problems()) == 2
    lines = (tmp_path / "a.conll").read_text(encoding="utf8").splitlines()
    assert lines[0] == "# global.columns = FORM NER NER NER"
    one, two = read_iob(tmp_path / "a.conll")
    assert (one.id, one.text, one.mentions) == (nested.id, nested.text, nested.mentions)
    assert (two.id, two.text, two.mentions) == (plain.id, plain.text, plain.mentions)


def test_columns_may_be_named(tmp_path):
    text = "x p53 B-NP B-G\nx gene I-NP O\n"
    (found,) = _read(tmp_path, text, columns=["_", "FORM", "_", "NER"])
    assert (found.text, found.mentions) == ("p53 gene", (Mention(0, 3, "G"),))
    with pytest.raises(BionerError, match="line 1"):
        _read(tmp_path, text, columns=["FORM", "NER"])


def test_document_lines_and_several_blank_lines_are_no_sentences(tmp_path):
    found = _read(tmp_path, "-DOCSTART- O\n\n\na O\n\n\nb O")
    assert [(one.id, one.text) for one in found] == [("a-1", "a"), ("a-2", "b")]


@pytest.mark.parametrize("text", [
    pytest.param("Aspirin helps the heart\nand more of it\n", id="plain-text"),
    pytest.param("Aspirin\nhelps\n", id="one-column"),
    pytest.param("Aspirin NN\n\nhelps VB\n", id="parts-of-speech"),
])
def test_a_file_without_any_tag_is_another_format(tmp_path, text):
    with pytest.raises(BionerError, match="a.conll: no token has a tag"):
        _read(tmp_path, text, problems=Problems())


def test_json_is_a_bad_line_and_braces_are_tokens(tmp_path):
    problems = Problems()
    found = _read(tmp_path, '{"id": "1", "text": "a b"}\n{ O\nx} B-X\n{}\tO\n', problems=problems)
    assert [one.text for one in found] == ["{ x} {}"]
    assert problems.counts == {"bad_line": 1} and problems.examples["bad_line"][0].place.endswith("a.conll, line 1")


@pytest.mark.parametrize("text, kind", [
    pytest.param("a B-X\nb I-Y\n", "bad_tag", id="inside-of-another"),
    pytest.param("a B\nb O\n", "bare_tag", id="tag-without-label"),
    pytest.param("a O\nb\n", "bad_line", id="missing-column"),
    pytest.param("# text = a c\na O\nb O\n", "token_not_found", id="other-text"),
])
def test_oddities_are_counted_with_their_line(tmp_path, text, kind):
    problems = Problems()
    _read(tmp_path, text, problems=problems)
    assert problems.counts == {kind: 1}
    assert "a.conll, line" in problems.examples[kind][0].place


@pytest.mark.parametrize("text, mentions, counts", [
    pytest.param("aspirin \tB-CHEM\nhelps\tO\n", [(0, 7)], {"white_space": 1}, id="after"),
    pytest.param("a\tO\n\u00a0aspirin\tB-CHEM\n", [(3, 10)], {"white_space": 1}, id="before"),
    pytest.param("a\tO\n\u00a0\tB-CHEM\nb\tO\n", [], {"empty": 1}, id="nothing-else"),
    pytest.param("a\tB-CHEM\n\u00a0\tI-CHEM\nb\tI-CHEM\n", [(0, 5)], {}, id="inside"),
    pytest.param("a\tB- \nb\tO\n", [], {"bad_line": 1}, id="blank-label"),
])
def test_mentions_have_no_white_space_at_their_edges(tmp_path, text, mentions, counts):
    problems = Problems()
    (found,) = _read(tmp_path, text, problems=problems)
    assert [(mention.start, mention.end) for mention in found.mentions] == mentions
    assert problems.counts == counts
    write_jsonl(tmp_path / "a.jsonl", [found])
    assert list(read_jsonl(tmp_path / "a.jsonl")) == [found]


@pytest.mark.parametrize("space", ["\u3000", "\u00a0", "\u0085", "\u2003"])
@pytest.mark.parametrize("between", ["\t", " "])
def test_white_space_that_is_no_blank_is_a_token(tmp_path, space, between):
    rows = zip(["头", "痛", space, "咳", "嗽"], ["B-S", "I-S", "O", "B-S", "I-S"])
    (found,) = _read(tmp_path, "".join(f"{word}{between}{tag}\n" for word, tag in rows))
    assert found.text == f"头 痛 {space} 咳 嗽"
    assert [found.surface(mention) for mention in found.mentions] == ["头 痛", "咳 嗽"]


def test_what_cannot_be_written_is_counted(tmp_path):
    problems = Problems()
    annotations = [Annotation("antibody\nx", (Mention(0, 4, "X"), Mention(0, 8, "two words")), id="1"), Annotation(" ")]
    assert write_iob(tmp_path / "a.conll", annotations, problems=problems) == 1
    assert problems.counts == {"off_boundary": 1, "unwritable_label": 1, "changed_text": 1, "unwritable_text": 1}


LINES = {
    "jnlpba": ("###MEDLINE:90000001\n\nIL-2\tB-DNA\ngene\tI-DNA\n\nit\tO\n\n###MEDLINE:90000002\n\nT\tB-cell_type\n",
               [("90000001", "IL-2 gene", 1), ("90000001-2", "it", 0), ("90000002", "T", 1)]),
    "document-comments": ("# newdoc id = d1\na B-X\n\n# newdoc id = d2\nb O\n", [("d1", "a", 1), ("d2", "b", 0)]),
    "pmid": ("## PMID: 17\na B-X\nb O\n## PMID: 18\nc O\n", [("17", "a b", 1), ("18", "c", 0)]),
    "comments": ("# newdoc\n# sentence_id = 1\nimatinib\tO\ntreats\tO\n\n# sentence_id = 2\nfever\tB-S\n",
                 [("1", "imatinib treats", 0), ("2", "fever", 1)]),
    "as-many-words-as-columns": ("# id 5a2c domain=en\na _ _ B-Drug\nb _ _ O\n\n# id 5a2d domain=en\nc _ _ O\n",
                                 [("5a2c", "a b", 1), ("5a2d", "c", 0)]),
    "longer-than-the-columns": ("# a comment of many words before all\na\tB-X\n\n# another\nb\tO\n",
                                [("a-1", "a", 1), ("a-2", "b", 0)]),
    "ids-without-blank-lines": ("# sent_id = 1\na O\n# sent_id = 2\nb B-X\n", [("1", "a", 0), ("2", "b", 1)]),
    "number-sign-is-a-token": ("patient\tO\n#\tO\n4\tO\n\n#\tB-X\n", [("a-1", "patient # 4", 0), ("a-2", "#", 1)]),
    "number-sign-comes-first": ("#\tO\n4\tB-X\n", [("a-1", "# 4", 1)]),
    "number-sign-of-four-columns": ("# NN O B-X\n4 CD O I-X\n", [("a-1", "# 4", 1)]),
    "hash-tag": ("#cancer NN B-X\nis VB O\n", [("a-1", "#cancer is", 1)]),
    "comment-inside": ("a B-X\n# doubtful\nb I-X\n", [("a-1", "a b", 1)]),
    "first-line-is-short": ("a\nb NN O\nc NN B-X\n", [("a-1", "b c", 1)]),
}


@pytest.mark.issue(21)
@pytest.mark.parametrize("name", LINES)
def test_comments_are_no_tokens_and_number_signs_are(tmp_path, name):
    text, wanted = LINES[name]
    problems = Problems()
    found = _read(tmp_path, text, problems=problems)
    assert [(one.id, one.text, len(one.mentions)) for one in found] == wanted
    assert problems.counts == ({"bad_line": 1} if name == "first-line-is-short" else {})


@pytest.mark.issue(21)
def test_a_token_that_begins_like_a_comment_and_lacks_a_column_is_counted(tmp_path):
    problems = Problems()
    (found,) = _read(tmp_path, "a NN O\n# O\nb NN B-X\n", problems=problems)
    assert found.text == "a b" and problems.counts == {"bad_line": 1}


@pytest.mark.issue(21)
def test_tags_without_a_label_take_the_one_that_is_given(tmp_path):
    text = "gout\tB\nattack\tI\nhelps\tO\n\nfever\tB\nasthma\tB\n"
    one, two = _read(tmp_path, text, label="Disease")
    assert one.mentions == (Mention(0, 11, "Disease"),)
    assert two.mentions == (Mention(0, 5, "Disease"), Mention(6, 12, "Disease"))
    with pytest.raises(BionerError, match="says no label"):
        _read(tmp_path, text)
    problems = Problems()
    assert sum(len(one.mentions) for one in _read(tmp_path, text, problems=problems)) == 0
    assert problems.counts == {"bare_tag": 4}


@pytest.mark.issue(21)
def test_deep_json_in_a_line_is_a_token(tmp_path):
    (found,) = _read(tmp_path, '{"a":' * 3000 + "\tO\n")
    assert len(found.text) == 15000


@pytest.mark.issue(21)
@pytest.mark.parametrize("text, columns, counts", [
    pytest.param("a B-X O\nb O B-Y\n", (), {"unread_tags": 1}, id="nested"),
    pytest.param("a B-X O\nb O B-Y\n", ("FORM", "NER", "NER"), {}, id="named"),
    pytest.param("a B-X O\nb O B-Y\n", ("FORM", "other", "NER"), {}, id="left-out-by-name"),
    pytest.param("a DT B-NP O\nb NN I-NP B-Y\n", (), {}, id="phrases-of-conll-2003"),
    pytest.param("a O O\nb O B-Y\n", (), {}, id="no-mention-in-it"),
])
def test_a_column_of_tags_that_is_not_read_is_counted(tmp_path, text, columns, counts):
    problems = Problems()
    (tmp_path / "a.conll").write_text(text, encoding="utf8")
    list(read_iob(tmp_path / "a.conll", problems=problems, columns=columns))
    assert problems.counts == counts
