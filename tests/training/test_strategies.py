import pytest
from pydantic import ValidationError

from spacy_bioner.errors import BionerError
from spacy_bioner.training.strategies import Stage, Strategy, plan_epochs, plan_stages

KNOWN = {"gold": Strategy(stages=[{"sources": ["gold"], "share": 1}]),
         "S3": Strategy(stages=[{"sources": ["gold"], "share": 2}, {"sources": ["gold", "synthetic"], "share": 1}]),
         "pretrain": Strategy(stages=[{"sources": ["synthetic"], "epochs": 3}, {"sources": ["gold"], "epochs": 10}])}
WORDS = {"gold": 100, "synthetic": 500}


def count_units(sources, epochs):
    """Return the steps of epochs over sources where each step has one unit."""
    return int(epochs * sum(WORDS[source] for source in sources))


@pytest.mark.parametrize("updates", [2, 7, 100, 601])
@pytest.mark.parametrize("name", sorted(KNOWN))
def test_every_strategy_takes_the_same_number_of_steps(name, updates):
    assert sum(stage.updates for stage in plan_stages(name, KNOWN, updates, WORDS)) == updates


def test_stages_share_the_steps():
    assert plan_stages("S3", KNOWN, 30, WORDS) == [
        Stage(("gold",), 20), Stage(("gold", "synthetic"), 10)]


@pytest.mark.parametrize("gold, wanted", [(100, (15, 10)), (500, (6, 19))])
def test_epochs_give_a_stage_the_more_steps_the_more_data_it_has(gold, wanted):
    stages = plan_stages("pretrain", KNOWN, 25, {"gold": gold, "synthetic": 500})
    assert tuple(stage.updates for stage in stages) == wanted


def test_shares_and_epochs_do_not_mix():
    with pytest.raises(ValidationError, match="every stage"):
        Strategy(stages=[{"sources": ["gold"], "share": 1}, {"sources": ["synthetic"], "epochs": 1}])


@pytest.mark.parametrize("name, updates, given, told", [
    pytest.param("S9", 30, ["gold"], "gold, S3, pretrain", id="unknown strategy"),
    pytest.param("S3", 30, ["gold"], "needs synthetic records", id="missing source"),
    pytest.param("S3", 1, ["gold", "synthetic"], "too few", id="too few updates"),
])
def test_what_cannot_be_planned_is_told(name, updates, given, told):
    with pytest.raises(BionerError, match=told):
        plan_stages(name, KNOWN, updates, {source: WORDS[source] for source in given})


@pytest.mark.parametrize("name, epochs, wanted", [
    pytest.param("gold", [10], [Stage(("gold",), 1000)], id="gold alone"),
    pytest.param("S3", [20, 10], [Stage(("gold",), 2000), Stage(("gold", "synthetic"), 6000)], id="two stages"),
])
def test_epochs_of_a_stage_are_over_its_own_records(name, epochs, wanted):
    assert plan_epochs(name, KNOWN, epochs, WORDS, count_units) == wanted


def test_each_stage_wants_its_epochs():
    with pytest.raises(BionerError, match="1 numbers of epochs, but strategy 'S3' has 2 stages"):
        plan_epochs("S3", KNOWN, [10], WORDS, count_units)
