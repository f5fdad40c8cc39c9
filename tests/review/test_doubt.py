"""What is in doubt: risks of candidates, votes of annotators, and what a pipeline nearly finds."""

import pytest
import spacy
from span_examples import TEXTS, grid_config, make_examples, make_nlp

from spacy_bioner.annotation import Annotation, Mention
from spacy_bioner.errors import BionerError
from spacy_bioner.review.doubt import average_votes, expected_corrections, find_candidates, suggest


@pytest.mark.parametrize("scores, expected", [
    pytest.param([0.5], 0.5, id="undecided"), pytest.param([0.9, 0.1], 0.2, id="likely and unlikely weigh the same"),
    pytest.param([1.0, 0.0], 0.0, id="certain"), pytest.param([None], 0.0, id="without score"),
    pytest.param([1 + 1e-7], 0.0, id="a little above one"), pytest.param([], 0.0, id="nothing"),
])
def test_expected_corrections_sum_the_risks(scores, expected):
    mentions = [Mention(0, number + 1, "X", score=score) for number, score in enumerate(scores)]
    assert expected_corrections(mentions) == pytest.approx(expected)


def test_votes_are_means_over_all_annotators():
    text = "IL-2 gene"
    votes = average_votes([Annotation(text, (Mention(0, 4, "P"),)), Annotation(text, (Mention(0, 4, "P", score=0.5),)),
                           Annotation(text, (Mention(0, 9, "D", score=0.3),)), Annotation(text)])
    assert {mention.key: round(mention.score, 3) for mention in votes} == {(0, 4, "P"): 0.375, (0, 9, "D"): 0.075}


def test_suggestions_are_the_likely_ones_in_order():
    nearly = [Mention(0, 1, "X", score=0.2), Mention(2, 3, "X", score=0.4), Mention(4, 5, "X", score=0.05)]
    assert [one["start"] for one in suggest(nearly, least=0.1)] == [2, 0]


def test_a_pipeline_without_scores_is_refused():
    nlp = spacy.blank("en")
    nlp.add_pipe("span_ruler", config={"spans_key": "sc"}).add_patterns([{"label": "D", "pattern": "gout"}])
    with pytest.raises(BionerError, match="no scores"):
        list(find_candidates(nlp, [Annotation("gout")], pipeline="ruler"))


def test_a_span_categorizer_gives_what_it_nearly_finds_and_stays_as_it_was():
    nlp = make_nlp()
    pipe = nlp.add_pipe("bioner_spancat", config=grid_config())
    nlp.initialize(lambda: make_examples(nlp))
    pipe.cfg["temperature"] = 1000.0  # every span has a probability of about a half
    texts = [Annotation(text) for text in TEXTS]
    pipe.cfg["threshold"] = 0.1
    lenient = list(find_candidates(nlp, texts))
    pipe.cfg["threshold"] = 0.9
    strict = list(find_candidates(nlp, texts))
    assert all(found.mentions and not nearly for found, nearly in lenient)
    assert all(nearly and not found.mentions for found, nearly in strict)
    assert [set(found.mentions) for found, _ in lenient] == [set(nearly) for _, nearly in strict]
    assert all(mention.score == pytest.approx(0.5, abs=0.1) for _, nearly in strict for mention in nearly)
    assert pipe.cfg["doubtful_key"] == ""
