"""`annotate --pipeline`: a trained pipeline annotates records."""

import pytest
import spacy
from typer.testing import CliRunner

from spacy_bioner.annotation import Annotation, Mention
from spacy_bioner.cli._shared.annotating.pipeline_annotation import make_pipeline_annotator
from spacy_bioner.cli.main import app
from spacy_bioner.formats.jsonl import read_jsonl, write_jsonl
from spacy_bioner.scale.ray_annotate import ShardWorker
from spacy_bioner.scale.shards import find_shards
from spacy_bioner.taggers.opening import PipelineSettings
from spacy_bioner.taggers.tagger_annotator import identify_tagger


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
    pytest.param(["--annotate.ray.workers", "1"], "--annotate.ray.workers has no effect here", id="workers"),
    pytest.param(["--engine", "ray", "--retry-truncated"], "--retry-truncated has no effect here", id="replies"),
    pytest.param(["--engine", "ray", "--allow-empty"], "--allow-empty has no effect here", id="empty"),
    pytest.param(["--engine", "ray", "--annotate.limit", "1"], "--annotate.limit has no effect here", id="limit"),
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


LONG = Annotation("x" * 1_000_001, id="long", meta={"lang": "en", "error": "an earlier one"})


def test_a_text_that_fails_is_set_aside_with_its_reason(folder):
    write_jsonl(folder / "raw.jsonl", [LONG, Annotation("gout", id="a", meta={"error": "an earlier one"})])
    result = annotate(folder)
    assert (result.exit_code, result.stderr) == (0, f"1 records; 1 set aside -> {folder / 'found.jsonl'}\n")
    [found], [failed] = read_jsonl(folder / "found.jsonl"), read_jsonl(folder / "found.failed.jsonl")
    assert found.meta == {"model": "en_pipeline-0.0.0", "origin": "synthetic"}
    assert (failed.id, failed.text, failed.mentions) == ("long", LONG.text, ())
    assert "1,000,001 characters" in failed.meta.pop("error")
    assert failed.meta == {"lang": "en", "model": "en_pipeline-0.0.0", "origin": "synthetic"}
    assert (folder / "found.failed.jsonl").stat().st_mode & 0o077 == 0
    write_jsonl(folder / "raw.jsonl", [found])
    assert annotate(folder).stderr == f"1 records -> {folder / 'found.jsonl'}\n"
    assert not (folder / "found.failed.jsonl").exists()


def test_texts_that_all_fail_are_an_error_and_no_output(folder):
    write_jsonl(folder / "raw.jsonl", [LONG])
    assert "All 1 documents of" in str(annotate(folder).exception)
    assert not (folder / "found.jsonl").exists() and not (folder / "found.failed.jsonl").exists()


def test_progress_of_a_pipeline_is_told(folder, monkeypatch):
    monkeypatch.setattr("spacy_bioner.cli._shared.console.progress_bar.LINE_EVERY", 0.0)
    told = annotate(folder).stderr.splitlines()
    assert [line.split(", ")[0] for line in told[:-1]] == ["Annotating 1/2", "Annotating 2/2"]
    assert told[0].endswith("0 failed")


def test_shards_hold_what_one_process_writes(folder):
    texts = [Annotation(f"{number} times gout", id=str(number), meta={"n": number}) for number in range(5)]
    write_jsonl(folder / "raw.jsonl", [*texts, LONG])
    assert annotate(folder).exit_code == 0
    worker = ShardWorker(lambda: make_pipeline_annotator(PipelineSettings(name=str(folder / "pipeline")),
                                                         origin="synthetic"), None)
    (folder / "out").mkdir()
    shards = find_shards(folder / "raw.jsonl", folder / "out", size=2)
    counts = [worker.annotate(shard) for shard in shards]
    assert [(one["good"], one["failed"], one["issues"]) for one in counts] == [(2, 0, {}), (2, 0, {}), (1, 1, {})]
    # A pipeline gives no responses that could be unreadable.
    assert not any(one["shapes"].replies for one in counts)
    for pattern, whole in (("part-00000?.jsonl", "found.jsonl"), ("part-*.failed.jsonl", "found.failed.jsonl")):
        parts = sorted((folder / "out").glob(pattern))
        assert b"".join(part.read_bytes() for part in parts) == (folder / whole).read_bytes()


def test_shards_of_a_pipeline_are_told_from_those_of_another(folder, tmp_path):
    def identify(name="pipeline", schema=None, **settings):
        return identify_tagger(PipelineSettings(name=str(folder / name), **settings), schema)

    first = identify()
    assert identify() == first
    (folder / "elsewhere").mkdir()
    (folder / "pipeline").rename(folder / "elsewhere" / "pipeline")
    assert identify("elsewhere/pipeline") == first, "where it lies makes no difference"
    others = [identify("elsewhere/pipeline", **one) for one in (
        {"schema": {"D": ""}}, {"map": {"D": "E"}}, {"spans_key": "sc"})]
    patterns = folder / "elsewhere" / "pipeline" / "span_ruler" / "patterns"
    patterns.write_bytes(patterns.read_bytes().replace(b"gout", b"mumps"))
    others.append(identify("elsewhere/pipeline"))
    assert all(first != other for other in others)
