"""The header of a run: sizes from the corpus, times that grow with what they depend on, no guess for other models."""

import json

import pytest
from places import ROOT

from spacy_bioner.errors import BionerError
from spacy_bioner.workflow.header import describe_run
from spacy_bioner.workflow.project import Project, read_parent_variables

pytestmark = pytest.mark.issue(24)


@pytest.fixture
def corpora(tmp_path):
    """A folder of corpora with one that has no raw text."""
    folder = tmp_path / "corpora" / "mine"
    folder.mkdir(parents=True)
    for part, count in (("train", 60), ("dev", 10), ("test", 20)):
        lines = [json.dumps({"id": f"{part}{number}", "text": "Gout hurts.", "spans": []}) for number in range(count)]
        (folder / f"{part}.jsonl").write_text("\n".join(lines))
    return tmp_path / "corpora"


def describe(name="all", **given):
    project = Project(ROOT)
    variables, commands = project.fill({key: str(value) for key, value in given.items()})
    return describe_run(name, [commands[step] for step in project.list_steps(name)], variables, folder=ROOT, at_once=2)


def minutes(**given):
    return int(describe(**given)[2].split(" minutes")[0].split()[-1])


def test_the_header_says_what_runs_on_what_and_where_the_results_will_be(corpora):
    what, sizes, without, time, results = describe(data=corpora, corpus="mine", gold_limit=40, seed=3)
    assert what == "all: corpus mine (en), profile default, random seed 3, on the CPU"
    assert sizes == "records: train 60, dev 10, test 20, no raw; sentences at most: gold_limit 40"
    assert without.startswith("without raw text") and "minutes" in time
    assert results == "results: metrics/mine-default-3, packages/mine-default-3"


def test_the_estimate_is_the_time_of_the_quick_run_and_grows_with_the_gold_sentences():
    quick = {"profile": "quick", "gold_limit": 80, "raw_limit": 240, "epochs": 40}
    assert 8 <= minutes(**quick) <= 11
    assert minutes(**{**quick, "gold_limit": 160}) > minutes(**quick)
    assert minutes(profile="smoke", epochs=0, gold_limit=32, raw_limit=24, dev_limit=16, test_limit=16) <= 8


@pytest.mark.parametrize("given", [{"profile": "gpu"}, {"gpu_id": 0}, {"name": "distil"}])
def test_there_is_no_estimate_for_what_was_not_measured(given):
    assert "no estimate" in describe(**given)[2]


def test_a_corpus_that_is_not_there_is_told_at_once():
    with pytest.raises(BionerError, match="corpora/nowhere"):
        describe(corpus="nowhere")


def test_the_variables_of_the_parent_are_none_where_it_is_no_project_run():
    assert read_parent_variables() == []
