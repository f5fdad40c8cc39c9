"""Teaching pairs: a sentence, and phrases of it that stand as seeds."""

import pytest

from spacy_bioner.annotation import Annotation, Mention
from spacy_bioner.synthesis.teaching import NEUTRAL_LABEL, make_teaching_pairs

STOP = {"the", "of", "in", "is", "by", "and", "acts", "to", "was"}


def make(sentence, seed=0, **options):
    return make_teaching_pairs([sentence], stop_words=STOP, seed=seed, **options)


@pytest.mark.parametrize("seed", range(6))
def test_every_seed_is_marked_wherever_it_stands(seed):
    text = "The uncoupling protein-1 acts in brown adipose tissue and brown adipose tissue is inhibited by GDP."
    pair, = make(Annotation(text), seed)
    assert 1 <= len(pair.seeds) <= 3
    surfaces = [pair.annotation.surface(mention) for mention in pair.annotation.mentions]
    assert {seed.text for seed in pair.seeds} == set(surfaces)
    for item in pair.seeds:
        assert surfaces.count(item.text) == text.count(item.text)
        assert item.label == NEUTRAL_LABEL


def test_gold_mentions_are_the_seeds_and_inner_ones_are_left_out():
    text = "Loss of BRCA1 in the breast cancer of the patients was seen."
    outer = Mention(text.index("breast cancer"), text.index("breast cancer") + 13, "DISEASE")
    inner = Mention(outer.start, outer.start + 6, "ANATOMY")
    gene = Mention(8, 13, "GENE")
    pair, = make(Annotation(text, (gene, outer, inner)), max_seeds=3, seed=4)
    assert {(seed.text, seed.label) for seed in pair.seeds} <= {("BRCA1", "GENE"), ("breast cancer", "DISEASE")}


@pytest.mark.parametrize("text", [
    pytest.param("METHODS", id="heading"),
    pytest.param("of the in is by and to was of the", id="no-content"),
    pytest.param("The value of the GDP is <i>p53</i> in the cell line.", id="markup-of-its-own"),
])
def test_unfit_sentences_make_no_pair(text):
    assert make(Annotation(text)) == []


def test_the_same_seed_makes_the_same_pairs():
    text = "The uncoupling protein-1 acts in brown adipose tissue and is inhibited by GDP or ATP-gamma."
    assert make(Annotation(text), seed=5) == make(Annotation(text), seed=5)
