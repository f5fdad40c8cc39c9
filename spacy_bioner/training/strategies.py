"""Strategies: which sources are trained on in which order, with how many updates each."""

from dataclasses import dataclass
from typing import Callable, Collection, List, Mapping, Optional, Sequence, Tuple

from pydantic import model_validator

from ..errors import BionerError, Errors
from ..settings import Settings, setting


class StageShare(Settings):
    """A stage as a strategy names it: either with a fixed part of all steps, or in proportion to its data."""

    sources: List[str] = setting(..., "The sources that are mixed.", min_length=1)
    share: Optional[float] = setting(None, "Its part of all steps.", gt=0)
    epochs: Optional[float] = setting(
        None, "In place of a share: epochs over its sources, against the other stages.", gt=0)


class Strategy(Settings):
    """A strategy: its stages in order."""

    stages: List[StageShare] = setting(..., "The stages in order.", min_length=1)

    @model_validator(mode="after")
    def _measured_alike(self) -> "Strategy":
        if {(stage.share is None, stage.epochs is None) for stage in self.stages} not in ({(False, True)},
                                                                                          {(True, False)}):
            raise ValueError("give every stage a share, or every stage a number of epochs")
        return self


@dataclass(frozen=True)
class Stage:
    """A stage to be run.

    sources (Tuple[str, ...]): The sources that are mixed.
    updates (int): Updates of the weights.
    """

    sources: Tuple[str, ...]
    updates: int


def plan_stages(name: str, strategies: Mapping[str, Strategy], updates: int,
                given: Mapping[str, float]) -> List[Stage]:
    """Divide a number of updates among the stages of a strategy.

    name (str): The strategy.
    strategies (Mapping[str, Strategy]): All that are known.
    updates (int): Updates of all stages together, whatever the strategy, so that strategies compare.
    given (Mapping[str, float]): The sources that there are, with the words of an epoch.
    RETURNS (List[Stage]): The stages; their updates add up to the number given.
    RAISES BionerError: E511 to E513.
    """
    stages = find_stages(name, strategies, given)
    shares = [stage.share or (stage.epochs or 0) * count_words(stage, given) for stage in stages]
    total = sum(shares)
    done, reached, planned = 0, 0.0, []
    for stage, share in zip(stages, shares):
        reached += share
        until = round(updates * reached / total)
        planned.append(Stage(tuple(stage.sources), until - done))
        done = until
    if any(stage.updates < 1 for stage in planned):
        raise BionerError(Errors.E513.format(updates=updates, stages=len(stages), name=name))
    return planned


def plan_epochs(name: str, strategies: Mapping[str, Strategy], epochs: Sequence[float], given: Collection[str],
                count_steps: Callable[[Sequence[str], float], int]) -> List[Stage]:
    """Give each stage of a strategy the updates that its epochs take, as publications count their trainings.

    name (str): The strategy.
    strategies (Mapping[str, Strategy]): All that are known.
    epochs (Sequence[float]): A number for each stage: epochs over all of its own sources.
    given (Collection[str]): The sources that there are.
    count_steps (Callable[[Sequence[str], float], int]): Says how many updates epochs over sources take.
    RETURNS (List[Stage]): The stages.
    RAISES BionerError: E511, E512, E558 for another number of epochs than of stages.
    """
    stages = find_stages(name, strategies, given)
    if len(epochs) != len(stages):
        raise BionerError(Errors.E558.format(found=len(epochs), wanted=len(stages), name=name))
    return [Stage(tuple(stage.sources), count_steps(stage.sources, count)) for stage, count in zip(stages, epochs)]


def find_stages(name: str, strategies: Mapping[str, Strategy], given: Collection[str]) -> List[StageShare]:
    """Return the stages of a strategy.

    name (str): The strategy.
    strategies (Mapping[str, Strategy]): All that are known.
    given (Collection[str]): The sources that there are.
    RETURNS (List[StageShare]): Its stages, in order.
    RAISES BionerError: E511 for an unknown strategy, E512 for a source that is not given.
    """
    if name not in strategies:
        raise BionerError(Errors.E511.format(name=name, known=", ".join(strategies)))
    stages = strategies[name].stages
    for source in {source for stage in stages for source in stage.sources}:
        if source not in given:
            raise BionerError(Errors.E512.format(name=name, source=source))
    return stages


def count_words(stage: StageShare, given: Mapping[str, float]) -> float:
    """Return the words of an epoch over all sources of a stage."""
    return sum(given[source] for source in stage.sources)
