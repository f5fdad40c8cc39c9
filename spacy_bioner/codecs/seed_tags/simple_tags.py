"""Reads a copy of a known text with tags that repeat nothing: `<label>...</label>`."""

import re
from typing import List, Optional, Tuple

from ...annotation import Mention

# Steps that may be taken back before a reply counts as damaged.
_MOST_STEPS = 20_000

# Place in the reply, place in the source, open tags as (start, label), finished mentions.
_State = Tuple[int, int, Tuple[Tuple[int, str], ...], Tuple[Mention, ...]]


def read_simple(text: str, labels: Tuple[str, ...], reply: str) -> Optional[Tuple[Mention, ...]]:
    """Walk a reply along its source, where each step is a tag or source characters.

    text (str): The source text.
    labels (Tuple[str, ...]): The labels of the schema.
    reply (str): The reply.
    RETURNS (Optional[Tuple[Mention, ...]]): The mentions, None where the reply is not such a copy. What could be a
        tag or text is tried as a tag first, and as text where that leads nowhere.
    """
    tag = re.compile("<(/?)(" + "|".join(map(re.escape, sorted(labels, key=len, reverse=True))) + ")>")
    pending: List[_State] = [(0, 0, (), ())]
    for _ in range(_MOST_STEPS):
        if not pending:
            return None
        at, place, open_, done = pending.pop()
        if at == len(reply) and place == len(text) and not open_:
            return done
        mark = reply.find("<", at)
        end = mark if mark > at else len(reply) if mark < 0 else at + 1
        if end > at and text.startswith(reply[at:end], place):
            pending.append((end, place + end - at, open_, done))
        match = tag.match(reply, at) if labels else None
        if match and not match[1]:
            pending.append((match.end(), place, (*open_, (place, match[2])), done))
        elif match:
            partner = next((tag_ for tag_ in reversed(open_) if tag_[1] == match[2] and tag_[0] < place), None)
            if partner is not None:
                rest = list(open_)
                del rest[len(rest) - 1 - rest[::-1].index(partner)]
                found = Mention(partner[0], place, match[2], grounding="exact")
                pending.append((match.end(), place, tuple(rest), (*done, found)))
    return None
