"""Settings of components that are numbers: one out of its range trains without a word, and to nothing."""

import math
from typing import Union

from ..errors import BionerError, Errors


def check_number(name: str, value: Union[int, float], *, least: float, most: float = math.inf,
                 ends: bool = True) -> None:
    """Refuse a number out of its range.

    name (str): The setting.
    value (Union[int, float]): Its value.
    least (float): The lower end of the range.
    most (float): The upper end of the range.
    ends (bool): Whether the two ends are in it.
    RAISES BionerError: E548.
    """
    if not (least <= value <= most if ends else least < value < most):
        between = f"{least:g} and {most:g}" if most < math.inf else ""
        wanted = (f"between {between}" if between else f"{least:g} at least" if ends else f"above {least:g}")
        raise BionerError(Errors.E548.format(name=name, found=value, wanted=wanted))
