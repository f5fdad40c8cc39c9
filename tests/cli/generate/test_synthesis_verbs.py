"""The verbs of generate, and train generator, with a tiny model in a folder or recorded replies."""

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from spacy_bioner.annotation import Annotation, Mention
from spacy_bioner.cli._shared.settings import load_settings, read_overrides
from spacy_bioner.cli.generate.sentences import print_summary, take_teacher
from spacy_bioner.cli.main import app
from spacy_bioner.config_files import find_config
from spacy_bioner.errors import BionerError
from spacy_bioner.files import read_json_lines, write_json_lines
from spacy_bioner.synthesis.settings import SynthesizeSettings

TEXTS = ["We gave aspirin to the patients with severe asthma in the ward.",
         "In the trial heparin was given to all of the patients with gout.",
         "The patients with severe asthma were given aspirin and heparin."]


def annotate(text, **meta):
    mentions = [Mention(text.index(name), text.index(name) + len(name), label) for name, label in
                (("aspirin", "CHEMICAL"), ("heparin", "CHEMICAL"), ("severe asthma", "DISEASE"), ("gout", "DISEASE"))
                if name in text]
    return Annotation(text, tuple(mentions), id=text[:6], meta={"split": "train", **meta})


@pytest.fixture
def files(tmp_path):
    """Return a folder with gold.jsonl, raw.jsonl, labels.yml and seeds.csv."""
    write_json_lines(tmp_path / "gold.jsonl", (annotate(text).to_record() for text in TEXTS))
    write_json_lines(tmp_path / "raw.jsonl", ({"id": f"r{n}", "text": text} for n, text in enumerate(TEXTS)))
    (tmp_path / "labels.yml").write_text("corpus: toy\nlabels: {DISEASE: illnesses, CHEMICAL: drugs}\n")
    (tmp_path / "seeds.csv").write_text("text,label\naspirin,CHEMICAL\nheparin,CHEMICAL\ngout,DISEASE\nflu,DISEASE\n")
    return tmp_path


@pytest.fixture
def model(tmp_path):
    """Return the folder of a tiny random model."""
    from tiny_models import tiny_lm

    lm = tiny_lm()
    lm.model.save_pretrained(tmp_path / "model")
    lm.tokenizer.save_pretrained(tmp_path / "model")
    return tmp_path / "model"


def invoke(folder, verb, *arguments):
    return CliRunner().invoke(app, [*verb.split(), *map(str, arguments), "--labels", str(folder / "labels.yml"),
                                    "--profile", "smoke"])


def synthesize(folder, output, *options):
    return invoke(folder, "generate sentences", folder / "seeds.csv", output, "--report", output.with_suffix(".json"),
                  "--synthesize.cache", folder / "cache.sqlite", *options)


def read(path):
    return [record for _, record in read_json_lines(path)]


@pytest.mark.parametrize("source", ["gold.jsonl", "seeds.csv"])
def test_seeds_come_from_gold_or_from_a_list(files, source):
    result = invoke(files, "generate seeds", files / source, files / "out.jsonl")
    assert result.exit_code == 0, result.output
    assert {record["text"] for record in read(files / "out.jsonl")} >= {"aspirin", "heparin", "gout"}


@pytest.mark.parametrize("content, options, message", [
    pytest.param('{"text": "flu", "lable": "DISEASE"}\n', [], "label", id="misspelt-key"),
    pytest.param("", ["--held-out", "gold.jsonl"], "holds no seed", id="empty"),
    pytest.param('{"text": "5-HT<sub>2</sub>", "label": "DISEASE"}\n', [], "1 look as if they hold a tag", id="markup"),
])
def test_lists_that_hold_no_seed_are_told_as_what_they_are(files, content, options, message):
    (files / "list.jsonl").write_text(content)
    options = [files / option if option == "gold.jsonl" else option for option in options]
    result = invoke(files, "generate seeds", files / "list.jsonl", files / "out.jsonl", *options)
    assert isinstance(result.exception, BionerError) and message in str(result.exception)


def test_seeds_of_a_label_that_is_not_in_the_schema_are_refused(files):
    (files / "seeds.csv").write_text("text,label\nBRCA1,GENE\n")
    result = invoke(files, "generate seeds", files / "seeds.csv", files / "out.jsonl")
    assert "label 'GENE'" in str(result.exception) and not (files / "out.jsonl").exists()


@pytest.mark.parametrize("options, message", [
    pytest.param(["--seeds.per_label", -1], "per_label", id="negative"),
    pytest.param(["--seeds.max_length", 2], "no seed entity is left. 4 names are longer than 2", id="all-too-long"),
    pytest.param(["--label", "DISEASE"], "label is for a list", id="label-of-records"),
    pytest.param(["--held-out", "gold.jsonl"], "also occurs in", id="held-out"),
])
def test_seeds_refuses_what_it_cannot_do(files, options, message):
    options = [files / option if option == "gold.jsonl" else option for option in options]
    result = invoke(files, "generate seeds", files / "gold.jsonl", files / "out.jsonl", *options)
    assert isinstance(result.exception, BionerError) and message in str(result.exception)
    assert not (files / "out.jsonl").exists()


def test_a_trained_generator_writes_sentences_that_can_be_trained_on(files, model):
    result = invoke(files, "train generator", files / "raw.jsonl", files / "adapter", "--gold", files / "gold.jsonl",
                    "--train.model", model, "--train.training.max_length", 900)
    assert result.exit_code == 0, result.output
    card = json.loads((files / "adapter" / "bioner.json").read_text())
    assert card["prompt"] == {"variant": "simple", "domain": "", "genre": "", "style_examples": []}
    result = synthesize(files, files / "out.jsonl", "--generator", files / "adapter", "--synthesize.model", model,
                        "--synthesize.temperature", 100, "--synthesize.top_p", 1, "--checks.min_units", 1,
                        "--synthesize.max_failures", 0, "--n", 4)
    assert result.exit_code == 0, result.output
    report = json.loads((files / "out.json").read_text())
    assert report["asked"] == 4 and report["accepted"] == len(read(files / "out.jsonl"))
    assert len(read(files / "out.plan.jsonl")) == 4


def train(folder, *options):
    return invoke(folder, "train generator", folder / "raw.jsonl", folder / "adapter", "--gold",
                  folder / "gold.jsonl", *options)


@pytest.mark.parametrize("options, message", [
    pytest.param(["--train.lora.odd", 1], "Unknown setting 'lora.odd'", id="lora"),
    pytest.param(["--train.training.max_epochs", 0], "'training.max_epochs'", id="training"),
    pytest.param(["--held-out", "gold.jsonl"], "also occurs in", id="gold-that-is-held-out"),
])
def test_training_settings_that_cannot_be_are_one_clear_line(files, options, message):
    result = train(files, *(files / option if option == "gold.jsonl" else option for option in options))
    assert isinstance(result.exception, BionerError) and message in str(result.exception)


def test_raw_text_of_dev_or_test_is_trained_on_only_where_that_is_allowed(files):
    write_json_lines(files / "raw.jsonl", [annotate(TEXTS[0], split="test").to_record()])
    assert "belongs to split 'test', which is used for evaluation" in str(train(files).exception)
    allowed = train(files, "--any-split", "--train.model", files / "nowhere")
    assert "pairs of seeds" in allowed.output and "nowhere" in str(allowed.exception)


def test_raw_text_that_is_held_out_is_left_out_and_said_so(files):
    (files / "gold.jsonl").write_text("")
    write_json_lines(files / "test.jsonl", [{"id": "t", "text": TEXTS[0]}])
    result = train(files, "--held-out", files / "test.jsonl", "--train.model", files / "nowhere")
    assert "1 of 3 raw sentences left out" in result.output


def test_gold_alone_is_trained_on_with_a_minus_for_raw_text(files):
    result = invoke(files, "train generator", "-", files / "adapter", "--gold", files / "gold.jsonl",
                    "--train.model", files / "nowhere")
    assert "8 pairs of seeds" in result.output and "nowhere" in str(result.exception)


def test_an_annotators_adapter_is_no_generator(files, model):
    from spacy_bioner.llm.adapter import AdapterCard

    (files / "other").mkdir()
    AdapterCard(base_model=str(model), codec={"name": "bracket"}, labels={"DISEASE": ""}).write(files / "other")
    result = synthesize(files, files / "out.jsonl", "--generator", files / "other", "--synthesize.model", model)
    assert "not to generate sentences" in str(result.exception)


def answer(prompt):
    """Return a sentence with the entities of a prompt, different for each."""
    tags = prompt.split("Entities: ")[1].split("\n")[0]
    middle = " ".join(["in", "each", "of", "the", f"{len(prompt)}", "wards", f"{hash(prompt) % 97}"])
    return f"<start_sentence>We found {tags} {middle} that were seen.</end_sentence>"


def test_a_server_writes_and_a_second_run_asks_only_for_what_is_new(files, start_server):
    server = start_server(answer)
    options = ["--synthesize.server.base_url", server.url, "--checks.similarity", 1, "--checks.max_repeats", 9]
    result = synthesize(files, files / "few.jsonl", *options, "--n", 6)
    assert result.exit_code == 0, result.output
    asked = len(server.bodies)
    result = synthesize(files, files / "many.jsonl", *options, "--n", 12)
    assert result.exit_code == 0, result.output
    few, many = read(files / "few.jsonl"), read(files / "many.jsonl")
    assert (asked, len(server.bodies)) == (6, 12) and len(many) == 12
    assert many[:6] == few and all(record["meta"]["corpus"] == "toy" for record in many)


@pytest.mark.parametrize("by_teacher", [False, True], ids=["own-server", "teacher"])
def test_the_cost_of_sentences_is_told(files, start_server, by_teacher):
    server = start_server(answer)
    settings = {"base_url": server.url, "price_in_per_million": 1000, "price_out_per_million": 2000}
    (files / "teacher.cfg").write_text("[annotate]\n\n[annotate.server]\n" + "".join(
        f"{name} = {json.dumps(value)}\n" for name, value in settings.items()))
    options = ["--teacher", files / "teacher.cfg"] if by_teacher else [
        part for name, value in settings.items() for part in (f"--synthesize.server.{name}", value)]
    result = synthesize(files, files / "out.jsonl", *options, "--n", 2)
    assert result.exit_code == 0, result.output
    told = json.loads((files / "out.json").read_text())["model"]
    cost = (told["prompt_tokens"] * 1000 + told["answer_tokens"] * 2000) / 1e6
    assert told["requests"] == 2 and told["cost"] == pytest.approx(cost) and f", cost {cost:,.4f} ->" in result.output
    again = synthesize(files, files / "out.jsonl", *options, "--n", 2)
    assert ", cost " not in again.output and "2 from the cache" in again.output


def test_a_model_that_never_writes_the_wrapper_ends_the_run_with_what_it_wrote(files, start_server):
    server = start_server(lambda prompt: "I am sorry.")
    result = synthesize(files, files / "out.jsonl", "--synthesize.server.base_url", server.url, "--n", 60)
    assert "50 responses in a row" in str(result.exception) and "I am sorry." in str(result.exception)
    assert not (files / "out.jsonl").exists()
    report = json.loads((files / "out.json").read_text())
    assert report["rejected"] == {"no_wrapper": 50} and "50 responses in a row" in report["error"]


def test_the_verb_writes_what_the_component_writes(files):
    import spacy

    from spacy_bioner.pipeline.seed_generator import find_sentence, seed_doc
    from spacy_bioner.synthesis.plan import plan_sentences
    from spacy_bioner.synthesis.seed_prompt import SeedPrompt
    from spacy_bioner.synthesis.seeds import read_seeds

    labels = {"DISEASE": "illnesses", "CHEMICAL": "drugs"}
    plan = plan_sentences(read_seeds(files / "seeds.csv").seeds, n=12, seed=0)
    prompts = {planned: SeedPrompt(labels).render(planned.seeds).plain for planned in plan}
    untagged = {planned: prompt if number % 3 else prompt.replace("</CHEMICAL>", "").replace("<CHEMICAL>", "")
                for number, (planned, prompt) in enumerate(prompts.items())}
    write_json_lines(files / "replay.jsonl", ({"prompt": prompts[planned], "output": answer(untagged[planned])}
                                              for planned in plan))
    result = synthesize(files, files / "out.jsonl", "--synthesize.replay", files / "replay.jsonl", "--n", 12,
                        "--checks.similarity", 1, "--checks.max_repeats", 9)
    assert result.exit_code == 0, result.output
    nlp = spacy.blank("en")
    nlp.add_pipe("seed_generator", config={"labels": labels, "checks": {"min_units": 6, "max_units": 90,
                                                                        "max_repeats": 9, "similarity": 1.0},
                                           "model": {"@llm_models": "spacy-bioner.Replay.v1",
                                                     "path": str(files / "replay.jsonl")}})
    docs = nlp.pipe([seed_doc(nlp.vocab, [(seed.text, seed.label) for seed in planned.seeds], id=planned.id)
                     for planned in plan])
    made = [sentence.with_meta(corpus="toy").to_record() for sentence in map(find_sentence, docs) if sentence]
    assert read(files / "out.jsonl") == made and len(made) == 12


def test_a_run_that_takes_no_time_has_a_summary(capsys):
    print_summary({"asked": 12, "untouched": 12, "written": 12, "cached": 0, "seconds": 0.0, "rejected": {},
                   "repaired": {}, "unrepaired": {}}, 12, Path("out.jsonl"))
    assert "12 of 12 sentences accepted" in capsys.readouterr().err


def test_a_run_that_many_failures_end_has_its_report(files, start_server):
    server = start_server(fault=lambda prompt, tried: "unavailable")
    result = synthesize(files, files / "out.jsonl", "--synthesize.server.base_url", server.url,
                        "--synthesize.server.max_tries", 1, "--n", 30)
    assert "20 failed requests in a row" in str(result.exception)
    assert "20 failed requests in a row" in json.loads((files / "out.json").read_text())["error"]


def test_a_longer_plan_resumes_and_another_one_does_not_take_its_place(files, start_server):
    server = start_server(answer)
    options = ["--synthesize.server.base_url", server.url, "--checks.similarity", 1, "--checks.max_repeats", 9]
    for n, asked in ((4, 4), (8, 8), (3, 8)):
        result = synthesize(files, files / "out.jsonl", *options, "--n", n)
        assert result.exit_code == 0 and len(read(files / "out.plan.jsonl")) == n and len(server.bodies) == asked
    other = [*options, "--n", 5, "--synthesize.seed", 7]
    result = synthesize(files, files / "out.jsonl", *other)
    assert "the plan of a run with other seed entities" in str(result.exception) and len(read(files / "out.jsonl")) == 3
    assert synthesize(files, files / "out.jsonl", *other, "--overwrite").exit_code == 0
    assert len(read(files / "out.jsonl")) == 5


def test_a_held_out_sentence_is_dropped_and_counted(files, start_server):
    server = start_server(answer)
    options = ["--synthesize.server.base_url", server.url, "--checks.similarity", 1, "--checks.max_repeats", 9,
               "--n", 4]
    synthesize(files, files / "first.jsonl", *options)
    made = read(files / "first.jsonl")
    write_json_lines(files / "test.jsonl", [{"id": "t", "text": made[0]["text"].upper()}])
    result = synthesize(files, files / "out.jsonl", *options, "--held-out", files / "test.jsonl")
    assert "1 held_out_text (the sentence stands in dev or test)" in result.output
    assert "none anew, 4 from the cache" in result.output
    assert [record["text"] for record in read(files / "out.jsonl")] == [record["text"] for record in made[1:]]


@pytest.mark.parametrize("teacher, is_server, own, most", [
    pytest.param(4096, True, [], 4096, id="teacher-reasons"),
    pytest.param(32, True, [], 48, id="sentences-are-longer"),
    pytest.param(4096, False, [], 48, id="local"),
    pytest.param(4096, True, ["--synthesize.max_new_tokens", "5000"], 5000, id="own-option"),
])
def test_a_teacher_on_a_server_may_write_as_many_tokens_as_it_annotates_with(files, teacher, is_server, own, most):
    (files / "teacher.cfg").write_text(f"[annotate]\nmax_new_tokens = {teacher}\n\n[annotate.server]\n" + (
        'base_url = "http://localhost"\n' if is_server else ""))
    settings = load_settings(find_config("generate", None, "smoke"), "synthesize", SynthesizeSettings,
                             read_overrides([str(option) for option in own]))
    assert take_teacher(settings, files / "teacher.cfg").max_new_tokens == most


def test_thoughts_have_room_of_their_own(files, start_server):
    server = start_server(lambda prompt: "They go together.\n" + answer(prompt))
    result = synthesize(files, files / "out.jsonl", "--synthesize.server.base_url", server.url, "--n", 1,
                        "--prompt.variant", "chain_of_thought", "--synthesize.max_thought_tokens", 100)
    assert result.exit_code == 0, result.output
    assert server.bodies[0]["max_tokens"] == 148
    assert "They go together" not in read(files / "out.jsonl")[0]["text"]


def test_the_style_is_shown_and_is_not_that_of_held_out_text(files, start_server):
    server = start_server(answer)
    options = ["--synthesize.server.base_url", server.url, "--n", 1, "--prompt.style_examples", 1]
    result = synthesize(files, files / "out.jsonl", *options, "--style", files / "raw.jsonl")
    assert result.exit_code == 0, result.output
    assert f"Style: {TEXTS[0]}" in json.dumps(server.bodies[0])
    write_json_lines(files / "test.jsonl", [annotate(TEXTS[0], split="test").to_record()])
    result = synthesize(files, files / "out.jsonl", *options, "--style", files / "test.jsonl")
    assert "belongs to split 'test', which is used for evaluation" in str(result.exception)
    result = synthesize(files, files / "out.jsonl", *options, "--overwrite", "--style", files / "raw.jsonl",
                        "--held-out", files / "test.jsonl")
    assert "1 of 3 raw sentences left out" in result.output
    assert f"Style: {TEXTS[1]}" in json.dumps(server.bodies[-1]) and TEXTS[0] not in json.dumps(server.bodies[-1])


def test_text_in_another_language_is_counted_explained_and_not_in_the_output(files, start_server):
    chinese = "我们在病房的许多患者中都发现了以下这些情况并且详细地作了记录"
    server = start_server(lambda prompt: answer(prompt).replace("We found", chinese * 2))
    result = synthesize(files, files / "out.jsonl", "--synthesize.server.base_url", server.url, "--n", 4)
    assert result.exit_code == 0 and not read(files / "out.jsonl")
    assert json.loads((files / "out.json").read_text())["rejected"] == {"other_language": 4}
    assert "4 other_language (by its letters or" in result.output


@pytest.mark.parametrize("options, message", [
    pytest.param(["--synthesize.mode", "relabel"], "needs an annotator", id="relabel"),
    pytest.param(["--checks.min_units", -1], "min_units", id="negative-length"),
    pytest.param(["--checks.min_units", 50, "--checks.max_units", 5], "no sentence has at least 50 units and at most 5",
                 id="no-length"),
    pytest.param(["--checks.max_repeats", 0], "max_repeats", id="no-repeat"),
    pytest.param(["--prompt.style_examples", -1], "style_examples", id="negative-examples"),
    pytest.param(["--prompt.variant", "chain_of_thought"], "Set decoding to free", id="thoughts-in-grounded-decoding"),
    pytest.param(["--prompt.variant", "odd"], "'variant' in [prompt]", id="variant"),
    pytest.param(["--annotator", "nowhere"], "--annotator is for the mode 'relabel'", id="annotator-without-use"),
    pytest.param(["--prompt.style_examples", 2], "Give raw records with --style", id="style-without-text"),
    pytest.param(["--style", "labels.yml"], "style_examples is 0", id="style-that-is-not-shown"),
])
def test_settings_that_cannot_be_are_one_clear_line(files, options, message):
    write_json_lines(files / "raw.jsonl", [{"text": TEXTS[0]}])
    options = [files / "raw.jsonl" if option == "labels.yml" else option for option in options]
    result = synthesize(files, files / "out.jsonl", *options)
    assert result.exit_code == 1 and message in str(result.exception)


def augment(folder, *options):
    result = invoke(folder, "generate variants", folder / "gold.jsonl", folder / "out.jsonl", "--report",
                    folder / "out.json", "--synthesize.cache", folder / "cache.sqlite", "--checks.similarity", 1,
                    *options)
    return result, read(folder / "out.jsonl") if (folder / "out.jsonl").exists() else []


def test_simple_changes_make_sentences_with_exact_mentions(files):
    result, made = augment(files, "--augment.copies", 4)
    assert result.exit_code == 0, result.output
    assert {(record["meta"]["origin"], record["meta"]["source"]) for record in made} == {("augmented", "augmented")}
    assert json.loads((files / "out.json").read_text())["made"] == len(made) > 4
    assert all(Annotation.from_record(record).mentions for record in made)


def test_a_model_writes_new_contexts_and_new_mentions(files, start_server):
    server = start_server(lambda prompt: answer(prompt) if "Entities:" in prompt else
                          "- warfarin\n2. lithium\nThese are the names that I know of.\n- aspirin")
    result, made = augment(files, "--method", "llm-da", "--synthesize.server.base_url", server.url)
    assert result.exit_code == 0, result.output
    operations = {record["meta"]["operation"] for record in made}
    assert operations == {"context_rewriting", "entity_replacement"}
    assert len({record["id"] for record in made}) == len(made), "no two sentences have one id"
    assert {record["meta"]["source"] for record in made} == {"augmented"}
    for record in made:
        assert record["meta"]["temperature"] and record["meta"]["top_p"] and record["meta"]["prompt_hash"]
        assert record["meta"]["model"]
    report = json.loads((files / "out.json").read_text())
    assert report["contexts"]["accepted"] == report["operations"]["context_rewriting"]
    assert report["names"]["asked"] == 2 and report["names"]["names"]["CHEMICAL"] == 2
    names = {record["text"][span["start"]:span["end"]] for record in made for span in record["spans"]}
    assert names & {"warfarin", "lithium"} and names <= {"warfarin", "lithium", "aspirin", "heparin", "gout",
                                                         "severe asthma"}


def test_a_model_that_makes_nothing_is_one_clear_line_and_a_report(files, start_server):
    server = start_server(lambda prompt: "I am sorry; that I cannot do for you, since I am a model.")
    result, made = augment(files, "--method", "llm-da", "--synthesize.server.base_url", server.url)
    assert result.exit_code == 1 and not made
    assert "none of the 5 requested sentences. Most frequent reason: no_wrapper" in str(result.exception)
    report = json.loads((files / "out.json").read_text())
    assert report["contexts"]["rejected"] == {"no_wrapper": 3} and report["names"]["names"] == {}
    assert "none of the 5" in report["error"]


def test_failed_requests_for_names_are_in_the_report(files):
    write_json_lines(files / "replay.jsonl", [{"prompt": "other", "output": "x"}])
    result, _ = augment(files, "--method", "llm-da", "--synthesize.replay", files / "replay.jsonl")
    assert result.exit_code == 1
    report = json.loads((files / "out.json").read_text())
    assert report["names"]["failed"] == {"no reply was recorded for this text": 2}
    assert report["contexts"]["rejected"] == {"no_reply": 3}


@pytest.mark.parametrize("options, message", [
    pytest.param(["--augment.levels", '["sentence"]'], "augment.*context", id="level"),
    pytest.param(["--augment.operations", "[]"], "operations", id="no-operation"),
    pytest.param(["--augment.operations", '["odd"]'], "Unknown operation", id="operation"),
])
def test_settings_of_augment_that_cannot_be_are_one_clear_line(files, options, message):
    result, _ = augment(files, *options)
    assert isinstance(result.exception, BionerError) and re.search(message, str(result.exception))


def test_gold_that_is_held_out_is_not_changed_into_near_copies(files):
    result, made = augment(files, "--augment.operations", '["noise"]', "--held-out", files / "gold.jsonl")
    assert isinstance(result.exception, BionerError) and "also occurs in" in str(result.exception) and not made


def test_sentences_that_are_held_out_are_not_made(files):
    _, made = augment(files, "--augment.operations", '["noise"]')
    assert made
    write_json_lines(files / "test.jsonl", ({"id": "t", "text": record["text"].upper()} for record in made))
    result, again = augment(files, "--augment.operations", '["noise"]', "--held-out", files / "test.jsonl")
    assert result.exit_code == 0 and not again
    assert json.loads((files / "out.json").read_text())["held_out_text"] == len(made)


@pytest.mark.issue(20)
def test_a_generator_is_replaced_by_another_training_only_where_that_is_asked_for(files, model):
    options = ["--train.model", model, "--train.training.max_length", 900]
    assert train(files, *options).exit_code == 0
    refused = train(files, *options, "--seed", 9)
    assert isinstance(refused.exception, BionerError) and "made with other settings" in str(refused.exception)
    assert train(files, *options, "--seed", 9, "--overwrite").exit_code == 0
