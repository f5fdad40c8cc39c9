"""One pipeline used by several threads, as a web service does: each gives what it gives alone."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
import spacy
from spacy.tokens import Span
from span_examples import TEXTS, grid_config, make_examples, make_nlp, selector_config
from thinc.api import fix_random_seed
from tiny_models import tiny_lm

from spacy_bioner.llm.annotation.usage import Usage
from spacy_bioner.llm.local.model_source import CausalLMSource
from spacy_bioner.ml.encoder.word_pieces import PieceMaker
from spacy_bioner.pipeline.seed_generator import seed_doc

SENTENCES = ["Mutations of the BRCA1 gene cause breast cancer.", "Copper toxicosis is a disease of dogs.",
             "Aspirin relieved the pain in her knee.", "No change was seen in T cells.",
             "HL-60 cells grew quickly in the dish."]


def run_side_by_side(work, inputs):
    """Return what each input gives, all begun at once in a thread of its own."""
    start = Barrier(len(inputs))

    def begin(item):
        start.wait()
        return work(item)

    with ThreadPoolExecutor(len(inputs)) as pool:
        return list(pool.map(begin, inputs))


def spans(docs):
    return [[(span.start, span.end, span.label_) for span in doc.spans["sc"]] for doc in docs]


def batches(texts, count=4):
    """Return different texts for each thread, of different lengths."""
    return [[f"{text} " * (number + 1) + f"Case {number}." for text in texts] for number in range(count)]


@pytest.fixture
def tiny_bioner(monkeypatch):
    monkeypatch.setattr("spacy_bioner.llm.local.causal_lm.load_causal_lm", lambda *args, **kwargs: tiny_lm())
    nlp = spacy.blank("en")
    nlp.add_pipe("llm_bioner", config={"labels": {"GENE": "", "DISEASE": ""}})
    component = nlp.get_pipe("llm_bioner")
    component.source = CausalLMSource(model="tiny", adapter=None, pass_tokens=64)
    return nlp


@pytest.mark.issue(21)
def test_threads_with_one_llm_bioner_annotate_as_one_thread_does(tiny_bioner):
    inputs = batches(SENTENCES)
    alone = [spans(tiny_bioner.pipe(texts)) for texts in inputs]
    assert any(found for docs in alone for found in docs)
    for _ in range(2):
        assert run_side_by_side(lambda texts: spans(tiny_bioner.pipe(texts)), inputs) == alone
    assert tiny_bioner.get_pipe("llm_bioner").usage.documents == 3 * 4 * len(SENTENCES)


@pytest.mark.issue(21)
def test_free_and_grounded_decoding_of_one_model_run_side_by_side(tiny_bioner):
    component = tiny_bioner.get_pipe("llm_bioner")
    free = [str(number) for number in range(4)]
    alone = spans(tiny_bioner.pipe(SENTENCES)), component.source([free])
    [first, second] = run_side_by_side(lambda work: work(), [lambda: spans(tiny_bioner.pipe(SENTENCES)),
                                                             lambda: component.source([free])])
    assert (first, second) == alone


@pytest.mark.issue(21)
def test_threads_load_the_model_once(monkeypatch):
    loaded = []

    def load(*args, **kwargs):
        loaded.append(args)
        return tiny_lm()

    monkeypatch.setattr("spacy_bioner.llm.local.causal_lm.load_causal_lm", load)
    nlp = spacy.blank("en")
    component = nlp.add_pipe("llm_bioner", config={"labels": {"GENE": ""}})
    component.source = CausalLMSource(model="tiny", adapter=None)
    run_side_by_side(lambda text: nlp(text), SENTENCES[:4])
    assert len(loaded) == 1


@pytest.mark.issue(21)
@pytest.mark.parametrize("tok2vec", [None, {"@architectures": "spacy-bioner.TransformerEncoder.v1",
                                            "name": "all-minilm-l6-v2"}], ids=["cnn", "transformer"])
@pytest.mark.parametrize("name, config", [("bioner_spancat", grid_config()),
                                          ("span_selector", selector_config(candidates_key="candidates"))])
def test_threads_with_a_trained_component_predict_as_one_thread_does(name, config, tok2vec):
    fix_random_seed(0)
    nlp = make_nlp()
    if tok2vec is not None:
        config["model"]["tok2vec"] = tok2vec
    nlp.add_pipe(name, config={**config, "threshold": 0.01})
    examples = make_examples(nlp)
    for example in examples:
        example.predicted.spans["candidates"] = []
    nlp.initialize(lambda: examples)

    def predict(texts):
        docs = [nlp.make_doc(text) for text in texts]
        for doc in docs:
            doc.spans["candidates"] = [Span(doc, start, start + 2, label="protein") for start in range(len(doc) - 2)]
        return [(spans([doc]), doc.spans["sc"].attrs["scores"].tolist()) for doc in nlp.pipe(docs)]

    inputs = batches(TEXTS)
    alone = [predict(texts) for texts in inputs]
    assert run_side_by_side(predict, inputs) == alone


@pytest.mark.issue(21)
def test_threads_with_one_seed_generator_write_as_one_thread_does(monkeypatch):
    monkeypatch.setattr("spacy_bioner.llm.local.causal_lm.load_causal_lm", lambda *args, **kwargs: tiny_lm())

    def make():
        nlp = spacy.blank("en")
        component = nlp.add_pipe("seed_generator", config={"labels": {"GENE": "", "DISEASE": ""}, "max_failures": 0})
        component.source = CausalLMSource(model="tiny", adapter=None, temperature=0.8, max_new_tokens=24)
        return nlp

    def write(nlp, names):
        docs = [seed_doc(nlp.vocab, [(name, "GENE")]) for name in names]
        return [(doc.text, doc.user_data["meta"].get("error")) for doc in nlp.pipe(docs)]

    inputs = [[f"gene {number}{letter}" for letter in "abc"] for number in range(4)]
    quiet, shared = make(), make()
    alone = [write(quiet, names) for names in inputs]
    assert run_side_by_side(lambda names: write(shared, names), inputs) == alone
    assert shared.get_pipe("seed_generator").writer.report.asked == 12


def test_pieces_that_are_forgotten_in_one_thread_are_there_in_the_others(monkeypatch):
    from tiny_models import tiny_tokenizer

    monkeypatch.setattr("spacy_bioner.ml.encoder.word_pieces._REMEMBERED", 3)
    maker = PieceMaker(tiny_tokenizer().backend_tokenizer, unknown_id=0)
    nlp = make_nlp()
    docs = [nlp.make_doc(" ".join(f"word{number}x{word}" for word in range(60))) for number in range(8)]
    alone = [maker.pieces(doc) for doc in docs]
    for _ in range(5):
        assert run_side_by_side(maker.pieces, docs) == alone


def test_usage_counts_all_that_threads_add():
    usage = Usage()
    run_side_by_side(lambda _: [usage.add(documents=1, issues={"fuzzy_match": 1}) for _ in range(2000)], range(4))
    assert (usage.documents, usage.issues["fuzzy_match"]) == (8000, 8000)
