"""The verb init: a project of one's own, or with the embedded corpus; nothing is written over."""

import pytest
import srsly
from places import ROOT

from spacy_bioner.annotation import Annotation, Mention
from spacy_bioner.cli._shared.schema import read_schema
from spacy_bioner.cli.init import corpus_name, set_variables
from spacy_bioner.formats import FORMATS, write_annotations
from spacy_bioner.formats.jsonl import read_jsonl, write_jsonl
from spacy_bioner.formats.parsing.problems import Problems

TOOLS = ROOT / "tests" / "data" / "tools"


@pytest.fixture
def notes(tmp_path):
    """Return a file of twenty annotated documents."""
    write_jsonl(tmp_path / "notes.jsonl", [
        Annotation(f"Patient {number} had gout.", (Mention(len(f"Patient {number} had "), len(
            f"Patient {number} had gout"), "DISEASE"),), id=f"d{number}") for number in range(20)])
    return tmp_path / "notes.jsonl"


def variables(folder):
    return srsly.read_yaml(folder / "project.yml")["vars"]


@pytest.mark.parametrize("lang, corpus", [("en", "embedded"), ("zh", "embedded_zh")])
def test_without_files_the_project_holds_the_embedded_corpus(verb, tmp_path, lang, corpus):
    code, _, err = verb("init", tmp_path / "new", "--lang", lang)
    assert code == 0 and "spacy-bioner run smoke" in err
    assert (variables(tmp_path / "new")["corpus"], variables(tmp_path / "new")["lang"]) == (corpus, lang)
    folder = tmp_path / "new" / "assets" / "corpora" / corpus
    assert not folder.is_symlink() and (folder / "train.jsonl").is_file()
    assert "embedded" in (tmp_path / "new" / "README.md").read_text()


def test_own_files_become_a_corpus_with_labels_to_define(verb, tmp_path, notes):
    code, _, err = verb("init", tmp_path / "My Notes", "--from", notes)
    assert code == 0 and "train: 14 documents, 14 mentions" in err
    assert "write definitions into assets/corpora/my_notes/labels.yml" in err
    project = tmp_path / "My Notes"
    folder = project / "assets" / "corpora" / "my_notes"
    assert [len(list(read_jsonl(folder / f"{part}.jsonl"))) for part in ("train", "dev", "test")] == [14, 3, 3]
    assert read_schema(folder / "labels.yml").labels == {"DISEASE": ""}
    assert "# 14 mentions, such as gout" in (folder / "labels.yml").read_text()
    assert (variables(project)["corpus"], variables(project)["leaks"]) == ("my_notes", "drop")
    readme = (project / "README.md").read_text()
    assert "assets/corpora/my_notes" in readme and "spacy-bioner run smoke" in readme


def test_several_files_stand_behind_one_from_and_a_schema_is_copied(verb, tmp_path, notes):
    (tmp_path / "raw.txt").write_text("A raw sentence.\n")
    (tmp_path / "mine.yml").write_text("labels: {DISEASE: illnesses}  # mine\n")
    code, _, err = verb("init", tmp_path / "new", "--from", notes, tmp_path / "raw.txt", "--labels",
                        tmp_path / "mine.yml")
    assert code == 0, err
    folder = tmp_path / "new" / "assets" / "corpora" / "new"
    assert len(list(read_jsonl(folder / "raw.jsonl"))) == 1
    assert "# mine" in (folder / "labels.yml").read_text()


def test_a_shipped_schema_is_copied_from_any_folder(verb, tmp_path, notes, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, _, err = verb("init", "new", "--from", notes, "--labels", "assets/labels/ncbi_disease.yml")
    assert code == 0, err
    shipped = ROOT / "assets" / "labels" / "ncbi_disease.yml"
    assert (tmp_path / "new/assets/corpora/new/labels.yml").read_bytes() == shipped.read_bytes()


@pytest.mark.parametrize("arguments", [["--from"], ["--from", "--seed", "1"], ["--from", "notes.jsonl", "--from"]])
def test_files_are_named_behind_from(verb, tmp_path, notes, monkeypatch, arguments):
    monkeypatch.chdir(tmp_path)
    code, _, err = verb("init", "mine", *arguments)
    assert code == 2 and "requires an argument" in err
    assert not (tmp_path / "mine").exists()


def test_an_empty_working_folder_becomes_a_project(verb, tmp_path, monkeypatch):
    (tmp_path / "mine").mkdir()
    monkeypatch.chdir(tmp_path / "mine")
    code, _, err = verb("init", ".")
    assert code == 0, err
    assert (tmp_path / "mine" / "project.yml").is_file()
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_a_folder_may_have_a_long_name(verb, tmp_path):
    code, _, err = verb("init", tmp_path / ("m" * 230))
    assert code == 0, err
    assert (tmp_path / ("m" * 230) / "project.yml").is_file()


@pytest.mark.parametrize("format_", FORMATS)
def test_files_of_each_format_become_a_corpus(verb, tmp_path, notes, format_):
    pytest.importorskip("cassis" if format_ == "inception" else "json")
    # Files of these two are the documents of a folder.
    given = tmp_path / ("given" if format_ in ("brat", "inception") else f"given{FORMATS[format_].endings[0]}")
    write_annotations(given, read_jsonl(notes), format_, problems=Problems())
    code, _, err = verb("init", tmp_path / "new", "--from", given)
    assert code == 0, err
    folder = tmp_path / "new" / "assets" / "corpora" / "new"
    parts = {part: list(read_jsonl(folder / f"{part}.jsonl")) for part in ("train", "dev", "test")}
    assert [len(records) for records in parts.values()] == [14, 3, 3]
    assert {record.surface(mention) for records in parts.values() for record in records
            for mention in record.mentions} == {"gout"}
    assert read_schema(folder / "labels.yml").labels == {"DISEASE": ""}


@pytest.mark.parametrize("name", ["export.labelstudio.json", "export.doccano.jsonl", "export.prodigy.jsonl",
                                  "inception/doc-1.xmi"])
def test_exports_of_annotation_tools_become_a_corpus(verb, tmp_path, notes, name):
    pytest.importorskip("cassis" if name.endswith(".xmi") else "json")
    code, _, err = verb("init", tmp_path / "new", "--from", notes, TOOLS / name)
    assert code == 0, err
    folder = tmp_path / "new" / "assets" / "corpora" / "new"
    found = {record.surface(mention): mention.label for part in ("train", "dev", "test")
             for record in read_jsonl(folder / f"{part}.jsonl") for mention in record.mentions}
    assert {"gout": "DISEASE", "p53": "Gene", "lung cancer": "Disease", "lung": "Organ"}.items() <= found.items()


def test_a_project_has_every_dependency_that_its_first_command_declares(verb, tmp_path, notes):
    from weasel.util.config import load_project_config

    assert verb("init", tmp_path / "new", "--from", notes)[0] == 0
    commands = {each["name"]: each for each in load_project_config(tmp_path / "new")["commands"]}
    assert all((tmp_path / "new" / path).exists() for path in commands["prepare"]["deps"])


@pytest.mark.parametrize("arguments, told", [
    pytest.param(["full"], "is not empty", id="full-folder"),
    pytest.param(["notes.jsonl"], "is not empty", id="file"),
    pytest.param(["new", "--labels", "labels.yml"], "--labels has no effect here", id="labels-alone"),
    pytest.param(["new", "--from", "nowhere.jsonl"], "nowhere.jsonl", id="missing"),
    pytest.param(["new", "--from", "notes.jsonl", "--labels", "labels.yml"], "'DISEASE'", id="unknown-label"),
    pytest.param(["new", "--from", "plain.txt"], "give a label schema", id="raw-text-alone"),
    pytest.param(["new", "--from", "notes.jsonl", "--labels", "zh.yml"], "is for texts in 'zh'", id="language"),
])
def test_what_makes_no_project_is_one_line_and_writes_nothing(refused, tmp_path, notes, monkeypatch, arguments, told):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    (tmp_path / "labels.yml").write_text("labels: {GENE: genes}\n")
    (tmp_path / "zh.yml").write_text("lang: zh\nlabels: {DISEASE: a}\n")
    (tmp_path / "plain.txt").write_text("Only text.\n")
    before = sorted(path.name for path in tmp_path.rglob("*"))
    assert told in refused("init", *arguments)
    assert sorted(path.name for path in tmp_path.rglob("*")) == before


@pytest.mark.parametrize("name, wanted", [("notes", "notes"), ("My-Notes 2", "my_notes_2"), ("embedded", "own"),
                                          ("病历", "own")])
def test_a_corpus_is_called_after_its_folder(tmp_path, name, wanted):
    assert corpus_name(tmp_path / name) == wanted


def test_variables_are_changed_and_comments_kept():
    text = (ROOT / "project.yml").read_text(encoding="utf8")
    changed = set_variables(text, {"corpus": "mine", "lang": "zh"})
    before, after = text.splitlines(), changed.splitlines()
    assert sum(one != other for one, other in zip(before, after)) == 2 and len(before) == len(after)


def test_raw_text_and_labels_alone_make_a_project(verb, refused, tmp_path):
    (tmp_path / "raw.txt").write_text("A case of gout was seen.\nAspirin was given at once.\n")
    (tmp_path / "labels.yml").write_text("labels: {DISEASE: illnesses}\n")
    given = ("init", tmp_path / "notes", "--from", tmp_path / "raw.txt")
    assert "label schema" in refused(*given)
    code, _, err = verb(*given, "--labels", tmp_path / "labels.yml")
    assert code == 0 and "run distil" in err
    corpus = tmp_path / "notes/assets/corpora/notes"
    assert sorted(path.name for path in corpus.iterdir()) == ["labels.yml", "raw.jsonl"]
    assert len((corpus / "raw.jsonl").read_text().splitlines()) == 2
