"""The component that turns Docs of seeds into sentences: in batches, saved and loaded, faults held apart."""

import json
import pickle
from pathlib import Path

import pytest
import spacy

from spacy_bioner.errors import BionerError
from spacy_bioner.files import write_json_lines
from spacy_bioner.pipeline.seed_generator import seed_doc
from spacy_bioner.synthesis.seed_prompt import SeedPrompt
from spacy_bioner.synthesis.seeds import Seed

LABELS = {"CHEMICAL": "drugs", "DISEASE": "illnesses"}
SEEDS = [[("aspirin", "CHEMICAL")], [("lung cancer", "DISEASE"), ("DSM-IV", "DISEASE")], [("gout", "DISEASE")]]


def tag(seeds, more=""):
    tags = " and ".join(f"<{label}>{text}</{label}>" for text, label in seeds)
    return f"<start_sentence>We saw {tags} in all of the patients{more}.</end_sentence>"


@pytest.fixture
def make_nlp(tmp_path):
    """Return a function that makes a pipeline whose generator answers with recorded replies."""
    prompt = SeedPrompt(LABELS)
    records = [{"prompt": prompt.render([Seed(*seed) for seed in seeds]).plain, "output": tag(seeds, more)}
               for seeds in SEEDS[:2] for more in ("", " again")]
    records.append({"prompt": prompt.render([Seed(*SEEDS[2][0])]).plain, "output": "Sorry."})
    write_json_lines(tmp_path / "replay.jsonl", records)

    def make(**config):
        nlp = spacy.blank("en")
        nlp.add_pipe("seed_generator", config={"labels": LABELS, **config, "model": {
            "@llm_models": "spacy-bioner.Replay.v1", "path": str(tmp_path / "replay.jsonl")}})
        return nlp

    return make


def found(doc):
    return [(span.text, span.label_) for span in doc.spans["sc"]]


def test_seed_docs_hold_their_seeds_as_spans():
    doc = seed_doc(spacy.blank("en").vocab, [("lung  cancer", "DISEASE"), ("IL-2", "GENE")], id="a")
    assert [(span.text, span.label_) for span in doc.spans["seeds"]] == [("lung cancer", "DISEASE"), ("IL-2", "GENE")]


def test_docs_of_seeds_become_sentences_in_order(make_nlp):
    nlp = make_nlp()
    docs = [seed_doc(nlp.vocab, seeds, id=f"s{number}") for number, seeds in enumerate([*SEEDS, SEEDS[0]])]
    made = list(nlp.pipe(docs, batch_size=2))
    assert [doc.user_data["id"] for doc in made] == ["s0", "s1", "s2", "s3"]
    assert made[1].text == "We saw lung cancer and DSM-IV in all of the patients."
    assert found(made[1]) == SEEDS[1]
    assert made[3].text.endswith("again."), "the same seeds a second time are another sentence"
    assert {doc.user_data["origin"] for doc in made} == {"synthetic"}
    assert made[1].user_data["meta"]["seeds"] == [list(seed) for seed in SEEDS[1]]


def test_a_rejected_sentence_is_an_empty_doc_with_its_reason(make_nlp):
    nlp = make_nlp()
    doc = nlp(seed_doc(nlp.vocab, SEEDS[2]))
    assert doc.text == "" and not found(doc)
    assert doc.user_data["meta"]["error"] == "no_wrapper"
    assert nlp.get_pipe("seed_generator").writer.report.rejected == {"no_wrapper": 1}


def test_the_error_handler_hears_of_rejected_sentences(make_nlp):
    nlp = make_nlp()
    heard = []
    nlp.set_error_handler(lambda name, proc, docs, error: heard.append((name, str(error))))
    list(nlp.pipe([seed_doc(nlp.vocab, seeds) for seeds in SEEDS]))
    assert heard == [("seed_generator", "No sentence was generated: no_wrapper.")]


def test_what_came_with_a_doc_goes_out_with_its_sentence(make_nlp):
    nlp = make_nlp()
    made = list(nlp.pipe(((seed_doc(nlp.vocab, seeds), seeds) for seeds in SEEDS), as_tuples=True))
    assert [seeds for _, seeds in made] == SEEDS
    assert [found(doc) for doc, _ in made] == [*SEEDS[:2], []]


def test_with_an_error_handler_docs_without_seeds_leave_the_others_whole(make_nlp):
    nlp, heard = make_nlp(), []
    nlp.set_error_handler(lambda name, proc, docs, error: heard.append((docs[0].text, str(error))))
    given = [("gout", []), *((seed_doc(nlp.vocab, seeds), seeds) for seeds in SEEDS[:2]), ("asthma", [])]
    made = list(nlp.pipe(given, as_tuples=True, batch_size=2))
    assert [found(doc) for doc, _ in made] == [seeds for _, seeds in made] == [[], *SEEDS[:2], []]
    assert [doc.user_data["meta"].get("error") for doc, _ in made] == ["no_seeds", None, None, "no_seeds"]
    assert [text for text, _ in heard] == ["gout", "asthma"]
    assert all("no spans under 'seeds'" in error for _, error in heard)


def test_the_same_seeds_in_a_later_call_are_another_sentence(make_nlp):
    nlp = make_nlp()
    first, second = (nlp(seed_doc(nlp.vocab, SEEDS[0])) for _ in range(2))
    assert second.text and second.text != first.text
    copied = pickle.loads(pickle.dumps(nlp.get_pipe("seed_generator")))
    assert copied(seed_doc(nlp.vocab, SEEDS[0])).text == first.text, "another process begins with the first one"


def test_a_setting_that_is_overridden_in_loading_holds(make_nlp, tmp_path):
    make_nlp().to_disk(tmp_path / "nlp")
    loaded = spacy.load(tmp_path / "nlp", config={"components.seed_generator.spans_key": "made"})
    assert list(loaded(seed_doc(loaded.vocab, SEEDS[0])).spans) == ["made"]


def test_a_doc_without_seeds_is_one_clear_line(make_nlp):
    nlp = make_nlp()
    with pytest.raises(BionerError, match="no spans under 'seeds'"):
        nlp("aspirin")


@pytest.mark.parametrize("config, message", [
    pytest.param({"mode": "mend"}, "'mode' is mend.*'repair'", id="mode"),
    pytest.param({"variant": "odd"}, "'variant' is odd.*'simple'", id="variant"),
    pytest.param({"mode": "relabel"}, "'seed_generator' cannot use the mode 'relabel'.*Set its mode", id="relabel"),
    pytest.param({"checks": {"odd": 1}}, "'checks.odd'.*seed_generator", id="unknown-check"),
    pytest.param({"checks": {"min_units": "many"}}, "'checks.min_units'", id="check-of-another-type"),
])
def test_settings_that_cannot_be_are_found_when_the_component_is_made(make_nlp, config, message):
    with pytest.raises(BionerError, match=message):
        make_nlp(**config)


def test_settings_survive_disk_and_bytes(make_nlp, tmp_path):
    nlp = make_nlp(spans_key="made")
    nlp.to_disk(tmp_path / "nlp")
    for loaded in (spacy.load(tmp_path / "nlp"), make_nlp().from_bytes(nlp.to_bytes())):
        doc = loaded(seed_doc(loaded.vocab, SEEDS[1]))
        assert [span.text for span in doc.spans["made"]] == ["lung cancer", "DSM-IV"]


def held_out(path, *seeds):
    """Return a file with the sentence that the recorded replies make of some seeds."""
    names = " and ".join(text for text, _ in seeds)
    write_json_lines(path, [{"id": "t", "text": f"We saw {names} in all of the patients."}])
    return str(path)


def copies(nlp, folder, make_nlp):
    """Yield the pipeline itself, and loaded from disk and from bytes."""
    nlp.to_disk(folder)
    yield from (nlp, spacy.load(folder), make_nlp().from_bytes(nlp.to_bytes()))


def test_sentences_that_are_held_out_do_not_come_out_again_after_loading_either(make_nlp, tmp_path):
    nlp = make_nlp(held_out=[held_out(tmp_path / "test.jsonl", *SEEDS[1])])
    for one in copies(nlp, tmp_path / "nlp", make_nlp):
        refused, made = one.pipe([seed_doc(one.vocab, seeds) for seeds in (SEEDS[1], SEEDS[0])])
        assert refused.user_data["meta"]["error"] == "held_out_text" and made.text


def test_held_out_files_that_a_program_gives_are_kept_in_the_pipeline(make_nlp, tmp_path):
    nlp = make_nlp()
    nlp.get_pipe("seed_generator").held_out = (Path(held_out(tmp_path / "test.jsonl", *SEEDS[1])),)
    for one in copies(nlp, tmp_path / "nlp", make_nlp):
        assert one(seed_doc(one.vocab, SEEDS[1])).user_data["meta"]["error"] == "held_out_text"


def test_a_component_that_was_saved_before_held_out_files_were_is_loaded(make_nlp):
    import srsly

    pipe = make_nlp().get_pipe("seed_generator")
    stored = srsly.msgpack_loads(pipe.to_bytes())
    cfg = srsly.json_loads(stored["cfg"])
    del cfg["held_out"]
    pipe.from_bytes(srsly.msgpack_dumps({**stored, "cfg": srsly.json_dumps(cfg)}))
    assert pipe.held_out == ()


def test_a_held_out_file_that_is_gone_is_one_clear_line(make_nlp, tmp_path):
    nlp = make_nlp(held_out=[str(tmp_path / "gone.jsonl")])
    with pytest.raises(BionerError, match=r"There is no .* at .*gone\.jsonl"):
        nlp(seed_doc(nlp.vocab, SEEDS[0]))


def test_the_adapter_is_saved_with_the_pipeline(tmp_path):
    from tiny_models import tiny_lm

    from spacy_bioner.annotation import Annotation
    from spacy_bioner.cli._shared.schema import Schema
    from spacy_bioner.cli.train.generator import PromptSettings, make_prompt
    from spacy_bioner.finetuning.lora.lora_settings import LoraSettings, TrainingSettings
    from spacy_bioner.llm.local.causal_lm import load_causal_lm
    from spacy_bioner.synthesis.generator_training import choose_pairs, train_generator

    lm = tiny_lm()
    lm.model.save_pretrained(tmp_path / "model")
    lm.tokenizer.save_pretrained(tmp_path / "model")
    pairs = choose_pairs([Annotation("We gave aspirin tablets to the many severely ill patients.")], [], raw_pairs=1,
                         gold_pairs=0, stop_words={"to", "the", "we"}, max_seeds=1, seed=0)
    train_generator(pairs, make_prompt(PromptSettings(), Schema(LABELS), []),
                    lm=load_causal_lm(str(tmp_path / "model"), dtype="float32"), output=tmp_path / "adapter",
                    lora=LoraSettings(r=2), training=TrainingSettings(max_steps=1, max_length=900), versions={},
                    lang="en")
    nlp = spacy.blank("en")
    nlp.add_pipe("seed_generator", config={"checks": {"min_units": 1}, "model": {
        "@llm_models": "spacy-bioner.CausalLM.v1", "model": str(tmp_path / "model"), "dtype": "float32",
        "adapter": str(tmp_path / "adapter"), "max_new_tokens": 40, "temperature": 100.0}})
    nlp.to_disk(tmp_path / "nlp")
    card = json.loads((tmp_path / "nlp" / "seed_generator" / "adapter" / "bioner.json").read_text())
    assert card["codec"]["name"] == "seed_tags"
    loaded = spacy.load(tmp_path / "nlp")
    again = spacy.blank("en")
    again.add_pipe("seed_generator", source=loaded)
    for one in (loaded, again):
        assert one.get_pipe("seed_generator").source.adapter_folder == tmp_path / "nlp" / "seed_generator" / "adapter"
    first, second = (one(seed_doc(one.vocab, SEEDS[0])) for one in (nlp, loaded))
    assert first.text == second.text and first.user_data["meta"]["seeds"] == [["aspirin", "CHEMICAL"]]
    assert spacy.blank("en").add_pipe("seed_generator").from_bytes(
        loaded.get_pipe("seed_generator").to_bytes()).source.card().labels == LABELS
