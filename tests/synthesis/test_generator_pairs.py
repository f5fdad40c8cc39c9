"""Training pairs of the generator: a sentence, and phrases of it that stand as seeds."""

import pytest

from spacy_bioner.annotation import Annotation, Mention
from spacy_bioner.codecs import make_codec
from spacy_bioner.synthesis.generator_pairs import NEUTRAL_LABEL, make_generator_pairs
from spacy_bioner.synthesis.generator_training import choose_pairs

STOP = {"the", "of", "in", "is", "by", "and", "acts", "to", "was"}


def make(sentence, seed=0, **options):
    return make_generator_pairs([sentence], stop_words=STOP, seed=seed, **options)


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


def test_a_gold_mention_inside_a_word_is_no_seed():
    text = "The loss of alphaDEC and BRCA1 was seen in the cells of the patients."
    inside = Mention(text.index("DEC"), text.index("DEC") + 3, "GENE")
    gene = Mention(text.index("BRCA1"), text.index("BRCA1") + 5, "GENE")
    for seed in range(6):
        pair, = make(Annotation(text, (inside, gene)), seed)
        assert [item.text for item in pair.seeds] == ["BRCA1"]
        assert [pair.annotation.surface(mention) for mention in pair.annotation.mentions] == ["BRCA1"]


@pytest.mark.parametrize("seed", range(8))
def test_every_chosen_mention_is_marked(seed):
    text = "In lung cancer, non-small-cell lung cancer and cancer of the lung TNF-\u03b1 and \u03b1-actin were seen."
    names = ["lung cancer", "non-small-cell lung cancer", "TNF-\u03b1", "\u03b1-actin"]
    mentions = [Mention(text.index(name), text.index(name) + len(name), "X") for name in names]
    pair, = make(Annotation(text, tuple(mentions)), seed)
    surfaces = {pair.annotation.surface(mention) for mention in pair.annotation.mentions}
    assert {item.text for item in pair.seeds} == surfaces


def test_a_name_with_two_labels_is_a_seed_of_one_of_them_and_tagged_only_there():
    text = "The p53 of the tumour is the gene that encodes p53 in the cells."
    gold = Annotation(text, (Mention(4, 7, "GENE"), Mention(47, 50, "PROTEIN")))
    encoded = {}
    for seed in range(20):
        pair, = make(gold, seed)
        (name, label), = {(item.text, item.label) for item in pair.seeds}
        encoded[label] = make_codec("seed_tags").encode(pair.annotation, [label])
        assert name == "p53"
    assert encoded == {
        "GENE": "<start_sentence>The <GENE>p53</GENE> of the tumour is the gene that encodes p53 in the cells."
                "</end_sentence>",
        "PROTEIN": "<start_sentence>The p53 of the tumour is the gene that encodes <PROTEIN>p53</PROTEIN> in the cells."
                   "</end_sentence>"}


def test_a_nested_mention_of_another_label_is_not_tagged_as_the_seed():
    text = "The p53 of the tumour is lost where a p53 mutation stands."
    gold = Annotation(text, (Mention(4, 7, "GENE"), Mention(38, 50, "VARIANT"), Mention(38, 41, "PROTEIN")))
    for seed in range(6):
        pair, = make(gold, seed, max_seeds=1)
        assert len(pair.annotation.mentions) == 1


def test_all_spellings_of_a_gold_seed_are_tagged():
    text = "The aspirin was given first and Aspirin was given again to the patients."
    gold = Annotation(text, (Mention(4, 11, "CHEMICAL"), Mention(32, 39, "CHEMICAL")))
    for seed in range(6):
        pair, = make(gold, seed)
        assert len(pair.seeds) == 1 and pair.annotation.mentions == gold.mentions


def test_raw_sentences_are_chosen_by_the_random_seed_and_not_the_first_of_the_file():
    raw = [Annotation(f"The uncoupling protein-{n} acts in brown adipose tissue of the mice.", id=str(n))
           for n in range(200)]
    options = {"raw_pairs": 20, "gold_pairs": 0, "stop_words": STOP, "max_seeds": 3}
    drawn = [int(pair.annotation.id) for pair in choose_pairs(raw, [], seed=1, **options)]
    assert len(set(drawn)) == 20 and max(drawn) > 100
    assert drawn == [int(pair.annotation.id) for pair in choose_pairs(raw, [], seed=1, **options)]
    assert drawn != [int(pair.annotation.id) for pair in choose_pairs(raw, [], seed=2, **options)]


def test_a_generator_is_trained_on_gold_alone():
    gold = [Annotation("We gave aspirin to the many severely ill patients.", (Mention(8, 15, "CHEMICAL"),), id="g")]
    pairs = choose_pairs([], gold, raw_pairs=5, gold_pairs=3, stop_words=STOP, max_seeds=3, seed=0)
    assert [pair.seeds[0].label for pair in pairs] == ["CHEMICAL"] * 3


def test_a_seed_is_marked_in_every_spelling_but_as_an_abbreviation():
    text = "Atrial fibrillation was rare, and atrial fibrillation with ALL was seen in all of the patients."
    mentions = tuple(Mention(text.index(name), text.index(name) + len(name), "DISEASE")
                     for name in ("atrial fibrillation", "ALL"))
    pair = next(pair for seed in range(20) for pair in make(Annotation(text, mentions), seed) if len(pair.seeds) == 2)
    assert [pair.annotation.surface(mention) for mention in pair.annotation.mentions] == [
        "Atrial fibrillation", "atrial fibrillation", "ALL"]
