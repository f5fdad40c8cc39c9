"""The prompt for sentences: variants, style, both languages; asked as in training."""

import logging
import re

import pytest

from spacy_bioner.errors import BionerError
from spacy_bioner.llm.adapter import AdapterCard
from spacy_bioner.synthesis.augmentation.llm_da import NamePrompt
from spacy_bioner.synthesis.seed_prompt import SeedPrompt
from spacy_bioner.synthesis.seeds import Seed
from spacy_bioner.synthesis.writer_assembly import WriterSettings, make_seed_prompt

LABELS = {"CHEMICAL": "drugs", "DISEASE": "illnesses"}
SEEDS = (Seed("aspirin", "CHEMICAL"), Seed("gout", "DISEASE"))
FORBIDS = "Do not mention any other entity of these types."
THINKS = "First think step by step, in a few words, how the entities belong together; then write the sentence."


@pytest.mark.parametrize("variant, holds, lacks", [
    pytest.param("simple", [], [FORBIDS, THINKS], id="simple"),
    pytest.param("no_new_entity", [FORBIDS], [THINKS], id="no-new-entity"),
    pytest.param("chain_of_thought", [THINKS], [FORBIDS], id="chain-of-thought"),
])
def test_a_variant_says_what_it_adds_and_nothing_else(variant, holds, lacks):
    prompt = SeedPrompt(LABELS, variant=variant, domain="oncology", genre="a note").render(SEEDS)
    assert prompt.system.startswith("You are an expert in oncology. Write one sentence, as it could stand in a note,")
    assert "between <start_sentence> and </end_sentence>." in prompt.system
    assert all(text in prompt.system for text in holds) and not any(text in prompt.system for text in lacks)
    assert prompt.user == ("CHEMICAL: drugs\nDISEASE: illnesses\n"
                           "Entities: <CHEMICAL>aspirin</CHEMICAL> <DISEASE>gout</DISEASE>\nSentence:")


@pytest.mark.parametrize("template, shown", [
    pytest.param("generate.en", ["Style: One.", "Style: Two."], id="english"),
    pytest.param("generate.zh", ["风格示例：One.", "风格示例：Two."], id="chinese"),
])
@pytest.mark.parametrize("variant", ["simple", "no_new_entity", "chain_of_thought"])
def test_style_examples_stand_each_on_a_line_of_its_own(template, shown, variant):
    with_style = SeedPrompt(LABELS, template=template, variant=variant, style_examples=("One.", "Two."))
    without = SeedPrompt(LABELS, template=template, variant=variant)
    assert with_style.render(SEEDS).system.splitlines() == [*without.render(SEEDS).system.splitlines(), *shown]
    assert with_style.render(SEEDS).user == without.render(SEEDS).user
    assert with_style.hash != without.hash


def test_a_prompt_in_chinese_forbids_and_thinks_in_chinese():
    simple, *others = (SeedPrompt(LABELS, template="generate.zh", variant=variant).render(SEEDS).system
                       for variant in ("simple", "no_new_entity", "chain_of_thought"))
    assert len({simple, *others}) == 3
    assert all(len(other.splitlines()) == len(simple.splitlines()) + 1 for other in others)


@pytest.mark.parametrize("template", ["generate.zh", "names.zh"])
def test_a_prompt_in_chinese_is_chinese_throughout(template):
    prompt = (SeedPrompt({}, template=template).render([Seed("痛风", "疾病")]) if template.startswith("generate")
              else NamePrompt({}, template=template).render("疾病", ["痛风"]))
    written = re.sub(r"<[^>]*>", "", prompt.system)
    assert "生物医学" in written and "摘要" in written and not re.search("[A-Za-z]", written)


def test_where_nothing_is_said_a_generator_is_asked_as_in_training():
    trained = SeedPrompt(LABELS, domain="oncology", genre="a note")
    card = AdapterCard(base_model="m", codec={"name": "seed_tags"}, labels=LABELS, template="generate.en",
                       template_source=trained.source, prompt=trained.card_settings())
    assert make_seed_prompt(card, WriterSettings()).render(SEEDS) == trained.render(SEEDS)


def test_an_unknown_variant_is_one_clear_line():
    with pytest.raises(BionerError, match="Unknown prompt variant 'odd'"):
        SeedPrompt(LABELS, variant="odd")


def test_what_is_asked_otherwise_than_in_training_is_a_warning(caplog):
    trained = SeedPrompt(LABELS, genre="a note", style_examples=("One.",))
    card = AdapterCard(base_model="m", codec={"name": "seed_tags"}, labels=LABELS, template="generate.en",
                       template_source=trained.source, prompt=trained.card_settings())
    with caplog.at_level(logging.WARNING):
        make_seed_prompt(card, WriterSettings(genre="a note", style_examples=("One.",)))
    assert not caplog.messages
    with caplog.at_level(logging.WARNING):
        make_seed_prompt(card, WriterSettings(variant="no_new_entity", genre="an abstract"))
    assert caplog.messages == [
        "The generator was trained with another variant ('simple') than this run uses ('no_new_entity').",
        "The generator was trained with another genre ('a note') than this run uses ('an abstract').",
        "The generator was trained with another style_examples (1 of them) than this run uses (0 of them)."]
