"""A reply as a row of the cache, and back: what was changed on the way, by whatever, is not read."""

import hashlib
import json
from typing import Any, List, Optional, Tuple

from ...annotation import Mention
from ..protocol import Reply

_REASONS = ("stop", "length")
_GROUNDINGS = (None, "exact", "fuzzy")


def write_row(key: str, reply: Reply) -> Tuple[str, str, str]:
    """Return the key, reply as JSON and their checksum; lone surrogates are escaped, since SQLite
    refuses them."""
    scored = {} if reply.scored is None else {"scored": _write_mentions(reply.scored)}
    spelt = json.dumps({"text": reply.text, "finish_reason": reply.finish_reason,
                        "mentions": _write_mentions(reply.mentions), "usage": dict(reply.usage), **scored})
    return key, spelt, _checksum(key, spelt)


def read_row(key: str, spelt: Any, checksum: Any) -> Optional[Reply]:
    """Return the reply that `write_row` wrote; None where a byte of it has changed, or where it is
    no reply."""
    if not isinstance(spelt, str) or checksum != _checksum(key, spelt):
        return None
    try:
        return _read(json.loads(spelt))
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def fits_text(reply: Reply, text: str) -> bool:
    """Return whether all mentions of a reply lie in the text that was asked for."""
    return all(mention.end <= len(text) for mention in (*(reply.mentions or ()), *(reply.scored or ())))


def _write_mentions(mentions: Optional[Tuple[Mention, ...]]) -> Optional[List[List[Any]]]:
    return None if mentions is None else [
        [mention.start, mention.end, mention.label, mention.score, mention.grounding] for mention in mentions]


def _read_mentions(mentions: Any) -> Optional[Tuple[Mention, ...]]:
    return None if mentions is None else tuple(map(_read_mention, mentions))


def _checksum(key: str, spelt: str) -> str:
    return hashlib.sha256(f"{key} {spelt}".encode("utf8", "surrogatepass")).hexdigest()[:32]


def _read(content: Any) -> Reply:
    """Check the types of each part. RAISES ValueError, KeyError or TypeError for what is no reply."""
    usage = content["usage"]
    if not isinstance(content["text"], str) or content["finish_reason"] not in _REASONS or not isinstance(usage, dict):
        raise ValueError
    if not all(_is_number(value) for value in usage.values()):
        raise ValueError
    return Reply(text=content["text"], finish_reason=content["finish_reason"], usage=usage,
                 mentions=_read_mentions(content["mentions"]), scored=_read_mentions(content.get("scored")))


def _read_mention(fields: Any) -> Mention:
    start, end, label, score, grounding = fields
    if not (type(start) is type(end) is int and 0 <= start < end and isinstance(label, str) and label
            and (score is None or _is_number(score) and 0 <= score <= 1) and grounding in _GROUNDINGS):
        raise ValueError
    return Mention(start, end, label, score=score, grounding=grounding)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
