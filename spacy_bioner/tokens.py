"""Units: the smallest pieces of a text that a mention may begin or end at.

The tokenizer of the trained pipeline, the suggesters and grounded decoding all cut a text here, so that what the
teacher can mark the student can learn. A unit is a run of letters and digits, one Chinese, Japanese or Korean
character, or one other visible character; white space belongs to no unit.
"""

import re
from typing import List, Tuple

# Raised when texts are cut differently: adapters and pipelines depend on it.
UNITS_VERSION = 1

# Scripts from here on have no spaces between their words.
UNSPACED = "\u2e80"
_SINGLE = "\u2e80-\u2fff\u3001-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
_MARK = "\u0300-\u036f\u1ab0-\u1aff\u20d0-\u20ff\u200d\ufe00-\ufe0f"
_UNIT = re.compile(
    rf"[{_SINGLE}][{_MARK}]*"
    rf"|(?:[^\W_{_SINGLE}][{_MARK}]*)+"
    rf"|\S[{_MARK}]*"
)


def find_units(text: str) -> List[Tuple[int, int]]:
    """Cut a text into units.

    text (str): The text.
    RETURNS (List[Tuple[int, int]]): Start and end of each unit in code points, in text order; all that lies
        between them is white space.
    """
    return [match.span() for match in _UNIT.finditer(text)]
