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


NUMBERED = {
    "three-columns": "1\tGout\tB-Disease\n2\tcame\tO\n3\tback\tO\n",
    "blanks": "1 Gout B-Disease\n2 came O\n3 back O\n",
    "from-zero": "0\tGout\tB-Disease\n1\tcame\tO\n2\tback\tO\n",
    "through-the-document": "7\tGout\tB-Disease\n8\tcame\tO\n9\tback\tO\n\n10\tx\tO\n11\ty\tO\n",
    "one-token-first": "1\tGout\tB-Disease\n\n1\tx\tO\n2\ty\tO\n",
    "conll-u": "# text = Gout came back\n" + "".join(
        f"{number}\t{word}\t_\tX\t_\t_\t0\t_\t_\t{tag}\n" for number, word, tag in [
            ("1", "Gout", "B-Disease"), ("2", "came", "O"), ("2.1", "once", "_"), ("3-4", "back", "_"),
            ("3", "ba", "O"), ("4", "ck", "O")]),
    "germeval": "#\thttp://example.org/gout [2009-10-17]\n1\tGout\tB-Disease\tO\n2\tcame\tO\tB-X\n3\tback\tO\tO\n",
    "a-line-is-missing": "1\tGout\tB-Disease\n2\tcame\n3\tback\tO\n",
}


@pytest.mark.parametrize("name", NUMBERED)
def test_a_first_column_that_numbers_the_tokens_is_not_the_text(tmp_path, name):
    problems = Problems()
    found = _read(tmp_path, NUMBERED[name], problems=problems)
    texts = {"one-token-first": "Gout", "a-line-is-missing": "Gout back"}
    assert found[0].text == texts.get(name, "Gout came back")
    if name == "germeval":
        assert [found[0].surface(mention) for mention in found[0].mentions] == ["came"]
        assert problems.counts == {"unread_tags": 1}
    else:
        assert found[0].mentions == (Mention(0, 4, "Disease"),)
        assert problems.counts == ({"bad_line": 1} if name == "a-line-is-missing" else {})


def test_a_mention_on_a_line_beside_the_tokens_is_counted(tmp_path):
    problems = Problems()
    (found,) = _read(tmp_path, "1-2\tzum\tB-X\n1\tzu\t_\n2\tdem\tO\n", problems=problems)
    assert found.text == "zu dem" and problems.counts["bad_line"]


@pytest.mark.parametrize("text", [
    pytest.param("D17\tGout\tB-Disease\nD17\tcame\tO\n", id="document"),
    pytest.param("D17 Gout B-Disease\nD17 came O\n\nD18 back O\n", id="several-documents"),
    pytest.param("doc 0 0 Gout NN B-Disease\ndoc 0 1 came VB O\n", id="ontonotes"),
    pytest.param("1\tD17\tGout\tB-Disease\n2\tD17\tcame\tO\n", id="number-and-document"),
    pytest.param("0\t4\tGout\tB-Disease\n5\t9\tcame\tO\n", id="offsets"),
])
def test_a_first_column_that_is_no_token_asks_for_names(tmp_path, text):
    with pytest.raises(BionerError, match="a.conll, line 1: the first column, here .* Name each column"):
        _read(tmp_path, text, problems=Problems())


@pytest.mark.parametrize("text, wanted", [
    pytest.param("1 CD O\n2 CD O\n\nGout NN B-D\ncame VB O\n", ["1 2", "Gout came"], id="another-sentence-is-words"),
    pytest.param("3 CD O\n2 CD O\n", ["3 2"], id="falling"),
    pytest.param("no DT O\nno DT O\n\nit NN O\nis VB O\n", ["no no", "it is"], id="a-word-twice"),
    pytest.param("Gout NN B-D\n\n1 CD O\n", ["Gout", "1"], id="sentences-of-a-token"),
    pytest.param("1 O\n2 B-X\n", ["1 2"], id="two-columns"),
    pytest.param("# global.columns = FORM POS NER\n1 CD O\n2 CD O\n", ["1 2"], id="named-by-the-file"),
])
def test_numbers_and_words_that_come_again_are_tokens(tmp_path, text, wanted):
    assert [one.text for one in _read(tmp_path, text)] == wanted


def test_a_column_of_numbers_may_be_named_as_the_token(tmp_path):
    assert _read(tmp_path, "1 CD O\n2 CD O\n", columns=["FORM", "POS", "NER"])[0].text == "1 2"


@pytest.mark.parametrize("heading, count", [
    pytest.param("% comment", 1, id="percent"),
    pytest.param("%comment of several words", 1, id="as-wide-as-nothing-else"),
    pytest.param("// comment\n// another", 2, id="slashes"),
    pytest.param("==== Abstract 12 ====", 1, id="rule"),
    pytest.param("==== Abstract 12 ====\n", 1, id="rule-apart"),
    pytest.param("Token\tTag", 1, id="names-of-columns"),
    pytest.param("Token Tag", 1, id="names-of-columns-with-blanks"),
    pytest.param("# made by hand\nword\tlabel", 1, id="names-below-a-comment"),
    pytest.param("% made by hand\nword\tlabel", 2, id="names-below-another-comment"),
    pytest.param("-DOCSTART- (12)\tO\n", 0, id="document"),
    pytest.param("-DOCSTART-(12) -X- O O\n", 0, id="document-without-blank"),
])
@pytest.mark.parametrize("columns", [(), ("FORM", "NER")])
def test_a_heading_without_number_sign_is_no_token_and_counted(tmp_path, heading, count, columns):
    problems = Problems()
    found = _read(tmp_path, f"{heading}\nimatinib\tB-Drug\nhelps\tO\n", problems=problems, columns=columns)
    assert [(one.text, one.mentions) for one in found] == [("imatinib helps", (Mention(0, 8, "Drug"),))]
    assert problems.counts == ({"bad_line": count} if count else {})


def test_names_of_columns_above_numbered_tokens_are_no_token(tmp_path):
    problems = Problems()
    found = _read(tmp_path, "id\tword\ttag\n1\tGout\tB-D\n2\tcame\tO\n", problems=problems)
    assert [one.text for one in found] == ["Gout came"] and problems.counts == {"bad_line": 1}


@pytest.mark.parametrize("text, wanted", [
    pytest.param("Gout\tB-\ncame\tO\n", ["Gout came"], id="damaged-tag"),
    pytest.param("Gout\t_\ncame\tB-X\n", ["Gout came"], id="placeholder"),
    pytest.param("(\t_\ncame\tB-X\n", ["( came"], id="mark-with-placeholder"),
    pytest.param("(\tO\n-DOC\tB-X\n", ["( -DOC"], id="marks-with-tags"),
    pytest.param("Gout\tDisease\nattack\tDisease\nat\tO\n", ["Gout attack at"], id="labels-as-tags"),
    pytest.param("a\tO\n\nGout\tDisease\ncame\tO\n", ["a", "Gout came"], id="not-at-the-top"),
    pytest.param("a\tO\n%\tpercent\ncame\tO\n", ["a % came"], id="inside"),
])
def test_a_token_with_an_odd_tag_stays(tmp_path, text, wanted):
    problems = Problems()
    assert [one.text for one in _read(tmp_path, text, problems=problems)] == wanted
    assert set(problems.counts) <= {"bad_line"}
