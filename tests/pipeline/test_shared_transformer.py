"""Our components beside spaCy's own on one shared transformer: trained, saved, loaded, packaged."""

import subprocess
import sys
import zipfile

import pytest
import spacy
from small_trainings import NAMES, write_sentences
from spacy.tokens import Span
from spacy.training import Example
from thinc.api import Adam, Config, fix_random_seed

from spacy_bioner.formats.docbin import set_mentions
from spacy_bioner.formats.jsonl import read_jsonl
from spacy_bioner.packaging.assemble import assemble

pytest.importorskip("spacy_transformers", reason="needs the extra spacy-transformers; run make test-spacy-transformers",
                    exc_type=ImportError)

LISTENER = {"@architectures": "spacy-transformers.TransformerListener.v1", "grad_factor": 1.0,
            "pooling": {"@layers": "reduce_mean.v1"}}
SMALL = {"hidden_size": 32, "dropout": 0.0, "rate_factor": 3.0, "tok2vec": LISTENER}
COMPONENTS = {
    "ner": {"model": {"@architectures": "spacy.TransitionBasedParser.v2", "state_type": "ner", "extra_state_tokens":
                      False, "hidden_width": 32, "maxout_pieces": 2, "use_upper": False, "tok2vec": LISTENER}},
    "bioner_spancat": {"model": {"@architectures": "spacy-bioner.SpanGrid.v1", "rank": 8, "max_length": 4, **SMALL}},
    "span_selector": {"model": {"@architectures": "spacy-bioner.SpanSelector.v1", **SMALL},
                      "candidates_key": "candidates"},
}


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    """The folder of a small BERT that knows the words of the sentences."""
    from transformers import BertConfig, BertModel, BertTokenizerFast

    folder = tmp_path_factory.mktemp("encoder")
    words = sorted({word for name in NAMES for word in name.split()})
    known = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"in train dev family the doctors found again .".split(),
             *words, *map(str, range(20))]
    (folder / "vocab.txt").write_text("\n".join(known), encoding="utf8")
    BertTokenizerFast(str(folder / "vocab.txt")).save_pretrained(folder)
    BertModel(BertConfig(vocab_size=len(known), hidden_size=48, num_hidden_layers=1, num_attention_heads=4,
                         intermediate_size=64, max_position_embeddings=64)).save_pretrained(folder)
    return folder


def _make_example(nlp, record):
    predicted, reference = nlp.make_doc(record.text), nlp.make_doc(record.text)
    set_mentions(reference, record.mentions, spans_key="sc")
    mention, = reference.spans["sc"]
    reference.ents = [mention]
    places = {(mention.start + first, mention.end + last) for first in range(-2, 3) for last in range(-2, 2)}
    predicted.spans["candidates"] = [Span(predicted, start, end, label=mention.label)
                                     for start, end in sorted(places) if start < end]
    return Example(predicted, reference)


@pytest.fixture(scope="module")
def trained(tmp_path_factory, encoder):
    """A trained pipeline on disk: a transformer, spaCy's `ner`, the span categorizer and the selector."""
    folder = tmp_path_factory.mktemp("shared")
    write_sentences(folder / "gold.jsonl", "train", range(20))
    write_sentences(folder / "dev.jsonl", "dev", range(10))
    fix_random_seed(0)
    nlp = spacy.blank("en", config={"nlp": {"tokenizer": {"@tokenizers": "spacy-bioner.UnitTokenizer.v1"}}})
    nlp.add_pipe("transformer", config={"model": {
        "@architectures": "spacy-transformers.TransformerModel.v3", "name": str(encoder),
        "tokenizer_config": {"use_fast": True}, "get_spans": {"@span_getters": "spacy-transformers.doc_spans.v1"}}})
    for name, config in COMPONENTS.items():
        nlp.add_pipe(name, config=config)
    records = list(read_jsonl(folder / "gold.jsonl"))
    nlp.initialize(lambda: [_make_example(nlp, record) for record in records])
    optimizer = Adam(0.005, use_averages=False)
    for _ in range(40):
        nlp.update([_make_example(nlp, record) for record in records], sgd=optimizer)
    nlp.to_disk(folder / "pipeline")
    return folder


def _predict(nlp, folder):
    """Return entities, mentions and chosen candidates of each dev sentence, with scores."""
    found = []
    for record in read_jsonl(folder / "dev.jsonl"):
        doc = _make_example(nlp, record).predicted
        groups = []
        for name, pipe in nlp.pipeline:
            doc = pipe(doc)
            if name in ("bioner_spancat", "span_selector"):
                spans = doc.spans["sc"]
                scores = (round(float(score), 4) for score in spans.attrs["scores"])
                groups.append([(span.text, score) for span, score in zip(spans, scores)])
        found.append(([ent.text for ent in doc.ents], *groups))
    return found


@pytest.mark.issue(20)
def test_all_components_learn_through_one_transformer(trained):
    nlp = spacy.load(trained / "pipeline")
    assert nlp.get_pipe("transformer").listening_components == list(COMPONENTS)
    wanted = [NAMES[number % len(NAMES)] for number in range(10)]
    found = _predict(nlp, trained)
    for place in (1, 2):
        right = sum([text for text, _ in each[place]] == [name] for each, name in zip(found, wanted))
        assert right >= 9, (place, found)
    assert sum(each[0] == [name] for each, name in zip(found, wanted)) >= 7


@pytest.mark.issue(20)
def test_the_pipeline_is_packaged_with_its_transformer(trained, tmp_path):
    """In a process of its own, with the package alone and without the folder of the encoder."""
    command = [sys.executable, "-m", "spacy", "package", str(trained / "pipeline"), str(tmp_path)]
    subprocess.run([*command, "--name", "shared", "--build", "wheel"], check=True, capture_output=True)
    (wheel,) = tmp_path.rglob("*.whl")
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    script = ("import sys; sys.path.insert(0, sys.argv[1]); import en_shared\n"
              "nlp = en_shared.load(exclude=['span_selector'])\n"
              "doc = nlp('In dev family 1 the doctors found colon cancer again.')\n"
              "print([span.text for span in doc.spans['sc']])")
    command = [sys.executable, "-c", script, str(tmp_path / "site")]
    run = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert run.returncode == 0, run.stderr[-2000:]
    assert run.stdout.strip().endswith("['colon cancer']")


@pytest.mark.issue(20)
def test_bytes_hold_the_whole_pipeline(trained):
    nlp = spacy.load(trained / "pipeline")
    other = spacy.load(trained / "pipeline").from_bytes(nlp.to_bytes())
    assert _predict(other, trained) == _predict(nlp, trained)


@pytest.mark.issue(20)
def test_the_config_names_the_registered_listener(trained):
    config = Config().from_disk(trained / "pipeline" / "config.cfg", interpolate=False)
    for name in ("bioner_spancat", "span_selector"):
        listener = config["components"][name]["model"]["tok2vec"]
        assert listener["@architectures"] == "spacy-transformers.TransformerListener.v1"


@pytest.mark.issue(20)
def test_an_assembled_selector_keeps_the_transformer_that_it_was_trained_with(trained, tmp_path):
    alone = spacy.load(trained / "pipeline")
    alone.remove_pipe("span_selector")
    alone.to_disk(tmp_path / "alone")
    assemble(tmp_path / "alone", tmp_path / "shipped", selector=trained / "pipeline")
    nlp = spacy.load(tmp_path / "shipped")
    doc = nlp("In dev family 1 the doctors found colon cancer again.")
    assert "span_selector" in nlp.pipe_names
    assert [span.text for span in doc.spans["sc"]] == ["colon cancer"]
