"""Strategies: which sources are trained on in which order, with how many updates each."""

from dataclasses import dataclass
from typing import List, Mapping, Optional, Tuple

from pydantic import model_validator

from ..errors import BionerError, Errors
from ..settings import Settings, setting


class StageShare(Settings):
    """A stage as a strategy names it: either with a fixed part of all steps, or in proportion to its data."""

    sources: List[str] = setting(..., "The sources that are mixed.", min_length=1)
    share: Optional[float] = setting(None, "Its part of all steps.", gt=0)
    passes: Optional[float] = setting(
        None, "In place of a share: epochs over its sources, against the other stages.", gt=0)


class Strategy(Settings):
    """A strategy: its stages in order."""

    stages: List[StageShare] = setting(..., "The stages in order.", min_length=1)

    @model_validator(mode="after")
    def _measured_alike(self) -> "Strategy":
        if {(stage.share is None, stage.passes is None) for stage in self.stages} not in ({(False, True)},
                                                                                          {(True, False)}):
            raise ValueError("give every stage a share, or every stage a number of passes")
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
    if name not in strategies:
        raise BionerError(Errors.E511.format(name=name, known=", ".join(strategies)))
    stages = strategies[name].stages
    for source in {source for stage in stages for source in stage.sources}:
        if source not in given:
            raise BionerError(Errors.E512.format(name=name, source=source))
    shares = [stage.share or (stage.passes or 0) * sum(given[source] for source in stage.sources) for stage in stages]
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
