import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from spacy_bioner.cli.main import app
from spacy_bioner.errors import BionerError
from spacy_bioner.formats import read_annotations
from spacy_bioner.formats.parsing.problems import Problems

ASPIRIN = "Aspirin helps. It hurts the stomach. Fever falls."
RECORDS = [
    {"id": "d1", "text": ASPIRIN, "meta": {"split": "train"},
     "spans": [{"start": 0, "end": 7, "label": "Chemical"}, {"start": 37, "end": 42, "label": "Disease"}]},
    {"id": "d2", "text": "Nothing is here.", "spans": [], "meta": {"split": "train"}},
]


@pytest.fixture
def corpus(tmp_path) -> Path:
    return _write(tmp_path / "train.jsonl", RECORDS)


def _write(path, records):
    path.write_text("".join(f"{json.dumps(record)}\n" for record in records), encoding="utf8")
    return path


def _convert(*arguments):
    result = CliRunner().invoke(app, ["convert", *map(str, arguments)])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


def test_documents_become_sentences_of_any_format(corpus, tmp_path):
    output = _convert(corpus, tmp_path / "out.spacy", "--sentences", "--origin", "gold", "--split", "train")
    found = list(read_annotations(tmp_path / "out.spacy"))
    assert [one.id for one in found] == ["d1-s1", "d1-s2", "d1-s3", "d2-s1"]
    assert {one.meta["origin"] for one in found} == {"gold"}
    assert "2 read, 0 excluded, 4 written" in " ".join(output.split())
    assert "Chemical 1, Disease 1" in " ".join(output.split())


def test_several_files_go_into_one(corpus, tmp_path):
    other = _write(tmp_path / "more.jsonl", [{"id": "d3", "text": "More.", "spans": []}])
    _convert(corpus, other, tmp_path / "out.jsonl")
    assert [one.id for one in read_annotations(tmp_path / "out.jsonl")] == ["d1", "d2", "d3"]


@pytest.mark.parametrize("split", [None, ""])
def test_records_that_say_no_split_get_that_of_the_option(tmp_path, split):
    path = _write(tmp_path / "in.jsonl", [{"id": "d", "text": "Gout.", "spans": [], "meta": {"split": split}}])
    _convert(path, tmp_path / "out.jsonl", "--split", "dev")
    assert [one.meta["split"] for one in read_annotations(tmp_path / "out.jsonl")] == ["dev"]


def test_compressed_file_is_found_by_the_plain_name(corpus, tmp_path):
    _convert(corpus, tmp_path / "packed.jsonl.gz")
    _convert(tmp_path / "packed.jsonl", tmp_path / "out.jsonl")
    assert len(list(read_annotations(tmp_path / "out.jsonl"))) == 2


def test_a_sample_of_sentences_is_chosen_and_again_the_same(corpus, tmp_path):
    for name in ("a", "b"):
        _convert(corpus, tmp_path / f"{name}.jsonl", "--sentences", "--limit", "2", "--seed", "3")
    assert (tmp_path / "a.jsonl").read_bytes() == (tmp_path / "b.jsonl").read_bytes()
    assert len(list(read_annotations(tmp_path / "a.jsonl"))) == 2


def test_a_fold_and_the_others_are_all_records_and_share_no_document(tmp_path):
    source = _write(tmp_path / "all.jsonl", [{"id": f"d{number}", "text": f"One {number}. Two {number}.", "spans": []}
                                             for number in range(40)])
    for option in ("--fold", "--other-folds"):
        _convert(source, tmp_path / f"{option}.jsonl", "--sentences", option, "2/4", "--seed", "1")
    fold, others = ([one.meta["document"] for one in read_annotations(tmp_path / f"{option}.jsonl")]
                    for option in ("--fold", "--other-folds"))
    assert len(fold) + len(others) == 80 and not set(fold) & set(others)
    assert 2 <= len(set(fold)) <= 20


def test_labels_are_renamed_and_the_old_ones_kept_beside(corpus, tmp_path):
    _convert(corpus, tmp_path / "out.jsonl", "--rename", "Disease=D", "--rename", "*=OTHER", "--sentences")
    found = list(read_annotations(tmp_path / "out.jsonl"))
    assert [[mention.label for mention in one.mentions] for one in found] == [["OTHER"], [], ["D"], []]
    assert [one.meta["subtypes"] for one in found] == [["Chemical"], [], ["Disease"], []]


def test_a_part_of_train_becomes_dev(corpus, tmp_path):
    _convert(corpus, tmp_path / "made.jsonl", "--set-split", "train")
    _convert(tmp_path / "made.jsonl", tmp_path / "dev.jsonl", "--set-split", "dev")
    assert {one.meta["split"] for one in read_annotations(tmp_path / "dev.jsonl")} == {"dev"}


def test_mentions_of_a_label_are_dropped(corpus, tmp_path):
    _convert(corpus, tmp_path / "out.jsonl", "--rename", "Disease=", "--sentences")
    found = list(read_annotations(tmp_path / "out.jsonl"))
    assert [[mention.label for mention in one.mentions] for one in found] == [["Chemical"], [], [], []]


def test_a_label_to_rename_that_no_mention_has_is_said(corpus, tmp_path):
    output = " ".join(_convert(corpus, tmp_path / "out.jsonl", "--rename", "Diseas=D", "--rename", "Chemical=C",
                               "--strict").split())
    assert "unused_rename" in output and "--rename Diseas=D" in output and "Chemical=C" not in output
    assert "unused_rename" not in _convert(corpus, tmp_path / "out.jsonl", "--rename", "*=D")


def test_raw_text_has_no_mentions(corpus, tmp_path):
    _convert(corpus, tmp_path / "raw.jsonl", "--drop-labels", "--rename", "*=X")
    assert all(not one.mentions and "subtypes" not in one.meta for one in read_annotations(tmp_path / "raw.jsonl"))


def test_texts_of_another_file_are_left_out_whole_or_as_sentences(corpus, tmp_path):
    held_out = _write(tmp_path / "test.jsonl", [{"id": "t", "text": "New. It hurts the  Stomach!", "spans": []},
                                                {"id": "u", "text": "Nothing is here.", "spans": []}])
    assert "2 excluded" in _convert(corpus, tmp_path / "out.jsonl", "--sentences", "--exclude", held_out)
    assert [one.id for one in read_annotations(tmp_path / "out.jsonl")] == ["d1-s1", "d1-s3"]
    with pytest.raises(BionerError, match="holds no record"):
        _convert(corpus, tmp_path / "documents.jsonl", "--exclude", held_out)


@pytest.mark.parametrize("arguments, message", [
    pytest.param(["--split", "test"], "'d1' belongs to split 'train', but this step needs split 'test'", id="split"),
    pytest.param(["--require-disjoint", "HELD"], "'d1' also occurs in .*held.jsonl", id="leak"),
    pytest.param(["--sentences", "--require-disjoint", "HELD"], "'d1-s2' also occurs in", id="leak-of-a-sentence"),
    pytest.param(["--labels", "SCHEMA"], "'d1' has the label 'Disease'.*Known: Chemical", id="unknown-label"),
    pytest.param(["--rename", "Disease"], "Write --rename OLD=NEW", id="rename"),
    pytest.param(["--rename", "Disease=A", "--rename", "Disease=B"], "'Disease' would become both 'A' and 'B'",
                 id="renamed-twice"),
    pytest.param(["--rename", "Disease=A=B"], "'Disease=A=B' as a change of label", id="rename-with-two-signs"),
    pytest.param(["--origin", "golden"], "--origin is 'golden'. Wanted: gold, synthetic", id="origin"),
    pytest.param(["--sentences", "--documents"], "not both", id="both"),
    pytest.param(["--from", "word"], "Unknown format 'word'", id="format"),
    pytest.param(["--to", "word"], "Unknown format 'word'", id="format-out"),
    pytest.param(["--columns", "FORM NER"], "for the format iob", id="columns"),
    pytest.param(["--exclude", "none.jsonl"], "There is no file or folder at none.jsonl", id="missing-exclude"),
])
def test_errors_are_clear_and_leave_no_file(corpus, tmp_path, arguments, message):
    held_out = _write(tmp_path / "held.jsonl", [{"id": "t", "text": "Before. It hurts the stomach.", "spans": []}])
    schema = tmp_path / "schema.yml"
    schema.write_text("labels:\n  Chemical: drugs\n", encoding="utf8")
    names = {"HELD": held_out, "SCHEMA": schema}
    with pytest.raises(BionerError, match=message):
        _convert(corpus, tmp_path / "out.jsonl", *(names.get(argument, argument) for argument in arguments))
    assert not (tmp_path / "out.jsonl").exists()
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("content, message", [
    pytest.param("", "in.jsonl holds no record", id="empty"),
    pytest.param('{"text": "a", "spans": []}\n{"text": 1, "spans": []}\n', "line 2: key 'text' holds 1", id="number"),
    pytest.param('{"text": "a", "spans": [{"start": 0, "end": 9, "label": "X"}]}', "line 1: span 0-9", id="outside"),
    pytest.param("{oops\n", "line 1: not a JSON object", id="no-json"),
])
def test_bad_records_keep_the_old_output(tmp_path, content, message):
    (tmp_path / "in.jsonl").write_text(content, encoding="utf8")
    (tmp_path / "out.jsonl").write_text("old", encoding="utf8")
    with pytest.raises(BionerError, match=message):
        _convert(tmp_path / "in.jsonl", tmp_path / "out.jsonl")
    assert (tmp_path / "out.jsonl").read_text(encoding="utf8") == "old"


PUBTATOR = "1|t|Aspirin helps.\n1|a|\n1\t0\t7\tAspirin\tChemical\tD1\n1\tCID\tD1\tD2\n1\t0\t99\tx\tChemical\n"


def test_what_is_left_out_is_counted_in_a_table_or_fatal(tmp_path):
    (tmp_path / "a.pubtator").write_text(PUBTATOR, encoding="utf8")
    output = " ".join(_convert(tmp_path / "a.pubtator", tmp_path / "out.jsonl").split())
    assert "outside_text" in output and "relation" in output
    assert [len(one.mentions) for one in read_annotations(tmp_path / "out.jsonl")] == [1]
    with pytest.raises(BionerError, match="a.pubtator, line 5"):
        _convert(tmp_path / "a.pubtator", tmp_path / "strict.jsonl", "--strict")
    assert not (tmp_path / "strict.jsonl").exists()


NESTED = {"id": "n", "text": "antibodies of p53\ngene",
          "spans": [{"start": 0, "end": 4, "label": "A"}, {"start": 14, "end": 22, "label": "two words"},
                    {"start": 14, "end": 17, "label": "G"}, {"start": 0, "end": 17, "label": "C"}]}


@pytest.mark.parametrize("name, mentions, nested", [
    pytest.param("out.jsonl", 4, 2, id="jsonl"),
    pytest.param("out.spacy", 3, 1, id="spacy"),
    pytest.param("out.xml", 4, 2, id="bioc"),
    pytest.param("out.bioc.json", 4, 2, id="bioc-json"),
    pytest.param("out.pubtator", 4, 2, id="pubtator"),
    pytest.param("out.brat", 3, 2, id="brat"),
    pytest.param("out.conll", 2, 1, id="iob"),
    pytest.param("out.hf.jsonl", 1, 0, id="hf"),
])
def test_the_summary_counts_what_is_written(tmp_path, name, mentions, nested):
    source = _write(tmp_path / "in.jsonl", [NESTED, {"id": "e", "text": "Nothing.", "spans": []}])
    output = " ".join(_convert(source, tmp_path / name).split())
    found = list(read_annotations(tmp_path / name, problems=Problems()))
    assert sum(len(one.mentions) for one in found) == mentions
    assert f"2 read, 0 excluded, 2 written to {tmp_path / name} {mentions} mentions" in output
    assert f"{nested} nested" in output


@pytest.mark.parametrize("name, record", [
    pytest.param("out.conll", {"id": "1", "text": " ", "spans": []}, id="iob"),
    pytest.param("out.pubtator", {"id": "a|b", "text": "a", "spans": []}, id="pubtator"),
    pytest.param("out.brat", {"id": "", "text": "a", "spans": []}, id="brat"),
    pytest.param("out.xml", {"id": "1", "text": "a\0", "spans": []}, id="bioc"),
])
def test_an_output_that_would_be_empty_is_an_error_and_no_file(verb, tmp_path, name, record):
    code, _, err = verb("convert", _write(tmp_path / "in.jsonl", [record]), tmp_path / name)
    assert code == 1 and "unwritable_text" in err
    assert err.splitlines()[-1].startswith(f"spacy-bioner: {tmp_path / name} holds no record")
    assert [path.name for path in tmp_path.iterdir()] == ["in.jsonl"]


def test_columns_of_iob_files_are_named(tmp_path):
    (tmp_path / "a.tsv").write_text("p53 NN B-NP B-G\n", encoding="utf8")
    _convert(tmp_path / "a.tsv", tmp_path / "out.jsonl", "--from", "iob", "--columns", "FORM POS NER CHUNK")
    assert [one.mentions[0].label for one in read_annotations(tmp_path / "out.jsonl")] == ["NP"]


@pytest.mark.parametrize("columns", ["FORM POS", "POS NER", "FORM FORM NER", "FORM"])
@pytest.mark.parametrize("head", ["", "# global.columns = FORM NER\n"], ids=["no-names", "names-in-the-file"])
def test_columns_without_token_or_tag_are_refused(tmp_path, columns, head):
    (tmp_path / "a.conll").write_text(f"{head}p53 B-G\n", encoding="utf8")
    with pytest.raises(BionerError, match=f"columns '{columns}' do not fit 2 columns"):
        _convert(tmp_path / "a.conll", tmp_path / "out.jsonl", "--columns", columns)
    assert not (tmp_path / "out.jsonl").exists()


def test_names_of_columns_in_the_file_win_and_that_is_said(tmp_path):
    (tmp_path / "a.conll").write_text("# global.columns = FORM NER\np53 B-G\n\np54 O\n", encoding="utf8")
    output = _convert(tmp_path / "a.conll", tmp_path / "out.jsonl", "--columns", "NER FORM")
    assert "named_columns" in output
    assert [len(one.mentions) for one in read_annotations(tmp_path / "out.jsonl")] == [1, 0]
    assert "named_columns" not in _convert(tmp_path / "a.conll", tmp_path / "out.jsonl", "--columns", "FORM NER")


def test_records_taken_for_iob_are_an_error_and_no_file(verb, corpus, tmp_path):
    code, _, err = verb("convert", corpus, tmp_path / "out.jsonl", "--from", "iob")
    assert code == 1 and "bad_line" in err and f"{corpus} holds no record" in err
    assert not (tmp_path / "out.jsonl").exists()


def test_memory_stays_small_for_long_files(tmp_path):
    import tracemalloc

    path = tmp_path / "long.jsonl"
    with path.open("w", encoding="utf8") as file_:
        for number in range(1_500):
            text = f"Text number {number} says so. " * 8
            file_.write(json.dumps({"id": str(number), "text": text, "spans": []}) + "\n")
    tracemalloc.start()
    _convert(path, tmp_path / "out.jsonl", "--sentences", "--limit", "50")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4_000_000


@pytest.mark.issue(24)
@pytest.mark.parametrize("path", ["notes", "notes/a.txt"])
def test_text_files_become_raw_records(verb, tmp_path, path):
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.txt").write_text("Gout hurts.\n")
    code, _, err = verb("convert", tmp_path / path, tmp_path / "out.jsonl")
    assert code == 0, err
    assert "without an annotation file" in err or "no_annotation" in err or "raw text" in err
    [record] = read_annotations(tmp_path / "out.jsonl", raw=True)
    assert record.text.strip() == "Gout hurts." and record.meta["origin"] == "raw"
