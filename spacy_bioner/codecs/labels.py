"""Labels as models write them: found in the schema exactly, or after case, spaces, dashes and width."""

import re
import unicodedata
from functools import lru_cache
from typing import Dict, Optional, Sequence, Tuple

_JOINTS = re.compile(r"[\s_\-]+")


def fold_label(label: str) -> str:
    """Return the label without case, width, spaces, underscores and dashes."""
    return _JOINTS.sub("", unicodedata.normalize("NFKC", label).casefold())


class LabelBook:
    """The labels of a schema, looked up as models write them.

    labels (Tuple[str, ...]): The labels.
    """

    def __init__(self, labels: Sequence[str]) -> None:
        self.labels = tuple(labels)
        self._exact = frozenset(labels)
        folded: Dict[str, Optional[str]] = {}
        for label in self.labels:
            key = fold_label(label)
            folded[key] = None if key in folded else label
        self._folded = folded

    def find(self, written: str) -> Tuple[Optional[str], bool]:
        """Look a label up.

        written (str): What the model wrote.
        RETURNS (Tuple[Optional[str], bool]): The label, None where there is no such one or it is not clear which;
            and whether it was written as in the schema.
        """
        if written in self._exact:
            return written, True
        return self._folded.get(fold_label(written)), False

    @property
    def only(self) -> Optional[str]:
        """Return the label of a schema that has just one."""
        return self.labels[0] if len(self.labels) == 1 else None


@lru_cache(maxsize=64)
def label_book(labels: Tuple[str, ...]) -> LabelBook:
    """Return the labels of a schema, kept for the next reply."""
    return LabelBook(labels)
