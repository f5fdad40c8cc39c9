import numpy
import pytest
import spacy
from spacy.tokens import Span, SpanGroup
from span_examples import TEXTS, TOK2VEC, found, grid_config, make_examples, make_nlp, selector_config
from thinc.api import Adam, fix_random_seed

from spacy_bioner.errors import BionerError

WRONG = {"The p53 gene binds DNA.": [(0, 7, "protein"), (4, 7, "cell"), (19, 22, "RNA")],
         "IL-2 mRNA rose in T cells.": [(0, 9, "protein"), (20, 25, "cell")],
         "T cells and HL-60 cells grew.": [(0, 1, "cell"), (12, 23, "DNA")]}


def make_judged(nlp):
    examples = make_examples(nlp)
    for example in examples:
        doc = example.predicted
        both = [*TEXTS[doc.text], *WRONG.get(doc.text, [])]
        doc.spans["candidates"] = [doc.char_span(start, end, label=label) for start, end, label in both]
        doc.spans["candidates"].attrs["groups"] = [0 for _ in both]
    return examples


def train(updates=60, **changes):
    fix_random_seed(0)
    nlp = make_nlp()
    nlp.add_pipe("span_selector", config=selector_config(**{"candidates_key": "candidates", **changes}))
    nlp.initialize(lambda: make_judged(nlp))
    optimizer = Adam(0.01, use_averages=False)
    for _ in range(updates):
        nlp.update(make_judged(nlp), sgd=optimizer)
    return nlp


@pytest.fixture(scope="module")
def trained():
    return train()


def test_right_candidates_are_kept_and_wrong_ones_set_apart(trained):
    docs = [example.predicted for example in make_judged(trained)]
    for doc in trained.pipe(docs):
        assert found(doc) == set(TEXTS[doc.text])
        assert found(doc, "rejected") == set(WRONG.get(doc.text, []))
        assert (doc.spans["sc"].attrs["scores"] >= 0.5).all()
        assert (doc.spans["rejected"].attrs["scores"] < 0.5).all()


def test_initializing_again_begins_anew():
    nlp = train(updates=20)
    fix_random_seed(0)
    nlp.initialize(lambda: make_judged(nlp))
    again, fresh = (pipeline.get_pipe("span_selector").model.shims[0] for pipeline in (nlp, train(updates=0)))
    assert again.to_bytes() == fresh.to_bytes()


def test_the_contrastive_loss_learns_it_too():
    nlp = train(contrast=0.5)
    docs = [example.predicted for example in make_judged(nlp)]
    assert all(found(doc) == set(TEXTS[doc.text]) for doc in nlp.pipe(docs))


def test_candidates_and_answers_may_share_a_group():
    nlp = train(candidates_key="candidates")
    nlp.get_pipe("span_selector").cfg["candidates_key"] = "sc"
    doc = nlp.make_doc("The p53 gene binds DNA.")
    doc.spans["sc"] = [doc.char_span(4, 7, label="protein"), doc.char_span(0, 7, label="protein")]
    assert found(nlp(doc)) == {(4, 7, "protein")}


@pytest.mark.parametrize("store", ["disk", "bytes"])
def test_a_stored_selector_judges_alike(trained, tmp_path, store):
    if store == "disk":
        trained.to_disk(tmp_path)
        other = spacy.load(tmp_path)
    else:
        other = make_nlp()
        other.add_pipe("span_selector", config=selector_config(candidates_key="candidates"))
        other.from_bytes(trained.to_bytes())
    docs = [example.predicted for example in make_judged(trained)]
    for first, second in zip(trained.get_pipe("span_selector").predict(docs),
                             other.get_pipe("span_selector").predict(docs)):
        numpy.testing.assert_allclose(first, second, rtol=1e-6)


def test_a_candidate_is_judged_alike_in_any_batch(trained):
    docs = [example.predicted for example in make_judged(trained)]
    pipe = trained.get_pipe("span_selector")
    numpy.testing.assert_allclose(pipe.predict(docs)[1], pipe.predict(docs[1:2])[0], rtol=1e-4)


def test_a_document_without_candidates_passes():
    nlp = train(updates=1)
    doc = nlp.make_doc("No change was seen.")
    doc.spans["candidates"] = []
    assert found(nlp(doc)) == set()


def test_a_batch_without_candidates_lets_others_train_the_encoder_that_they_share():
    """The selector comes last: it sends on the gradients of all."""
    nlp = make_nlp()
    nlp.add_pipe("tok2vec", config={"model": TOK2VEC})
    listener = {"@architectures": "spacy.Tok2VecListener.v1", "width": TOK2VEC["width"]}
    for name, config in (("bioner_spancat", grid_config()),
                         ("span_selector", selector_config(candidates_key="candidates"))):
        config["model"]["tok2vec"] = listener
        nlp.add_pipe(name, config=config)
    nlp.initialize(lambda: make_judged(nlp))
    examples = make_judged(nlp)
    for example in examples:
        example.predicted.spans["candidates"] = []
    encoder, selector = (nlp.get_pipe(name).model for name in ("tok2vec", "span_selector"))
    before, judged = encoder.to_bytes(), selector.shims[0].to_bytes()
    optimizer = Adam(0.01, use_averages=False)
    for _ in range(2):  # spaCy steps a shared encoder by the gradients of the batch before
        losses = nlp.update(examples, sgd=optimizer)
    assert encoder.to_bytes() != before and selector.shims[0].to_bytes() == judged
    assert losses["span_selector"] == 0.0


def test_calibration_sets_temperature_and_thresholds():
    nlp = train(updates=10)
    chosen = nlp.get_pipe("span_selector").calibrate(make_judged(nlp))
    assert nlp.get_pipe("span_selector").cfg["threshold"] == chosen["threshold"]
    assert chosen["dev_f"] >= chosen["dev_f_at_half"]


def test_a_missing_group_is_told(trained):
    with pytest.raises(BionerError, match="'candidates'"):
        trained("The p53 gene binds DNA.")


def test_an_unknown_label_is_told(trained):
    doc = trained.make_doc("The p53 gene binds DNA.")
    doc.spans["candidates"] = [doc.char_span(4, 7, label="virus")]
    with pytest.raises(BionerError, match="'virus'"):
        trained(doc)


def test_what_the_annotator_said_of_a_span_stays_with_it(trained):
    nlp = trained
    pipe = nlp.get_pipe("span_selector")
    doc = nlp.make_doc("The p53 gene binds DNA.")
    wrong, right = Span(doc, 0, 2, label="protein"), Span(doc, 1, 2, label="protein", kb_id="Q1", span_id="T1")
    doc.spans["candidates"] = SpanGroup(doc, spans=[wrong, right], attrs={
        "scores": numpy.asarray([0.3, 0.8]), "grounding": ["exact", "fuzzy"], "note": "of the whole"})
    pipe(doc)
    kept, = doc.spans["sc"]
    assert (kept.kb_id_, kept.id_) == ("Q1", "T1")
    attrs = doc.spans["sc"].attrs
    assert attrs["grounding"] == ["fuzzy"] and list(attrs["annotator_scores"]) == [0.8] and len(attrs["scores"]) == 1
    assert doc.spans["rejected"].attrs["grounding"] == ["exact"]


def test_gold_of_a_label_that_was_not_learnt_does_not_spoil_the_thresholds():
    nlp = train(updates=2)
    examples = make_judged(nlp)
    for example in examples:
        doc = example.reference
        doc.spans["sc"] = [*doc.spans["sc"], *(Span(doc, 0, 1, label="virus") for _ in range(60))]
    pipe = nlp.get_pipe("span_selector")
    assert "virus" not in pipe.calibrate(examples)["threshold"]
    doc = nlp.make_doc("The p53 gene binds DNA.")
    doc.spans["candidates"] = [doc.char_span(4, 7, label="protein")]
    assert pipe(doc) is doc


def test_states_are_compared_at_their_best_threshold(trained):
    """What a poor threshold keeps counts against the F1 in use, not against what the state can do."""
    selector = trained.get_pipe("span_selector")
    scores = {}
    # So that no probability is closer to 0 than a threshold can be.
    selector.cfg["temperature"] = 10.0
    for threshold in (0.5, 0.0):
        selector.cfg["threshold"] = threshold
        examples = make_judged(trained)
        for example in examples:
            example.predicted = selector(example.predicted)
        scores[threshold] = selector.score(examples)
    selector.cfg.update(threshold=0.5, temperature=1.0)
    assert scores[0.5]["spans_sc_f"] == scores[0.5]["spans_sc_best_f"] == 1.0
    assert scores[0.0]["spans_sc_f"] < scores[0.0]["spans_sc_best_f"] == 1.0


def test_a_mention_that_is_no_candidate_counts_against_the_best_threshold(trained):
    example = make_judged(trained)[0]
    example.predicted.spans["candidates"] = list(example.predicted.spans["candidates"])[1:]
    example.predicted.spans["candidates"].attrs["groups"] = [0] * len(example.predicted.spans["candidates"])
    trained.get_pipe("span_selector")(example.predicted)
    assert 0 < trained.get_pipe("span_selector").score([example])["spans_sc_best_f"] < 1


def test_without_gold_there_is_nothing_to_compare(trained):
    example = make_judged(trained)[0]
    del example.reference.spans["sc"]
    trained.get_pipe("span_selector")(example.predicted)
    assert trained.get_pipe("span_selector").score([example])["spans_sc_best_f"] == 0.0
