import subprocess
import sys
from pathlib import Path

import pytest

from spacy_bioner.errors import BionerError
from spacy_bioner.formats import (
    FORMATS,
    get_format,
    guess_format,
    is_brat_folder,
    read_annotations,
    write_annotations,
)
from spacy_bioner.formats.jsonl import read_jsonl
from spacy_bioner.formats.parsing.problems import NOTES, Problems

# The kinds of mentions that a format may lose, and the formats that lose metadata.
MAY_LOSE = {"spacy": {"off_boundary"}, "iob": {"off_boundary"}, "hf": {"off_boundary", "overlap"}}
NO_META = {"pubtator", "brat", "iob", "hf"}


@pytest.mark.parametrize("name", FORMATS)
def test_each_format_is_found_and_reads_and_writes(name):
    assert callable(get_format(name).read) and callable(get_format(name).write)


@pytest.mark.parametrize("path, name", [
    ("a.jsonl", "jsonl"), ("A.JSONL.gz", "jsonl"), ("x.PubTator.txt", "pubtator"), ("a.hf.jsonl", "hf"),
    ("a.bioc.json", "bioc"), ("a.xml", "bioc"), ("a.conll", "iob"), ("a.spacy", "spacy"), ("a.brat", "brat"),
    ("A.BIOC.JSON", "bioc"), ("A.XML.GZ", "bioc"), ("A.CONLL.gz", "iob"), ("P.A1", "brat"), ("A.SPACY", "spacy"),
])
def test_names_that_make_the_format_certain(path, name):
    assert guess_format(Path(path)) == name


@pytest.mark.parametrize("path", ["a.txt", "a.json", "a.tsv", "folder"])
def test_other_names_are_an_error_that_lists_the_formats(path):
    with pytest.raises(BionerError, match="Rename it after its format .*[.]pubtator.* choose one of: .*jsonl"):
        guess_format(Path(path))


@pytest.mark.parametrize("name", ["none", "none.jsonl", "none.jsonl.gz"])
def test_a_missing_file_is_said_to_be_missing(tmp_path, name):
    with pytest.raises(BionerError, match=f"There is no file.* at .*{name}"):
        list(read_annotations(tmp_path / name))


def test_unknown_format_lists_the_known():
    with pytest.raises(BionerError, match="jsonl, pubtator"):
        get_format("word")


@pytest.mark.parametrize("name", ["a.jsonl.gz", "a.spacy", "a.xml", "a.bioc.json", "a.pubtator", "a.brat", "a.conll",
                                  "a.hf.jsonl"])
@pytest.mark.parametrize("corpus", ["genia", "biored"])
def test_corpora_survive_each_format_as_far_as_it_holds_them(data, tmp_path, name, corpus):
    gold = sorted(read_jsonl(data / corpus / "dev.jsonl"), key=lambda annotation: annotation.id)[:300]
    problems = Problems()
    assert write_annotations(tmp_path / name, gold, problems=problems) == len(gold)
    back = list(read_annotations(tmp_path / name))
    assert [(one.id, one.text) for one in back] == [(one.id, one.text) for one in gold]
    format_ = guess_format(tmp_path / name)
    lost = sum(count for kind, count in problems.counts.items() if kind not in NOTES)
    assert sum(len(one.mentions) for one in gold) - sum(len(one.mentions) for one in back) == lost
    assert all(set(one.mentions) <= set(other.mentions) for one, other in zip(back, gold))
    assert set(problems.counts) - NOTES <= MAY_LOSE.get(format_, set())
    assert ("lost_meta" in problems.counts) is (format_ in NO_META)
    if format_ not in NO_META:
        assert [one.meta for one in back] == [one.meta for one in gold]


def test_looking_up_formats_loads_no_spacy():
    code = ("import sys, spacy_bioner.formats as f; f.get_format('pubtator').read; f.get_format('bioc').read;"
            "sys.exit('spacy' in sys.modules)")
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("files", [["a.xmi"], ["TypeSystem.xml", "b.XMI"]])
def test_a_folder_of_xmi_is_one_of_inception(tmp_path, files):
    for name in files:
        (tmp_path / name).write_text("")
    assert guess_format(tmp_path) == "inception"


@pytest.mark.issue(21)
@pytest.mark.parametrize("files, brat", [(["a.TXT"], True), (["a.txt", "a.A1"], True), (["a.ANN"], True), ([], False),
                                         (["README.txt", "train.jsonl"], False), (["train.jsonl.gz"], False)])
def test_a_folder_of_texts_is_one_of_brat(tmp_path, files, brat):
    for name in files:
        (tmp_path / name).write_text("")
    assert is_brat_folder(tmp_path) is brat
    if brat:
        assert guess_format(tmp_path) == "brat"


@pytest.mark.issue(21)
@pytest.mark.parametrize("name", FORMATS)
def test_all_readers_are_called_alike_for_raw_text(tmp_path, name, nested):
    path = tmp_path / f"a{FORMATS[name].endings[0] if name != 'brat' else '.brat'}"
    write_annotations(path, [nested.with_mentions(())], name, problems=Problems())
    assert len(list(read_annotations(path, name, raw=True, problems=Problems()))) == 1
