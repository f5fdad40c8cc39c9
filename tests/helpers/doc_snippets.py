"""Python snippets of the documentation, for tests that run them."""

import re
from typing import List

from places import DOCS


def read_snippets(page: str) -> List[str]:
    """Return the Python snippets of a page, in order."""
    return re.findall(r"```python\n(.*?)```", (DOCS / page).read_text(encoding="utf8"), re.DOTALL)


def read_snippet(page: str, holding: str) -> str:
    """Return the one snippet of a page that holds some words."""
    snippet, = (snippet for snippet in read_snippets(page) if holding in snippet)
    return snippet
