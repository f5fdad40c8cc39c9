"""The making of an annotator: prompts as in fine-tuning, settings from the adapter's card, conflicts said."""

import logging

import pytest

from spacy_bioner.annotation import Annotation, Mention
from spacy_bioner.codecs import make_codec
from spacy_bioner.errors import BionerError
from spacy_bioner.finetuning.records import Corpus, Losses, make_records
from spacy_bioner.llm.adapter import AdapterCard
from spacy_bioner.llm.annotation.annotator import Annotator
from spacy_bioner.llm.annotation.assembly import (
    choose_max_sentences,
    fit_adapter,
    make_annotator,
    make_builder,
    make_builders,
)
from spacy_bioner.llm.annotation.identity import identify
from spacy_bioner.llm.local.model_source import CausalLMSource, OpenedSource, find_adapter
from spacy_bioner.llm.replay import Replay
from spacy_bioner.llm.server.server_source import answer_schema, make_server
from spacy_bioner.llm.settings import AnnotatorSettings
from spacy_bioner.prompts.build import PromptBuilder

LABELS = {"DISEASE": "illnesses", "DRUG": "medicines"}
GOLD = Annotation("Aspirin for the flu.", (Mention(0, 7, "DRUG"), Mention(16, 19, "DISEASE")), id="a",
                  meta={"split": "train"})


def make_card(codec="bracket", lang="en", corpus="Toy", **changes):
    builder = make_builder(None, AnnotatorSettings(labels=LABELS, codec=make_codec(codec), corpus=corpus, lang=lang))
    card = {"base_model": "m", "codec": builder.codec.settings(), "labels": LABELS, "corpus": corpus, "lang": lang,
            "template": builder.template_name, "template_source": builder.source}
    return AdapterCard(**{**card, **changes})


def asked_prompts(annotator, text):
    asked = []
    annotator.model.generate = lambda requests: asked.extend(request.prompt.plain for request in requests) or []
    list(annotator.annotate([Annotation(text)]))
    return asked


@pytest.mark.parametrize("codec", ["bracket", "html", "json"])
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_annotation_asks_as_in_fine_tuning(codec, lang):
    corpus = Corpus((GOLD,), LABELS, name="Toy", lang=lang)
    [record] = make_records(corpus, codec=make_codec(codec), template="auto", losses=Losses())
    trained = record.builder.render(record.annotation.text).plain
    builder = make_builder(make_card(codec, lang), AnnotatorSettings())
    assert asked_prompts(Annotator(model=Replay([]), builder=builder), GOLD.text) == [trained]


def test_without_a_card_the_defaults_are_taken():
    builder = make_builder(None, AnnotatorSettings())
    assert (builder.codec.name, builder.template_name, builder.corpus) == ("bracket", "annotate.en", "")
    assert "DISEASE" in builder.labels


def test_kept_template_is_asked_even_where_the_packaged_one_has_changed():
    source = "{% block user %}Old words: {{ text }}{% endblock %}"
    builder = make_builder(make_card(template_source=source), AnnotatorSettings())
    assert builder.render("flu").plain == "Old words: flu"


def test_a_bilingual_adapter_is_asked_in_the_template_of_the_language():
    chinese = make_card(lang="zh")
    card = make_card(more_templates={chinese.template: "{% block user %}问 {{ text }}{% endblock %}"})
    assert make_builder(card, AnnotatorSettings(lang="zh")).render("flu").plain == "问 flu"
    assert make_builder(card, AnnotatorSettings()).source == card.template_source


def test_other_definitions_than_in_training_are_a_warning(caplog):
    with caplog.at_level(logging.WARNING, logger="spacy_bioner"):
        builder = make_builder(make_card(), AnnotatorSettings(labels={"DISEASE": "other"}))
    assert builder.labels == {"DISEASE": "other"}
    assert "trained with other labels" in caplog.text


@pytest.mark.parametrize("settings", [{"codec": make_codec("html")}, {"template": "annotate.zh"}])
def test_what_was_not_trained_on_is_an_error(settings):
    with pytest.raises(BionerError, match="was trained|adapter"):
        make_builder(make_card(), AnnotatorSettings(**settings))


def test_adapter_of_another_model_is_an_error(tmp_path):
    make_card(base_model="other-model").write(tmp_path)
    source = CausalLMSource(model="this-model", adapter=str(tmp_path))
    with pytest.raises(BionerError, match="other-model"):
        source.open(make_builder(source.card(), AnnotatorSettings()))


def test_auto_means_the_packaged_adapter_of_the_embedded_model_only():
    assert find_adapter("Qwen/Qwen3-8B", "auto") is None
    assert find_adapter("anything", None) is None


@pytest.mark.parametrize("trained, asked, most", [
    pytest.param(1, None, 1, id="as-trained"), pytest.param(1, 0, 0, id="no-limit"), pytest.param(1, 3, 3, id="other"),
    pytest.param(0, None, 0, id="not-known"),
])
def test_texts_are_cut_as_in_training_of_the_adapter(trained, asked, most):
    settings = AnnotatorSettings(max_sentences=asked)
    assert choose_max_sentences(make_card(max_sentences=trained), settings) == most
    assert choose_max_sentences(None, settings) == (asked or 0)


@pytest.fixture
def packaged(tmp_path, monkeypatch):
    """Return the adapters that come with the package, as far as they are asked what they were trained on."""
    from spacy_bioner.llm.annotation import assembly
    from spacy_bioner.llm.local import model_source as models

    places = {name: tmp_path / name for name in ("own", "sets")}
    make_card(base_model=models.EMBEDDED_MODEL).write(places["own"])
    make_card("html", base_model=models.EMBEDDED_MODEL, labels={"Disorder": "illnesses"},
              more_corpora=[{"labels": {"Gene": "genes"}, "corpus": name, "lang": "en"} for name in "ab"]
              ).write(places["sets"])
    monkeypatch.setattr(models, "EMBEDDED_ADAPTER", places["own"])
    monkeypatch.setattr(assembly, "LABEL_SETS_ADAPTER", places["sets"])
    return places


@pytest.mark.parametrize("settings, taken", [
    pytest.param({}, "own", id="nothing"), pytest.param({"labels": LABELS}, "own", id="its-labels"),
    pytest.param({"labels": {next(iter(LABELS)): "another definition"}}, "own", id="one-of-its-labels"),
    pytest.param({"labels": {next(iter(LABELS)): "", "GENE": "genes"}}, "sets", id="more-labels"),
    pytest.param({"labels": {"GENE": "genes"}}, "sets", id="other-labels"),
    pytest.param({"codec": make_codec("html")}, "sets", id="codec"),
])
def test_of_the_packaged_adapters_the_one_is_taken_that_suits_what_is_asked_for(packaged, settings, taken, caplog):
    settings = AnnotatorSettings(**settings)
    source = fit_adapter(CausalLMSource(), settings, warn=True)
    assert source.adapter_folder == packaged[taken]
    make_builders(source.card(), settings)
    assert ("other labels" in caplog.text) == (settings.labels is not None and taken == "own"
                                               and settings.labels != LABELS)


@pytest.mark.parametrize("settings, said", [
    pytest.param({"codec": make_codec("json")}, "not with the codec", id="codec"),
    pytest.param({"lang": "zh"}, "not with the language", id="language"),
    pytest.param({"template": "annotate.zh"}, "not with the template", id="template"),
])
def test_packaged_adapters_are_left_out_for_anything_else(packaged, settings, said, caplog):
    assert fit_adapter(CausalLMSource(), AnnotatorSettings(**settings), warn=True).adapter_folder is None
    assert said in caplog.text
    named = CausalLMSource(adapter=str(packaged["own"]))
    assert fit_adapter(named, AnnotatorSettings(**settings)) is named


def test_examples_are_read_proven_and_shown(tmp_path):
    from spacy_bioner.files import write_json_lines

    write_json_lines(tmp_path / "shots.jsonl", [GOLD.to_record()])
    for count, shown in ((0, 1), (1, 1)):
        settings = AnnotatorSettings(labels=LABELS, examples=tmp_path / "shots.jsonl", choose_examples=count)
        annotator = make_annotator(OpenedSource(Replay([])), settings, find_sentences=lambda text, lang: [])
        [prompt] = asked_prompts(annotator, "Some fever.")
        assert prompt.count("DRUG:  [Aspirin] for the flu.") == shown
    write_json_lines(tmp_path / "shots.jsonl", [GOLD.with_meta(split="test").to_record()])
    with pytest.raises(BionerError, match="split 'test'"):
        make_annotator(OpenedSource(Replay([])), settings, find_sentences=lambda text, lang: [])


def test_examples_to_choose_from_are_those_that_the_codec_carries(tmp_path, caplog):
    from spacy_bioner.files import write_json_lines

    # By its name alone, "flu" means each flu of the text.
    one_of_two = Annotation("The flu is not the flu.", (Mention(4, 7, "DISEASE"),), id="twice")
    write_json_lines(tmp_path / "shots.jsonl", [one_of_two.to_record(), GOLD.to_record()])
    settings = AnnotatorSettings(labels=LABELS, codec=make_codec("json"), examples=tmp_path / "shots.jsonl")
    with pytest.raises(BionerError, match="'twice' is not read back the same"):
        make_annotator(OpenedSource(Replay([])), settings, find_sentences=lambda text, lang: [])
    settings = settings.changed(choose_examples=2)
    annotator = make_annotator(OpenedSource(Replay([])), settings, find_sentences=lambda text, lang: [])
    assert "1 of 2 candidate examples" in caplog.text and "'twice'" in caplog.text
    [prompt] = asked_prompts(annotator, "Some fever.")
    assert GOLD.text in prompt and one_of_two.text not in prompt
    write_json_lines(tmp_path / "shots.jsonl", [one_of_two.to_record()])
    with pytest.raises(BionerError, match="none of the 1 candidate examples"):
        make_annotator(OpenedSource(Replay([])), settings, find_sentences=lambda text, lang: [])


def test_server_takes_prompts_and_markup_from_the_card_of_its_adapter(tmp_path):
    make_card("json", corpus="Toy").write(tmp_path)
    source = make_server("m", base_url="http://localhost:1", adapter=str(tmp_path), structured=True)
    builder = make_builder(source.card(), AnnotatorSettings())
    settings = source.open(builder).settings
    assert (settings.chat, builder.corpus) == (False, "Toy")
    assert settings.json_schema == answer_schema("name", list(LABELS))


def test_structured_output_needs_json():
    source = make_server("m", base_url="http://localhost:1", structured=True)
    with pytest.raises(BionerError, match="json codec"):
        source.open(make_builder(None, AnnotatorSettings(labels=LABELS)))


@pytest.mark.parametrize("shape", ["name", "offsets", "context"])
def test_schema_allows_what_the_codec_writes(shape):
    import json

    schema = answer_schema(shape, list(LABELS))
    assert schema["type"] == "object" and schema["required"] == ["entities"], "hosted services refuse other roots"
    item = schema["properties"]["entities"]["items"]
    for written in json.loads(make_codec("json", shape=shape).encode(GOLD, list(LABELS))):
        fitting = [part for part in item.get("anyOf", [item]) if set(part["required"]) == set(written)]
        assert len(fitting) == 1 and set(fitting[0]["properties"]) == set(written)


@pytest.mark.issue(6)
@pytest.mark.parametrize("labels, asked", [
    pytest.param(None, list(LABELS), id="as-trained"), pytest.param({"DRUG": "medicines"}, ["DRUG"], id="one"),
])
def test_one_label_at_a_time_is_asked_as_in_training(labels, asked):
    corpus = Corpus((GOLD,), LABELS, name="Toy")
    records = list(make_records(corpus, codec=make_codec("bracket"), template="auto", losses=Losses(),
                                instruction="each"))
    trained = {record.builder.render(GOLD.text).plain: record.builder.codec.encode(
        record.annotation, list(record.builder.labels)) for record in records}
    source = OpenedSource(Replay([{"prompt": prompt, "output": output} for prompt, output in trained.items()]))
    object.__setattr__(source, "card", lambda: make_card(instruction="each"))
    annotator = make_annotator(source, AnnotatorSettings(labels=labels), find_sentences=lambda text, lang: [])
    [found] = annotator.annotate([Annotation(GOLD.text, id="a")])
    assert "error" not in found.meta
    assert found.mentions == tuple(mention for mention in GOLD.mentions if mention.label in asked)
    assert list(annotator.builder.labels) == asked
    assert (annotator.usage.documents, annotator.usage.asked) == (1, len(asked))


@pytest.mark.issue(6)
def test_one_label_at_a_time_takes_no_examples_of_several(tmp_path):
    source = OpenedSource(Replay([]))
    object.__setattr__(source, "card", lambda: make_card(instruction="each"))
    from spacy_bioner.files import write_json_lines

    write_json_lines(tmp_path / "shots.jsonl", [GOLD.to_record()])
    for count in (0, 1):
        settings = AnnotatorSettings(examples=tmp_path / "shots.jsonl", choose_examples=count)
        with pytest.raises(BionerError, match="one label at a time"):
            make_annotator(source, settings, find_sentences=lambda text, lang: [])


@pytest.mark.issue(6)
def test_questions_about_a_text_share_the_memory_of_the_model():
    from dataclasses import dataclass

    from tiny_models import tiny_lm

    from spacy_bioner.llm.decoding.grounded import GroundedDecoder

    @dataclass(frozen=True)
    class Source(OpenedSource):
        def card(self):
            return make_card(instruction="each")

        def open(self, builder):
            return GroundedDecoder(tiny_lm(), codec=builder.codec, labels=builder.labels)

    annotator = make_annotator(Source(Replay([])), AnnotatorSettings(), find_sentences=lambda text, lang: [])
    texts = [GOLD.text, "The flu came back.", "No news."]
    together = list(annotator.annotate([Annotation(text) for text in texts]))
    for label, definition in LABELS.items():
        builder = make_builder(make_card(instruction="each"), AnnotatorSettings(labels={label: definition}))
        alone = Annotator(model=Source(Replay([])).open(builder), builder=builder)
        for found, expected in zip(together, alone.annotate([Annotation(text) for text in texts])):
            assert [mention for mention in found.mentions if mention.label == label] == list(expected.mentions)
    assert any(found.mentions for found in together)


@pytest.mark.issue(23)
@pytest.mark.parametrize("has_adapter, codec, asked", [
    pytest.param(False, None, "json", id="no-adapter"),
    pytest.param(False, "bracket", "bracket", id="set"),
    pytest.param(True, None, "bracket", id="as-trained"),
])
def test_a_server_without_an_adapter_is_asked_for_json(tmp_path, has_adapter, codec, asked):
    if has_adapter:
        source = PromptBuilder(template="annotate.en", labels=LABELS, codec=make_codec("bracket")).settings()["source"]
        AdapterCard(base_model="base", codec=make_codec("bracket").settings(), labels=LABELS, template="annotate.en",
                    template_source=source).write(tmp_path)
    source = make_server("m", base_url="http://localhost:1", adapter=str(tmp_path) if has_adapter else None)
    settings = AnnotatorSettings(labels=LABELS, codec=make_codec(codec) if codec else None)
    assert make_annotator(source, settings, find_sentences=lambda text, lang: []).builder.codec.name == asked
    assert identify(source, settings)["codec"]["name"] == asked
