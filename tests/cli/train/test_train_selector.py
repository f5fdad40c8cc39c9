"""The verb train selector: a selector with its card; what cannot train one is one line, and nothing is left behind."""

import json

import pytest
import spacy
from places import CONFIGS
from small_trainings import as_arguments, small_settings, write_sentences

from spacy_bioner.formats.jsonl import read_jsonl

SMALL = as_arguments(small_settings("span_selector"))


@pytest.fixture
def data(tmp_path):
    """Return a folder with gold and dev records, what an annotator found in them, and a label schema."""
    write_sentences(tmp_path / "gold.jsonl", "train", range(12))
    write_sentences(tmp_path / "dev.jsonl", "dev", range(6))
    write_sentences(tmp_path / "predicted.jsonl", "train", range(12), wrong=True)
    write_sentences(tmp_path / "dev_predicted.jsonl", "dev", range(6), wrong=True)
    (tmp_path / "labels.yml").write_text("labels: {DISEASE: illnesses, CHEMICAL: drugs}\n")
    return tmp_path


def arguments(data, *more, **changes):
    options = {"dev": data / "dev.jsonl", "updates": 8, "evaluations": 2,
               "seed": 1, **changes}
    given = [part for name, value in options.items() for part in (f"--{name.replace('_', '-')}", value)]
    return ["train", "selector", data / "gold.jsonl", data / "out", *given, *SMALL, *more]


def test_a_selector_is_trained_and_says_what_from(verb, data):
    code, out, err = verb(*arguments(data, labels=data / "labels.yml"))
    assert code == 0, err
    assert "model-best: dev F " in out and "with thresholds chosen on it" in out
    nlp = spacy.load(data / "out" / "model-best")
    assert nlp.get_pipe("span_selector").labels == ("CHEMICAL", "DISEASE")
    card = nlp.meta["spacy_bioner"]
    assert card["gold"]["records"] == 12 and card["updates"] == 8 and {"temperature", "threshold"} <= set(card["tuned"])
    assert {"calibration_error", "calibration_error_before", "reliability"} <= set(card["tuned"])


@pytest.mark.parametrize("tuned, score", [(True, "spans_sc_best_f"), (False, "spans_sc_f")])
def test_states_are_compared_by_what_becomes_of_them(verb, data, tuned, score):
    code, _, err = verb(*arguments(data, *([] if tuned else ["--tune", "none"])))
    assert code == 0, err
    weights = spacy.load(data / "out" / "model-best").config["training"]["score_weights"]
    assert {name for name, weight in weights.items() if weight} == {score}


def test_a_config_without_weights_of_scores_takes_those_of_the_component(verb, data):
    whole = (CONFIGS / "selector.cfg").read_text()
    before, rest = whole.split("[training.score_weights]")
    (data / "own.cfg").write_text(before + "[training.logger]" + rest.split("[training.logger]")[1])
    code, _, err = verb(*arguments(data, "--tune", "none", config=data / "own.cfg"))
    assert code == 0, err
    weights = spacy.load(data / "out" / "model-best").config["training"]["score_weights"]
    assert {name for name, weight in weights.items() if weight} == {"spans_sc_f"}


def test_errors_of_an_annotator_train_and_tune(verb, data):
    write_sentences(data / "dev.jsonl", "dev", range(20, 44))
    parts = [write_sentences(data / "part.jsonl", "dev", numbers, wrong=wrong).read_text()
             for numbers, wrong in ((range(20, 32), True), (range(32, 44), False))]
    (data / "dev_predicted.jsonl").write_text("".join(parts))
    found = {name: data / f"{name}.jsonl" for name in ("predicted", "dev_predicted")}
    code, _, err = verb(*arguments(data, **found))
    assert code == 0, err
    card = spacy.load(data / "out" / "model-best").meta["spacy_bioner"]
    assert card["dev_predicted"]["file"] == "dev_predicted.jsonl" and card["dev_candidates"] == "annotator"
    assert sum(row["count"] for row in card["tuned"]["reliability"]) == 24


def test_thresholds_keep_the_recall_that_is_asked_for(verb, data):
    write_sentences(data / "dev.jsonl", "dev", range(20, 44))
    parts = [write_sentences(data / "part.jsonl", "dev", numbers, wrong=wrong).read_text()
             for numbers, wrong in ((range(20, 32), True), (range(32, 44), False))]
    (data / "dev_predicted.jsonl").write_text("".join(parts))
    code, _, err = verb(*arguments(data, dev_predicted=data / "dev_predicted.jsonl", recall_loss=0))
    assert code == 0, err
    nlp = spacy.load(data / "out" / "model-best")
    assert nlp.meta["spacy_bioner"]["recall_loss"] == 0
    code, _, err = verb("select", "spans", data / "dev_predicted.jsonl", data / "kept.jsonl", "--selector",
                        data / "out" / "model-best")
    assert code == 0, err
    gold, found, kept = ({(record.id, mention.key) for record in read_jsonl(data / name) for mention in record.mentions}
                         for name in ("dev.jsonl", "dev_predicted.jsonl", "kept.jsonl"))
    assert kept & gold == found & gold


def test_too_few_candidates_of_an_annotator_get_made_ones_beside_them_and_it_is_said(verb, data, caplog):
    code, _, err = verb(*arguments(data, dev_predicted=data / "dev_predicted.jsonl"))
    assert code == 0, err
    assert "0 correct and 6 wrong" in caplog.text and "10 of each" in caplog.text
    card = spacy.load(data / "out" / "model-best").meta["spacy_bioner"]
    assert card["dev_candidates"] == "made" and sum(row["count"] for row in card["tuned"]["reliability"]) > 6


NO_NEGATIVES = as_arguments({f"corpora.train.negatives.{kind}": 0.0 for kind in ("shift", "label", "both", "spurious")})


@pytest.mark.parametrize("more, told", [
    pytest.param(NO_NEGATIVES, "12 correct and 0 wrong", id="no negative left"),
    pytest.param(["--components.span_selector.candidates_key", "other"], "'other'", id="candidates group missing"),
    pytest.param(["--corpora.train.negatives.shifts", "1"], "shifts", id="unknown setting"),
    pytest.param(["--components.span_selector.treshold", "0.4"], "treshold", id="unknown setting of the component"),
    pytest.param(["--components.span_selector.model.@architectures", "no.Such.v1"], "no.Such.v1", id="architecture"),
    pytest.param(["--gpu-id", "7"], "--gpu-id", id="no such GPU"),
    pytest.param(["--run.seed", "7"], "--seed", id="setting of the verb"),
    pytest.param(["--tune", "none", "--recall-loss", "0.5"], "--tune none", id="bound of a choice that is not made"),
    pytest.param(["--paths.predicted", "a.jsonl"], "--predicted", id="path of the verb"),
])
def test_settings_that_cannot_train_are_one_line(refused, data, more, told):
    assert told in refused(*arguments(data, *more))
    assert not (data / "out").exists()


def test_no_positive_left_is_one_line(refused, data):
    records = [{**json.loads(line), "spans": []} for line in (data / "gold.jsonl").read_text().splitlines()]
    (data / "gold.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    assert "0 correct and" in refused(*arguments(data))
    assert not (data / "out").exists()


@pytest.mark.parametrize("name", ["predicted", "dev_predicted"])
def test_candidates_of_an_unknown_label_are_one_line(refused, data, name):
    split = "dev" if name.startswith("dev") else "train"
    write_sentences(data / f"{name}.jsonl", split, range(6), label="VIRUS")
    said = refused(*arguments(data, **{name: data / f"{name}.jsonl"}))
    assert "'VIRUS'" in said and "DISEASE" in said and f"{name}.jsonl" in said
    assert not (data / "out").exists()


def test_gold_of_another_split_is_one_line(refused, data):
    write_sentences(data / "gold.jsonl", "test", range(50, 60))
    assert "split 'test'" in refused(*arguments(data))
    assert not (data / "out").exists()


def test_predictions_of_other_texts_are_one_line(refused, data):
    record = json.loads((data / "predicted.jsonl").read_text().splitlines()[0])
    (data / "predicted.jsonl").write_text(json.dumps({**record, "text": record["text"] + " Indeed."}) + "\n")
    assert "train-0" in refused(*arguments(data, predicted=data / "predicted.jsonl"))
    assert not (data / "out").exists()


@pytest.mark.parametrize("name", ["predicted", "dev_predicted"])
def test_predictions_of_other_ids_are_one_line(refused, data, name):
    write_sentences(data / "elsewhere.jsonl", "train", range(70, 75))
    said = refused(*arguments(data, **{name: data / "elsewhere.jsonl"}))
    assert "elsewhere.jsonl" in said and "id" in said
    assert not (data / "out").exists()


def test_a_config_without_a_model_takes_that_of_the_component(verb, data):
    config = spacy.util.load_config(CONFIGS / "selector.cfg", interpolate=False)
    del config["components"]["span_selector"]["model"], config["initialize"]
    config.to_disk(data / "bare.cfg")
    given = arguments(data, config=data / "bare.cfg", labels=data / "labels.yml", updates=1, evaluations=1)
    more = [part for part in given if part not in SMALL]
    code, _, err = verb(*more)
    assert code == 0, err


def test_gold_that_stands_in_a_held_out_part_is_left_out_or_refused(refused, verb, data):
    write_sentences(data / "test.jsonl", "train", range(3))
    given = arguments(data, held_out=data / "test.jsonl")
    said = refused(*given, "--corpora.train.on_leak", "error")
    assert "'train-0'" in said and "test.jsonl" in said
    assert not (data / "out").exists()
    assert verb(*given)[0] == 0
    assert json.loads((data / "out" / "run.json").read_text())["held_out"][1]["file"] == "test.jsonl"
