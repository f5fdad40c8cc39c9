"""`evaluate`: systems from records, .spacy files and pipelines into a metrics file."""

import json

import pytest
import spacy
from spacy.tokens import Doc, DocBin, Span
from typer.testing import CliRunner

from spacy_bioner.annotation import Annotation, Mention
from spacy_bioner.cli._shared.scores.systems import parse_systems
from spacy_bioner.cli.main import app
from spacy_bioner.errors import BionerError
from spacy_bioner.formats.jsonl import read_jsonl, write_jsonl

GOLD = [Annotation("IL-2 gene expression", (Mention(0, 9, "DNA"), Mention(0, 4, "protein")), id="a",
                   meta={"split": "test"}),
        Annotation("NF-kappa B binds", (Mention(0, 10, "protein"),), id="b"),
        Annotation("nothing at all", id="c")]


@pytest.fixture
def folder(tmp_path):
    write_jsonl(tmp_path / "gold.jsonl.gz", GOLD)
    write_jsonl(tmp_path / "half.jsonl", [GOLD[2], GOLD[1], GOLD[0].with_mentions(GOLD[0].mentions[:1])])
    return tmp_path


def run(folder, *arguments):
    return CliRunner().invoke(app, ["evaluate", str(folder / "gold.jsonl.gz"), *map(str, arguments), "--output",
                                    str(folder / "out" / "metrics.json"), "--resamples", "100"])


def metrics_of(folder):
    return json.loads((folder / "out" / "metrics.json").read_text(encoding="utf8"))


def test_records_are_scored(folder):
    result = run(folder, folder / "half.jsonl", f"perfect={folder / 'gold.jsonl.gz'}")
    assert result.exit_code == 0, result.output
    systems = metrics_of(folder)["systems"]
    assert list(systems) == ["half", "perfect"]
    for part in (systems["half"]["micro"], systems["half"]["macro"], systems["half"]["labels"]["protein"]):
        assert set(part) == {"precision", "recall", "f1", "tp", "fp", "fn", "intervals"}
    assert (systems["half"]["micro"]["tp"], systems["half"]["micro"]["fn"]) == (2, 1)
    assert systems["perfect"]["micro"]["f1"] == 1.0
    assert metrics_of(folder)["comparisons"][0]["before"] == "half"
    assert "half" in result.output and "80.00" in result.output


def test_labels_that_gold_lacks_are_counted_as_none(folder):
    write_jsonl(folder / "train.jsonl", [Annotation("RNA of cells", (Mention(0, 3, "RNA"),), id="t")])
    assert run(folder, folder / "half.jsonl", "--train", folder / "train.jsonl").exit_code == 0
    assert metrics_of(folder)["gold"]["labels"] == {"DNA": 1, "RNA": 0, "protein": 2}


def test_documents_that_were_set_aside_count_as_nothing_found(folder, caplog):
    write_jsonl(folder / "two.jsonl", GOLD[1:])
    write_jsonl(folder / "two.failed.jsonl", [GOLD[0].with_mentions(()).with_meta(error="too long")])
    result = run(folder, folder / "two.jsonl")
    assert result.exit_code == 0, result.output
    system = metrics_of(folder)["systems"]["two"]
    assert (system["micro"]["tp"], system["micro"]["fn"], system["set_aside"]) == (1, 2, 1)
    assert "1 documents could not be annotated" in caplog.text
    shown = list(read_jsonl(folder / "out" / system["documents"]["path"]))
    assert {annotation.id for annotation in shown} == {"a", "b", "c"}


def test_docs_tokenised_differently_are_scored_by_characters(folder):
    nlp = spacy.blank("en")
    docs = DocBin(store_user_data=True)
    for annotation, words, spaces, spans in (
            (GOLD[0], ["IL-2", "gene", "expression"], [True, True, False], [(0, 2, "DNA"), (0, 1, "protein")]),
            (GOLD[1], ["NF-", "kappa", "B", "binds"], [False, True, True, False], [(0, 3, "protein")]),
            (GOLD[2], ["nothing", "at", "all"], [True, True, False], [])):
        doc = Doc(nlp.vocab, words=words, spaces=spaces)
        doc.user_data["id"] = annotation.id
        doc.spans["sc"] = [Span(doc, start, end, label=label) for start, end, label in spans]
        docs.add(doc)
    docs.to_disk(folder / "docs.spacy")
    result = run(folder, folder / "docs.spacy")
    assert result.exit_code == 0, result.output
    assert metrics_of(folder)["systems"]["docs"]["micro"]["f1"] == 1.0
    shown = folder / "out" / metrics_of(folder)["systems"]["docs"]["documents"]["path"]
    assert {each.id: each.mentions for each in read_jsonl(shown)} == {each.id: each.mentions for each in GOLD}


def test_docs_without_ids_are_matched_by_order(folder):
    nlp = spacy.blank("en")
    docs = [nlp(annotation.text) for annotation in GOLD]
    for doc, annotation in zip(docs, GOLD):
        doc.spans["sc"] = [doc.char_span(each.start, each.end, label=each.label, alignment_mode="expand")
                           for each in annotation.mentions]
    for name in ("one", "two"):
        DocBin(docs=docs).to_disk(folder / f"{name}.spacy")
    result = CliRunner().invoke(app, ["evaluate", str(folder / "one.spacy"), str(folder / "two.spacy"), "--output",
                                      str(folder / "out" / "metrics.json"), "--resamples", "10"])
    assert result.exit_code == 0, result.output
    assert metrics_of(folder)["systems"]["two"]["micro"]["f1"] == 1.0


def test_a_pipeline_is_run_on_the_texts_and_its_answers_are_kept(folder):
    nlp = spacy.blank("en")
    ruler = nlp.add_pipe("span_ruler", config={"spans_key": "sc"})
    ruler.add_patterns([{"label": "protein", "pattern": "NF-kappa B"}])
    nlp.to_disk(folder / "model")
    result = run(folder, f"rules={folder / 'model'}", "--predictions", folder / "kept")
    assert result.exit_code == 0, result.output
    system = metrics_of(folder)["systems"]["rules"]
    assert (system["micro"]["tp"], system["micro"]["fn"], system["micro"]["fp"]) == (1, 2, 0)
    assert system["kind"] == "pipeline" and system["components"] == ["span_ruler"] and system["tokens_per_second"] > 0
    kept = list(read_jsonl(folder / "kept" / "rules.jsonl"))
    assert [each.id for each in kept] == ["a", "b", "c"] and kept[1].mentions == GOLD[1].mentions
    assert (folder / "kept" / "rules.jsonl").stat().st_mode & 0o077 == 0


def test_training_documents_split_seen_from_unseen(folder):
    write_jsonl(folder / "train.jsonl", [Annotation("il-2", (Mention(0, 4, "protein"),), id="t")])
    run(folder, folder / "half.jsonl", "--train", folder / "train.jsonl")
    assert list(metrics_of(folder)["systems"]["half"]["slices"]["training"]) == ["seen", "unseen"]


def test_a_span_given_twice_counts_once_and_is_said(folder, caplog):
    record = GOLD[1].to_record()
    record["spans"] *= 2
    records = [GOLD[0].to_record(), record, GOLD[2].to_record()]
    (folder / "twice.jsonl").write_text("\n".join(map(json.dumps, records)), encoding="utf8")
    run(folder, folder / "twice.jsonl")
    assert metrics_of(folder)["systems"]["twice"]["micro"]["tp"] == 3
    assert "1 documents hold a span twice" in caplog.text


def test_documents_that_gold_lacks_are_left_out_and_said(folder):
    write_jsonl(folder / "more.jsonl", [*GOLD, Annotation("extra", id="z")])
    result = run(folder, folder / "more.jsonl")
    assert result.exit_code == 0 and "gold does not have them: 1 documents" in result.output


def test_runs_with_several_seeds_are_averaged(folder):
    run(folder, f"s@1={folder / 'half.jsonl'}", f"s@2={folder / 'gold.jsonl.gz'}")
    assert metrics_of(folder)["runs"]["s"]["micro"]["f1"]["mean"] == pytest.approx(0.9)


@pytest.mark.parametrize("make, message", [
    pytest.param(lambda folder: [folder / "none.jsonl"], "There is no file", id="no file"),
    pytest.param(lambda folder: [f"x={folder / 'half.jsonl'}", f"x={folder / 'gold.jsonl.gz'}"],
                 "Two systems are called 'x'", id="same name"),
    pytest.param(lambda folder: [folder], "neither a file of records", id="no pipeline"),
    pytest.param(lambda folder: [write_part(folder)], "1 of 3 gold documents are missing", id="missing document"),
    pytest.param(lambda folder: [write_keyless(folder)], "has the spans key 'sc'. Found: other", id="no spans key"),
])
def test_what_cannot_be_compared_is_one_clear_error(folder, make, message):
    result = run(folder, *make(folder))
    assert isinstance(result.exception, BionerError) and message in str(result.exception)
    assert not (folder / "out" / "metrics.json").exists()


def write_part(folder):
    write_jsonl(folder / "part.jsonl", GOLD[:2])
    return folder / "part.jsonl"


def write_keyless(folder):
    doc = spacy.blank("en")("IL-2")
    doc.spans["other"] = []
    DocBin(docs=[doc], store_user_data=True).to_disk(folder / "keyless.spacy")
    return folder / "keyless.spacy"


@pytest.mark.parametrize("argument, name", [
    pytest.param("metrics/a.b.jsonl.gz", "a", id="records"),
    pytest.param("dir/dev.v2.spacy", "dev.v2", id="docs"),
    pytest.param("llm=x/y=z.jsonl", "llm", id="named"),
])
def test_names_of_systems(argument, name):
    assert parse_systems([argument])[0].name == name


def test_no_predictions_are_written_over_others(verb, folder):
    doc = spacy.blank("en")(GOLD[1].text)
    doc.user_data["id"] = "b"
    for name, spans in (("reference", [(0, 10)]), ("none", []), ("all", [(0, 16)])):
        doc.spans["sc"] = [doc.char_span(*span, label="protein") for span in spans]
        DocBin(docs=[doc], store_user_data=True).to_disk(folder / f"{name}.spacy")
    named = {"gold": "none", "a/b": "none", "a_b": "all", "A_B": "reference"}
    code, _, err = verb("evaluate", folder / "reference.spacy", *(f"{name}={folder / path}.spacy" for name, path in
                                                                  named.items()),
                        "-o", folder / "metrics.json", "--resamples", "10")
    assert code == 0, err
    code, _, err = verb("report", folder / "metrics.json", "-o", folder / "r.html")
    assert code == 0, err


@pytest.mark.parametrize("name", ["metrics", "report"])
def test_the_command_that_is_said_to_be_next_runs(verb, folder, monkeypatch, name):
    monkeypatch.delenv("SPACY_BIONER_WORKFLOW", raising=False)
    _, _, err = verb("evaluate", folder / "gold.jsonl.gz", folder / "half.jsonl", "-o", folder / f"{name}.json",
                     "--resamples", "10")
    command = err.split("next: spacy-bioner ")[1].split()
    code, out, err = verb(*command)
    assert code == 0, out + err
    assert len(list(folder.glob("*report.html"))) == 1


def test_a_negative_seed_is_refused_as_an_option(folder):
    result = run(folder, folder / "half.jsonl", "--seed", -1)
    assert result.exit_code == 2 and "--seed" in result.output
    assert not (folder / "out").exists()
