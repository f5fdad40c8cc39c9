"""Odd labels in all formats, saved, packaged and loaded from the wheel: the same mentions, or a refusal by name."""

import zipfile
from pathlib import Path

import pytest
import spacy
from odd_labels import BROKEN_LABELS, CODECS, ODD_LABELS
from span_examples import grid_config

from spacy_bioner.annotation import Annotation, Mention
from spacy_bioner.codecs import make_codec
from spacy_bioner.errors import BionerError
from spacy_bioner.files import write_json_lines
from spacy_bioner.packaging.wheels import _build_pipeline

pytestmark = pytest.mark.issue(21)
REGISTERED = {"json": "JsonCodec", "html": "HtmlCodec", "bracket": "BracketCodec"}
# The format of generated sentences is not one that texts are annotated in.
ANNOTATING = [(name, options) for name, options in CODECS if name in REGISTERED]
# A config reads variables, and they are refused by name.
LABELS = [label for label in [*ODD_LABELS, *BROKEN_LABELS] if "${" not in label]
TEXT = " ".join(f"w{number}" for number in range(100, 100 + len(LABELS)))
MENTIONS = [Mention(5 * number, 5 * number + 4, label) for number, label in enumerate(LABELS)]


def name_pipe(name, options):
    return "-".join([name, *options.values()])


def find_writable(name, options):
    """Return the mentions whose labels the format can hold."""
    refused = make_codec(name, **options).unwritable(Annotation(TEXT).with_mentions(MENTIONS))
    return [mention for mention in MENTIONS if mention not in refused]


def add_annotator(nlp, folder, name, options, mentions):
    """Add a component for the labels of mentions, with the recorded response that names them."""
    labels = [mention.label for mention in mentions]
    replay = folder / f"{name_pipe(name, options)}.jsonl"
    write_json_lines(replay, [{"text": TEXT, "output": make_codec(name, **options).encode(
        Annotation(TEXT).with_mentions(mentions), labels)}])
    nlp.add_pipe("llm_bioner", name_pipe(name, options), config={
        "labels": [[label, f"what {number} is"] for number, label in enumerate(labels)],
        "codec": {"@misc": f"spacy-bioner.{REGISTERED[name]}.v1", **options}, "spans_key": name_pipe(name, options),
        "model": {"@llm_models": "spacy-bioner.Replay.v1", "path": str(replay)}})


@pytest.fixture(scope="module")
def packaged(tmp_path_factory):
    """A pipeline with all formats and a trained component, from its wheel."""
    folder: Path = tmp_path_factory.mktemp("odd")
    nlp = spacy.blank("en", config={"nlp": {"tokenizer": {"@tokenizers": "spacy-bioner.UnitTokenizer.v1"}}})
    for name, options in ANNOTATING:
        add_annotator(nlp, folder, name, options, find_writable(name, options))
    trained = nlp.add_pipe("bioner_spancat", config=grid_config())
    for label in ODD_LABELS:
        trained.add_label(label)
    trained.model.get_ref("output_layer").set_dim("nO", len(ODD_LABELS))
    nlp.to_disk(folder / "saved")
    (folder / "work").mkdir()
    with zipfile.ZipFile(_build_pipeline(folder / "saved", folder / "work", "odd_labels", "0.1.0")[1]) as archive:
        archive.extractall(folder / "site")
    return spacy.load(folder / "site" / "en_odd_labels" / "en_odd_labels-0.1.0")


@pytest.mark.parametrize("name, options", ANNOTATING)
def test_a_packaged_pipeline_reads_every_odd_label(packaged, name, options):
    written = find_writable(name, options)
    assert len(written) >= len(LABELS) - len(BROKEN_LABELS)
    with packaged.select_pipes(enable=[name_pipe(name, options)]):
        doc = packaged(TEXT)
    assert [(span.start_char, span.end_char, span.label_) for span in doc.spans[name_pipe(name, options)]] == [
        (mention.start, mention.end, mention.label) for mention in written]
    assert packaged.get_pipe(name_pipe(name, options)).settings.labels == {
        mention.label: f"what {number} is" for number, mention in enumerate(written)}


def test_a_packaged_span_categorizer_has_every_odd_label(packaged):
    assert packaged.get_pipe("bioner_spancat").labels == tuple(ODD_LABELS)


@pytest.mark.parametrize("name, options", ANNOTATING)
def test_a_label_that_a_format_cannot_hold_gets_into_no_pipeline(name, options, tmp_path):
    nlp, written = spacy.blank("en"), {mention.label for mention in find_writable(name, options)}
    (tmp_path / "none.jsonl").touch()
    for label in sorted(set(LABELS) - written):
        with pytest.raises(BionerError, match="unwritable"):
            nlp.add_pipe("llm_bioner", config={
                "labels": [label], "codec": {"@misc": f"spacy-bioner.{REGISTERED[name]}.v1", **options},
                "model": {"@llm_models": "spacy-bioner.Replay.v1", "path": str(tmp_path / "none.jsonl")}})
