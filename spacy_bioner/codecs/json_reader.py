"""Reads JSON lists of mentions."""

import json
from typing import Tuple

from .base import Reading
from .collect import Collector


def read_items(text: str, labels: Tuple[str, ...], reply: str, *, truncated: bool = False) -> Reading:
    """Read an answer in JSON."""
    found = Collector(text)
    try:
        items = json.loads(reply)
    except ValueError:
        found.issue("no_output" if not reply.strip() else "malformed_json")
        return found.reading()
    at = {}
    for item in items:
        label = item.get("type") or next(key for key in item if key != "context")
        name = item.get("entity") or item.get("name") or item[label]
        if "start_idx" in item:
            found.add(item["start_idx"], item["end_idx"], label)
        else:
            start = text.find(name, at.get(name, 0))
            at[name] = start + 1
            if start >= 0:
                found.add(start, start + len(name), label)
    return found.reading()
