"""Thresholds: one for all labels, or one for each."""

from typing import Mapping, Sequence, Union

import numpy

from ..errors import BionerError, Errors


def check_thresholds(setting: Union[float, Mapping[str, float]]) -> None:
    """Refuse thresholds that are no probabilities.

    setting (Union[float, Mapping[str, float]]): One for all labels, or by label.
    RAISES BionerError: E548.
    """
    for label, value in (setting if isinstance(setting, Mapping) else {"*": setting}).items():
        if not 0 <= value <= 1:
            name = "threshold" if label == "*" else f"threshold of {label}"
            raise BionerError(Errors.E548.format(name=name, found=value, wanted="between 0 and 1"))


def label_values(setting: Union[float, Mapping[str, float]], labels: Sequence[str]) -> numpy.ndarray:
    """Spread a setting over the labels.

    setting (Union[float, Mapping[str, float]]): One value, or values by label, "*" standing for the others.
    labels (Sequence[str]): The labels.
    RETURNS (numpy.ndarray): One value a label, kept off 0 and 1.
    RAISES BionerError: E505 for a label that is not known, or a missing one without "*".
    """
    if not isinstance(setting, Mapping):
        setting = {"*": float(setting)}
    for label in (*setting, *(() if "*" in setting else labels)):
        if label not in ("*", *labels) or (label not in setting):
            raise BionerError(Errors.E505.format(label=label, known=", ".join(labels)))
    values = numpy.asarray([setting.get(label, setting.get("*")) for label in labels], dtype="float64")
    return numpy.clip(values, 1e-6, 1 - 1e-6)
