"""What a metrics file holds, so that any other JSON is told apart from one before it is shown."""

from pathlib import Path
from typing import Any, Dict, List, Mapping, Tuple

from pydantic import BaseModel, ValidationError

from ....errors import BionerError, Errors, first_fault


class _Intervals(BaseModel):
    precision: Tuple[float, float]
    recall: Tuple[float, float]
    f1: Tuple[float, float]


class _Scores(BaseModel):
    precision: float
    recall: float
    f1: float
    tp: int
    fp: int
    fn: int
    intervals: _Intervals


class _Measure(BaseModel):
    micro: _Scores


class _Shifts(BaseModel):
    start: Dict[int, int]
    end: Dict[int, int]
    total: Dict[int, int]
    near: float


class _Confusion(BaseModel):
    labels: List[str]
    table: List[List[int]]
    shifted: List[int]
    missed: List[int]
    spurious: List[int]


class _SystemErrors(BaseModel):
    kinds: Dict[str, int]
    boundary_share: float
    shifts: _Shifts
    confusion: _Confusion
    examples: Dict[str, List[Dict[str, Any]]]
    issues: Dict[str, int]


class _File(BaseModel):
    path: str
    sha256: str


class _System(BaseModel):
    micro: _Scores
    macro: _Scores
    boundary: _Scores
    overlap: _Measure
    strings: _Measure
    labels: Dict[str, _Scores]
    slices: Dict[str, Dict[str, _Scores]]
    errors: _SystemErrors
    documents: _File


class _Gold(BaseModel):
    source: str
    documents: _File
    count: int
    characters: int
    mentions: int
    labels: Dict[str, int]


class _Settings(BaseModel):
    level: float
    resamples: int


class _Metrics(BaseModel):
    version: str
    gold: _Gold
    settings: _Settings
    systems: Dict[str, _System]
    comparisons: List[Dict[str, Any]]
    runs: Dict[str, Dict[str, Any]]


def check_metrics(path: Path, content: Mapping[str, Any]) -> Mapping[str, Any]:
    """Check that a metrics file has all that a report shows; what it has besides is let through.

    path (Path): Where it was read, for the error.
    content (Mapping[str, Any]): What stands there.
    RETURNS (Mapping[str, Any]): The same content.
    RAISES BionerError: E608 with the first key that is missing or holds something else.
    """
    try:
        found = _Metrics.model_validate(content)
    except ValidationError as error:
        key, why = first_fault(error)
        raise BionerError(Errors.E608.format(path=path, why=f"'{key}': {why}")) from None
    if not found.systems:
        raise BionerError(Errors.E608.format(path=path, why="it has no system"))
    return content
