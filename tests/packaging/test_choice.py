"""Which pipeline is shipped: chosen by what each says of itself on dev, never by test."""

import json

import pytest
from small_trainings import small_settings, write_sentences
from typer.testing import CliRunner

from spacy_bioner.cli.main import app
from spacy_bioner.config_files import find_config
from spacy_bioner.errors import BionerError
from spacy_bioner.packaging.assemble import choose_on_dev
from spacy_bioner.training.stages import Run, run_stages
from spacy_bioner.training.strategies import Stage


def write_pipeline(folder, *, best, tuned=None, dev="dev"):
    folder.mkdir()
    made = {"best": {"dev_f": best}, "tuned": tuned, "dev": {"file": "dev.jsonl", "sha256": dev}}
    (folder / "meta.json").write_text(json.dumps({"lang": "en", "spacy_bioner": made}))
    return folder


def test_best_on_dev_with_its_thresholds_is_chosen(tmp_path):
    pipelines = {"mixed": write_pipeline(tmp_path / "mixed", best=90.5, tuned={"dev_f": 91.0}),
                 "gold": write_pipeline(tmp_path / "gold", best=90.7, tuned={"dev_f": 90.9})}
    assert choose_on_dev(pipelines) == ("mixed", {"mixed": 91.0, "gold": 90.9})


def test_without_tuned_thresholds_the_training_says(tmp_path):
    pipelines = {"mixed": write_pipeline(tmp_path / "mixed", best=80.0),
                 "gold": write_pipeline(tmp_path / "gold", best=81.0, tuned={})}
    assert choose_on_dev(pipelines)[0] == "gold"


def test_of_equals_the_first_is_chosen(tmp_path):
    pipelines = {name: write_pipeline(tmp_path / name, best=70.0) for name in ("mixed", "gold")}
    assert choose_on_dev(pipelines)[0] == "mixed"


def test_different_dev_files_are_not_compared(tmp_path):
    pipelines = {"mixed": write_pipeline(tmp_path / "mixed", best=70.0),
                 "gold": write_pipeline(tmp_path / "gold", best=71.0, dev="another")}
    with pytest.raises(BionerError, match="different dev sets"):
        choose_on_dev(pipelines)


def test_pipeline_that_says_nothing_of_dev_is_an_error(tmp_path):
    (tmp_path / "plain").mkdir()
    (tmp_path / "plain" / "meta.json").write_text('{"lang": "en"}')
    with pytest.raises(BionerError, match="does not record its dev scores"):
        choose_on_dev({"plain": tmp_path / "plain"})


@pytest.mark.parametrize("content", ["{", "[]", '{"spacy_bioner": 5}'])
def test_a_broken_card_is_one_line(tmp_path, content):
    (tmp_path / "meta.json").write_text(content)
    with pytest.raises(BionerError) as caught:
        choose_on_dev({"plain": tmp_path})
    assert str(tmp_path) in str(caught.value) and "\n" not in str(caught.value)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Return a folder with two trained pipelines: `much`, and `none`, which no text can satisfy."""
    folder = tmp_path_factory.mktemp("two")
    gold = write_sentences(folder / "gold.jsonl", "train", range(20))
    dev = write_sentences(folder / "dev.jsonl", "dev", range(5))
    for name, updates in (("none", 1), ("much", 25)):
        run_stages(Run(config=find_config("spancat"), strategy="gold", stages=[Stage(("gold",), updates)], seed=1,
                       sources={"gold": {"path": gold}}, dev=dev, held_out=[dev], evaluations=1, tune="none",
                       overrides=small_settings("bioner_spancat")), folder / name)
    return folder


def invoke(*arguments):
    return CliRunner().invoke(app, ["assemble", *map(str, arguments)])


def test_assemble_ships_the_better_one_and_its_card_says_why(trained, tmp_path):
    done = invoke(trained / "none/model-best", tmp_path / "out", "--or", f"gold={trained / 'much/model-best'}")
    assert done.exit_code == 0, done.output
    scores = json.loads((tmp_path / "out/meta.json").read_text())["spacy_bioner"]["card"]["dev"]
    assert scores["gold"] > scores["trained on silver and gold"]
    assert done.output.splitlines()[0].endswith(": gold")
    said = ", ".join(f"{name} {score:.2f}" for name, score in scores.items())
    assert f"Chosen by F1 on the development set, in percent: {said}" in (tmp_path / "out/README.md").read_text()
    shipped, much = (json.loads((folder / "meta.json").read_text())["spacy_bioner"]["best"]
                     for folder in (tmp_path / "out", trained / "much/model-best"))
    assert shipped == much


@pytest.mark.parametrize("value, said", [("gold", "NAME=FOLDER"), ("=training/gold", "NAME=FOLDER"),
                                         ("trained on silver and gold=training/gold", "silver and gold")])
def test_other_that_cannot_be_read_is_one_line(trained, tmp_path, value, said):
    done = invoke(trained / "much/model-best", tmp_path / "out", "--or", value)
    assert isinstance(done.exception, BionerError) and said in str(done.exception)
    assert not (tmp_path / "out").exists()
