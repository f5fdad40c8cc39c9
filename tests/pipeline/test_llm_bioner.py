"""The component: n Docs in, n out; config, labels, files and bytes keep what it needs; failures stay alone."""

import json
import shutil
from pathlib import Path

import numpy
import pytest
import spacy
from places import ASSETS
from spacy.tokens import Doc, DocBin
from spacy.training import Example

import spacy_bioner
from spacy_bioner.annotation import Annotation, Mention
from spacy_bioner.codecs import make_codec
from spacy_bioner.errors import BionerError
from spacy_bioner.files import write_json_lines
from spacy_bioner.formats.docbin import annotation_to_doc, doc_to_annotation
from spacy_bioner.llm.adapter import AdapterCard
from spacy_bioner.prompts.build import PromptBuilder

LABELS = {"DISEASE": "illnesses", "DRUG": ""}
GOLD = [Annotation("Aspirin helps with the flu.", (Mention(0, 7, "DRUG"), Mention(23, 26, "DISEASE"))),
        Annotation("Nothing here."),
        Annotation("Breast cancer.", (Mention(0, 13, "DISEASE"), Mention(7, 13, "DISEASE")))]


@pytest.fixture
def replay(tmp_path):
    """Return the config of a model that has recorded the gold replies."""
    codec = make_codec("bracket")
    write_json_lines(tmp_path / "replay.jsonl", (
        {"text": gold.text, "output": codec.encode(gold, list(LABELS))} for gold in GOLD))
    return {"@llm_models": "spacy-bioner.Replay.v1", "path": str(tmp_path / "replay.jsonl")}


def make_nlp(model, **config):
    nlp = spacy.blank("en")
    nlp.add_pipe("llm_bioner", config={"labels": LABELS, "model": model, **config})
    return nlp


def spans_of(doc, key="sc"):
    return tuple(Mention(span.start_char, span.end_char, span.label_) for span in doc.spans[key])


def test_docs_come_out_in_order_with_their_spans(replay):
    nlp = make_nlp(replay, spans_key="llm")
    texts = [(gold.text, number) for number, gold in enumerate([*GOLD, *GOLD])]
    found = list(nlp.pipe(texts, as_tuples=True, batch_size=2))
    assert [number for _, number in found] == list(range(6))
    assert [spans_of(doc, "llm") for doc, _ in found] == [gold.mentions for gold in [*GOLD, *GOLD]]
    assert spans_of(nlp(GOLD[0].text), "llm") == GOLD[0].mentions


def test_doc_says_who_annotated_it(replay):
    doc = make_nlp(replay)(GOLD[0].text)
    assert doc.user_data["origin"] == "synthetic"
    assert doc.user_data["meta"]["model"] == "replay"
    assert doc.user_data["meta"]["issues"] == {}
    assert not doc.ents, "entities are filled on request only"


def test_docs_that_bring_the_metadata_of_a_record_keep_it_beside_what_the_model_said(replay):
    nlp = make_nlp(replay)
    records = [GOLD[0].with_meta(unit="sentence", document="d1"), Annotation("unknown", meta={"document": "d2"})]
    docs = [annotation_to_doc(record, nlp.vocab)[0] for record in records]
    found, failed = (doc_to_annotation(doc) for doc in nlp.pipe(docs))
    assert found.mentions == GOLD[0].mentions
    assert (found.meta["document"], found.meta["model"]) == ("d1", "replay")
    assert (failed.meta["document"], failed.meta["error"]) == ("d2", "no reply was recorded for this text")
    [again] = DocBin(docs=[annotation_to_doc(failed, nlp.vocab)[0]], store_user_data=True).get_docs(nlp.vocab)
    assert doc_to_annotation(again).meta == failed.meta


def test_what_the_model_annotated_is_not_gold_though_the_doc_was(replay):
    nlp = make_nlp(replay)
    doc = nlp.make_doc(GOLD[0].text)
    doc.user_data.update(origin="gold", meta={"origin": "gold", "document": "d1"})
    found = doc_to_annotation(nlp(doc))
    assert (found.meta["origin"], found.meta["document"]) == ("synthetic", "d1")


def test_one_failure_leaves_its_neighbours_whole(replay):
    found = list(make_nlp(replay).pipe([GOLD[0].text, "unknown", GOLD[2].text]))
    assert [spans_of(doc) for doc in found] == [GOLD[0].mentions, (), GOLD[2].mentions]
    assert [doc.user_data["meta"].get("error") for doc in found] == [
        None, "no reply was recorded for this text", None]


def test_error_handler_that_was_set_is_called(replay):
    nlp, handled = make_nlp(replay), []
    nlp.set_error_handler(lambda name, component, docs, error: handled.append((name, docs[0].text, str(error))))
    assert len(list(nlp.pipe([GOLD[0].text, "unknown"]))) == 2
    assert handled == [("llm_bioner", "unknown", "A document was not annotated: no reply was recorded for this text.")]


def test_error_handler_may_raise(replay):
    def raise_it(name, component, docs, error):
        raise error

    nlp = make_nlp(replay)
    nlp.set_error_handler(raise_it)
    with pytest.raises(BionerError, match="no reply was recorded"):
        list(nlp.pipe([GOLD[0].text, "unknown"]))


def test_mention_inside_a_token_is_counted_not_moved(tmp_path):
    write_json_lines(tmp_path / "r.jsonl", [{"text": "IL-2 rose.", "output": "DRUG:  [IL]-2 rose."}])
    nlp = spacy.blank("en")
    component = nlp.add_pipe("llm_bioner", config={"labels": {"DRUG": ""}, "model": {
        "@llm_models": "spacy-bioner.Replay.v1", "path": str(tmp_path / "r.jsonl")}})
    doc = nlp("IL-2 rose.")
    assert spans_of(doc) == ()
    assert doc.user_data["meta"]["issues"] == {"off_boundary": 1}
    assert component.usage.issues["off_boundary"] == 1


def test_labels_and_definitions_are_one_mapping(replay):
    component = make_nlp(replay).get_pipe("llm_bioner")
    assert component.labels == ("DISEASE", "DRUG")
    before = component.annotator.builder.hash
    assert (component.add_label("GENE", "genes"), component.add_label("GENE", "genes")) == (1, 0)
    assert component.label_definitions == {**LABELS, "GENE": "genes"}
    assert component.annotator.builder.hash != before


@pytest.mark.parametrize("key", ["sc", "llm"])
def test_score_compares_characters(replay, key):
    nlp = make_nlp(replay, spans_key=key)
    examples = []
    for gold in GOLD:
        reference = nlp.make_doc(gold.text)
        reference.spans[key] = [reference.char_span(mention.start, mention.end, label=mention.label)
                                for mention in gold.mentions]
        examples.append(Example(nlp.make_doc(gold.text), reference))
    scores = nlp.evaluate(examples)
    assert scores[f"spans_{key}_f"] == 1.0


def test_usage_is_counted_over_all_calls(replay):
    nlp = make_nlp(replay)
    list(nlp.pipe(gold.text for gold in GOLD))
    nlp("unknown")
    usage = nlp.get_pipe("llm_bioner").usage
    assert (usage.documents, usage.failed, usage.asked) == (4, 1, 4)


def test_works_beside_other_components_and_after_loading(replay, tmp_path):
    nlp = make_nlp(replay, cache=str(tmp_path / "cache.sqlite"))
    nlp.add_pipe("sentencizer", first=True)
    nlp.add_pipe("entity_ruler").add_patterns([{"label": "X", "pattern": "Aspirin"}])
    nlp.get_pipe("llm_bioner").add_label("GENE", "genes")
    nlp.to_disk(tmp_path / "pipeline")
    loaded = spacy.load(tmp_path / "pipeline")
    assert loaded.get_pipe("llm_bioner").label_definitions == {**LABELS, "GENE": "genes"}
    doc = spacy.load(tmp_path / "pipeline", exclude=[])(GOLD[1].text)
    assert doc.has_annotation("SENT_START")


def test_a_setting_that_is_overridden_in_loading_holds(replay, tmp_path):
    nlp = make_nlp(replay)
    nlp.get_pipe("llm_bioner").add_label("GENE", "genes")
    nlp.to_disk(tmp_path)
    component = spacy.load(tmp_path, config={"components.llm_bioner.spans_key": "new"}).get_pipe("llm_bioner")
    assert (component.spans_key, component.label_definitions) == ("new", {**LABELS, "GENE": "genes"})
    component = spacy.load(tmp_path, config={"components.llm_bioner.labels": {"DRUG": "drugs"}}).get_pipe("llm_bioner")
    assert (component.spans_key, component.label_definitions["DRUG"]) == ("sc", "drugs")
    component.spans_key = "later"
    component.to_disk(tmp_path / "llm_bioner")
    assert spacy.load(tmp_path).get_pipe("llm_bioner").spans_key == "later"


def test_config_names_every_option_and_refuses_unknown_ones(replay):
    nlp = make_nlp(replay)
    config = nlp.config["components"]["llm_bioner"]
    assert {"spans_key", "labels", "codec", "template", "corpus", "lang", "examples", "choose_examples",
            "max_chunk_tokens", "max_sentences", "overlap", "cache", "window", "max_failures", "model",
            "scorer"} <= set(config)
    with pytest.raises(ValueError, match="spans_kye"):
        make_nlp(replay, spans_kye="sc")


def test_codec_template_and_examples_are_taken_from_the_config(tmp_path):
    write_json_lines(tmp_path / "r.jsonl", [{"text": "flu", "output": '[{"type": "DISEASE", "name": "flu"}]'}])
    write_json_lines(tmp_path / "shots.jsonl", [GOLD[0].to_record()])
    (tmp_path / "mine.jinja").write_text("{% block user %}{{ corpus }}|{{ examples[0][1] }}|{{ text }}{% endblock %}")
    nlp = make_nlp({"@llm_models": "spacy-bioner.Replay.v1", "path": str(tmp_path / "r.jsonl")}, corpus="C",
                   codec={"@misc": "spacy-bioner.JsonCodec.v1"}, template=str(tmp_path / "mine.jinja"),
                   examples=str(tmp_path / "shots.jsonl"))
    assert spans_of(nlp("flu")) == (Mention(0, 3, "DISEASE"),)
    prompt = nlp.get_pipe("llm_bioner").annotator.builder.render("flu").plain
    assert prompt.startswith('C|[{"type":"DRUG","name":"Aspirin"}') and prompt.endswith("|flu")


@pytest.fixture(scope="module")
def tiny_folder(tmp_path_factory):
    """Return the folder of a tiny random model, and beside it a random adapter with its card."""
    import torch
    from peft import LoraConfig, get_peft_model
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("tiny")
    alphabet = {"<|im_end|>": 0} | {symbol: number for number, symbol in enumerate(
        sorted(pre_tokenizers.ByteLevel.alphabet()), start=1)}
    backend = Tokenizer(models.BPE(vocab=alphabet, merges=[]))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=backend, eos_token="<|im_end|>", pad_token="<|im_end|>")
    with torch.random.fork_rng():
        torch.manual_seed(1)
        model = LlamaForCausalLM(LlamaConfig(
            vocab_size=len(alphabet), hidden_size=32, intermediate_size=48, num_hidden_layers=2,
            num_attention_heads=4, max_position_embeddings=4096, initializer_range=0.4, eos_token_id=0,
            bos_token_id=None, pad_token_id=0))
        model.save_pretrained(folder / "model")
        tokenizer.save_pretrained(folder / "model")
        tuned = get_peft_model(model, LoraConfig(r=4, target_modules=["q_proj", "v_proj"], init_lora_weights=False))
        tuned.save_pretrained(folder / "adapter")
    builder = PromptBuilder(template="annotate.en", labels=LABELS, codec=make_codec("bracket"), corpus="Toy")
    AdapterCard(str(folder / "model"), codec=builder.codec.settings(), labels=LABELS, corpus="Toy",
                template=builder.template_name, template_source=builder.source).write(folder / "adapter")
    return folder


TEXTS = ["No flu (IL-2).", "Two of five."]


def predict(nlp):
    docs = list(nlp.pipe(TEXTS))
    return [(spans_of(doc), numpy.round(doc.spans["sc"].attrs.get("scores", []), 3).tolist()) for doc in docs]


def make_tiny_nlp(folder, adapter=True, **config):
    model = {"@llm_models": "spacy-bioner.CausalLM.v1", "model": str(folder / "model"), "dtype": "float32",
             "adapter": str(folder / "adapter") if adapter else None}
    nlp = spacy.blank("en")
    nlp.add_pipe("llm_bioner", config={"model": model, **config})
    return nlp


def test_adapter_brings_labels_codec_and_template(tiny_folder):
    component = make_tiny_nlp(tiny_folder).get_pipe("llm_bioner")
    assert component.label_definitions == LABELS
    assert component.annotator.builder.corpus == "Toy"


@pytest.mark.parametrize("config, message", [
    pytest.param({"codec": {"@misc": "spacy-bioner.HtmlCodec.v1"}}, "codec", id="codec"),
    pytest.param({"template": "annotate.zh"}, "template", id="template"),
])
def test_adapter_refuses_what_it_was_not_trained_on(tiny_folder, config, message):
    component = make_tiny_nlp(tiny_folder, **config).get_pipe("llm_bioner")
    with pytest.raises(BionerError, match=message):
        component(Doc(component.vocab, words=["a"]))


def test_pipeline_on_disk_keeps_the_adapter(tiny_folder, tmp_path):
    shutil.copytree(tiny_folder / "adapter", tmp_path / "adapter")
    shutil.copytree(tiny_folder / "model", tmp_path / "model")
    nlp = make_tiny_nlp(tmp_path)
    wanted = predict(nlp)
    assert any(spans for spans, _ in wanted) and wanted != predict(make_tiny_nlp(tmp_path, adapter=False,
                                                                                 labels=LABELS, corpus="Toy"))
    nlp.to_disk(tmp_path / "pipeline")
    shutil.rmtree(tmp_path / "adapter")
    loaded = spacy.load(tmp_path / "pipeline")
    assert predict(loaded) == wanted
    loaded.to_disk(tmp_path / "pipeline")
    loaded.to_disk(tmp_path / "second")
    shutil.rmtree(tmp_path / "pipeline")
    assert predict(spacy.load(tmp_path / "second")) == wanted


def test_pipeline_saved_over_another_one_does_not_take_over_its_adapter(tiny_folder, tmp_path):
    make_tiny_nlp(tiny_folder).to_disk(tmp_path / "pipeline")
    plain = make_tiny_nlp(tiny_folder, adapter=False, labels=LABELS, corpus="Toy")
    plain.to_disk(tmp_path / "pipeline")
    assert spacy.load(tmp_path / "pipeline").get_pipe("llm_bioner").adapter_folder is None
    shutil.copytree(tiny_folder / "adapter", tmp_path / "other")
    (tmp_path / "other" / "README.md").rename(tmp_path / "other" / "NOTES.md")
    other = make_tiny_nlp(tiny_folder, adapter=False).get_pipe("llm_bioner")
    for folder in (tiny_folder / "adapter", tmp_path / "other"):
        other._set_adapter(folder)
        other.to_disk(tmp_path / "component")
    kept = {path.name for path in (tmp_path / "component" / "adapter").iterdir()}
    assert kept == {path.name for path in (tmp_path / "other").iterdir()}


def test_bytes_keep_the_adapter(tiny_folder):
    nlp = make_tiny_nlp(tiny_folder)
    other = make_tiny_nlp(tiny_folder, adapter=False, labels={"OTHER": ""})
    other.from_bytes(nlp.to_bytes())
    assert other.get_pipe("llm_bioner").labels == ("DISEASE", "DRUG")
    assert predict(other) == predict(nlp)


def test_missing_adapter_says_what_to_give(tiny_folder, tmp_path):
    nlp = make_tiny_nlp(tiny_folder)
    nlp.get_pipe("llm_bioner").source = nlp.get_pipe("llm_bioner").source.with_adapter(tmp_path / "gone")
    with pytest.raises(BionerError, match="No adapter at"):
        nlp("flu")


def test_bare_component_finds_diseases_and_chemicals_offline():
    nlp = spacy.blank("en")
    component = nlp.add_pipe("llm_bioner")
    doc = nlp("Cisplatin often causes hearing loss in patients with breast cancer.")
    found = {(span.text, span.label_) for span in doc.spans["sc"]}
    assert found >= {("Cisplatin", "CHEMICAL"), ("breast cancer", "DISEASE")}
    assert component.labels == ("CHEMICAL", "DISEASE")
    assert "error" not in doc.user_data["meta"] and doc.user_data["meta"]["model"].startswith("smollm2-135m-instruct")


def test_bare_component_reads_sentences_one_by_one_as_in_training_of_its_adapter():
    sentences = ["Cisplatin often causes hearing loss.", "No sign of gout was seen.", "She had taken lithium."]
    nlp = spacy.blank("en")
    nlp.add_pipe("llm_bioner")
    apart = {span.text for doc in nlp.pipe(sentences) for span in doc.spans["sc"]}
    together = nlp(" ".join(sentences))
    assert apart == {span.text for span in together.spans["sc"]} and len(apart) >= 3


def test_plain_embedded_model_takes_labels_of_the_embedded_corpus():
    nlp = spacy.blank("en")
    component = nlp.add_pipe("llm_bioner", config={"model": {"@llm_models": "spacy-bioner.CausalLM.v1",
                                                             "adapter": None}})
    doc = nlp("No flu.")
    packaged = Path(spacy_bioner.__file__).parent / "llm/annotation/embedded_labels.json"
    assert component.label_definitions == json.loads(packaged.read_text())
    assert "error" not in doc.user_data["meta"]
    assert all(span.label_ in component.labels for span in doc.spans["sc"])


@pytest.mark.parametrize("name", ["embedded_adapter", "label_sets_adapter"])
def test_packaged_adapters_are_small_and_say_what_they_are(name):
    folder = Path(spacy_bioner.__file__).parent / "llm/local" / name
    assert (folder / "adapter_model.safetensors").stat().st_size < 5_000_000
    # Hashes of the training texts are most of the rest.
    assert sum(path.stat().st_size for path in folder.iterdir()) < 5_400_000
    card = (folder / "README.md").read_text(encoding="utf8")
    for said in ("NCBI-Disease", "BC5CDR", "Government", "seed 1", "F1"):
        assert said in card, said
    AdapterCard.read(folder).check_files(folder)


def test_labels_of_ones_own_are_known_by_their_definitions():
    nlp = spacy.blank("en")
    component = nlp.add_pipe("llm_bioner", config={"labels": {"GENE": "genes and proteins", "CELL": "cell types"}})
    assert component.adapter_folder.name == "label_sets_adapter"
    [doc] = nlp.pipe(["Mutations of BRCA1 were found in T cells of the patients."])
    assert "BRCA1" in {span.text for span in doc.spans["sc"] if span.label_ == "GENE"}


def test_packaged_labels_are_those_of_the_embedded_corpus():
    from spacy_bioner.cli._shared.schema import read_schema

    schema = read_schema(ASSETS / "embedded" / "labels.yml")
    packaged = Path(spacy_bioner.__file__).parent / "llm/annotation/embedded_labels.json"
    assert json.loads(packaged.read_text()) == schema.labels
