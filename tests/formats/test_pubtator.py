from dataclasses import replace

import pytest

from spacy_bioner.annotation import Annotation, Mention
from spacy_bioner.errors import BionerError
from spacy_bioner.formats.jsonl import read_jsonl
from spacy_bioner.formats.parsing.problems import NOTES, Problems
from spacy_bioner.formats.pubtator import read_pubtator, write_pubtator


def _read(tmp_path, text, **options):
    path = tmp_path / "a.pubtator"
    path.write_bytes(text if isinstance(text, bytes) else text.encode("utf8"))
    return list(read_pubtator(path, **options))


@pytest.mark.parametrize("corpus, part, name, label", [
    ("ncbi_disease", "train", "NCBItrainset_corpus.txt", "DISEASE"),
    ("ncbi_disease", "dev", "NCBIdevelopset_corpus.txt", "DISEASE"),
    ("ncbi_disease", "test", "NCBItestset_corpus.txt", "DISEASE"),
    ("bc5cdr", "dev", "CDR_DevelopmentSet.PubTator.txt", None),
])
def test_reads_the_published_files_exactly(data, corpus, part, name, label):
    problems = Problems()
    found = list(read_pubtator(data / "raw" / corpus / "pubtator" / name, problems=problems))
    gold = list(read_jsonl(data / corpus / f"{part}.jsonl"))
    assert [f"{corpus}-{annotation.id}" for annotation in found] == [annotation.id for annotation in gold]
    for one, other in zip(found, gold):
        renamed = [replace(mention, label=label or mention.label.upper()) for mention in one.mentions]
        assert one.text == other.text
        assert one.with_mentions(renamed).mentions == other.mentions
    assert set(problems.counts) - NOTES <= {"repeated_document", "white_space"}


@pytest.mark.parametrize("corpus", ["bc5cdr", "biored", "genia", "cmeee"])
def test_corpora_survive_writing_and_reading(data, tmp_path, corpus):
    gold = list(read_jsonl(data / corpus / "test.jsonl"))
    write_pubtator(tmp_path / "a.pubtator", gold)
    back = list(read_pubtator(tmp_path / "a.pubtator"))
    assert [(one.id, one.text, one.mentions) for one in back] == [(one.id, one.text, one.mentions) for one in gold]


@pytest.mark.parametrize("text", [
    pytest.param("Title only", id="title"),
    pytest.param("Is it? Yes. No.", id="several-sentences"),
    pytest.param(" leading and trailing ", id="blanks-at-the-edges"),
    pytest.param("tab\there | and |t| there", id="tabs-and-bars"),
    pytest.param("Two.  Blanks. x", id="two-blanks"),
    pytest.param("", id="empty"),
])
def test_any_single_line_survives(tmp_path, text):
    annotation = Annotation(text, (Mention(0, len(text), "X"),) if text.strip() == text != "" else (), id="7")
    write_pubtator(tmp_path / "a.pubtator", [annotation])
    (back,) = read_pubtator(tmp_path / "a.pubtator")
    assert (back.text, back.mentions) == (annotation.text, annotation.mentions)


def test_nested_mentions_survive(nested, tmp_path):
    write_pubtator(tmp_path / "a.pubtator", [nested])
    assert [one.mentions for one in read_pubtator(tmp_path / "a.pubtator")] == [nested.mentions]


def test_line_ends_byte_order_mark_and_missing_last_line(tmp_path):
    text = b"\xef\xbb\xbf1|t|A p53.\r\n1|a|B.\r\n1\t2\t5\tp53\tGene\r\n\r\n2|t|C\r\n2|a|\r\n2\t0\t1\tC\tGene"
    one, two = _read(tmp_path, text)
    assert (one.text, one.mentions, two.text) == ("A p53. B.", (Mention(2, 5, "Gene"),), "C")
    assert two.mentions == (Mention(0, 1, "Gene"),)


HEAD = "1|t|Lung and liver cancer.\n1|a|It is rare.\n"


@pytest.mark.parametrize("line, kind, kept", [
    pytest.param("1\tCID\tD1\tD2", "relation", 0, id="relation"),
    pytest.param("1\t0\t21\tLung and liver cancer\tD\tD008175|D008113\tlung cancer|liver cancer", "composite", 1,
                 id="composite"),
    pytest.param("1\t0\t4\tLung\tD\tX1", "unknown_vocabulary", 1, id="identifier"),
    pytest.param("1\t0\t4\tLung\tD\t-1", "no_concept", 1, id="no-identifier"),
    pytest.param("1\t0\t4\tLung\tD\t\t\tmore", "extra_column", 1, id="eighth-column"),
    pytest.param("1\t0\t99\tLung\tD", "outside_text", 0, id="outside"),
    pytest.param("1\t0\t4\tHeart\tD", "surface_differs", 0, id="other-text"),
    pytest.param("1\t1\t5\tLung\tD", "shifted", 1, id="shifted"),
    pytest.param("1\t0\t5\tLung \tD", "white_space", 1, id="blank-at-the-edge"),
    pytest.param("1\t4\t5\t \tD", "empty", 0, id="blank-only"),
    pytest.param("1\tx", "bad_line", 0, id="short-line"),
    pytest.param("1\t0\t4\tLung\t ", "bad_line", 0, id="empty-label"),
    pytest.param("2\t0\t4\tLung\tD", "no_text", 0, id="no-such-document"),
])
def test_oddities_are_handled_and_counted_with_their_line(tmp_path, line, kind, kept):
    problems = Problems()
    (annotation,) = _read(tmp_path, HEAD + line + "\n", problems=problems)
    assert problems.counts == {kind: 1}
    assert problems.examples[kind][0].place.endswith("a.pubtator, line 3")
    assert len(annotation.mentions) == kept
    if kind not in NOTES:
        with pytest.raises(BionerError, match="line 3"):
            _read(tmp_path, HEAD + line, problems=Problems(strict=True))


def test_what_cannot_be_written_is_counted(tmp_path):
    problems = Problems()
    annotations = [Annotation("a\nb", (Mention(0, 3, "X", score=0.5),), id="1"), Annotation("c", id="a|b"),
                   Annotation("d", id="1"), Annotation("e", id=" 1")]
    assert write_pubtator(tmp_path / "a.pubtator", annotations, problems=problems) == 1
    assert problems.counts == {"changed_text": 1, "lost_score": 1, "unwritable_text": 1, "repeated_document": 2}
    assert [one.text for one in read_pubtator(tmp_path / "a.pubtator")] == ["a b"]


@pytest.mark.issue(21)
def test_the_variant_with_numbered_mentions_is_read(tmp_path):
    (tmp_path / "a.pubtator.txt").write_text(
        "7001|t|Gout and the TP53 gene.\n7001|a|TP53 was lost in asthma.\n7001\tT1\tDisease\t0\t4\tGout\n"
        "7001\tT2\tGene\t13\t17\tTP53\n7001\tT3\tGene\t24\t28\tTP53\n7001\tT4\tDisease\t41\t47\tasthma\n"
        "7001\tR1\tGDA\tT1\tT2\n7001\tCID\tD1\tD2\n\n")
    problems = Problems()
    (found,) = read_pubtator(tmp_path / "a.pubtator.txt", problems=problems)
    assert [(found.surface(mention), mention.label) for mention in found.mentions] == [
        ("Gout", "Disease"), ("TP53", "Gene"), ("TP53", "Gene"), ("asthma", "Disease")]
    assert problems.counts == {"relation": 2}


@pytest.mark.issue(21)
@pytest.mark.parametrize("row", ["T1\tDisease\tx\t4\tGout", "T1\tDisease\t0\t4", "T1\t0\t4\tGout\tDisease\tD1\tx",
                                 "0\tfour\tGout\tDisease", "\u0662\t\u00b2\tGout\tDisease"])
def test_a_line_that_may_be_a_mention_is_counted_when_it_cannot_be_read(tmp_path, row):
    (tmp_path / "a.pubtator").write_text(f"1|t|Gout.\n1|a|\n1\t{row}\n", encoding="utf8")
    problems = Problems()
    (found,) = read_pubtator(tmp_path / "a.pubtator", problems=problems)
    assert not found.mentions and problems.counts == {"bad_line": 1}


@pytest.mark.parametrize("row", [
    pytest.param("Disease\t0\t4\tGout", id="label-first"),
    pytest.param("E1\tDisease\t0\t4\tGout", id="another-number"),
    pytest.param("E1\tDisease\t0\t4\tGout\tD006073", id="another-number-and-identifier"),
    pytest.param("0-4\tGout\tDisease", id="hyphen"),
    pytest.param("0-4\tGout\tDisease\tD006073", id="hyphen-and-identifier"),
    pytest.param("Gout\tDisease\t0\t4", id="offsets-last"),
    pytest.param("Gout\t0\t4\tDisease", id="surface-first"),
    pytest.param("Disease\t1\t5\tGout", id="shifted"),
])
def test_a_mention_in_another_order_is_read(tmp_path, row):
    problems = Problems()
    (found,) = _read(tmp_path, f"1|t|Gout came back.\n1|a|\n1\t{row}\n", problems=problems)
    assert [(mention.start, mention.end, mention.label) for mention in found.mentions] == [(0, 4, "Disease")]
    assert found.mentions[0].ids == (("MESH:D006073",) if "D006073" in row else ())
    assert set(problems.counts) <= {"shifted"}


@pytest.mark.parametrize("row", [
    pytest.param("E1\t0\t4\tGout", id="number-without-label"),
    pytest.param("Disease\t0\t4\tGout\tD006073", id="label-or-number"),
    pytest.param("x\ty\tDisease\t0\t4\tGout", id="many-columns"),
    pytest.param("0-4\tDisease\tD006073\tGout", id="surface-last"),
])
def test_a_mention_whose_label_is_not_clear_is_no_relation(tmp_path, row):
    problems = Problems()
    (found,) = _read(tmp_path, f"1|t|Gout came back.\n1|a|\n1\t{row}\n", problems=problems)
    assert not found.mentions and problems.counts == {"bad_line": 1}


@pytest.mark.parametrize("row", [
    pytest.param("CID\tD006073\tD000544", id="cid"),
    pytest.param("R1\tGDA\tT1\tT2", id="numbered"),
    pytest.param("Association\t0\t4\tNovel", id="identifiers-of-genes"),
    pytest.param("Association\t672\t674\tNo", id="identifiers-outside-of-the-text"),
    pytest.param("Association\t4\t0\tGout", id="falling-numbers"),
    pytest.param("Association\t7\t7\t", id="nothing-between"),
    pytest.param("CID\tArg1:T1\tArg2:T2", id="arguments"),
])
def test_a_relation_stays_a_note(tmp_path, row):
    problems = Problems(strict=True)
    (found,) = _read(tmp_path, f"1|t|Gout came back. No.\n1|a|\n1\t{row}\n", problems=problems)
    assert not found.mentions and problems.counts == {"relation": 1}
