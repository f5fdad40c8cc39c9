"""Strategies: which sources are trained on in which order, with how many updates each."""

from dataclasses import dataclass
from typing import List, Mapping, Sequence, Tuple

from pydantic import BaseModel, ConfigDict, Field

from ..errors import BionerError, Errors


class StageShare(BaseModel):
    """A stage as a strategy names it.

    sources (List[str]): The sources that are mixed.
    share (float): Its part of all updates.
    """

    model_config = ConfigDict(extra="forbid")

    sources: List[str] = Field(min_length=1)
    share: float = Field(gt=0)


class Strategy(BaseModel):
    """A strategy: its stages in order."""

    model_config = ConfigDict(extra="forbid")

    stages: List[StageShare] = Field(min_length=1)


@dataclass(frozen=True)
class Stage:
    """A stage to be run.

    sources (Tuple[str, ...]): The sources that are mixed.
    updates (int): Updates of the weights.
    """

    sources: Tuple[str, ...]
    updates: int


def plan_stages(name: str, strategies: Mapping[str, Strategy], updates: int,
                given: Sequence[str]) -> List[Stage]:
    """Divide a number of updates among the stages of a strategy.

    name (str): The strategy.
    strategies (Mapping[str, Strategy]): All that are known.
    updates (int): Updates of all stages together, whatever the strategy, so that strategies compare.
    given (Sequence[str]): The sources that there are.
    RETURNS (List[Stage]): The stages; their updates add up to the number given.
    RAISES BionerError: E515 to E517.
    """
    if name not in strategies:
        raise BionerError(Errors.E515.format(name=name, known=", ".join(strategies)))
    stages = strategies[name].stages
    for source in {source for stage in stages for source in stage.sources}:
        if source not in given:
            raise BionerError(Errors.E516.format(name=name, source=source))
    total = sum(stage.share for stage in stages)
    done, reached, planned = 0, 0.0, []
    for stage in stages:
        reached += stage.share
        until = round(updates * reached / total)
        planned.append(Stage(tuple(stage.sources), until - done))
        done = until
    if any(stage.updates < 1 for stage in planned):
        raise BionerError(Errors.E517.format(updates=updates, stages=len(stages), name=name))
    return planned
