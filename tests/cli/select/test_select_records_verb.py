import json

import pytest
from typer.testing import CliRunner

from spacy_bioner.cli._shared.schema import Schema
from spacy_bioner.cli.main import app
from spacy_bioner.cli.select.records import SelectDataSettings, select
from spacy_bioner.errors import BionerError

SCHEMA = Schema({"DISEASE": "diseases"}, "Mini", "en")
TEXTS = [("Gout hurts.", "Gout"), ("Asthma is a disease of the lung.", "Asthma"), ("Nothing is here.", None),
         ("Measles was seen.", "Measles")]


def records(split="train"):
    for number, (text, name) in enumerate(TEXTS):
        spans = [{"start": 0, "end": len(name), "label": "DISEASE"}] if name else []
        yield {"id": f"r{number}", "text": text, "spans": spans, "meta": {"split": split}}


@pytest.fixture
def gold(tmp_path):
    path = tmp_path / "gold.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in records()))
    return path


def test_chosen_records_carry_their_scores_and_a_table_and_a_plot_lie_beside(gold, tmp_path):
    output = tmp_path / "out" / "chosen.jsonl"
    settings = SelectDataSettings(model="smollm2-135m-instruct", dtype="float32", keep_ratio=0.34)
    selected = select(gold, output, settings, schema=SCHEMA)
    chosen = [json.loads(line) for line in output.read_text().splitlines()]
    positives = [record for record in chosen if record["spans"]]
    assert selected.chosen == len(chosen) == len(positives) + 1
    assert all(0 < record["meta"]["ifd"] < 1 for record in positives)
    table = json.loads((output.parent / "chosen.selection.json").read_text())
    assert table["fate"]["without mentions"] == {"chosen": 1}
    assert table["settings"]["seed"] == 0
    dropped = [json.loads(line) for line in (output.parent / "chosen.dropped.jsonl").read_text().splitlines()]
    assert {(row["id"], row["reason"]) for row in dropped} == {(f"r{number}", "rank") for number in (0, 1, 3)} - {
        (record["id"], "rank") for record in chosen}
    assert all(0 < row["ifd"] < 1 for row in dropped)
    assert "<svg" in (output.parent / "chosen.ifd.svg").read_text()
    assert len((output.parent / "chosen.scores.jsonl").read_text().splitlines()) == 3, "a negative is not ranked"
    assert [sorted(record["meta"]) for record in chosen if not record["spans"]] == [["split"]]


def test_negatives_are_scored_where_they_are_ranked(gold, tmp_path):
    settings = SelectDataSettings(model="smollm2-135m-instruct", dtype="float32", strategy="ifd_all", keep_ratio=1.0)
    select(gold, tmp_path / "chosen.jsonl", settings, schema=SCHEMA)
    chosen = [json.loads(line) for line in (tmp_path / "chosen.jsonl").read_text().splitlines()]
    assert len(chosen) == 4 and all(record["meta"]["ifd"] > 0 for record in chosen)


def test_kept_scores_are_not_computed_again(gold, tmp_path, monkeypatch):
    from spacy_bioner.finetuning.selection import record_selection as selecting

    settings = SelectDataSettings(model="smollm2-135m-instruct", dtype="float32")
    scores = tmp_path / "scores.jsonl"
    select(gold, tmp_path / "first.jsonl", settings, schema=SCHEMA, scores=scores)
    # As a kill leaves it: the last line half written.
    whole = scores.read_text()
    scores.write_text(whole[:-20])
    asked = []
    original = selecting.score_pairs

    def score_pairs(model, pairs, **options):
        asked.extend(pairs)
        return original(model, pairs, **options)

    monkeypatch.setattr(selecting, "score_pairs", score_pairs)
    select(gold, tmp_path / "second.jsonl", settings, schema=SCHEMA, scores=scores)
    assert len(asked) == 1
    first, second = ([json.loads(line) for line in (tmp_path / name).read_text().splitlines()]
                     for name in ("first.jsonl", "second.jsonl"))
    assert [record["id"] for record in first] == [record["id"] for record in second]
    # The record that was asked again stood in another batch, which changes the last digits.
    for one, other in zip(first, second):
        if not one["spans"]:
            continue
        assert one["meta"]["ifd"] == pytest.approx(other["meta"]["ifd"], abs=1e-3)


def test_record_of_another_split_is_an_error(gold):
    gold.write_text("".join(json.dumps(record) + "\n" for record in records("test")))
    with pytest.raises(BionerError, match="belongs to split 'test'"):
        select(gold, gold.with_name("out.jsonl"), SelectDataSettings(model="absent"), schema=SCHEMA)


def test_help_says_what_goes_in_and_out():
    result = CliRunner().invoke(app, ["select", "records", "--help"])
    assert result.exit_code == 0 and "GOLD" in result.output.upper() and "OUT" in result.output


@pytest.mark.issue(6)
def test_diversity_without_a_ranking_is_refused_before_anything_is_scored(gold):
    settings = SelectDataSettings(model="absent", diversity=True, strategy="random")
    with pytest.raises(BionerError, match="Diversity cannot be used"):
        select(gold, gold.with_name("out.jsonl"), settings, schema=SCHEMA)


@pytest.mark.issue(6)
def test_mentions_that_the_scored_format_cannot_write_are_counted(tmp_path):
    crossing = {"id": "x", "text": "Gout attack pain", "meta": {"split": "train"},
                "spans": [{"start": 0, "end": 11, "label": "DISEASE"}, {"start": 5, "end": 16, "label": "DISEASE"}]}
    (tmp_path / "gold.jsonl").write_text(json.dumps(crossing) + "\n")
    settings = SelectDataSettings(model="smollm2-135m-instruct", dtype="float32", codec="bracket", strategy="all")
    selected = select(tmp_path / "gold.jsonl", tmp_path / "out.jsonl", settings, schema=SCHEMA)
    assert selected.unscored.unwritable == {"DISEASE": 1}
    assert json.loads((tmp_path / "out.selection.json").read_text())["unwritable"] == {"DISEASE": 1}
