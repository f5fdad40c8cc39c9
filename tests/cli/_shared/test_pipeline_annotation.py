"""`annotate --pipeline`: a trained pipeline annotates records."""

import pytest
import spacy
from typer.testing import CliRunner

from spacy_bioner.annotation import Annotation, Mention
from spacy_bioner.cli.main import app
from spacy_bioner.formats.jsonl import read_jsonl, write_jsonl


@pytest.fixture
def folder(tmp_path):
    nlp = spacy.blank("en")
    nlp.add_pipe("span_ruler", config={"spans_key": "sc"}).add_patterns([{"label": "D", "pattern": "gout"}])
    nlp.to_disk(tmp_path / "pipeline")
    write_jsonl(tmp_path / "raw.jsonl", [
        Annotation("no gout here", (Mention(0, 2, "X"),), id="a", meta={"split": "train", "document": "7"}),
        Annotation("nothing", id="b", meta={"split": "train"})])
    return tmp_path


def annotate(folder, *options):
    given = options or ("--pipeline", folder / "pipeline")
    return CliRunner().invoke(app, ["annotate", str(folder / "raw.jsonl"), str(folder / "found.jsonl"),
                                    *map(str, given)])


def test_mentions_of_the_pipeline_take_the_place_of_those_of_the_records(folder):
    result = annotate(folder)
    assert result.exit_code == 0, (result.output, result.exception)
    found = list(read_jsonl(folder / "found.jsonl"))
    assert [[mention.key for mention in record.mentions] for record in found] == [[(3, 7, "D")], []]
    assert [record.id for record in found] == ["a", "b"]
    assert found[0].meta == {"split": "train", "document": "7", "origin": "synthetic", "model": "en_pipeline-0.0.0"}


def test_what_a_former_annotator_said_of_its_mentions_goes_with_them(folder):
    """The model card of what is trained on them would name the language model for it."""
    former = {"model": "qwen", "adapter": "abc", "prompt_hash": "1", "issues": {"truncated": 1}, "lang": "en"}
    write_jsonl(folder / "raw.jsonl", [
        Annotation("no gout here", (Mention(0, 2, "X"),), id="a", meta=former),
        Annotation("gout again", id="b", meta={"source": "generated", "model": "writer"})])
    result = annotate(folder)
    assert result.exit_code == 0, (result.output, result.exception)
    of_text, generated = (record.meta for record in read_jsonl(folder / "found.jsonl"))
    assert of_text == {"lang": "en", "origin": "synthetic", "model": "en_pipeline-0.0.0"}
    assert generated == {"source": "generated", "origin": "synthetic", "model": "writer", "relabelled": 1}


def test_a_folder_without_a_pipeline_is_one_clear_line(folder):
    result = annotate(folder, "--pipeline", folder)
    assert "Expected" not in str(result.exception) and "pipeline" in str(result.exception)
    assert not (folder / "found.jsonl").exists()


@pytest.mark.parametrize("more, told", [
    pytest.param(["--annotate.model", "other"], "--annotate.model has no effect here", id="model"),
    pytest.param(["--engine", "ray"], "--engine has no effect here", id="engine"),
])
def test_options_of_a_language_model_are_refused_with_a_pipeline(folder, more, told):
    result = annotate(folder, "--pipeline", folder / "pipeline", *more)
    assert told in str(result.exception)
    assert not (folder / "found.jsonl").exists()


def test_limit_and_origin_count_for_a_pipeline_too(folder):
    result = annotate(folder, "--pipeline", folder / "pipeline", "--annotate.limit", 1, "--annotate.origin", "gold")
    assert result.exit_code == 0, (result.output, result.exception)
    assert [record.meta["origin"] for record in read_jsonl(folder / "found.jsonl")] == ["gold"]


def test_spans_key_without_a_pipeline_is_refused(folder):
    assert "no --pipeline is given" in str(annotate(folder, "--spans-key", "sc").exception)
