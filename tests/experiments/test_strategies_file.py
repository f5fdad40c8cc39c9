"""The strategies experiment: which annotator labels the raw text of which rows."""

import pytest
from places import CONFIGS

from spacy_bioner.experiments.definition import read_experiment
from spacy_bioner.experiments.expansion import expand

STRATEGIES = CONFIGS / "experiments" / "strategies.yml"


@pytest.fixture
def commands(tmp_path):
    """Return a function from a profile and a row to the command lines of the steps that the row needs, by kind."""
    def commands(profile, row):
        experiment = read_experiment(STRATEGIES, overrides={"vars.profile": profile})
        steps = expand(experiment, data=tmp_path / "data", out=tmp_path / "out").only(row).plan.steps
        return {step.kind: " ".join(step.arguments) for step in steps}
    return commands


@pytest.mark.issue(25)
@pytest.mark.parametrize("profile", ["default", "gpu"])
@pytest.mark.parametrize("row, length", [
    pytest.param("g500: S1", "max_epochs 1000 --finetune.training.max_steps 320 ", id="equal steps"),
    pytest.param("g500 in epochs: S1", "max_epochs 3 ", id="in epochs"),
    pytest.param("labels of raw text, g500 in epochs: by the LLM", "max_epochs 3 ", id="labels of raw text in epochs"),
    pytest.param("whole abstracts, context", "max_epochs 3 ", id="whole abstracts"),
])
def test_rows_in_epochs_are_labelled_by_an_annotator_of_three_epochs(commands, profile, row, length):
    made = commands(profile, row)
    finetune = made.get("finetune") or made["finetune-whole"]
    assert f"--finetune.training.{length}" in finetune
    assert ("max_steps" in finetune) == ("320" in length)


@pytest.mark.issue(25)
@pytest.mark.parametrize("row, trained", [
    pytest.param("g500: by-categorizer", "trained/steps-g500-gold-1/", id="equal steps"),
    pytest.param("g500 in epochs: by-categorizer", "trained/epochs-g500-gold-1/", id="in epochs"),
])
def test_the_categorizer_that_labels_is_trained_as_long_as_the_row_with_gold_alone(commands, row, trained):
    assert trained in commands("default", row)["label-by-categorizer"]
