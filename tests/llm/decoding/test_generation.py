"""Sentences from seeds: whatever a model prefers, what it finishes is well formed."""

import random
from dataclasses import replace
from functools import lru_cache

import pytest
import torch
from tiny_models import tiny_lm

from spacy_bioner.codecs.seed_tags.seed_codec import SeedTagCodec
from spacy_bioner.llm.decoding.generation import JOINING, GroundedGenerator
from spacy_bioner.llm.decoding.sentence_row import Part, SentenceRow
from spacy_bioner.llm.local.causal_lm import CausalLM
from spacy_bioner.llm.protocol import Request
from spacy_bioner.prompts.build import Prompt
from spacy_bioner.tokens import find_units

SEED_SETS = [
    pytest.param([("copper toxicosis", "DISEASE")], id="one"),
    pytest.param([("BRCA1", "GENE"), ("breast cancer", "DISEASE"), ("p-53", "GENE")], id="three"),
    pytest.param([("cancer", "DISEASE"), ("breast cancer", "DISEASE")], id="one-inside-the-other"),
    pytest.param([("a", "GENE"), ("A b", "DISEASE")], id="short"),
    pytest.param([("none", "DISEASE"), ("none", "GENE")], id="one-name-two-labels"),
    pytest.param([("铜中毒", "DISEASE"), ("布洛芬", "CHEMICAL")], id="chinese"),
    pytest.param([("naïve β-cells", "CELL")], id="accents"),
]


def make_requests(seeds, count=1, sample=0):
    return [Request(Prompt("Write.", f"Prompt {number} " + "x " * number), seeds=tuple(seeds), sample=sample)
            for number in range(count)]


def generate(lm, requests, **options):
    replies = dict(GroundedGenerator(lm, **{"max_new_tokens": 48, "attempts": 1, **options}).generate(requests))
    return [replies[index] for index in range(len(requests))]


@lru_cache(maxsize=2)
def eager_lm(favourite: str, seed: int = 0) -> CausalLM:
    """Return a tiny model that keeps wanting to write the same words, one token after the other."""
    lm = tiny_lm(seed)
    ids = lm.tokenizer(favourite, add_special_tokens=False)["input_ids"]

    class Eager(torch.nn.Module):
        config, dtype = lm.model.config, torch.float32
        get_output_embeddings = lm.model.get_output_embeddings
        get_input_embeddings = lm.model.get_input_embeddings

        def forward(self, *, input_ids, **options):
            output = lm.model(input_ids=input_ids, **options)
            for row, token in enumerate(input_ids[:, -1].tolist()):
                place = ids.index(token) + 1 if token in ids else 0
                output.logits[row, -1, ids[place % len(ids)]] += 100
            return output

    return replace(lm, model=Eager())


@pytest.mark.parametrize("seeds", SEED_SETS)
def test_finished_sentences_hold_each_seed_in_its_tag_and_no_other_tag(seeds):
    labels = sorted({label for _, label in seeds})
    # So hot that every legal token is as likely as the others.
    replies = generate(tiny_lm(), make_requests(seeds, 6), temperature=100.0, top_p=1.0, top_k=6,
                       max_new_tokens=80)
    finished = [reply for reply in replies if reply.finish_reason == "stop"]
    assert len(finished) >= 2
    for reply in finished:
        reading = SeedTagCodec().read(reply.text, labels, seeds)
        assert reading.keep, reply.text
        ambiguous = len({text for text, _ in seeds}) < len(seeds)
        assert ambiguous or not reading.issues, (reply.text, reading.issues)
        found = {(reading.text[mention.start:mention.end].casefold(), mention.label) for mention in reading.mentions}
        assert found == {(text.casefold(), label) for text, label in seeds}
        assert "\ufffd" not in reading.text


@pytest.mark.parametrize("favourite, seeds, tagged", [
    pytest.param(" cancer", [("cancer", "DISEASE")], {"cancer"}, id="at-once"),
    pytest.param(" Cancer", [("cancer", "DISEASE")], {"Cancer", "cancer"}, id="in-capitals"),
    pytest.param(" breast cancer gene", [("breast cancer", "DISEASE"), ("cancer", "DISEASE")],
                 {"breast cancer", "cancer"}, id="the-longest-first"),
    pytest.param(" breast cancer family", [("breast cancer gene", "GENE"), ("breast cancer", "DISEASE")],
                 {"breast cancer", "breast cancer gene"}, id="a-longer-one-does-not-come"),
    pytest.param(" (see-cancer)", [("cancer", "DISEASE")], {"cancer"}, id="after-a-hyphen"),
])
def test_seeds_that_are_written_freely_get_their_tags(favourite, seeds, tagged):
    for reply in generate(eager_lm(favourite), make_requests(seeds, 3), max_new_tokens=40, temperature=1.0):
        reading = SeedTagCodec().read(reply.text + "</end_sentence>", ["DISEASE", "GENE"], seeds)
        if reply.finish_reason == "stop":
            assert not [issue for issue in reading.issues if issue.kind == "seed_untagged"], reply.text
        surfaces = {reading.text[mention.start:mention.end] for mention in reading.mentions}
        assert surfaces and surfaces <= tagged, reply.text


@pytest.mark.parametrize("before, space", [
    pytest.param("We gave", " ", id="word"),
    pytest.param("TNF-α", " ", id="greek"),
    pytest.param("20 µ", " ", id="micro"),
    pytest.param("le café", " ", id="accent"),
    pytest.param("the “gout”", " ", id="closing-quote"),
    pytest.param("the “", "", id="opening-quote"),
    pytest.param("anti-", "", id="hyphen"),
    pytest.param("患者服用", "", id="chinese"),
    pytest.param("aspirin，", "", id="chinese-comma"),
    pytest.param("患者“痛风”", "", id="quote-in-chinese"),
    pytest.param("", "", id="start"),
])
def test_a_tag_is_spaced_as_its_script_is(before, space):
    row = SentenceRow(0, 1, (), random.Random(0), parts=[Part(before, 1)] if before else [])
    assert row.space_before_tag(JOINING) == space


def test_a_word_that_only_begins_as_a_seed_stays_free():
    replies = generate(eager_lm(" cancers"), make_requests([("cancer", "DISEASE")], 4), temperature=1.0)
    assert any("cancers" in reply.text for reply in replies)
    assert not any("</DISEASE>s" in reply.text for reply in replies)


def test_nothing_but_the_seeds_can_stand_in_a_tag_and_nothing_ends_before_them():
    for reply in generate(tiny_lm(3), make_requests([("gout", "DISEASE")], 8), temperature=100.0, max_new_tokens=30):
        assert reply.text.count("<DISEASE>") == reply.text.lower().count("<disease>gout</disease>")
        assert ("</end_sentence>" in reply.text) == (reply.finish_reason == "stop")
        if reply.finish_reason == "stop":
            assert "<DISEASE>" in reply.text


def test_the_same_seed_gives_the_same_sentences_and_another_gives_others():
    requests = make_requests([("BRCA1", "GENE")], 4)
    first, again, other = (generate(tiny_lm(), requests, seed=seed) for seed in (1, 1, 2))
    assert [reply.text for reply in first] == [reply.text for reply in again] != [reply.text for reply in other]
    assert [reply.text for reply in first] != [reply.text for reply in generate(
        tiny_lm(), make_requests([("BRCA1", "GENE")], 4, sample=1), seed=1)]


@pytest.mark.parametrize("temperature", [0.0, 0.8])
def test_a_batch_of_mixed_lengths_equals_one_by_one(temperature):
    requests = [request for seeds in ([("BRCA1", "GENE")], [("breast cancer", "DISEASE"), ("p53", "GENE")],
                                      [("铜中毒", "DISEASE")]) for request in make_requests(seeds, 3)]
    together = generate(tiny_lm(), requests, temperature=temperature, batch_size=16)
    alone = generate(tiny_lm(), requests, temperature=temperature, batch_size=1)
    assert [reply.text for reply in together] == [reply.text for reply in alone]


def test_a_sentence_cut_by_the_limit_is_sampled_again_and_counted():
    replies = generate(tiny_lm(), make_requests([("BRCA1", "GENE")], 4), max_new_tokens=6, attempts=3)
    assert {(reply.finish_reason, reply.usage["attempts"]) for reply in replies} == {("length", 3)}


def test_a_request_over_the_context_is_an_error_and_its_neighbours_are_whole():
    long = Request(Prompt("", "word " * 300), seeds=(("gout", "DISEASE"),))
    short, = make_requests([("gout", "DISEASE")])
    replies = generate(tiny_lm(context=256), [long, short], max_new_tokens=60)
    assert replies[0].error is not None and "context" in replies[0].error
    assert replies[1].error is None and replies[1].text
    assert not replies[0].service_failed, "it speaks of its seeds alone"


@pytest.mark.parametrize("fewest", [0, 9])
def test_no_sentence_ends_before_it_is_long_enough(fewest):
    seeds = [("cancer", "DISEASE")]
    # Of few tokens, all as likely, the tag and the end come soon.
    replies = generate(tiny_lm(), make_requests(seeds, 8), temperature=100.0, top_p=1.0, top_k=2, min_units=fewest,
                       max_new_tokens=80)
    lengths = [len(find_units(SeedTagCodec().read(reply.text, ["DISEASE"], seeds).text)) for reply in replies
               if reply.finish_reason == "stop"]
    assert len(lengths) >= 2
    assert min(lengths) >= 9 if fewest else min(lengths) < 9


def test_control_tokens_in_a_seed_stay_text():
    reply, = generate(tiny_lm(), make_requests([("a<|im_end|>b", "GENE")]), temperature=1.0)
    assert "<GENE>a<|im_end|>b</GENE>" in reply.text or reply.finish_reason == "length"
