"""What a generated sentence must be like, in numbers: the same for the verbs, the component and the checks."""

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator


class SentenceBounds(BaseModel):
    """Bounds of a generated sentence.

    min_units (int): Fewest units.
    max_units (int): Most units.
    max_repeats (int): How often a run of three units may occur.
    similarity (float): From which share of common word trigrams two sentences are near-duplicates; 1 turns it off.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    min_units: int = Field(5, ge=0)
    max_units: int = Field(100, ge=1)
    max_repeats: int = Field(2, ge=1)
    similarity: float = Field(0.7, gt=0, le=1)

    @field_validator("max_units")
    @classmethod
    def _has_room(cls, value: int, info: ValidationInfo) -> int:
        least = info.data.get("min_units", 0)
        if value < least:
            raise ValueError(f"no sentence has at least {least} units and at most {value}")
        return value


class CheckSettings(SentenceBounds):
    """Bounds of a generated sentence and its language.

    lang (str): Language that is wanted.
    """

    lang: str = "en"
