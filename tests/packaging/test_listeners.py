"""Components that listen to an encoder elsewhere in the pipeline are calibrated, asked and shipped with its vectors."""

import pytest
import spacy
from small_trainings import NAMES, TOK2VEC, write_sentences
from spacy.tokens import Span
from spacy.training import Example
from thinc.api import Adam, Config, fix_random_seed

from spacy_bioner.formats.docbin import set_mentions
from spacy_bioner.formats.jsonl import read_jsonl
from spacy_bioner.packaging.assemble import assemble
from spacy_bioner.pipeline.record_selector import select_records
from spacy_bioner.training.spacy_training import calibrate

LISTENER = {"@architectures": "spacy.Tok2VecListener.v1", "width": TOK2VEC["width"]}
SMALL = {"hidden_size": 32, "dropout": 0.0, "rate_factor": 3.0}
MODELS = {"bioner_spancat": {"@architectures": "spacy-bioner.SpanGrid.v1", "rank": 8, "max_length": 4, **SMALL},
          "span_selector": {"@architectures": "spacy-bioner.SpanSelector.v1", **SMALL}}


def make_example(nlp, record):
    """The candidates are the mention, it with words too many or too few, and others."""
    predicted, reference = nlp.make_doc(record.text), nlp.make_doc(record.text)
    set_mentions(reference, record.mentions, spans_key="sc")
    mention, = reference.spans["sc"]
    places = {(mention.start + first, mention.end + last) for first in range(-2, 3) for last in range(-2, 2)}
    places = {(start, end) for start, end in (*places, (0, 2), (1, 3), (3, 5)) if start < end}
    predicted.spans["candidates"] = [Span(predicted, start, end, label=mention.label) for start, end in sorted(places)]
    return Example(predicted, reference)


def train(component, folder):
    """Return a trained pipeline of an encoder and a component that listens to it."""
    fix_random_seed(0)
    nlp = spacy.blank("en", config={"nlp": {"tokenizer": {"@tokenizers": "spacy-bioner.UnitTokenizer.v1"}}})
    nlp.add_pipe("tok2vec", name="encoder", config={"model": TOK2VEC})
    own = {"candidates_key": "candidates"} if component == "span_selector" else {}
    nlp.add_pipe(component, config={"model": {**MODELS[component], "tok2vec": LISTENER}, **own})
    records = list(read_jsonl(folder / "gold.jsonl"))

    def examples():
        return [make_example(nlp, record) for record in records]

    nlp.initialize(examples)
    optimizer = Adam(0.02, use_averages=False)
    for _ in range(40):
        nlp.update(examples(), sgd=optimizer)
    nlp.to_disk(folder / component)
    return folder / component


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("listeners")
    write_sentences(folder / "gold.jsonl", "train", range(20))
    write_sentences(folder / "dev.jsonl", "dev", range(10))
    for component in MODELS:
        train(component, folder)
    return folder


@pytest.mark.parametrize("component, reader", [
    ("bioner_spancat", {"@readers": "spacy-bioner.MixedCorpus.v1", "shuffle": False,
                        "sources": {"dev": {"split": ""}}}),
    ("span_selector", {"@readers": "spacy-bioner.SelectorCorpus.v1", "split": "", "shuffle": False}),
])
def test_calibration_hears_the_encoder(folder, component, reader):
    path = str(folder / "dev.jsonl")
    reader = {**reader, "sources": {"dev": {**reader["sources"]["dev"], "path": path}}} if "sources" in reader else {
        **reader, "path": path}
    chosen = calibrate(folder / component, component, Config({"corpora": {"dev": reader}}), by_label=False)
    assert chosen["dev_f"] > 90


def test_selection_of_records_hears_the_encoder(folder):
    nlp = spacy.load(folder / "span_selector")
    counts = {}
    kept = [one for one, _ in select_records(read_jsonl(folder / "dev.jsonl"), nlp, nlp.get_pipe("span_selector"),
                                             counts)]
    assert counts["DISEASE"]["kept"] == 10 == sum(len(record.mentions) for record in kept)


def test_an_assembled_selector_keeps_the_encoder_that_it_was_trained_with(folder, tmp_path):
    assemble(folder / "bioner_spancat", tmp_path / "shipped", selector=folder / "span_selector")
    nlp, alone = spacy.load(tmp_path / "shipped"), spacy.load(folder / "span_selector")
    assert nlp.get_pipe("encoder").listening_components == ["bioner_spancat"]
    for name in NAMES:
        text = f"In dev family 1 the doctors found {name} again."
        docs = [nlp.get_pipe("encoder")(nlp.make_doc(text)), alone.get_pipe("encoder")(alone.make_doc(text))]
        for doc, pipeline, key in zip(docs, (nlp, alone), ("sc", "candidates")):
            start = text.index(name)
            doc.spans[key] = [doc.char_span(start, start + len(name), label="DISEASE"),
                              doc.char_span(start - 6, start + len(name), label="DISEASE")]
            pipeline.get_pipe("span_selector")(doc)
        shown = [[(span.text, score) for span, score in zip(doc.spans["sc"], doc.spans["sc"].attrs["scores"])]
                 for doc in docs]
        assert [[text for text, _ in each] for each in shown] == [[name], [name]]
        assert shown[0][0][1] == pytest.approx(shown[1][0][1], abs=1e-4)
