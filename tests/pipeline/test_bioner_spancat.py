import numpy
import pytest
import spacy
from span_examples import TEXTS, found, grid_config, make_examples, make_nlp
from thinc.api import Adam, fix_random_seed

from spacy_bioner.errors import BionerError


def train(updates=60, **changes):
    fix_random_seed(0)
    nlp = make_nlp()
    nlp.add_pipe("bioner_spancat", config=grid_config(**changes))
    examples = make_examples(nlp)
    nlp.initialize(lambda: examples)
    optimizer, losses = Adam(0.01, use_averages=False), {}
    for _ in range(updates):
        losses = nlp.update(make_examples(nlp), sgd=optimizer)
    return nlp, losses


@pytest.fixture(scope="module")
def trained():
    return train()[0]


def test_nested_mentions_and_two_labels_at_one_place_are_learnt(trained):
    for doc, (text, mentions) in zip(trained.pipe(TEXTS), TEXTS.items()):
        assert found(doc) == set(mentions), text


def test_scores_are_probabilities_of_the_spans(trained):
    doc = trained("T cells and HL-60 cells grew.")
    group = doc.spans["sc"]
    scores = group.attrs["scores"]
    assert len(scores) == len(group) and ((scores >= 0.5) & (scores <= 1)).all()


def test_spans_come_in_text_order_the_longer_first(trained):
    doc = trained("The p53 gene binds DNA.")
    assert [span.text for span in doc.spans["sc"]] == ["p53 gene", "p53"]


@pytest.mark.parametrize("store", ["disk", "bytes"])
def test_a_stored_pipeline_predicts_alike(trained, tmp_path, store):
    if store == "disk":
        trained.to_disk(tmp_path)
        other = spacy.load(tmp_path)
    else:
        other = make_nlp()
        other.add_pipe("bioner_spancat", config=grid_config())
        other.from_bytes(trained.to_bytes())
    for text in TEXTS:
        docs = trained(text), other(text)
        first, second = (doc.spans["sc"] for doc in docs)
        assert [(span.start, span.end, span.label_) for span in first] == \
            [(span.start, span.end, span.label_) for span in second]
        numpy.testing.assert_allclose(first.attrs["scores"], second.attrs["scores"])


def test_empty_and_blank_texts_have_no_mentions(trained):
    assert [len(doc.spans["sc"]) for doc in trained.pipe(["", "  \n", "No change was seen."])] == [0, 0, 0]


def test_loss_falls():
    assert train(updates=30)[1]["bioner_spancat"] < train(updates=1)[1]["bioner_spancat"] / 4


def test_overlaps_are_learnt_or_as_configured():
    assert train(updates=1)[0].get_pipe("bioner_spancat").cfg["overlaps"] == "any"
    nlp, _ = train(updates=60, overlaps="flat")
    assert found(nlp("The p53 gene binds DNA.")) in ({(4, 12, "DNA")}, {(4, 7, "protein")})


def test_initializing_again_begins_anew(trained):
    """A training set that is split anew must not begin with weights that have seen the new test set."""
    nlp, _ = train()
    fix_random_seed(0)
    nlp.initialize(lambda: make_examples(nlp))
    shim = nlp.get_pipe("bioner_spancat").model.get_ref("output_layer").shims[0]
    assert shim.to_bytes() == train(updates=0)[0].get_pipe("bioner_spancat").model.get_ref(
        "output_layer").shims[0].to_bytes()
    assert not any(found(doc) for doc in nlp.pipe(TEXTS))
    optimizer = Adam(0.01, use_averages=False)
    for _ in range(60):
        nlp.update(make_examples(nlp), sgd=optimizer)
    assert [found(doc) for doc in nlp.pipe(TEXTS)] == [found(doc) for doc in trained.pipe(TEXTS)]


def test_overlaps_are_learnt_anew_with_each_training_set(tmp_path):
    nlp, _ = train(updates=0)
    flat = {"No change was seen in T cells.": [(22, 29, "cell")]}
    nlp.initialize(lambda: make_examples(nlp, flat))
    assert nlp.get_pipe("bioner_spancat").cfg["overlaps"] == "flat"
    nlp.to_disk(tmp_path)
    loaded = spacy.load(tmp_path)
    assert loaded.get_pipe("bioner_spancat").cfg["overlaps"] == "flat"
    for again in (nlp, loaded):
        again.initialize(lambda: make_examples(nlp))
        assert again.get_pipe("bioner_spancat").cfg["overlaps"] == "any"


def test_overlaps_stay_open_until_gold_is_seen():
    """A component with all its labels may be initialized without examples, and trained on nested mentions then."""
    fix_random_seed(0)
    nlp = make_nlp()
    spancat = nlp.add_pipe("bioner_spancat", config=grid_config())
    for label in ("protein", "DNA", "RNA", "cell", "line"):
        spancat.add_label(label)
    nlp.initialize()
    assert spancat.cfg["overlaps"] == "learn"
    optimizer = Adam(0.01, use_averages=False)
    for _ in range(60):
        nlp.update(make_examples(nlp), sgd=optimizer)
    assert found(nlp("The p53 gene binds DNA.")) == {(4, 7, "protein"), (4, 12, "DNA")}
    assert spancat.calibrate(make_examples(nlp))["dev_f"] == 100


def test_calibration_sets_temperature_and_thresholds():
    nlp, _ = train(updates=25)
    pipe = nlp.get_pipe("bioner_spancat")
    chosen = pipe.calibrate(make_examples(nlp))
    assert pipe.cfg["temperature"] == chosen["temperature"]
    assert pipe.cfg["threshold"] == chosen["threshold"]
    assert chosen["dev_f"] >= chosen["dev_f_at_half"]


def test_a_temperature_draws_scores_to_the_middle():
    nlp, _ = train()
    docs = [nlp("The p53 gene binds DNA.")]
    nlp.get_pipe("bioner_spancat").cfg["temperature"] = 30.0
    docs.append(nlp("The p53 gene binds DNA."))
    before, after = (doc.spans["sc"].attrs["scores"] for doc in docs)
    assert len(before) == len(after) and (after < before).all() and (after > 0.5).all()


def test_scorer_counts_nested_mentions(trained):
    scores = trained.evaluate(make_examples(trained))
    assert scores["spans_sc_f"] == 1.0
    assert set(scores["spans_sc_per_type"]) == {"protein", "DNA", "RNA", "cell", "line"}


def grouped(doc, key):
    group = doc.spans[key]
    return {(span.start, span.end, span.label_): score for span, score in zip(group, group.attrs["scores"])}


@pytest.mark.parametrize("overlaps", ["any", "flat"])
def test_doubtful_spans_have_a_group_of_their_own(overlaps):
    """What is found stays as it is without one; of spans that overlap only the most probable one is doubtful."""
    nlp, _ = train(updates=25, overlaps=overlaps)
    pipe = nlp.get_pipe("bioner_spancat")
    # So that probabilities are neither 0 nor 1.
    pipe.cfg.update(threshold=0.9, temperature=20.0)
    plain = [grouped(nlp(text), "sc") for text in TEXTS]
    pipe.cfg["doubtful_key"] = "doubtful"
    docs = [nlp(text) for text in TEXTS]
    assert [grouped(doc, "sc") for doc in docs] == plain
    pipe.cfg.update(threshold=0.02, doubtful_key="")
    both = [grouped(nlp(text), "sc") for text in TEXTS]
    assert [{**grouped(doc, "sc"), **grouped(doc, "doubtful")} for doc in docs] == both
    scores = [score for doc in docs for score in grouped(doc, "doubtful").values()]
    assert scores and all(0.02 <= score < 0.9 for score in scores)


def test_states_are_compared_at_their_best_threshold():
    """Not at one that will not be in use."""
    nlp, _ = train(updates=60, doubtful_key="doubtful")
    pipe, scores = nlp.get_pipe("bioner_spancat"), {}
    # So that most probabilities are below 1.
    pipe.cfg["temperature"] = 10.0
    for threshold in (0.5, 1.0):
        pipe.cfg["threshold"] = threshold
        scores[threshold] = nlp.evaluate(make_examples(nlp))
    assert scores[0.5]["spans_sc_f"] == scores[0.5]["spans_sc_best_f"] == 1.0
    assert scores[1.0]["spans_sc_f"] < scores[1.0]["spans_sc_best_f"] == 1.0


def test_mistakes_are_told():
    nlp = make_nlp()
    with pytest.raises(BionerError, match="no labels"):
        nlp.add_pipe("bioner_spancat", config=grid_config())
        nlp.initialize(lambda: make_examples(nlp, {"No change was seen.": []}))
    with pytest.raises(BionerError, match="some"):
        make_nlp().add_pipe("bioner_spancat", config=grid_config(overlaps="some"))
    with pytest.raises(BionerError, match="new one"):
        train(updates=1)[0].get_pipe("bioner_spancat").add_label("virus")
