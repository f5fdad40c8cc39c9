"""The trained components on a GPU: stored on the CPU, loaded there, the same spans in batches."""

import pytest
import spacy
from span_examples import TEXTS, found, grid_config, make_examples, make_nlp, selector_config
from thinc.api import Adam, fix_random_seed


@pytest.fixture
def on_gpu():
    spacy.require_gpu()
    yield
    spacy.require_cpu()


@pytest.mark.gpu
def test_both_components_give_the_same_spans_on_a_gpu_and_learn_there(tmp_path, on_gpu):
    spacy.require_cpu()
    fix_random_seed(0)
    nlp = make_nlp()
    nlp.add_pipe("bioner_spancat", config=grid_config())
    nlp.add_pipe("span_selector", config=selector_config(threshold=0.1))
    nlp.initialize(lambda: make_examples(nlp))
    for _ in range(60):
        nlp.update(make_examples(nlp), sgd=Adam(0.01, use_averages=False), exclude=["span_selector"])
    nlp.to_disk(tmp_path)
    here = [found(doc) for doc in nlp.pipe(TEXTS)]
    spacy.require_gpu()
    there = spacy.load(tmp_path)
    assert [found(doc) for doc in there.pipe(TEXTS, batch_size=2)] == here
    losses = there.update(make_examples(there), sgd=Adam(0.01, use_averages=False), exclude=["span_selector"])
    assert losses["bioner_spancat"] > 0
