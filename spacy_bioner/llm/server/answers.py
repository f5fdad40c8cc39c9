"""Reads the answers of servers, of which each part may be of any type."""

import math
import time
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any, Mapping, Optional, Sequence

from ..protocol import Reply
from .token_logprobs import TokenLogprobs, read_logprobs

# Answers that ended by themselves, and answers that the token limit cut, in the words of the servers there are.
STOPPED = frozenset({"stop", "eos", "eos_token", "end_turn", "stop_sequence"})
CUT = frozenset({"length", "max_tokens"})
# Where reasoning stands, which is no part of the answer.
THOUGHT_KEYS = ("reasoning_content", "reasoning")
REFUSED = frozenset({"content_filter", "refusal"})
RETRIED_STATUS = frozenset({408, 409, 425, 429})
SERVER_ERRORS = 500
# Counts of tokens are below this, so that a float holds them and what they cost.
_COUNTS = 2 ** 53


@dataclass(frozen=True)
class Outcome:
    """What one try gave: a reply, or why there is none, and whether and when to try again.

    service_failed (bool): See `Reply`; refused (bool) likewise.
    adapted (bool): Whether the next try leaves out what this one was refused for.
    constrained (bool): Whether the request was sent with a grammar.
    may_cost (bool): Whether the server has worked on it, as far as is known; what it does not count costs the most.
    usage (Mapping[str, int]): Tokens that the server counts, also where the answer is of no use.
    tokens (Sequence[TokenLogprobs]): Tokens of the answer, if it comes with their log-probabilities.
    """

    reply: Optional[Reply] = None
    error: str = ""
    retry: bool = False
    after: Optional[float] = None
    service_failed: bool = False
    refused: bool = False
    adapted: bool = False
    constrained: bool = False
    may_cost: bool = False
    usage: Mapping[str, int] = field(default_factory=dict)
    tokens: Sequence[TokenLogprobs] = ()


def read_answer(answer: Any) -> Outcome:
    """Read an answer with status 200, of which each part may be of any type.

    answer (Any): The answer, as JSON.
    RETURNS (Outcome): A reply, or what is wrong with the answer.
    """
    choices = _get(answer, "choices")
    if not isinstance(choices, list) or not choices:
        return Outcome(error="the answer holds no choices", retry=True)
    counted = _get(answer, "usage")
    counts = {"prompt_tokens": _get(counted, "prompt_tokens"), "answer_tokens": _get(counted, "completion_tokens")}
    usage = {key: count for key, count in counts.items() if type(count) is int and 0 <= count < _COUNTS}
    found = _get(choices[0], "finish_reason")
    reason = found if isinstance(found, str) else None
    if reason in REFUSED:
        return Outcome(error=f"the server refused to answer ({reason})", usage=usage)
    if reason not in STOPPED | CUT:
        return Outcome(error=f"the answer ended with the reason {str(reason)[:20]!r}", retry=True, usage=usage)
    text = read_text(choices[0])
    thought = any(_get(_get(choices[0], "message"), key) for key in THOUGHT_KEYS)
    if text is None or (thought and not text):  # as of a model that has thought until the limit: it would do so again
        why = ", only reasoning: raise max_new_tokens, or lower the effort in extra_body" if thought else ""
        return Outcome(error=f"the answer holds no text{why}", usage=usage)
    return Outcome(reply=Reply(text, "length" if reason in CUT else "stop", usage=dict(usage)), usage=usage,
                   tokens=read_logprobs(choices[0]))


def read_text(choice: Any) -> Optional[str]:
    """Read the text of an answer, in one piece or in parts; parts of other kinds, as thoughts, are left out.

    choice (Any): A choice of the answer: a chat message, or a plain completion.
    RETURNS (Optional[str]): The text, or None where there is none.
    """
    message = _get(choice, "message")
    content = _get(choice, "text") if message is None else _get(message, "content")
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    texts = [part.get("text") for part in parts if isinstance(part, dict) and part.get("type") == "text"]
    written = [text for text in texts if isinstance(text, str)]
    return "".join(written) if texts and len(written) == len(texts) else None


def _get(value: Any, key: str) -> Any:
    return value.get(key) if isinstance(value, dict) else None


def may_pass(status: int) -> bool:
    """Return whether an HTTP status speaks of a failure that may be over at the next try."""
    return status in RETRIED_STATUS or status >= SERVER_ERRORS


def read_retry_after(headers: Mapping[str, str]) -> Optional[float]:
    """Return seconds that a server asks to wait, given as a number or as a date."""
    value = headers.get("retry-after", "").strip()
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        seconds = _seconds_until(value)
    return None if math.isnan(seconds) else max(seconds, 0.0)


def _seconds_until(date: str) -> float:
    """Return seconds from now to a date as HTTP writes it; not a number for anything else."""
    try:
        return parsedate_to_datetime(date).timestamp() - time.time()
    except (ValueError, OverflowError):
        return math.nan
