"""Numbered error and warning messages: what was found, what was wanted, what to do.

One module per area; the first digit of a code is its area.
"""

from typing import Any, Tuple

from .cli_errors import CliErrors
from .codec_errors import CodecErrors
from .evaluation_errors import EvaluationErrors, EvaluationWarnings
from .file_errors import FileErrors
from .finetuning_errors import FinetuningErrors, FinetuningWarnings
from .llm_errors import LlmErrors, LlmWarnings
from .review_errors import ReviewErrors
from .shipping_errors import ShippingErrors
from .synthesis_errors import SynthesisErrors, SynthesisWarnings
from .training_errors import TrainingErrors, TrainingWarnings


class BionerError(ValueError):
    """An error that the user can act on; the command line prints it as one line and exits with code 1."""


def first_fault(error: Any) -> Tuple[str, str]:
    """Take the first fault of settings that do not fit.

    error (Any): A ValidationError of pydantic.
    RETURNS (Tuple[str, str]): The dotted key, and what is wrong with it.
    """
    fault = error.errors()[0]
    return ".".join(map(str, fault["loc"])), fault["msg"]


def describe(error: BaseException) -> str:
    """Return what an error says, on one line, of bounded length where it is none of ours."""
    said = " ".join(str(error).split())
    if isinstance(error, BionerError):
        return said
    said = said[:200]
    return said if isinstance(error, ValueError) and said else f"{type(error).__name__} {said}".strip()


class Errors(FileErrors, CodecErrors, LlmErrors, FinetuningErrors, SynthesisErrors, TrainingErrors, EvaluationErrors,
             ReviewErrors, CliErrors, ShippingErrors):
    """The messages of all errors."""


class Warnings(LlmWarnings, FinetuningWarnings, SynthesisWarnings, TrainingWarnings, EvaluationWarnings):
    """The messages of all warnings."""
