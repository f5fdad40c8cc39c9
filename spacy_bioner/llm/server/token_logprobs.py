"""Reads the log-probabilities of an answer's tokens, in the forms that servers give; each part may be of any type."""

import math
from itertools import starmap
from typing import Any, Dict, Iterable, List, NamedTuple, Optional, Tuple

# How many tokens are asked for at each place of an answer; more are refused by some servers.
LISTED = 20
_Entry = Tuple[bytes, float]
# Servers write this, or minus infinity, for what cannot come.
_LEAST = -9999.0


class TokenLogprobs(NamedTuple):
    """A token of an answer, and what might have stood there.

    data (bytes): Its bytes.
    logprob (float): Its log-probability.
    listed (Tuple[Tuple[bytes, float], ...]): The most probable tokens at this place, as bytes and log-probability, and
        itself among them.
    """

    data: bytes
    logprob: float
    listed: Tuple[Tuple[bytes, float], ...]


def logprob_parameters(*, chat: bool) -> Dict[str, Any]:
    """Return what is added to a request so that its answer comes with log-probabilities.

    chat (bool): Whether a chat message is asked for, or a plain completion, which takes another parameter.
    """
    return {"logprobs": True, "top_logprobs": LISTED} if chat else {"logprobs": LISTED}


def read_logprobs(choice: Any) -> Tuple[TokenLogprobs, ...]:
    """Read the log-probabilities of an answer.

    choice (Any): A choice of the answer: a chat message, or a plain completion.
    RETURNS (Tuple[TokenLogprobs, ...]): Its tokens that are not empty, in order; none where the answer comes without
        log-probabilities, or where one of them cannot be read.
    """
    found = choice.get("logprobs") if isinstance(choice, dict) else None
    if not isinstance(found, dict):
        return ()
    content = found.get("content")
    tokens = _read_content(content) if isinstance(content, list) else _read_columns(found)
    return () if tokens is None else tuple(token for token in tokens if token.data)


def _read_content(content: List[Any]) -> Optional[List[TokenLogprobs]]:
    """Read a list with one object a token; None where one cannot be read."""
    tokens = []
    for item in content:
        own = _read_entry(item)
        others = (item.get("top_logprobs") or []) if own is not None else None
        token = _join(own, map(_read_entry, others)) if isinstance(others, list) else None
        if token is None:
            return None
        tokens.append(token)
    return tokens


def _read_columns(found: Dict[str, Any]) -> Optional[List[TokenLogprobs]]:
    """Read the three lists that plain completions give; None where they cannot be read."""
    columns = [found.get(key) for key in ("tokens", "token_logprobs", "top_logprobs")]
    if not all(isinstance(column, list) for column in columns) or len(set(map(len, filter(None, columns)))) != 1:
        return None
    tokens = []
    for token, logprob, others in zip(*(column or [] for column in columns)):
        own, pairs = _read_pair(token, logprob), others or {}
        read = _join(own, starmap(_read_pair, pairs.items())) if isinstance(pairs, dict) else None
        if read is None:
            return None
        tokens.append(read)
    return tokens


def _join(own: Optional[_Entry], others: Iterable[Optional[_Entry]]) -> Optional[TokenLogprobs]:
    """Return a token with those listed; None where one of them could not be read."""
    listed = [other for other in (own, *others) if other is None or other != own]
    if own is None or None in listed:
        return None
    return TokenLogprobs(*own, (own, *filter(None, listed)))


def _read_entry(item: Any) -> Optional[_Entry]:
    """Return a token with its log-probability; its bytes go before its text, which may hold a part of a character."""
    if not isinstance(item, dict):
        return None
    pair = _read_pair(item.get("token"), item.get("logprob"))
    numbers = item.get("bytes")
    if pair is None or not isinstance(numbers, list):
        return pair
    if not all(type(number) is int and 0 <= number < 256 for number in numbers):
        return None
    return bytes(numbers), pair[1]


def _read_pair(token: Any, logprob: Any) -> Optional[_Entry]:
    if not isinstance(token, str) or type(logprob) not in (int, float):
        return None
    # Bounded first: an integer may be too large for a float.
    bounded = float(min(max(logprob, _LEAST), 0.0))
    return None if math.isnan(bounded) else (token.encode("utf8", "surrogatepass"), bounded)
