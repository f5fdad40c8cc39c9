"""Components in other processes: pickled, copied, and run by `nlp.pipe(n_process=2)` under every start method."""

import copy
import multiprocessing
import pickle

import pytest
import spacy
from span_examples import TEXTS, grid_config, make_examples, make_nlp, selector_config
from thinc.api import fix_random_seed

from spacy_bioner.files import write_json_lines
from spacy_bioner.pipeline.seed_generator import seed_doc
from spacy_bioner.synthesis.seed_prompt import SeedPrompt
from spacy_bioner.synthesis.seeds import Seed

ENCODER = {"@architectures": "spacy-bioner.TransformerEncoder.v1", "name": "all-minilm-l6-v2"}
GENES = ["p53", "BRCA1", "ATP7B", "TNF"]


def make_trained(name, tok2vec=None):
    """Return an initialized pipeline, and what makes the Docs that go in."""
    fix_random_seed(0)
    nlp = make_nlp()
    config = grid_config() if name == "bioner_spancat" else selector_config(candidates_key="candidates")
    if tok2vec is not None:
        config["model"]["tok2vec"] = tok2vec
    nlp.add_pipe(name, config={**config, "threshold": 0.01})
    examples = make_examples(nlp)
    for example in examples:
        example.predicted.spans["candidates"] = []
    nlp.initialize(lambda: examples)

    def docs():
        made = [nlp.make_doc(text) for text in TEXTS]
        for doc in made:
            doc.spans["candidates"] = [doc.char_span(*mention[:2], label=mention[2]) for mention in TEXTS[doc.text]]
        return made

    return nlp, docs


def make_llm(folder):
    write_json_lines(folder / "replay.jsonl", [{"text": text, "output": "none"} for text in TEXTS])
    nlp = spacy.blank("en")
    nlp.add_pipe("llm_bioner", config={"labels": {"protein": ""}, "cache": str(folder / "cache.sqlite"), "model": {
        "@llm_models": "spacy-bioner.Replay.v1", "path": str(folder / "replay.jsonl")}})
    return nlp, lambda: [nlp.make_doc(text) for text in TEXTS]


def make_generator(folder):
    prompt = SeedPrompt({"GENE": ""})
    write_json_lines(folder / "replay.jsonl", [
        {"prompt": prompt.render([Seed(gene, "GENE")]).plain,
         "output": f"<start_sentence>We saw <GENE>{gene}</GENE> in all of the patients.</end_sentence>"}
        for gene in GENES])
    nlp = spacy.blank("en")
    nlp.add_pipe("seed_generator", config={"labels": {"GENE": ""}, "checks": {"similarity": 1.0}, "model": {
        "@llm_models": "spacy-bioner.Replay.v1", "path": str(folder / "replay.jsonl")}})
    return nlp, lambda: [seed_doc(nlp.vocab, [(gene, "GENE")]) for gene in GENES]


@pytest.fixture(params=["bioner_spancat", "span_selector", "llm_bioner", "seed_generator"])
def made(request, tmp_path):
    makers = {"llm_bioner": make_llm, "seed_generator": make_generator}
    return makers[request.param](tmp_path) if request.param in makers else make_trained(request.param)


def read(docs):
    return [(doc.text, [(span.start, span.end, span.label_) for span in doc.spans["sc"]],
             doc.user_data.get("meta", {}).get("error")) for doc in docs]


@pytest.mark.issue(21)
@pytest.mark.parametrize("repeat", [lambda pipe: pickle.loads(pickle.dumps(pipe)), copy.deepcopy],
                         ids=["pickle", "deepcopy"])
def test_a_component_that_was_used_is_pickled_and_copied(made, repeat):
    nlp, docs = made
    before = read(nlp.pipe(docs()))
    name, component = nlp.pipeline[0]
    assert read(repeat(component).pipe(docs())) == before


@pytest.mark.issue(21)
@pytest.mark.parametrize("name", ["bioner_spancat", "span_selector"])
def test_a_component_with_a_transformer_is_pickled(name):
    nlp, docs = make_trained(name, ENCODER)
    before = read(nlp.pipe(docs()))
    assert read(pickle.loads(pickle.dumps(nlp.get_pipe(name))).pipe(docs())) == before


@pytest.mark.issue(21)
@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_two_processes_give_what_one_gives(tmp_path, monkeypatch, method):
    monkeypatch.setattr(multiprocessing.context._default_context, "_actual_context",
                        multiprocessing.get_context(method))
    made = [make_trained("bioner_spancat"), make_llm(tmp_path)]
    if method == "fork":
        made += [make_trained("span_selector"), make_generator(tmp_path / "other")]
    for nlp, docs in made:
        before = read(nlp.pipe(docs()))
        if nlp.has_pipe("seed_generator"):
            # It counts sentences of the same seeds, and would write others now.
            nlp, docs = make_generator(tmp_path / "anew")
        assert read(nlp.pipe(docs(), n_process=2, batch_size=2)) == before, nlp.pipe_names


@pytest.mark.issue(21)
@pytest.mark.parametrize("meta", ["no JSON", 5, ["list"], b"bytes", {"key": 1}, '{"id": 3}', None])
def test_metadata_of_others_in_a_doc_does_not_end_the_pipeline(tmp_path, meta):
    nlp, docs = make_llm(tmp_path)
    given = docs()
    given[1].user_data["meta"] = meta
    done = list(nlp.pipe(given))
    assert [doc.text for doc in done] == list(TEXTS)
    assert "error" not in done[1].user_data["meta"]
    if not meta or isinstance(meta, (dict, str)) and meta != "no JSON":
        assert done[1].user_data["meta"].get("key") == (1 if isinstance(meta, dict) else None)
    else:
        assert done[1].user_data["meta_before"] == meta, "nothing of others is lost"
