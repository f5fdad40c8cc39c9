"""The benchmark of a trained pipeline in use: what it is compared with reads the same texts for the same labels."""

import json
import sys
from pathlib import Path

import pytest
from small_trainings import TOK2VEC
from thinc.api import Config

sys.path.append(str(Path(__file__).parents[2]))

from benchmarks import inference  # noqa: E402

pytestmark = pytest.mark.issue(22)
TEXT = "Gout was treated with aspirin."


@pytest.fixture
def pipeline(tmp_path):
    """Return a folder that says what a pipeline has, as far as it is asked."""
    folder = tmp_path / "pipeline"
    folder.mkdir()
    (folder / "meta.json").write_text(json.dumps({"labels": {"bioner_spancat": ["DISEASE", "CHEMICAL"]}}))
    Config({"components": {"bioner_spancat": {"model": {"tok2vec": TOK2VEC}}}}).to_disk(folder / "config.cfg")
    return folder


@pytest.mark.parametrize("system", ["spancat", "ner"])
def test_untrained_systems_read_texts(pipeline, tmp_path, system):
    reader = inference.load(pipeline, system, tmp_path)
    first, second = map(reader.convert, reader.read([TEXT, "No fever."]))
    assert first.text == TEXT and second.text == "No fever."
    if system == "spancat":
        assert first.mentions == (), "an untrained model gives every span 0.5"


def test_gliner_is_skipped_in_one_line_where_its_package_is_missing(pipeline, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "gliner", None)
    monkeypatch.setattr(sys, "argv", ["inference", str(pipeline), str(tmp_path / "gold.jsonl"), "--system", "gliner"])
    inference.main()
    said = capsys.readouterr().err
    assert said.startswith("gliner skipped: ") and "spacy-bioner[gliner]" in said and said.count("\n") == 1


@pytest.mark.slow
def test_gliner_of_random_weights_reads_texts(pipeline, tmp_path):
    pytest.importorskip("gliner")
    inference.prepare("gliner", tmp_path)
    reader = inference.load(pipeline, "gliner", tmp_path)
    [read] = map(reader.convert, reader.read([TEXT]))
    assert read.text == TEXT
