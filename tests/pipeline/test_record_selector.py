from span_examples import make_examples, make_nlp, selector_config

from spacy_bioner.annotation import Annotation, Mention
from spacy_bioner.pipeline.record_selector import select_records

TEXT = "The p53 gene binds DNA."


def make_selector(threshold):
    nlp = make_nlp()
    pipe = nlp.add_pipe("span_selector", config=selector_config(candidates_key="candidates", threshold=threshold))
    nlp.initialize(lambda: make_examples(nlp))
    return nlp, pipe


def record(*mentions):
    return Annotation(TEXT, mentions, id="a", meta={"split": "train"})


def test_records_keep_text_id_and_meta_and_lose_what_is_dropped():
    nlp, pipe = make_selector(1.0)
    counts = {}
    (kept, dropped), = select_records([record(Mention(4, 7, "protein", score=0.9))], nlp, pipe, counts)
    assert (kept.text, kept.id, kept.meta, kept.mentions) == (TEXT, "a", {"split": "train"}, ())
    assert [mention.key for mention in dropped.mentions] == [(4, 7, "protein")]
    assert counts["protein"] == {"given": 1, "dropped": 1}


def test_kept_mentions_carry_the_probability_of_the_selector():
    nlp, pipe = make_selector(0.0)
    (kept, dropped), = select_records([record(Mention(4, 7, "protein", grounding="fuzzy"))], nlp, pipe, {})
    assert 0 < kept.mentions[0].score < 1 and kept.mentions[0].grounding == "fuzzy"
    assert not dropped.mentions


def test_a_mention_inside_a_unit_is_kept_and_counted():
    nlp, pipe = make_selector(1.0)
    counts = {}
    (kept, _), = select_records([record(Mention(5, 7, "protein", score=0.9))], nlp, pipe, counts)
    assert [mention.key for mention in kept.mentions] == [(5, 7, "protein")]
    # The annotator's score is no probability of the selector.
    assert kept.mentions[0].score is None
    assert counts["protein"] == {"given": 1, "unplaced": 1}


def test_records_come_in_order_over_batches():
    nlp, pipe = make_selector(0.0)
    records = [Annotation(TEXT, (), id=str(number)) for number in range(7)]
    pairs = list(select_records(records, nlp, pipe, {}, batch_size=3))
    assert [kept.id for kept, _ in pairs] == [str(number) for number in range(7)]
