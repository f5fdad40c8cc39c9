"""`select silver` fills missing sets from what a teacher annotated; without gold `evaluate` and `report` say so."""

import json

import pytest

from spacy_bioner.annotation import Annotation, Mention
from spacy_bioner.formats.jsonl import read_jsonl, write_jsonl
from spacy_bioner.report.unmeasured import describe_unmeasured
from spacy_bioner.review.decisions import DecisionLog

LABELS = "corpus: toy\nlang: en\nlabels: {DISEASE: illnesses}\n"


def sentence(number, split="", origin="", score=None):
    text = f"Patient number {number} was treated for gout in our clinic."
    start = text.index("gout")
    return Annotation(text, (Mention(start, start + 4, "DISEASE", score=score),) if origin else (), id=f"s{number}",
                      meta={**({"split": split} if split else {}), **({"origin": origin} if origin else {})})


@pytest.fixture
def project(tmp_path, monkeypatch):
    """Return a folder of corpora; `splits` of it have gold."""
    def make(*splits):
        folder = tmp_path / "data" / "toy"
        folder.mkdir(parents=True)
        (folder / "labels.yml").write_text(LABELS)
        write_jsonl(folder / "raw.jsonl", [sentence(number) for number in range(100, 140)])
        for place, split in enumerate(splits):
            write_jsonl(folder / f"{split}.jsonl", [sentence(10 * place + each, split, "gold") for each in range(8)])
        monkeypatch.chdir(tmp_path)
        return tmp_path
    return make


def annotate(source, target):
    """Annotate as a teacher does that gives scores."""
    write_jsonl(target, [sentence(int(text.id[1:].split("-")[0]), text.meta["split"], "synthetic", 0.7)
                         .with_meta(model="teacher") for text in read_jsonl(source, raw=True)])


def distil(verb, folder):
    """Run the verbs up to the held-out sets."""
    verb("prepare", "data", "toy", "prepared", "--partial")
    prepared = folder / "prepared"
    for name, target in (("raw", "annotated"), ("dev", "dev.annotated"), ("test", "test.annotated")):
        annotate(prepared / f"{name}.jsonl", prepared / f"{target}.jsonl")
    return verb("select", "silver", "prepared/annotated.jsonl", "silver", "--corpus", "prepared", "--dev-predicted",
                "prepared/dev.annotated.jsonl", "--test-predicted", "prepared/test.annotated.jsonl")


@pytest.mark.parametrize("splits, held_out", [
    pytest.param((), {"dev": 6, "test": 6}, id="no-gold"),
    pytest.param(("dev", "test"), {}, id="dev-and-test"),
    pytest.param(("train", "dev", "test"), {}, id="gold"),
])
def test_missing_sets_are_held_out_of_the_raw_text(verb, project, splits, held_out):
    folder = project(*splits)
    distil(verb, folder)
    facts = json.loads((folder / "silver/selection.json").read_text())
    assert facts["held_out"] == held_out and facts["records"] == 40 - sum(held_out.values())
    card = json.loads((folder / "silver/corpus.json").read_text())
    assert card["parts"]["train"]["sentences"] == (8 if "train" in splits else 0)
    parts = {name: {record.text for record in read_jsonl(folder / f"silver/{name}.jsonl")}
             for name in ("synthetic", "dev", "test")}
    assert not parts["synthetic"] & (parts["dev"] | parts["test"]) and not parts["dev"] & parts["test"]
    assert len(list(read_jsonl(folder / "silver/teacher.jsonl"))) == len(parts["test"])


@pytest.mark.parametrize("option", ["--dev-predicted", "--test-predicted"])
def test_what_a_teacher_annotated_is_not_written_over(verb, refused, project, option):
    folder = project("train", "dev", "test")
    distil(verb, folder)
    before = {path: path.read_bytes() for path in (folder / "silver").iterdir()}
    assert "lie inside each other" in refused("select", "silver", "prepared/annotated.jsonl", "silver", "--corpus",
                                              "prepared", option, "silver/test.jsonl")
    assert {path: path.read_bytes() for path in (folder / "silver").iterdir()} == before


def test_scores_without_gold_are_told_as_agreement(verb, project):
    folder = project()
    distil(verb, folder)
    write_jsonl(folder / "student.jsonl", [record.with_mentions(()) if place < 2 else record for place, record in
                                           enumerate(read_jsonl(folder / "silver/test.jsonl"))])
    _, _, said = verb("evaluate", "silver/test.jsonl", "teacher=silver/teacher.jsonl", "student=student.jsonl", "-o",
                      "metrics.json", "--resamples", "20")
    assert "not correctness" in said and "teacher: left out" in said
    metrics = json.loads((folder / "metrics.json").read_text())
    assert list(metrics["systems"]) == ["student"] and len(metrics["gold"]["silver"]["check_first"]) == 6
    first = metrics["gold"]["silver"]["check_first"]
    assert [record.id for record in read_jsonl(folder / "metrics.check_first.jsonl")] == first
    verb("report", "metrics.json", "-o", "report.html", "--card", "silver/corpus.json")
    text = (folder / "report.md").read_text()
    assert "There is no gold: teacher annotated the test set" in text
    assert "The 6 sentences to check first" in text and text.index("## Not measured") < text.index("## Scores")


@pytest.mark.parametrize("given, split", [
    pytest.param("metrics.check_first", "test", id="sentences to check first"),
    pytest.param("silver/dev", "dev", id="held out"),
    pytest.param("prepared/annotated", "dev", id="annotated"),
])
def test_corrected_sentences_of_raw_text_are_the_test_or_dev_set_of_the_next_run(verb, project, given, split):
    folder = project()
    distil(verb, folder)
    verb("evaluate", "silver/test.jsonl", "student=silver/teacher.jsonl", "-o", "metrics.json", "--resamples", "20")
    queue = folder / f"{given}.jsonl"
    records = list(read_jsonl(queue))[:5]
    log = DecisionLog(folder / "decisions.db", list(read_jsonl(queue)))
    for one in records:
        log.decide(one.id, version=0, key=one.id, action="accept sentence", status="done", record=one, by="mary")
    code, _, said = verb("review", "import", log.path, f"data/toy/{split}.jsonl", "--queue", queue)
    assert code == 0, said
    assert verb("prepare", "data", "toy", "prepared", "--partial")[0] == 0
    assert {one.text for one in read_jsonl(folder / f"prepared/{split}.jsonl")} == {one.text for one in records}
    assert not {one.text for one in read_jsonl(folder / "prepared/raw.jsonl")} & {one.text for one in records}


@pytest.mark.parametrize("documents, told", [
    pytest.param(200, "There is no gold: teacher annotated the test set", id="all"),
    pytest.param(1, "Not all of the test set is gold: teacher annotated 1 of its 200 texts", id="one"),
])
def test_how_much_is_not_gold_is_told(documents, told):
    gold = {"count": 200, "silver": {"documents": documents, "models": ["teacher"], "check_first": []}}
    assert told in describe_unmeasured({"gold": gold})


def test_raw_text_alone_that_is_empty_is_one_line(refused, project):
    folder = project()
    (folder / "data/toy/raw.jsonl").write_text("")
    assert "No raw text to annotate" in refused("prepare", "data", "toy", "prepared", "--partial")
    assert not (folder / "prepared").exists()


def test_without_partial_a_missing_set_stays_an_error(refused, project):
    project("dev", "test")
    assert "train.jsonl" in refused("prepare", "data", "toy", "prepared")


def test_an_input_without_texts_gives_an_empty_output_if_that_is_allowed(verb, refused, project):
    folder = project()
    (folder / "none.jsonl").write_text("")
    assert "none.jsonl holds no text" in verb("annotate", "none.jsonl", "out.jsonl", "--allow-empty")[2]
    assert (folder / "out.jsonl").read_text() == ""


def test_a_config_with_two_annotators_is_refused(refused, project):
    folder = project()
    (folder / "teacher.cfg").write_text('[annotate]\nreplay = "replies.jsonl"\n\n[annotate.server]\n'
                                        'base_url = "http://localhost:1/v1"\n')
    said = refused("annotate", "data/toy/raw.jsonl", "out.jsonl", "-c", "teacher.cfg")
    assert "More than one annotator is given: annotate.replay (replies.jsonl) and annotate.server.base_url" in said


def test_no_sentences_are_generated_where_none_are_asked_for(verb, refused, project):
    folder = project()
    (folder / "seeds.jsonl").write_text('{"text": "gout", "label": "DISEASE", "count": 1}\n')
    (folder / "report.json").write_text("of an older run")
    options = ("seeds.jsonl", "generated.jsonl", "--labels", "data/toy/labels.yml")
    verb("generate", "sentences", *options, "--n", "0", "--report", "report.json")
    assert (folder / "generated.jsonl").read_text() == ""
    report = json.loads((folder / "report.json").read_text())
    assert report["asked"] == report["accepted"] == 0 and report["generator"] is None
    (folder / "teacher.cfg").write_text('[annotate]\nreplay = "replies.jsonl"\n')
    assert "no language model" in refused("generate", "sentences", *options, "--n", "2", "--teacher", "teacher.cfg")
