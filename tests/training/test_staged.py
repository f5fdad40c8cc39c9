import json
from dataclasses import replace
from pathlib import Path

import pytest
import spacy

from spacy_bioner.annotation import Annotation, Mention
from spacy_bioner.errors import BionerError
from spacy_bioner.formats.jsonl import write_jsonl
from spacy_bioner.training.selector_run import SelectorRun, run_selector
from spacy_bioner.training.staged import Run, run_stages
from spacy_bioner.training.strategies import Stage

CONFIGS = Path(__file__).parents[2] / "configs" / "embedded"
SMALL = {"@architectures": "spacy.HashEmbedCNN.v2", "pretrained_vectors": None, "width": 16, "depth": 1,
         "embed_size": 200, "window_size": 1, "maxout_pieces": 2, "subword_features": True}
NAMES = ["gout", "colon cancer", "asthma", "cystic fibrosis", "measles"]


def write(path, split, numbers):
    records = []
    for number in numbers:
        name = NAMES[number % len(NAMES)]
        text = f"In {split} family {number} the doctors found {name} again."
        start = text.index(name)
        records.append(Annotation(text, (Mention(start, start + len(name), "DISEASE"),), id=f"{split}-{number}",
                                  meta={"split": split}))
    write_jsonl(path, records)
    return path


@pytest.fixture
def run(tmp_path):
    gold = write(tmp_path / "gold.jsonl", "train", range(12))
    synthetic = write(tmp_path / "synthetic.jsonl", "train", range(20, 40))
    dev = write(tmp_path / "dev.jsonl", "dev", range(6))
    return Run(config=CONFIGS / "spancat_en.cfg", strategy="S4", seed=1, evaluations=2, tune="labels",
               stages=[Stage(("gold", "synthetic"), 12), Stage(("gold",), 6)], dev=dev, held_out=[dev],
               sources={"gold": {"path": gold, "on_leak": "drop"}, "synthetic": {"path": synthetic}},
               overrides={"components.bioner_spancat.model.tok2vec": SMALL, "training.optimizer.learn_rate": 0.01,
                          "components.bioner_spancat.model.average": 0.0, "training.batcher.size": 60,
                          "components.bioner_spancat.model.rate_factor": 2.0})


def test_stages_run_one_after_the_other_and_leave_a_pipeline_with_its_card(run, tmp_path):
    card = run_stages(run, tmp_path / "out")
    nlp = spacy.load(tmp_path / "out" / "model-best")
    stored = nlp.meta["spacy_bioner"]
    assert {name: stored[name] for name in ("sources", "stages", "labels", "versions")} == \
        {name: card[name] for name in ("sources", "stages", "labels", "versions")}
    assert card["sources"]["gold"]["file"] == "gold.jsonl" and card["seed"] == 1
    assert str(tmp_path) not in json.dumps(card["sources"])
    assert card["labels"] == ["DISEASE"] == list(nlp.get_pipe("bioner_spancat").labels)
    assert nlp.get_pipe("bioner_spancat").cfg["threshold"] == card["tuned"]["threshold"]
    assert nlp.config["components"]["bioner_spancat"]["threshold"] == card["tuned"]["threshold"]
    curve = [json.loads(line) for line in (tmp_path / "out" / "curve.jsonl").read_text().splitlines()]
    assert curve[-1]["updates"] == 18 and {line["stage"] for line in curve} == {1, 2}
    doc = nlp("They found gout again.")
    assert [span.label_ for span in doc.spans["sc"]] in (["DISEASE"], [])


def test_what_is_doubtful_is_part_of_the_training_and_of_its_card(run, tmp_path):
    dropped = write(tmp_path / "dropped.jsonl", "train", range(20, 25))
    sources = {**run.sources, "synthetic": {**run.sources["synthetic"], "doubtful": dropped}}
    card = run_stages(replace(run, sources=sources), tmp_path / "out")
    assert card["sources"]["synthetic"]["doubtful"]["file"] == "dropped.jsonl"
    assert str(tmp_path) not in json.dumps(card["sources"])
    with pytest.raises(BionerError, match="--overwrite"):
        run_stages(run, tmp_path / "out")


def test_finished_stages_are_not_run_again(run, tmp_path):
    run_stages(run, tmp_path / "out")
    first = (tmp_path / "out" / "stage1" / "model-last" / "meta.json").stat().st_mtime_ns
    (tmp_path / "out" / "stage2" / "done.json").unlink()
    run_stages(run, tmp_path / "out")
    assert (tmp_path / "out" / "stage1" / "model-last" / "meta.json").stat().st_mtime_ns == first


def test_another_training_does_not_take_the_folder(run, tmp_path):
    run_stages(run, tmp_path / "out")
    other = replace(run, seed=2)
    with pytest.raises(BionerError, match="--overwrite"):
        run_stages(other, tmp_path / "out")
    assert run_stages(other, tmp_path / "out", overwrite=True)["seed"] == 2


def test_a_config_that_does_not_fit_is_told(run, tmp_path):
    wrong = replace(run, overrides={**run.overrides, "components.bioner_spancat.treshold": 0.4})
    with pytest.raises(BionerError, match="treshold"):
        run_stages(wrong, tmp_path / "out")


def test_a_selector_is_trained_tuned_and_stored(run, tmp_path):
    selector = SelectorRun(
        config=CONFIGS / "selector_en.cfg", gold=run.sources["gold"]["path"], dev=run.dev, predicted=None,
        dev_predicted=None, seed=1, updates=12, evaluations=2, tune="all", overrides={
            "components.span_selector.model.tok2vec": SMALL, "training.optimizer.learn_rate": 0.01,
            "components.span_selector.model.average": 0.0, "training.batcher.size": 60}, labels=("CHEMICAL",))
    card = run_selector(selector, tmp_path / "out")
    nlp = spacy.load(tmp_path / "out" / "model-best")
    assert nlp.get_pipe("span_selector").cfg["threshold"] == card["tuned"]["threshold"]
    doc = nlp.make_doc("They found gout again.")
    doc.spans["candidates"] = [doc.char_span(11, 15, label="DISEASE"), doc.char_span(0, 10, label="DISEASE")]
    nlp(doc)
    assert len(doc.spans["sc"]) + len(doc.spans["rejected"]) == 2
    # A label of the schema that gold happens to lack is no error among the candidates.
    doc.spans["candidates"] = [doc.char_span(11, 15, label="CHEMICAL")]
    nlp(doc)
    assert len(doc.spans["sc"]) + len(doc.spans["rejected"]) == 1
