import json
import shutil
from collections import Counter
from dataclasses import replace
from itertools import islice

import pytest
import spacy
from spacy.training.loop import create_train_batches
from spacy.util import registry

from spacy_bioner.annotation import Annotation, Mention
from spacy_bioner.config_files import ConfigFiles, find_config
from spacy_bioner.errors import BionerError
from spacy_bioner.formats.jsonl import read_jsonl, write_jsonl
from spacy_bioner.training.selector.selector_training import SelectorRun, run_selector
from spacy_bioner.training.spacy_training import score_every
from spacy_bioner.training.stages import Run, count_steps, find_overlaps, open_folder, run_stages, stage_config
from spacy_bioner.training.strategies import Stage

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


def make_run(folder):
    gold = write(folder / "gold.jsonl", "train", range(12))
    synthetic = write(folder / "synthetic.jsonl", "train", range(20, 40))
    dev = write(folder / "dev.jsonl", "dev", range(6))
    return Run(config=find_config("spancat"), strategy="S4", seed=1, evaluations=2, tune="labels",
               stages=[Stage(("gold", "synthetic"), 12), Stage(("gold",), 6)], dev=dev, held_out=[dev],
               sources={"gold": {"path": gold, "on_leak": "drop"}, "synthetic": {"path": synthetic}},
               overrides={"components.bioner_spancat.model.tok2vec": SMALL, "training.optimizer.learn_rate": 0.01,
                          "components.bioner_spancat.model.average": 0.0, "training.batcher.size": 60,
                          "components.bioner_spancat.model.rate_factor": 2.0})


@pytest.fixture
def run(tmp_path):
    return make_run(tmp_path)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A training, the folder that it has made, which no test changes, and its card."""
    folder = tmp_path_factory.mktemp("trained")
    run = make_run(folder)
    return run, folder / "out", run_stages(run, folder / "out")


@pytest.fixture
def copied(trained, tmp_path):
    """The training, and a copy of its folder for a test to change."""
    run, folder, _ = trained
    return run, shutil.copytree(folder, tmp_path / "out")


@pytest.mark.parametrize("updates, evaluations, least", [
    pytest.param(600, 8, 8, id="whole"), pytest.param(200, 8 / 3, 2, id="a-third-of-it"),
    pytest.param(56, 56 / 30, 2, id="a-stage-of-ninety"), pytest.param(34, 34 / 30, 1, id="a-short-stage"),
    pytest.param(97, 5, 4, id="prime"), pytest.param(3, 8, 3, id="fewer-than-asked"), pytest.param(1, 3, 1, id="one"),
])
def test_the_state_at_the_end_is_scored(updates, evaluations, least):
    """Or one that is at most a hundredth of the training before it, where its length has no such parts."""
    every = score_every(updates, evaluations)
    assert updates % every <= updates / 90 and least <= updates // every <= evaluations + 3


@pytest.mark.issue(25)
@pytest.mark.parametrize("epochs, seen", [(10, {10}), (2.5, {2, 3})])
@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("sources", [("gold",), ("gold", "synthetic")], ids=len)
def test_a_training_of_so_many_epochs_sees_each_sentence_so_often(run, sources, seed, epochs, seen):
    run = replace(run, seed=seed)
    stage = Stage(sources, count_steps(run, sources, epochs))
    config = stage_config(replace(run, stages=[stage]), stage, run.dev, previous=None, labels=[], overlaps="any")
    parts = registry.resolve({"corpus": config.interpolate()["corpora"]["train"],
                              "batcher": config["training"]["batcher"]})
    nlp = spacy.blank("en", config={"nlp": {"tokenizer": config["nlp"]["tokenizer"]}})
    batches = islice(create_train_batches(nlp, parts["corpus"], parts["batcher"], -1), stage.updates)
    counts = Counter(example.text for _, batch in batches for example in batch)
    assert set(counts.values()) == seen
    # Neighbouring batches may differ by a sentence.
    assert abs(sum(counts.values()) - epochs * len(counts)) <= (0 if len(seen) == 1 else 6)


def test_sentences_that_are_held_out_do_not_count_in_an_epoch(run, tmp_path):
    more = write(tmp_path / "more.jsonl", "train", range(12, 24))
    assert count_steps(replace(run, held_out=[more]), ["gold"], 4) == count_steps(run, ["gold"], 4)
    half = write(tmp_path / "half.jsonl", "train", range(6))
    assert count_steps(replace(run, held_out=[half]), ["gold"], 4) < count_steps(run, ["gold"], 4)


def test_batches_of_so_many_sentences_have_epochs_too(run):
    batcher = {"@batchers": "spacy.batch_by_sequence.v1", "size": 4}
    overrides = {**run.overrides, "training.batcher": batcher}
    overrides.pop("training.batcher.size")
    assert count_steps(replace(run, overrides=overrides), ["gold"], 5) == 15


def test_labels_of_different_sources_may_overlap(run):
    assert find_overlaps(run) == "flat"
    apart = {name: {**source, "annotated": [f"{name}/DISEASE"]} for name, source in run.sources.items()}
    assert find_overlaps(replace(run, sources=apart)) == "any"


def test_each_stage_is_scored_at_its_end(run, tmp_path):
    run_stages(replace(run, evaluations=5), tmp_path / "out")
    curve = [json.loads(line) for line in (tmp_path / "out" / "curve.jsonl").read_text().splitlines()]
    assert [max(line["updates"] for line in curve if line["stage"] == stage) for stage in (1, 2)] == [12, 18]


def test_stages_run_one_after_the_other_and_leave_a_pipeline_with_its_card(trained):
    _, folder, card = trained
    nlp = spacy.load(folder / "model-best")
    stored = nlp.meta["spacy_bioner"]
    assert {name: stored[name] for name in ("sources", "stages", "labels", "versions")} == \
        {name: card[name] for name in ("sources", "stages", "labels", "versions")}
    assert card["sources"]["gold"]["file"] == "gold.jsonl" and card["seed"] == 1
    assert str(folder.parent) not in json.dumps(card["sources"])
    assert card["labels"] == ["DISEASE"] == list(nlp.get_pipe("bioner_spancat").labels)
    assert nlp.get_pipe("bioner_spancat").cfg["threshold"] == card["tuned"]["threshold"]
    assert nlp.config["components"]["bioner_spancat"]["threshold"] == card["tuned"]["threshold"]["*"]
    curve = [json.loads(line) for line in (folder / "curve.jsonl").read_text().splitlines()]
    assert curve[-1]["updates"] == 18 and {line["stage"] for line in curve} == {1, 2}
    doc = nlp("They found gout again.")
    assert [span.label_ for span in doc.spans["sc"]] in (["DISEASE"], [])
    # The doubtful ones are for the training.
    assert list(doc.spans) == ["sc"] and nlp.config["components"]["bioner_spancat"]["doubtful_key"] == ""


@pytest.mark.parametrize("tune, score", [("labels", "spans_sc_best_f"), ("none", "spans_sc_f")])
def test_states_are_compared_by_what_becomes_of_them(trained, tmp_path, tune, score):
    run, folder, _ = trained
    if tune != run.tune:
        folder = tmp_path / "out"
        run_stages(replace(run, tune=tune), folder)
    nlp = spacy.load(folder / "model-best")
    weights = nlp.config["training"]["score_weights"]
    assert {name for name, weight in weights.items() if weight} == {score}
    assert list(nlp("They found gout again.").spans) == ["sc"]


def test_labels_with_signs_of_a_config_are_labels_like_others(run, tmp_path):
    """Such as those of UMLS, two of one prefix: each has a threshold of its own."""
    names = {"gout": "umls:DISO", "asthma": "umls:DISO", "measles": "=x"}

    def rename(path):
        write_jsonl(path, [record.with_mentions([replace(mention, label=names.get(record.surface(mention), "umls:CHEM"))
                                                 for mention in record.mentions]) for record in read_jsonl(path)])

    write(run.dev, "dev", range(300))
    for path in (run.dev, *(source["path"] for source in run.sources.values())):
        rename(path)
    card = run_stages(run, tmp_path / "out")
    pipe = spacy.load(tmp_path / "out" / "model-best").get_pipe("bioner_spancat")
    assert pipe.labels == ("=x", "umls:CHEM", "umls:DISO")
    assert set(pipe.cfg["threshold"]) == {"*", "=x", "umls:CHEM", "umls:DISO"}
    assert pipe.cfg["threshold"] == card["tuned"]["threshold"]


def test_the_card_names_the_model_that_labelled(run, tmp_path):
    path = run.sources["synthetic"]["path"]
    records = [record.with_meta(model=str(tmp_path / "qwen"), adapter="abc") for record in read_jsonl(path)]
    write_jsonl(path, records)
    card = run_stages(replace(run, stages=[Stage(("synthetic",), 1)], evaluations=1), tmp_path / "out")
    assert card["sources"]["synthetic"]["annotators"] == [{"model": "qwen", "adapter": "abc", "records": 20}]
    assert card["sources"]["gold"]["annotators"] == []


def test_what_is_doubtful_is_part_of_the_training_and_of_its_card(run, tmp_path):
    dropped = write(tmp_path / "dropped.jsonl", "train", range(20, 25))
    sources = {**run.sources, "synthetic": {**run.sources["synthetic"], "doubtful": dropped}}
    card = run_stages(replace(run, sources=sources), tmp_path / "out")
    assert card["sources"]["synthetic"]["doubtful"]["file"] == "dropped.jsonl"
    assert str(tmp_path) not in json.dumps(card["sources"])
    assert str(tmp_path) not in (tmp_path / "out" / "model-best" / "config.cfg").read_text(encoding="utf8")
    with pytest.raises(BionerError, match="set overwrite"):
        run_stages(run, tmp_path / "out")


def test_finished_stages_are_not_run_again(copied):
    run, folder = copied
    first = (folder / "stage1" / "model-last" / "meta.json").stat().st_mtime_ns
    (folder / "stage2" / "done.json").unlink()
    run_stages(run, folder)
    assert (folder / "stage2" / "done.json").is_file()
    assert (folder / "stage1" / "model-last" / "meta.json").stat().st_mtime_ns == first


def test_another_training_does_not_take_the_folder(copied):
    run, folder = copied
    other = replace(run, seed=2)
    with pytest.raises(BionerError, match="set overwrite"):
        run_stages(other, folder)
    assert run_stages(other, folder, overwrite=True)["seed"] == 2


def stored(folder):
    return {path.relative_to(folder): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_a_training_is_replaced_by_none_that_fails_at_once(copied):
    run, folder = copied
    before = stored(folder)
    wrong = replace(run, overrides={**run.overrides, "components.bioner_spancat.treshold": 0.4})
    with pytest.raises(BionerError, match="treshold"):
        run_stages(wrong, folder, overwrite=True)
    assert stored(folder) == before
    run_stages(replace(run, seed=2, stages=[Stage(("gold",), 2)]), folder, overwrite=True)
    assert sorted(path.name for path in folder.iterdir()) == [
        "curve.jsonl", "model-best", "run.json", "stage1"]


@pytest.mark.parametrize("name", ["model-best", "stage1"])
def test_what_no_training_has_made_stays_where_one_fails_or_begins(run, tmp_path, name):
    """Other names are nobody's business."""
    for folder in (name, "stage_notes"):
        (tmp_path / "out" / folder).mkdir(parents=True)
        (tmp_path / "out" / folder / "mine.txt").write_text("precious", encoding="utf8")
    before = stored(tmp_path / "out")
    with pytest.raises(BionerError, match=name):
        run_stages(run, tmp_path / "out", overwrite=True)
    assert stored(tmp_path / "out") == before


def test_the_card_tells_of_the_state_that_is_kept(run, tmp_path):
    flat = {**run.overrides, "training.optimizer.learn_rate": 0.0}
    card = run_stages(replace(run, overrides=flat, stages=[Stage(("gold",), 8)], evaluations=4), tmp_path / "out")
    curve = [json.loads(line) for line in (tmp_path / "out" / "curve.jsonl").read_text().splitlines()]
    # All states are alike: spaCy writes each of them over the one before.
    assert len({line["dev_f"] for line in curve}) == 1 and card["best"]["updates"] == curve[-1]["updates"]


def test_a_config_that_does_not_fit_is_told(run, tmp_path):
    wrong = replace(run, overrides={**run.overrides, "components.bioner_spancat.treshold": 0.4})
    with pytest.raises(BionerError, match="treshold"):
        run_stages(wrong, tmp_path / "out")


def test_a_selector_is_trained_tuned_and_stored(run, tmp_path):
    selector = SelectorRun(
        config=find_config("selector"), gold=run.sources["gold"]["path"], dev=run.dev, predicted=None,
        dev_predicted=None, seed=1, updates=12, evaluations=2, tune="all", overrides={
            "components.span_selector.model.tok2vec": SMALL, "training.optimizer.learn_rate": 0.01,
            "components.span_selector.model.average": 0.0, "training.batcher.size": 60}, labels=("CHEMICAL",))
    card = run_selector(selector, tmp_path / "out")
    nlp = spacy.load(tmp_path / "out" / "model-best")
    assert nlp.get_pipe("span_selector").cfg["threshold"] == card["tuned"]["threshold"]
    # It is trained on as a wrong one of the mentions that there are.
    reader = registry.resolve({"train": nlp.config.interpolate()["corpora"]["train"] | {"path": str(selector.gold)}})
    seen = {span.label_ for example in reader["train"](nlp) for span in example.predicted.spans["candidates"]}
    assert seen == {"CHEMICAL", "DISEASE"}
    doc = nlp.make_doc("They found gout again.")
    doc.spans["candidates"] = [doc.char_span(11, 15, label="DISEASE"), doc.char_span(0, 10, label="DISEASE")]
    nlp(doc)
    assert len(doc.spans["sc"]) + len(doc.spans["rejected"]) == 2
    # A label of the schema that gold happens to lack is no error among the candidates.
    doc.spans["candidates"] = [doc.char_span(11, 15, label="CHEMICAL")]
    nlp(doc)
    assert len(doc.spans["sc"]) + len(doc.spans["rejected"]) == 1


def nested(path, split):
    """Gold whose mentions nest, after a hundred records whose mentions do not."""
    flat = list(read_jsonl(write(path, split, range(110))))
    text = "In the end the doctors found colon cancer again."
    mentions = (Mention(29, 41, "DISEASE"), Mention(29, 34, "PART"))
    write_jsonl(path, [*flat, Annotation(text, mentions, id="nested", meta={"split": split})])
    return path


def test_overlaps_are_learnt_from_all_of_gold_not_from_a_flat_teacher(run, tmp_path):
    gold = nested(tmp_path / "nested.jsonl", "train")
    sources = {**run.sources, "gold": {"path": gold, "on_leak": "drop"}}
    staged = replace(run, sources=sources, stages=[Stage(("synthetic",), 2), Stage(("gold",), 2)], evaluations=1)
    run_stages(staged, tmp_path / "out")
    nlp = spacy.load(tmp_path / "out" / "model-best")
    assert nlp.get_pipe("bioner_spancat").cfg["overlaps"] == "any"
    run_stages(replace(run, stages=[Stage(("gold",), 2)]), tmp_path / "flat")
    assert spacy.load(tmp_path / "flat" / "model-best").get_pipe("bioner_spancat").cfg["overlaps"] == "flat"


STOCK = """
[paths]
gold = null
dev = null
curve = null

[run]
seed = 0
updates = 10
evaluate_every = 5

[nlp]
lang = "en"
pipeline = ["tok2vec", "spancat"]

[components]

[components.tok2vec]
factory = "tok2vec"

[components.tok2vec.model]
@architectures = "spacy.HashEmbedCNN.v2"
pretrained_vectors = null
width = 16
depth = 1
embed_size = 200
window_size = 1
maxout_pieces = 2
subword_features = true

[components.spancat]
factory = "spancat"
spans_key = "sc"

[components.spancat.model]
@architectures = "spacy.SpanCategorizer.v1"
reducer = {"@layers": "spacy.mean_max_reducer.v1", "hidden_size": 8}
scorer = {"@layers": "spacy.LinearLogistic.v1"}

[components.spancat.model.tok2vec]
@architectures = "spacy.Tok2VecListener.v1"
width = 16

[components.spancat.suggester]
@misc = "spacy.ngram_range_suggester.v1"
min_size = 1
max_size = 2

[corpora]

[corpora.train]
@readers = "spacy-bioner.MixedCorpus.v1"

[corpora.train.sources]

[corpora.dev]
@readers = "spacy-bioner.MixedCorpus.v1"
shuffle = false

[corpora.dev.sources]

[corpora.dev.sources.dev]
path = ${paths.dev}
split = ""

[training]
seed = ${run.seed}
gpu_allocator = null
train_corpus = "corpora.train"
dev_corpus = "corpora.dev"
patience = 0
max_epochs = -1
max_steps = ${run.updates}
eval_frequency = ${run.evaluate_every}

[training.logger]
@loggers = "spacy-bioner.CurveLogger.v1"
path = ${paths.curve}
"""


def test_training_of_a_stock_span_categorizer_keeps_its_encoder(run, tmp_path):
    (tmp_path / "stock.cfg").write_text(STOCK)
    stages = [Stage(("gold", "synthetic"), 2), Stage(("gold",), 2)]
    files = ConfigFiles("spancat", tmp_path / "stock.cfg")
    stock = replace(run, config=files, stages=stages, overrides={}, tune="none")
    config = stage_config(stock, stages[1], tmp_path, previous=tmp_path / "first", labels=["DISEASE"], overlaps="any")
    assert config["components"] == {name: {"source": str(tmp_path / "first")} for name in ("tok2vec", "spancat")}
    run_stages(stock, tmp_path / "out")
    nlp = spacy.load(tmp_path / "out" / "model-best")
    # The listener is that of the encoder that came along, so the span categorizer hears it.
    assert nlp.get_pipe("tok2vec").listening_components == ["spancat"]
    assert nlp("They found gout again.").spans["sc"] is not None


def test_the_learning_rate_of_a_short_stage_reaches_its_peak(run, tmp_path):
    overrides = {key: value for key, value in run.overrides.items() if key != "training.optimizer.learn_rate"}
    short = replace(run, overrides=overrides)
    for updates in (1, 2, 33, 600):
        config = stage_config(short, Stage(("gold",), updates), tmp_path, previous=None, labels=["DISEASE"],
                              overlaps="any").interpolate()
        rates = registry.resolve({"rate": config["training"]["optimizer"]["learn_rate"]})["rate"]
        reached = max(rate for rate, _ in zip(rates, range(updates)))
        assert reached == pytest.approx(config["training"]["optimizer"]["learn_rate"]["initial_rate"])


def test_a_failure_of_any_kind_leaves_no_folder(run, tmp_path):
    with pytest.raises(OSError), open_folder(tmp_path / "out", {}, overwrite=False):
        (tmp_path / "out" / "stage1").mkdir()
        raise OSError("disk full")
    assert not (tmp_path / "out").exists()
