"""Reads an answer with tags that is exactly a marked copy of its source, whatever the source holds."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import List, Optional, Tuple

from ...annotation import Mention

# Steps that may be taken back before a reply counts as damaged.
_MOST_STEPS = 20_000


@dataclass(frozen=True)
class _Open:
    """A tag not yet closed: where it was opened, where it must be closed, and how the closing tag reads."""

    start: int
    end: int
    label: str
    closing: str


@dataclass(frozen=True)
class _State:
    """Where the walk stands: in the reply, in the source, and with which tags open or done."""

    reply: int
    source: int
    open: Tuple[_Open, ...] = ()
    done: Tuple[_Open, ...] = ()


@lru_cache(maxsize=64)
def _opening(labels: Tuple[str, ...]) -> "re.Pattern[str]":
    longest_first = sorted(labels, key=len, reverse=True)
    return re.compile("<(" + "|".join(map(re.escape, longest_first)) + "):")


def read_exact(text: str, labels: Tuple[str, ...], reply: str) -> Optional[Tuple[Mention, ...]]:
    """Walk a reply along its source, where each step is a source character, an opening or a closing tag.

    text (str): The source text.
    labels (Tuple[str, ...]): The labels of the schema.
    reply (str): The reply.
    RETURNS (Optional[Tuple[Mention, ...]]): The mentions, None where the reply is not such a copy. An opening tag
        names the run of source that follows it, so its end is fixed; what could be a tag or text is tried as a tag
        first, and as text where that leads nowhere.
    """
    opening = _opening(labels)
    pending = [_State(0, 0)]
    for _ in range(_MOST_STEPS):
        if not pending:
            return None
        state = pending.pop()
        due = [tag for tag in state.open if tag.end == state.source]
        if due:
            pending.extend(_close(reply, state, due))
        elif state.reply == len(reply) and state.source == len(text):
            return tuple(Mention(tag.start, tag.end, tag.label, grounding="exact") for tag in state.done)
        else:
            pending.extend(_copy(text, reply, state, opening))
    return None


def _close(reply: str, state: _State, due: List[_Open]) -> List[_State]:
    """Return the states after a closing tag that is due here, the most likely one last."""
    states = []
    for tag in due:
        if reply.startswith(tag.closing, state.reply):
            rest = tuple(other for other in state.open if other is not tag)
            states.append(_State(state.reply + len(tag.closing), state.source, rest, (*state.done, tag)))
    return states


def _copy(text: str, reply: str, state: _State, opening: "re.Pattern[str]") -> List[_State]:
    """Return the states after copied text or an opening tag, the most likely one last."""
    states = []
    due = min((tag.end for tag in state.open), default=len(text))
    mark = reply.find("<", state.reply)
    length = (mark if mark > state.reply else len(reply) if mark < 0 else state.reply + 1) - state.reply
    length = min(length, due - state.source)
    if length > 0 and text.startswith(reply[state.reply:state.reply + length], state.source):
        states.append(_State(state.reply + length, state.source + length, state.open, state.done))
    match = opening.match(reply, state.reply)
    if match:
        states.extend(reversed([_open(state, match, end) for end in _surface_ends(text, reply, match.end(), state)]))
    return states


def _surface_ends(text: str, reply: str, at: int, state: _State) -> List[int]:
    """Return the places of `>` up to which an opening tag repeats the coming source text."""
    ends = []
    end = reply.find(">", at + 1)
    while end >= 0 and text.startswith(reply[at:end], state.source):
        ends.append(end)
        end = reply.find(">", end + 1)
    return ends


def _open(state: _State, match: "re.Match[str]", end: int) -> _State:
    surface = match.string[match.end():end]
    tag = _Open(state.source, state.source + len(surface), match[1], f"</{match[1]}:{surface}>")
    return _State(end + 1, state.source, (*state.open, tag), state.done)
