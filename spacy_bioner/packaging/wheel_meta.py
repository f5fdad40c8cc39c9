"""What the meta.json of a pipeline in a wheel says of its licence and scores; nobody has checked it before."""

from typing import Annotated, Any, Dict, List, Mapping, Optional

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..errors import BionerError, Errors, first_fault
from .wheel_file import WheelFile


class _Checked(BaseModel):
    model_config = ConfigDict(strict=True, extra="allow")


class _Promised(_Checked):
    holds: bool


class _Promise(_Checked):
    missed: float
    labels: Dict[str, _Promised]


class _Micro(_Checked):
    f1: Optional[Annotated[List[float], Field(min_length=3, max_length=3)]] = None


class _Scores(_Checked):
    micro: Optional[_Micro] = None


class _Card(_Checked):
    promise: Optional[_Promise] = None
    scores: Optional[_Scores] = None


class _Own(_Checked):
    card: _Card = _Card()


class _Meta(_Checked):
    sources: Optional[List[Any]] = None
    spacy_bioner: _Own = _Own()


def read_meta(wheel: WheelFile) -> Dict[str, Any]:
    """Read the meta.json of the pipeline.

    wheel (WheelFile): The wheel.
    RETURNS (Dict[str, Any]): What it holds.
    RAISES BionerError: E809 where what the checks read is of another type.
    """
    path = str(wheel.pipeline() / "meta.json")
    found = wheel.read_json(path)
    try:
        _Meta.model_validate(found)
    except ValidationError as error:
        key, why = first_fault(error)
        raise BionerError(Errors.E809.format(path=wheel.path, why=": ".join(filter(None, (path, key, why))))) from None
    return found


def read_card(meta: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the card of a pipeline, empty where it has none."""
    return meta.get("spacy_bioner", {}).get("card", {})
