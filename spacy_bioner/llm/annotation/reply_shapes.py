"""Notices a run whose responses the codec cannot read, and says so with their shapes, which hold no text."""

import re
from dataclasses import dataclass, field, replace
from typing import Any, Dict, List, Optional

from ...codecs.base import Reading
from ...errors import Warnings
from ..protocol import Reply

# Issues of a reply in which the codec finds nothing that it knows.
UNREADABLE = frozenset({"no_output", "malformed_json", "bad_item", "no_wrapper"})
# Issues that come together where an answer in another format is taken for a copy of the text.
NOTHING_COPIED = frozenset({"text_changed", "not_found"})
_EXAMPLES = 2
_LONGEST = 60
# Fewer replies may well hold no mention.
_FEWEST = 10
_MOST_EMPTY = 0.9
_WORDS = re.compile(r"[^\W\d_]+(?:\s+[^\W\d_]+)*")
_DIGITS = re.compile(r"\d+")


@dataclass
class ReplyShapes:
    """Counts the replies of a run by whether they could be read.

    codec (str): Name of the codec that reads them.
    replies (int): Freely written replies.
    unreadable (int): Those in which nothing could be read.
    empty (int): Those without a mention, readable or not.
    shapes (List[str]): Shapes of the first ones without a mention.
    """

    codec: str = ""
    replies: int = 0
    unreadable: int = 0
    empty: int = 0
    shapes: List[str] = field(default_factory=list)

    def add(self, reply: Reply, reading: Reading) -> None:
        """Count a reply; what is grounded while it is written cannot be unreadable."""
        if reply.mentions is not None:
            return
        self.replies += 1
        if reading.mentions:
            return
        self.empty += 1
        kinds = {issue.kind for issue in reading.issues}
        if kinds & UNREADABLE or kinds >= NOTHING_COPIED:
            self.unreadable += 1
        self._keep(describe_shape(reply.text))

    def take(self) -> "ReplyShapes":
        """Return the counts so far, and begin anew."""
        taken = replace(self)
        self.replies = self.unreadable = self.empty = 0
        self.shapes = []
        return taken

    def join(self, other: "ReplyShapes") -> None:
        """Add the counts of another process."""
        self.codec = other.codec
        self.replies += other.replies
        self.unreadable += other.unreadable
        self.empty += other.empty
        for shape in other.shapes:
            self._keep(shape)

    def _keep(self, shape: str) -> None:
        if len(self.shapes) < _EXAMPLES and shape not in self.shapes:
            self.shapes.append(shape)

    @property
    def is_useless(self) -> bool:
        """Return whether there are replies, and nothing could be read in any of them."""
        return 0 < self.replies == self.unreadable

    def warning(self) -> Optional[str]:
        """Return what to say at the end of the run: a warning where most replies could not be read or hardly any holds
        a span, else None."""
        if not self.replies:
            return None
        mostly_empty = self.replies >= _FEWEST and self.empty >= _MOST_EMPTY * self.replies
        if 2 * self.unreadable <= self.replies and not mostly_empty:
            return None
        return Warnings.W206.format(**self.facts())

    def facts(self) -> Dict[str, Any]:
        """Return what messages say of the replies: counts, shapes, and the setting to try."""
        return {"unreadable": self.unreadable, "empty": self.empty, "count": self.replies,
                "shapes": " and ".join(self.shapes), "setting": self._advise()}

    def _advise(self) -> str:
        codec, shapes = self.codec, " ".join(self.shapes)
        if codec != "json" and any(shape.startswith(("[{", "{", "[]", "```")) for shape in self.shapes):
            return "codec = json"
        if codec != "html" and "</" in shapes:
            return "codec = html"
        if "(empty)" in shapes:
            return "a greater max_new_tokens"
        return "structured = true, a grammar, or examples" if codec == "json" else "codec = json"


def describe_shape(reply: str) -> str:
    """Return the beginning of a reply with its words as "a" and its numbers as "0"; nothing of its text is left."""
    start = " ".join(reply[:400].split())
    shape = _DIGITS.sub("0", _WORDS.sub("a", start))
    return "(empty)" if not shape else shape[:_LONGEST] + ("..." if len(shape) > _LONGEST else "")
