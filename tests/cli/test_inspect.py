import json

import pytest
from typer.testing import CliRunner

from spacy_bioner.annotation import Annotation, Mention, in_text_order
from spacy_bioner.cli.inspect import find_parts
from spacy_bioner.cli.main import app
from spacy_bioner.errors import BionerError
from spacy_bioner.formats import FORMATS
from spacy_bioner.report.corpus_page import bracket

TEXT = "Loss of the <script>p53</script> gene was seen in these patients."


@pytest.fixture
def corpus(tmp_path):
    folder = tmp_path / "made"
    folder.mkdir()
    gene = {"start": 20, "end": 37, "label": "DNA"}
    for split, texts in (("train", [TEXT, "Nothing more."]), ("test", [TEXT.upper()]), ("dev", ["All is well."])):
        records = [{"id": f"{split}{place}", "text": text, "meta": {"split": split},
                    "spans": [gene, {**gene, "end": 23, "label": "protein"}] if "SCRIPT" in text.upper() else []}
                   for place, text in enumerate(texts)]
        path = folder / f"{split}.jsonl"
        path.write_text("".join(f"{json.dumps(record)}\n" for record in records), encoding="utf8")
    return folder


def _inspect(*arguments):
    result = CliRunner().invoke(app, ["inspect", *map(str, arguments)])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.output


def test_text_shows_counts_leaks_and_bracketed_examples(corpus):
    output = _inspect(corpus)
    assert "| records | 2 | 1 | 1 |" in output
    assert "| nested mentions | 1 (50.0%) | 0 | 1 (50.0%) |" in output
    assert "| train, test | 1 | 1 | train0 = test0; train0-s1 = test0-s1 |" in output
    assert "[DNA: [protein: p53]</script> gene]" in output.replace("&lt;", "<")


def test_labels_that_the_schema_lacks_are_shown(corpus, tmp_path):
    (tmp_path / "schema.yml").write_text("labels:\n  protein: ''\n", encoding="utf8")
    assert "| DNA | 2 |" in _inspect(corpus, "--labels", tmp_path / "schema.yml")


def test_page_is_one_file_with_escaped_text(corpus, tmp_path):
    _inspect(corpus, "--output", tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text(encoding="utf8")
    assert "<script>p53" not in page.lower() and "&lt;script&gt;" in page
    assert page.count("<svg") == 3 and "http-equiv" in page
    assert "src=" not in page and '<link rel="stylesheet"' not in page


def test_problems_of_reading_are_shown(tmp_path):
    (tmp_path / "a.pubtator").write_text("1|t|Aspirin.\n1|a|\n1\t0\t99\tx\tDrug\n", encoding="utf8")
    assert "a.pubtator, line 3 (0-99 in 8 characters)" in _inspect(tmp_path / "a.pubtator")
    with pytest.raises(BionerError, match="line 3"):
        _inspect(tmp_path / "a.pubtator", "--strict")


def test_parts_are_named_by_file_folder_or_path(tmp_path):
    paths = []
    for folder in ("one/x", "two/x", "two/y"):
        (tmp_path / folder).mkdir(parents=True)
        for split in ("test", "train"):
            paths.append(tmp_path / folder / f"{split}.jsonl")
            paths[-1].write_text("{}", encoding="utf8")
    assert list(find_parts([tmp_path / "one/x"])) == ["train", "test"]
    assert list(find_parts([tmp_path / "one/x", tmp_path / "two/y"])) == ["x/train", "x/test", "y/train", "y/test"]
    assert len(find_parts(paths)) == 6


@pytest.mark.parametrize("ending", [ending for format_ in FORMATS.values() for ending in format_.endings
                                    if ending not in (".ann", ".a1")])
def test_a_folder_is_searched_for_every_format(tmp_path, ending):
    names = [f"train{ending}", f"dev{ending.upper()}", "README.md", "dataset_info.json"]
    for name in names:
        (tmp_path / name).write_text("", encoding="utf8")
    assert [path.name for path in find_parts([tmp_path]).values()] == names[:2]


@pytest.mark.parametrize("again", ["made/train.jsonl", "made/../made/train.jsonl", "made"])
def test_the_same_file_twice_is_refused(corpus, again):
    with pytest.raises(BionerError, match="train.jsonl is given twice"):
        find_parts([corpus / "train.jsonl", corpus.parent / again])


@pytest.mark.parametrize("name", ["none.jsonl", "empty"])
def test_missing_corpus_is_one_clear_error(tmp_path, name):
    (tmp_path / "empty").mkdir()
    with pytest.raises(BionerError, match="There is no (file|corpus)"):
        _inspect(tmp_path / name)


@pytest.mark.parametrize("name", ["a.txt", "a.ann"])
def test_no_file_of_a_folder_that_is_read_is_replaced(refused, tmp_path, name):
    (tmp_path / "a.txt").write_text("Gout hurts.\n")
    if name.endswith(".ann"):
        (tmp_path / name).write_text("T1\tDISEASE 0 4\tGout\n")
    before = (tmp_path / name).read_bytes()
    assert "is also an input" in refused("inspect", tmp_path, "--output", tmp_path / name)
    assert (tmp_path / name).read_bytes() == before


def test_brackets_nest_and_cross():
    mentions = (Mention(0, 3, "A"), Mention(0, 1, "B"), Mention(2, 5, "C"), Mention(4, 5, "D"))
    assert bracket(Annotation("a b\nc", in_text_order(mentions))) == "[A: [B: a] [C: b] [D: c]]"


@pytest.mark.issue(24)
@pytest.mark.parametrize("path", ["notes", "notes/a.txt", "corpus"])
def test_text_files_are_looked_at_as_raw_text(verb, tmp_path, path):
    for name in ("notes/a.txt", "notes/b.txt", "corpus/raw/a.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("Gout hurts.\n")
    (tmp_path / "corpus" / "train.jsonl").write_text('{"id": "1", "text": "No flu.", "spans": []}\n')
    code, out, err = verb("inspect", tmp_path / path)
    assert code == 0, err
    assert "Gout hurts." in out and "without annotation" not in out
