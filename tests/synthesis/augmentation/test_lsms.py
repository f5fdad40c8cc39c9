"""Augmented sentences: mentions stay exact and nested, each operation does what its name says."""

import random
from collections import Counter

import pytest

from spacy_bioner.annotation import Annotation, Mention
from spacy_bioner.errors import BionerError
from spacy_bioner.synthesis.augmentation.edits import Edit, apply_edits
from spacy_bioner.synthesis.augmentation.lsms import LSMS, OPERATIONS, augment, make_operations
from spacy_bioner.synthesis.augmentation.material import CUT, Material, Pool, collect_material, read_synonyms


def annotate(text, *mentions, **meta):
    return Annotation(text, tuple(Mention(text.index(name), text.index(name) + len(name), label)
                                  for name, label in mentions), id=text[:5], meta={"split": "train", **meta})


GOLD = [
    annotate("Loss of BRCA1 in human breast cancer cells was seen in many families.", ("BRCA1", "GENE"),
             ("human breast cancer cells", "CELL"), ("breast cancer", "DISEASE")),
    annotate("Severe gout is treated with aspirin-like drugs in most hospitals.", ("gout", "DISEASE"),
             ("aspirin", "CHEMICAL")),
    annotate("Mutations of ATP7B cause copper toxicosis and lung cancer in dogs.", ("ATP7B", "GENE"),
             ("copper toxicosis", "DISEASE"), ("copper", "CHEMICAL"), ("lung cancer", "DISEASE")),
    annotate("小鼠肝细胞中的基因突变导致疾病。", ("小鼠肝细胞", "CELL")),
]
MATERIAL = collect_material(GOLD)


def surfaces(sentence):
    return sorted((sentence.surface(mention), mention.label) for mention in sentence.mentions)


def make(name, copies=40, share=0.4, sentences=GOLD, **options):
    return list(augment(sentences, make_operations([name], MATERIAL, share=share, **options), copies=copies, seed=1))


@pytest.mark.parametrize("name", OPERATIONS)
def test_mentions_stay_at_word_edges_and_inside_each_other(name):
    made = make(name)
    assert made
    known = {surface for sentence in GOLD for surface, _ in surfaces(sentence)}
    for sentence in made:
        source = next(gold for gold in GOLD if gold.id == sentence.meta["of"])
        assert sentence.text != source.text
        for mention in sentence.mentions:
            surface = sentence.surface(mention)
            assert surface and surface == surface.strip()
        if name in ("mention_replacement", "noise"):
            assert {surface for surface, _ in surfaces(sentence)} <= known
        if name != "mention_replacement":
            assert [mention.label for mention in sentence.mentions] == [mention.label for mention in source.mentions]


def test_a_replaced_mention_brings_what_is_nested_in_it():
    found = [surfaces(sentence) for sentence in make("mention_replacement")]
    assert any(("copper", "CHEMICAL") in mentions and ("copper toxicosis", "DISEASE") in mentions
               and ("aspirin", "CHEMICAL") in mentions for mentions in found)
    for mentions in found:
        assert (("breast cancer", "DISEASE") in mentions) == (("human breast cancer cells", "CELL") in mentions)


def test_shuffling_keeps_the_words_of_each_mention_and_of_the_rest():
    for sentence in make("shuffle_within_segments"):
        source = next(gold for gold in GOLD if gold.id == sentence.meta["of"])
        assert sorted(sentence.text) == sorted(source.text)
        assert [sorted(surface) for surface, _ in surfaces(sentence)] and len(sentence.text) == len(source.text)
        for old, new in zip(source.mentions, sentence.mentions):
            assert old.key == new.key
            assert sorted(source.surface(old)) == sorted(sentence.surface(new))


def test_words_that_a_mention_cuts_are_neither_replaced_nor_put_into_other_sentences():
    cut = [annotate("antiviral drugs help.", ("viral drugs", "CHEMICAL")),
           annotate("interleukin drugs rose.", ("leukin drugs", "CHEMICAL")),
           annotate("Many antibodies rose.", ("bodies", "CHEMICAL"))]
    material = collect_material(cut)
    assert {word for words in material.words.values() for word in words} == {"drugs", "help", "rose", "Many"}
    kept = {sentence.id: surfaces(sentence) for sentence in cut}
    for words in (material.words, {**material.words, CUT: ["antiviral", "interleukin", "antibodies"]}):
        operations = make_operations(["token_replacement"], Material(material.mentions, words), share=1.0)
        made = list(augment(cut, operations, copies=20, seed=1))
        assert made and all(surfaces(sentence) == kept[sentence.meta["of"]] for sentence in made)


def test_synonyms_come_from_the_file_where_there_is_one(tmp_path):
    (tmp_path / "synonyms.tsv").write_text("severe\tgrave\ngout\tpodagra\n")
    made = make("synonym_replacement", copies=8, share=1.0, synonyms=read_synonyms(tmp_path / "synonyms.tsv"))
    assert [sentence.text for sentence in made] == [
        "Grave podagra is treated with aspirin-like drugs in most hospitals."]
    assert surfaces(made[0]) == [("aspirin", "CHEMICAL"), ("podagra", "DISEASE")]


def test_noise_leaves_mentions_alone():
    for sentence in make("noise", share=1.0):
        source = next(gold for gold in GOLD if gold.id == sentence.meta["of"])
        assert surfaces(sentence) == surfaces(source)


def test_meta_says_origin_and_operation_and_the_seed_fixes_all():
    first, again = (list(augment(GOLD, make_operations(LSMS, MATERIAL, share=0.3), copies=4, seed=7)) for _ in "ab")
    assert first == again and {sentence.meta["operation"] for sentence in first} == set(LSMS)
    assert {(sentence.meta["origin"], sentence.meta["split"]) for sentence in first} == {("augmented", "train")}
    assert len({sentence.id for sentence in first}) == len(first)
    assert len({sentence.text for sentence in first} | {gold.text for gold in GOLD}) == len(first) + len(GOLD)


def test_draws_are_as_frequent_as_the_words_and_never_the_same_word():
    pool = Pool(["a", "a", "a", "b", "b", "c"], str)
    drawn = Counter(pool.draw("c", random.Random(seed)) for seed in range(3000))
    assert set(drawn) == {"a", "b"} and drawn["a"] / 3000 == pytest.approx(0.6, abs=0.04)
    assert Pool(["a", "a"], str).draw("a", random.Random(0)) is None
    assert Pool((), str).draw("a", random.Random(0)) is None


@pytest.mark.parametrize("name", LSMS)
def test_a_change_does_not_go_through_all_words_of_train(name):
    class Counted(list):
        reads = 0

        def __getitem__(self, index):
            Counted.reads += 1
            return super().__getitem__(index)

        def __iter__(self):
            Counted.reads += len(self)
            return super().__iter__()

    material = collect_material([annotate(f"The {n}th patients had gouts and warts.", ("gouts", "DISEASE"))
                                 for n in range(500)] + GOLD)
    operation = make_operations([name], material, share=0.3)[name]
    operation(GOLD[0], random.Random(0))
    pools = [*material._word_pools.values(), *material._mention_pools.values()]
    for pool in pools:
        pool._items = Counted(pool._items)
    Counted.reads = 0
    operation(GOLD[0], random.Random(1))
    assert Counted.reads < 60


def test_held_out_text_is_refused():
    with pytest.raises(BionerError, match="split 'dev'"):
        collect_material([annotate("gout", ("gout", "DISEASE"), split="dev")])


def test_unknown_operations_are_one_clear_line():
    with pytest.raises(BionerError, match="Unknown operation 'backtranslation'.*mention_replacement"):
        make_operations(["backtranslation"], MATERIAL, share=0.3)


@pytest.mark.parametrize("seed", range(20))
def test_any_edits_keep_the_mentions_that_they_do_not_touch(seed):
    chance = random.Random(seed)
    text = "".join(chance.choice("abc ") for _ in range(40))
    edges = sorted(chance.sample(range(41), 8))
    edits = [Edit(start, end, "X" * chance.randint(0, 6)) for start, end in zip(edges[::2], edges[1::2])]
    free = [(left.end, right.start) for left, right in zip(edits, edits[1:])]
    places = [Mention(start, end, "IN") for start, end in free] + [Mention(edits[0].start, edits[-1].end, "ROUND")]
    changed = apply_edits(Annotation(text, tuple(places)), edits)
    texts = {changed.surface(mention) for mention in changed.mentions if mention.label == "IN"}
    assert texts == {text[start:end] for start, end in free}
    whole, = (changed.surface(mention) for mention in changed.mentions if mention.label == "ROUND")
    assert whole == edits[0].text + "".join(text[left:right] + edit.text for (left, right), edit
                                            in zip(free, edits[1:]))
