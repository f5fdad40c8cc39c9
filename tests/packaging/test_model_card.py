"""The model card says what is known, with its place, and nothing else."""

import pytest

from spacy_bioner.errors import BionerError
from spacy_bioner.packaging.model_card import (
    collect_facts,
    describe_licence,
    find_encoders,
    meta_fields,
    read_scores,
    render_card,
)

META = {"lang": "en", "labels": {"bioner_spancat": ["GENE", "DISEASE"]}, "spacy_bioner": {
    "seed": 7, "strategy": "S1", "stages": [{"updates": 40}, {"updates": 20}], "versions": {"spacy": "3.8.18"},
    "sources": {"gold": {"file": "train.jsonl", "sha256": "00", "records": 512, "weight": 1.0},
                "synthetic": {"file": "synthetic.jsonl", "sha256": "11", "records": 4096, "annotators": [
                    {"model": "smollm2-135m-instruct", "adapter": "abc123", "records": 4000},
                    {"model": "other", "adapter": None, "records": 96}]}}}}
COMPONENTS = {"bioner_spancat": {"factory": "bioner_spancat", "model": {
    "@architectures": "spacy-bioner.SpanGrid.v1",
    "tok2vec": {"@architectures": "spacy-bioner.TransformerEncoder.v1", "name": "all-minilm-l6-v2"}}}}
CORPUS = {"corpus": "embedded", "name": "Mini", "license": "CC0-1.0", "lang": "en",
          "definitions": {"DISEASE": "diseases and symptoms"},
          "parts": {"train": {"source": "train.jsonl", "sentences": 512, "mentions": 900, "sha256": "x"}}}
FIGURES = {"precision": 0.9, "recall": 0.8, "f1": 0.847,
           "intervals": {"precision": [0.88, 0.92], "recall": [0.77, 0.83], "f1": [0.82, 0.87]}}
METRICS = {"gold": {"count": 200, "mentions": 350}, "settings": {"level": 0.95}, "systems": {
    "ours": {"micro": FIGURES, "labels": {"DISEASE": FIGURES}, "components": ["bioner_spancat"]}}}


def facts(meta=META, components=COMPONENTS, corpus=CORPUS, metrics=METRICS):
    scores = read_scores(metrics, "ours", path="metrics.json") if metrics else None
    return collect_facts(meta, components, thresholds={"bioner_spancat": {"*": 0.5, "GENE": 0.41}}, corpus=corpus,
                         scores=scores)


@pytest.mark.parametrize("line", [
    "- train part: 512 sentences, 900 mentions",
    "- trained on gold: 512 sentences (train.jsonl)",
    "- trained on synthetic: 4,096 sentences (synthetic.jsonl)",
    "- synthetic: 4,000 sentences labelled or written by smollm2-135m-instruct with the adapter abc123",
    "- synthetic: 96 sentences labelled or written by other",
    "- language model smollm2-135m-instruct (made training sentences; not shipped): Apache-2.0",
    "- corpus Mini: CC0-1.0",
    "- encoder all-minilm-l6-v2 (in bioner_spancat): Apache-2.0",
    "| F1, all labels | 84.70 | 82.00 to 87.00 |",
    "| F1, `DISEASE` | 84.70 | 82.00 to 87.00 |",
    "- `DISEASE`: diseases and symptoms",
    "- `GENE`",
    "- bioner_spancat: all other labels 0.5, GENE 0.41",
    "- Span categorizer: strategy S1, updates 60, seed 7",
    "- spacy 3.8.18",
])
def test_the_card_says(line):
    assert line in render_card(facts(), title="Mini").splitlines()


def test_what_is_not_known_is_said_to_be_not_known():
    card = render_card(facts(meta={"labels": {"x": ["A"]}}, corpus=None, metrics=None), title="A")
    assert "see the corpus' own terms" in card and "Not measured." in card
    assert "None" not in card and "## Versions" not in card


@pytest.mark.parametrize("name, shown, licence", [
    ("all-minilm-l6-v2", "all-minilm-l6-v2", "Apache-2.0"),
    ("some/encoder", "some/encoder", "see the model's own terms"),
    ("/home/someone/models/encoder", "encoder", "see the model's own terms"),
])
def test_encoders_are_named_without_their_folders_and_licences_are_not_guessed(name, shown, licence):
    components = {"spancat": {"model": {"tok2vec": {"@architectures": "spacy-bioner.TransformerEncoder.v1",
                                                    "name": name}}}}
    assert find_encoders(components) == [{"component": "spancat", "name": shown, "license": licence}]


@pytest.mark.parametrize("corpus, licence", [
    (CORPUS, "corpus Mini: CC0-1.0; encoder all-minilm-l6-v2: Apache-2.0"),
    ({**CORPUS, "license": ""}, "corpus Mini: see the corpus' own terms; encoder all-minilm-l6-v2: Apache-2.0"),
])
def test_the_licence_is_that_of_the_corpus_and_of_the_encoder(corpus, licence):
    assert describe_licence(facts(corpus=corpus)) == licence


def test_the_keys_of_spacy_hold_scores_and_sources():
    fields = meta_fields(facts())
    assert fields["performance"] == {"spans_sc_p": 0.9, "spans_sc_r": 0.8, "spans_sc_f": 0.847,
                                     "spans_per_type": {"DISEASE": {"f": 0.847}}}
    assert fields["sources"][0] == {"name": "Mini", "license": "CC0-1.0"}
    assert "performance" not in meta_fields(facts(metrics=None))


def test_scores_of_a_pipeline_without_its_selector_say_so():
    components = {**COMPONENTS, "span_selector": {"factory": "span_selector"}}
    assert "Measured without span_selector." in render_card(facts(components=components), title="Mini")
    assert "Measured without" not in render_card(facts(), title="Mini")


@pytest.mark.parametrize("metrics, system, told", [
    pytest.param(METRICS, "other", "Known: ours", id="unknown system"),
    pytest.param({"version": 1}, "ours", "no metrics file", id="another file"),
])
def test_a_metrics_file_that_does_not_fit_is_told(metrics, system, told):
    with pytest.raises(BionerError, match=told):
        read_scores(metrics, system, path="metrics.json")
