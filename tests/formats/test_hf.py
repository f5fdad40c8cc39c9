import json

import pytest

from spacy_bioner.annotation import Annotation, Mention
from spacy_bioner.errors import BionerError
from spacy_bioner.formats.hf import read_hf, write_hf
from spacy_bioner.formats.jsonl import read_jsonl, write_jsonl
from spacy_bioner.formats.parsing.problems import Problems

ROW = {"id": "7", "tokens": ["p53", "(", "TP53", ")"], "ner_tags": ["B-G", "O", "B-G", "O"]}


def _read(tmp_path, content, name="a.json", **options):
    (tmp_path / name).write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf8")
    return list(read_hf(tmp_path / name, **options))


def test_text_and_mentions_survive(tmp_path):
    gold = Annotation("p53  (TP53)\n\u03b2-chain", (Mention(0, 3, "G"), Mention(6, 10, "G"), Mention(12, 19, "P")),
                      id="1")
    write_hf(tmp_path / "a.hf.jsonl", [gold])
    (back,) = read_hf(tmp_path / "a.hf.jsonl")
    assert (back.id, back.text, back.mentions) == (gold.id, gold.text, gold.mentions)


@pytest.mark.parametrize("name", ["a.hf.jsonl", "a.hf.jsonl.gz", "a.hf.json", "a.hf.json.gz", "a.json"])
@pytest.mark.parametrize("count", [0, 1, 3])
def test_any_name_is_written_as_it_is_read(tmp_path, name, count):
    gold = [Annotation("p53 gene", (Mention(0, 3, "G"),), id=str(number)) for number in range(count)]
    assert write_hf(tmp_path / name, gold) == count
    assert [(one.id, one.text, one.mentions) for one in read_hf(tmp_path / name)] == [
        (one.id, one.text, one.mentions) for one in gold]
    if name.endswith(".json"):
        assert len(json.loads((tmp_path / name).read_text())) == count


@pytest.mark.parametrize("content, name", [
    pytest.param(json.dumps(ROW), "a.jsonl", id="lines"),
    pytest.param([ROW], "a.json", id="list"),
    pytest.param({"data": [ROW]}, "a.json", id="data"),
    pytest.param({key: [value] for key, value in ROW.items()}, "a.json", id="columns"),
    pytest.param([{"id": 7, "words": ROW["tokens"], "labels": ROW["ner_tags"]}], "a.json", id="other-keys"),
])
def test_reads_the_usual_shapes(tmp_path, content, name):
    (found,) = _read(tmp_path, content, name)
    assert (found.id, found.text) == ("7", "p53 ( TP53 )")
    assert found.mentions == (Mention(0, 3, "G"), Mention(6, 10, "G"))


def test_numbers_are_named_by_the_dataset_info(tmp_path):
    rows = [{**ROW, "ner_tags": [1, 0, 1, 0]}]
    with pytest.raises(BionerError, match="dataset_info.json"):
        _read(tmp_path, rows)
    info = {"features": {"ner_tags": {"feature": {"names": ["O", "B-G", "I-G"], "_type": "ClassLabel"}}}}
    (tmp_path / "dataset_info.json").write_text(json.dumps(info))
    (found,) = _read(tmp_path, rows)
    assert found.mentions == (Mention(0, 3, "G"), Mention(6, 10, "G"))
    with pytest.raises(BionerError, match="tag 9 has no name"):
        _read(tmp_path, [{**ROW, "ner_tags": [9, 0, 0, 0]}])


@pytest.mark.parametrize("content, message", [
    pytest.param("{", "not a JSON document", id="cut"),
    pytest.param([1], "not a list of examples", id="no-examples"),
    pytest.param([{"tokens": ["a"]}], "no list ner_tags or tags or labels", id="no-tags"),
])
def test_what_is_not_this_format_is_one_clear_error(tmp_path, content, message):
    with pytest.raises(BionerError, match=message):
        _read(tmp_path, content)


def test_null_is_no_id(tmp_path):
    assert [one.id for one in _read(tmp_path, [{**ROW, "id": None}] * 2)] == ["a-1", "a-2"]


def test_empty_tokens_and_white_space_are_no_part_of_mentions(tmp_path):
    problems = Problems()
    row = {"id": "1", "tokens": ["aspirin", "", "\u00a0x", "\n"], "ner_tags": ["B-C", "B-C", "B-C", "B-C"]}
    (found,) = _read(tmp_path, [row], problems=problems)
    assert [(mention.start, mention.end) for mention in found.mentions] == [(0, 7), (10, 11)]
    assert problems.counts == {"empty": 2, "white_space": 1}
    with pytest.raises(BionerError, match="a.json, example 1"):
        _read(tmp_path, [row])
    write_jsonl(tmp_path / "a.jsonl", [found])
    assert list(read_jsonl(tmp_path / "a.jsonl")) == [found]


def test_oddities_are_counted(nested, tmp_path):
    problems = Problems()
    _read(tmp_path, [{**ROW, "ner_tags": ["O"]}, {**ROW, "text": "other"}], problems=problems)
    assert problems.counts == {"bad_line": 1, "token_not_found": 1}
    problems = Problems()
    write_hf(tmp_path / "n.hf.jsonl", [nested], problems=problems)
    assert problems.counts == {"overlap": 3, "lost_meta": 1}
    (back,) = read_hf(tmp_path / "n.hf.jsonl")
    assert back.mentions == (Mention(0, 16, "DNA"), Mention(20, 39, "disease"), Mention(41, 52, "protein"))


@pytest.mark.issue(21)
@pytest.mark.parametrize("name, content", [
    pytest.param("a.hf.json", "[" * 5000 + "]" * 5000, id="deep"), pytest.param("a.hf.json", "[{}", id="cut"),
    pytest.param("a.hf.jsonl", '{"tokens": ' + "[" * 5000 + "]" * 5000 + "}", id="deep-line"),
    pytest.param("a.hf.jsonl", '{"tokens": ["a", null], "ner_tags": ["O", "O"]}', id="no-token"),
    pytest.param("a.hf.jsonl", '{"tokens": ["a", ["b"]], "ner_tags": ["O", "O"]}', id="list-for-a-token"),
])
def test_what_is_no_example_is_one_line(tmp_path, name, content):
    (tmp_path / name).write_text(content)
    with pytest.raises(BionerError, match="a.hf.json") as caught:
        list(read_hf(tmp_path / name, problems=Problems()))
    assert len(str(caught.value)) < 400


@pytest.mark.issue(21)
def test_tags_without_a_label_take_the_given_one(tmp_path):
    (tmp_path / "a.hf.jsonl").write_text('{"tokens": ["lung", "cancer", "."], "ner_tags": ["B", "I", "O"]}')
    (found,) = read_hf(tmp_path / "a.hf.jsonl", label="Disease")
    assert found.mentions == (Mention(0, 11, "Disease"),)
    with pytest.raises(BionerError, match="says no label"):
        list(read_hf(tmp_path / "a.hf.jsonl"))
