import os
import shutil
from dataclasses import replace

import pytest

from spacy_bioner.annotation import Annotation, Mention
from spacy_bioner.errors import BionerError
from spacy_bioner.formats.brat import read_brat, write_brat
from spacy_bioner.formats.jsonl import read_jsonl
from spacy_bioner.formats.parsing.problems import NOTES, Problems


def _folder(tmp_path, text, ann, name="d1"):
    (tmp_path / f"{name}.txt").write_bytes(text.encode("utf8"))
    (tmp_path / f"{name}.ann").write_bytes(ann.encode("utf8"))
    return tmp_path


def test_reads_the_published_folder_exactly(data):
    problems = Problems()
    found = {annotation.id: annotation for annotation in read_brat(data / "raw/ncbi_disease/brat", problems=problems)}
    gold = list(read_jsonl(data / "ncbi_disease" / "dev.jsonl"))
    assert len(found) == len(gold)
    for annotation in gold:
        one = found[annotation.id.removeprefix("ncbi_disease-")]
        assert [replace(mention, label="DISEASE") for mention in one.mentions] == list(annotation.mentions)
        assert [one.surface(mention) for mention in one.mentions] == [
            annotation.surface(mention) for mention in annotation.mentions]
    assert set(problems.counts) <= NOTES


def test_texts_with_any_line_ends_and_ids_with_any_letters_survive(nested, tmp_path):
    lines = Annotation("line\r\nends\nin mention", (Mention(0, 10, "X"), Mention(6, 13, "X")), id="a/b: \u03b2?%")
    write_brat(tmp_path / "out", [nested, lines])
    back = {annotation.id: annotation for annotation in read_brat(tmp_path / "out")}
    assert back[lines.id] == lines
    assert (back["n1"].text, back["n1"].mentions) == (nested.text, nested.mentions)
    ann = next(tmp_path.glob("out/a*.ann")).read_text(encoding="utf8")
    assert ann.splitlines()[0] == "T1\tX 0 4;6 10\tline ends"


@pytest.mark.parametrize("line, kind, kept", [
    pytest.param("T1\tX 0 4;10 16\tlung cancer", "discontinuous", 0, id="discontinuous"),
    pytest.param("R1\tCID Arg1:T1 Arg2:T2", "relation", 0, id="relation"),
    pytest.param("E1\tBind:T1", "other_annotation", 0, id="event"),
    pytest.param("A1\tNegation T1", "other_annotation", 0, id="attribute"),
    pytest.param("#1\tAnnotatorNotes T1\tsure", "other_annotation", 0, id="remark"),
    pytest.param("N1\tReference T1 MeSH:D1", "other_annotation", 0, id="identifier"),
    pytest.param("T1\tX 0 99\tlung", "outside_text", 0, id="outside"),
    pytest.param("T1\tX zero 4\tlung", "bad_line", 0, id="no-number"),
    pytest.param("T1\tX 0 4", None, 1, id="no-surface"),
])
def test_oddities_are_counted_with_file_and_line(tmp_path, line, kind, kept):
    problems = Problems()
    (found,) = read_brat(_folder(tmp_path, "lung and  cancer", f"\r\n{line}\n"), problems=problems)
    assert len(found.mentions) == kept
    assert problems.counts == ({kind: 1} if kind else {})
    if kind:
        assert problems.examples[kind][0].place.endswith("d1.ann, line 2")


def test_byte_order_mark_in_the_text_is_a_character_or_not(tmp_path):
    folder = _folder(tmp_path, "\ufeffp53 gene", "T1\tX 0 3\tp53\n")
    problems = Problems()
    (found,) = read_brat(folder / "d1.txt", problems=problems)
    assert [found.surface(mention) for mention in found.mentions] == ["p53"]
    assert problems.counts == {"shifted": 1}


def test_a_text_without_annotations_and_the_other_way_round(tmp_path):
    _folder(tmp_path, "a", "")
    (tmp_path / "d1.ann").unlink()
    (tmp_path / "d2.ann").write_text("T1\tX 0 1\ta\n")
    problems = Problems()
    assert [one.text for one in read_brat(tmp_path, problems=problems)] == ["a"]
    assert problems.counts == {"no_text": 1, "no_annotation": 1}


def test_what_cannot_be_written_is_counted(tmp_path):
    problems = Problems()
    annotations = [Annotation("a", (Mention(0, 1, "two words"),), id="1"), Annotation("a", id="1"), Annotation("a")]
    assert write_brat(tmp_path / "out", annotations, problems=problems) == 1
    assert problems.counts == {"unwritable_label": 1, "repeated_document": 1, "unwritable_text": 1}


def test_a_folder_with_other_files_is_not_replaced(tmp_path):
    (tmp_path / "notes.md").write_text("mine")
    with pytest.raises(BionerError, match="notes.md"):
        write_brat(tmp_path, [Annotation("a", id="1")])
    assert (tmp_path / "notes.md").exists()


@pytest.mark.parametrize("name, made", [
    pytest.param("diary.txt", "file", id="text-without-annotations"),
    pytest.param("diary.ann", "file", id="annotations-without-text"),
    pytest.param("kept.txt", "folder", id="folder-named-as-a-text"),
])
def test_a_folder_that_no_brat_writer_made_is_not_replaced(tmp_path, name, made):
    write_brat(tmp_path / "notes", [Annotation("old", id="1")])
    mine = tmp_path / "notes" / name
    mine.mkdir() if made == "folder" else mine.write_text("mine")
    with pytest.raises(BionerError, match=f"notes holds files other than .*{name}"):
        write_brat(tmp_path / "notes", [Annotation("new", id="1")])
    assert mine.exists() and (tmp_path / "notes" / "1.txt").read_text() == "old"


def test_an_earlier_output_and_an_empty_folder_are_replaced(tmp_path):
    (tmp_path / "out").mkdir()
    write_brat(tmp_path / "out", [Annotation("old", id="1")])
    write_brat(tmp_path / "out", [Annotation("new", id="2")])
    assert sorted(file_.name for file_ in (tmp_path / "out").iterdir()) == ["2.ann", "2.txt"]


def test_an_error_on_the_way_leaves_the_old_folder(tmp_path):
    write_brat(tmp_path / "out", [Annotation("old", id="1")])
    with pytest.raises(BionerError):
        write_brat(tmp_path / "out", [Annotation("new", id="1"), Annotation("a", id="")])
    assert [one.text for one in read_brat(tmp_path / "out")] == ["old"]
    assert [file_.name for file_ in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("last", [0, 1, 2])
def test_a_kill_on_the_way_leaves_the_old_folder_or_the_new_one(tmp_path, monkeypatch, last):
    write_brat(tmp_path / "out", [Annotation("old", id="1")])
    done = []

    def until_killed(work):
        def call(*arguments, **options):
            if len(done) >= last:
                raise KeyboardInterrupt
            done.append(work)
            return work(*arguments, **options)
        return call

    for owner, name in ((os, "rename"), (os, "replace"), (shutil, "rmtree")):
        monkeypatch.setattr(owner, name, until_killed(getattr(owner, name)))
    with pytest.raises(KeyboardInterrupt):
        write_brat(tmp_path / "out", [Annotation("new", id="1")])
    monkeypatch.undo()
    monkeypatch.setattr("spacy_bioner.locks.ProcessName.is_dead", lambda owner: True)
    with pytest.raises(BionerError):
        write_brat(tmp_path / "out", [Annotation("a", id="")])
    assert [one.text for one in read_brat(tmp_path / "out")] in (["old"], ["new"])
    assert [file_.name for file_ in tmp_path.iterdir()] == ["out"]


@pytest.mark.issue(21)
def test_mentions_of_bionlp_are_read_and_its_events_counted(tmp_path):
    _folder(tmp_path, "IL-2 gene expression needs NF-kappa B.\n", "", name="p")
    (tmp_path / "p.ann").rename(tmp_path / "p.a1")
    (tmp_path / "p.a1").write_text("T1\tProtein 0 4\tIL-2\nT2\tProtein 27 37\tNF-kappa B\n")
    (tmp_path / "p.a2").write_text("T3\tGene_expression 10 20\texpression\nE1\tGene_expression:T3 Theme:T1\n"
                                   "*\tEquiv T1 T2\n")
    for path in (tmp_path, tmp_path / "p.a1", tmp_path / "p.txt"):
        problems = Problems()
        (found,) = read_brat(path, problems=problems)
        assert [found.surface(mention) for mention in found.mentions] == ["IL-2", "NF-kappa B"]
        assert problems.counts == {"event": 2, "relation": 1}
    with pytest.raises(BionerError, match="p.a2, line 1"):
        list(read_brat(tmp_path))
    (tmp_path / "p.a1").unlink()
    with pytest.raises(BionerError, match="no file of annotations"):
        list(read_brat(tmp_path, problems=Problems()))


@pytest.mark.issue(21)
def test_texts_without_any_annotation_file_are_an_error_unless_raw_text_is_asked_for(tmp_path):
    (tmp_path / "a.txt").write_text("gout")
    for path in (tmp_path, tmp_path / "a.txt"):
        with pytest.raises(BionerError, match="no file of annotations"):
            list(read_brat(path, problems=Problems()))
        assert list(read_brat(path, raw=True)) == [Annotation("gout", id="a")]


@pytest.mark.issue(21)
def test_names_in_upper_case_are_read(tmp_path):
    (tmp_path / "D.TXT").write_text("gout")
    (tmp_path / "D.ANN").write_text("T1\tX 0 4\tgout\n")
    for path in (tmp_path, tmp_path / "D.ANN", tmp_path / "D.TXT"):
        assert list(read_brat(path)) == [Annotation("gout", (Mention(0, 4, "X"),), id="D")]


@pytest.mark.issue(21)
@pytest.mark.parametrize("name", ["d1.txt", "d1.ann"])
def test_links_out_of_the_folder_are_not_followed(tmp_path, name):
    secret = tmp_path / "secret"
    secret.write_text("T1\tX 0 4\tgout\n")
    (tmp_path / "in").mkdir()
    folder = _folder(tmp_path / "in", "gout", "T1\tX 0 4\tgout\n")
    (tmp_path / "linked").symlink_to(folder)
    assert len(list(read_brat(tmp_path / "linked"))) == 1
    (folder / name).rename(folder / "kept")
    (folder / name).symlink_to("kept")
    assert len(list(read_brat(folder))) == 1
    (folder / name).unlink()
    (folder / name).symlink_to(secret)
    other = "d1.ann" if name == "d1.txt" else "d1.txt"
    for path in (folder, tmp_path / "linked", folder / other):
        with pytest.raises(BionerError, match=f"{name} is a link out of"):
            list(read_brat(path, problems=Problems()))


@pytest.mark.issue(21)
def test_offsets_of_thousands_of_digits_are_a_bad_line(tmp_path):
    problems = Problems()
    (found,) = read_brat(_folder(tmp_path, "gout", f"T1\tX 0 {'9' * 5000}\tgout\n"), problems=problems)
    assert not found.mentions and problems.counts == {"bad_line": 1}


@pytest.mark.parametrize("mention", [
    pytest.param(Mention(0, 15, "X", ids=("MESH:D1",)), id="identifier over a line end"),
    pytest.param(Mention(0, 15, "X", ids=("MESH:D1",), attributes={"concept_names": {"MESH:D1": "tumour"}}), id="name"),
    *(pytest.param(Mention(0, 6, "X", note=note), id=repr(note))
      for note in ("", "a", "a\n\nb", "\na\n", "a\u2028b", "a\rb")),
])
def test_what_is_said_of_a_mention_comes_back_as_it_was(tmp_path, mention):
    problems = Problems()
    write_brat(tmp_path / "out", [Annotation("Breast \ncancer.", (mention,), id="1")], problems=problems)
    (back,), = [one.mentions for one in read_brat(tmp_path / "out", problems=problems)]
    assert back.details() == mention.details() and problems.counts == {}


def test_line_ends_of_a_note_that_are_not_held_are_counted(tmp_path):
    problems = Problems()
    mention = Mention(0, 6, "X", note="a\r\nb")
    write_brat(tmp_path / "out", [Annotation("Breast", (mention,), id="1")], problems=problems)
    found, = read_brat(tmp_path / "out")
    assert found.mentions[0].note == "a\nb" and problems.counts == {"lost_note": 1}
