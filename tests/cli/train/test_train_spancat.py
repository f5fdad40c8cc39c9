"""The verb train: strategies run to a pipeline; what cannot be trained on is one line, and nothing is left behind."""

import json
import shutil

import pytest
import spacy
from places import CONFIGS
from small_trainings import as_arguments, small_settings, write_sentences

SMALL = as_arguments(small_settings("bioner_spancat"))


@pytest.fixture
def data(tmp_path):
    """Return a folder with gold, synthetic, dev and test records, and strategies of its own."""
    write_sentences(tmp_path / "gold.jsonl", "train", range(12))
    write_sentences(tmp_path / "synthetic.jsonl", "train", range(20, 36), score=0.8)
    write_sentences(tmp_path / "dev.jsonl", "dev", range(6))
    write_sentences(tmp_path / "test.jsonl", "test", range(6))
    shutil.copy(CONFIGS / "strategies.cfg", tmp_path)
    return tmp_path


def arguments(data, **changes):
    gold = changes.pop("gold", data / "gold.jsonl")
    options = {"dev": data / "dev.jsonl", "held-out": data / "test.jsonl",
               "strategies": data / "strategies.cfg", "updates": 6,
               "evaluations": 2, "seed": 1, **changes}
    given = [part for name, value in options.items() if value is not None for part in (f"--{name}", value)]
    return ["train", "spancat", gold or "-", data / "out", *given, *SMALL]


def change_strategies(data, old, new):
    path = data / "strategies.cfg"
    text = path.read_text(encoding="utf8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf8")


@pytest.mark.parametrize("strategy, stages", [("gold", 1), ("S1", 2), ("S2", 1), ("S3", 2), ("S4", 2),
                                              ("pretrain_finetune", 2)])
def test_a_strategy_gives_a_pipeline_with_its_card(verb, data, strategy, stages):
    synthetic = None if strategy == "gold" else data / "synthetic.jsonl"
    code, out, err = verb(*arguments(data, strategy=strategy, synthetic=synthetic))
    assert code == 0, err
    nlp = spacy.load(data / "out" / "model-best")
    card = nlp.meta["spacy_bioner"]
    assert out.splitlines()[-1].startswith(f"{data / 'out' / 'model-best'}: dev F {card['tuned']['dev_f']:.2f} with ")
    assert card["strategy"] == strategy and card["seed"] == 1
    assert sum(stage["updates"] for stage in card["stages"]) == 6 and len(card["stages"]) == stages
    assert card["sources"]["gold"]["records"] == 12
    assert ("synthetic" in card["sources"]) == (synthetic is not None)
    curve = [json.loads(line) for line in (data / "out" / "curve.jsonl").read_text().splitlines()]
    assert {line["stage"] for line in curve} == set(range(1, stages + 1))


def test_an_empty_file_of_synthetic_records_is_said_and_gold_is_trained_on_alone(verb, data):
    (data / "synthetic.jsonl").write_text("")
    code, _, err = verb(*arguments(data, strategy="S1", synthetic=data / "synthetic.jsonl"),
                        "--corpora.train.sources.synthetic.limit", 5)
    assert code == 0 and "gold alone" in err


def test_epochs_are_passes_over_gold(verb, data):
    code, _, err = verb(*arguments(data, strategy="gold", updates=0, epochs=2))
    assert code == 0, err
    # 12 sentences of 10 or 11 units in batches of 60 words, twice.
    assert sum(stage["updates"] for stage in json.loads((data / "out" / "run.json").read_text())["stages"]) in (4, 5)


@pytest.mark.parametrize("setting, value", [("limit", 6), ("weight", 0.5)])
def test_epochs_are_passes_over_what_is_used_of_gold(verb, data, setting, value):
    code, _, err = verb(*arguments(data, strategy="gold", updates=0, epochs=4),
                        f"--corpora.train.sources.gold.{setting}", value)
    assert code == 0, err
    assert sum(stage["updates"] for stage in json.loads((data / "out" / "run.json").read_text())["stages"]) in (4, 5)


def test_stages_take_the_epochs_that_they_are_given(verb, data):
    given = arguments(data, strategy="S3", updates=0, synthetic=data / "synthetic.jsonl")
    code, _, err = verb(*given, "--stage-epochs", "2,0.5")
    assert code == 0, err
    gold, both = json.loads((data / "out" / "run.json").read_text())["stages"]
    assert gold["updates"] in (4, 5) and gold["sources"] == ["gold"]
    assert both["sources"] == ["gold", "synthetic"] and both["updates"] < 4


@pytest.mark.parametrize("more, told", [
    (["--stage-epochs", "2,x"], "'2,x'"), (["--stage-epochs", "0"], "'0'"), (["--stage-epochs", "2,1"], "2 numbers"),
    (["--stage-epochs", "2", "--epochs", "3"], "in place of --updates"),
    (["--stage-epochs", "2", "--run.updates", "7"], "Use --stage-epochs"),
])
def test_epochs_of_stages_that_do_not_fit_are_refused(refused, data, more, told):
    assert told in refused(*arguments(data, strategy="gold", updates=0), *more)
    assert not (data / "out").exists()


@pytest.mark.parametrize("batcher", [
    pytest.param({"@batchers": "spacy.batch_by_sequence.v1", "size": 8}, id="of sentences"),
    pytest.param({"@batchers": "spacy.batch_by_words.v1", "discard_oversize": False, "tolerance": 0.2, "size": {
        "@schedules": "compounding.v1", "start": 20, "stop": 60, "compound": 1.001}}, id="that grow"),
])
def test_epochs_of_batches_that_are_not_so_many_words_are_refused(refused, data, batcher):
    given = arguments(data, strategy="gold", updates=0, epochs=2)
    at = given.index("--training.batcher.size")
    said = refused(*given[:at], *given[at + 2:], "--training.batcher", json.dumps(batcher))
    assert "counted in words" in said and "--updates" in said


@pytest.mark.parametrize("key, value, told", [
    ("model.rank", 0, "'rank' is 0"), ("model.max_length", 0, "'max_length' is 0"),
    ("label_smoothing", 3, "equal to 0.5"), ("temperature", 0, "greater than 0"), ("threshold", 50, "between 0 and 1"),
])
def test_numbers_under_which_nothing_is_learnt_are_refused(refused, data, key, value, told):
    assert told in refused(*arguments(data, strategy="gold"), f"--components.bioner_spancat.{key}", value)
    assert not (data / "out").exists()


def leak(data, split):
    """A synthetic sentence that stands in dev or test, with other spacing and case."""
    record = json.loads((data / f"{split}.jsonl").read_text().splitlines()[0])
    record.update(id="copy", text=record["text"].replace(" ", "  ").upper(), spans=[], meta={"split": "train"})
    with (data / "synthetic.jsonl").open("a", encoding="utf8") as file_:
        file_.write(json.dumps(record) + "\n")


@pytest.mark.parametrize("split", ["dev", "test"])
def test_a_held_out_sentence_among_the_synthetic_ones_is_refused(refused, data, split):
    leak(data, split)
    said = refused(*arguments(data, strategy="S2", synthetic=data / "synthetic.jsonl"))
    assert "'copy'" in said and f"{split}.jsonl" in said
    assert not (data / "out").exists()


def test_it_is_left_out_where_the_strategies_say_so(verb, data):
    leak(data, "test")
    text = (data / "strategies.cfg").read_text()
    (data / "strategies.cfg").write_text(text.replace('on_leak = "error"', 'on_leak = "drop"'))
    assert verb(*arguments(data, strategy="S2", synthetic=data / "synthetic.jsonl"))[0] == 0


def test_a_source_that_is_empty_after_its_threshold_is_refused(refused, data):
    change_strategies(data, "min_score = 0.0", "min_score = 0.9")
    said = refused(*arguments(data, strategy="S1", synthetic=data / "synthetic.jsonl"))
    assert "'synthetic'" in said and "0.9" in said
    assert not (data / "out").exists()


@pytest.mark.parametrize("changes, told", [
    pytest.param({"strategy": "S9"}, "'S9'", id="unknown strategy"),
    pytest.param({"strategy": "S1"}, "needs synthetic records", id="no synthetic records"),
    pytest.param({"gold": "nowhere.jsonl"}, "nowhere.jsonl", id="no such file"),
    pytest.param({"dev": "nowhere.jsonl"}, "nowhere.jsonl", id="no such dev file"),
    pytest.param({"config": "nowhere.cfg"}, "nowhere.cfg", id="no such config"),
    pytest.param({"gold": None, "updates": 0, "epochs": 3}, "--epochs", id="passes over no gold"),
    pytest.param({"doubtful": "nothing.jsonl"}, "--synthetic", id="doubtful without synthetic records"),
    pytest.param({"gpu-id": 7}, "--gpu-id", id="no such GPU"),
])
def test_what_cannot_be_trained_is_one_line(refused, data, changes, told):
    assert told in refused(*arguments(data, **{"strategy": "gold", **changes}))
    assert not (data / "out").exists()


@pytest.mark.parametrize("updates, lacked", [(0, "[run.updates]"), (6, "[paths]")])
def test_the_config_of_another_verb_is_one_line(refused, data, updates, lacked):
    given = arguments(data, strategy="gold", config=CONFIGS / "annotate.cfg", updates=updates)
    assert lacked in refused(*given[:-len(SMALL)])
    assert not (data / "out").exists()


@pytest.mark.parametrize("more, told", [
    pytest.param(["--run.seed", "7"], "--seed", id="seed"),
    pytest.param(["--run.updates", "7"], "--updates", id="updates given twice"),
    pytest.param(["--paths.gold", "other.jsonl"], "GOLD", id="path"),
    pytest.param(["--corpora.train.sources.gold.path", "other.jsonl"], "GOLD", id="path of a source"),
    pytest.param(["--corpora.train.sources.gold.limits", "5"], "limits", id="unknown setting of a source"),
    pytest.param(["--corpora.train.sources.synthetic.limit", "5"], "'synthetic'", id="source that is not used"),
    pytest.param(["--components.bioner_spancat.model.@architectures", "no.Such.v1"], "no.Such.v1",
                 id="unknown architecture"),
    pytest.param(["--components.bioner_spancat.factory", "no_such"], "no_such", id="unknown factory"),
])
def test_overrides_that_would_be_lost_or_fit_nothing_are_one_line(refused, data, more, told):
    assert told in refused(*arguments(data, strategy="gold"), *more)
    assert not (data / "out").exists()


def test_settings_of_a_source_are_overridden(verb, data):
    code, _, err = verb(*arguments(data, strategy="gold"), "--corpora.train.sources.gold.limit", 5)
    assert code == 0, err
    assert json.loads((data / "out" / "run.json").read_text())["sources"]["gold"]["limit"] == 5
    config = spacy.util.load_config(data / "out" / "stage1" / "model-best" / "config.cfg")
    assert config["corpora"]["train"]["sources"]["gold"]["limit"] == 5


def test_what_a_strategy_does_not_train_on_is_said(verb, data):
    code, _, err = verb(*arguments(data, strategy="gold", synthetic=data / "synthetic.jsonl"))
    assert code == 0 and "strategy gold does not train on --synthetic" in err


def empty_synthetic(data, **changes):
    """Synthetic records that a selector left without a mention."""
    path = data / "synthetic.jsonl"
    records = [json.loads(line) for line in path.read_text().splitlines()]
    for record in records:
        record.update(spans=[], meta={**record["meta"], "origin": "synthetic"})
    path.write_text("".join(json.dumps(record) + "\n" for record in records))


def test_synthetic_records_that_lost_all_mentions_are_refused_unless_allowed(refused, verb, data):
    empty_synthetic(data)
    given = arguments(data, strategy="S3", synthetic=data / "synthetic.jsonl")
    said = refused(*given)
    assert "'synthetic'" in said and "allow_empty" in said
    assert not (data / "out").exists()
    assert verb(*given, "--corpora.train.sources.synthetic.allow_empty", "true")[0] == 0


def test_gold_of_another_split_is_refused_and_the_mended_file_is_no_other_training(refused, verb, data):
    write_sentences(data / "gold.jsonl", "dev", range(50, 60))
    assert "split 'dev'" in refused(*arguments(data, strategy="gold"))
    write_sentences(data / "gold.jsonl", "train", range(12))
    assert verb(*arguments(data, strategy="gold"))[0] == 0


def test_another_training_in_the_folder_is_refused_and_kept(refused, verb, data):
    assert verb(*arguments(data, strategy="gold"))[0] == 0
    assert "set overwrite" in refused(*arguments(data, strategy="gold", seed=2))
    assert spacy.load(data / "out" / "model-best").meta["spacy_bioner"]["seed"] == 1
