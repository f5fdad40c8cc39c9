"""What a generated sentence must be like, in numbers: the same for the verbs, the component and the checks."""

from pydantic import ValidationInfo, field_validator

from ...settings import Settings, setting


class SentenceBounds(Settings):
    """Bounds of a generated sentence."""

    min_units: int = setting(6, "Fewest pre-tokens of a sentence.", ge=0)
    max_units: int = setting(90, "Most pre-tokens of a sentence.", ge=1)
    max_repeats: int = setting(2, "How often a run of three pre-tokens may occur; of six in a script without spaces.",
                               ge=1)
    similarity: float = setting(
        0.7, "Share of common word trigrams from which two sentences are near-duplicates; 1 turns the check off. "
        "Below 1 each sentence is compared with all before it.", gt=0, le=1)

    @field_validator("max_units")
    @classmethod
    def _has_room(cls, value: int, info: ValidationInfo) -> int:
        least = info.data.get("min_units", 0)
        if value < least:
            raise ValueError(f"no sentence has at least {least} units and at most {value}")
        return value


class CheckSettings(SentenceBounds):
    """Bounds of a generated sentence and its language."""

    lang: str = setting("en", "Language that is wanted.")
