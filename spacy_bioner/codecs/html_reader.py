"""Reads an answer with tags: exactly where it is a marked copy of its source, else tag by tag."""

from typing import Tuple

from .base import Reading
from .collect import Collector
from .crossing import find_crossing
from .html_exact import read_exact
from .replies import strip_fences, strip_reasoning


def read_tags(text: str, labels: Tuple[str, ...], reply: str, *, truncated: bool = False) -> Reading:
    """Read an answer in HTML-like tags.

    text (str): The source text.
    labels (Tuple[str, ...]): The labels of the schema.
    reply (str): What the model wrote.
    truncated (bool): Whether the token limit cut it.
    RETURNS (Reading): Mentions and issues.
    """
    found = Collector(text)
    body = strip_fences(strip_reasoning(reply, found), found)
    if truncated:
        found.issue("truncated")
    mentions = read_exact(text, labels, body)
    if mentions is not None:
        for mention in mentions:
            found.add(mention.start, mention.end, mention.label)
    elif not body.strip():
        found.issue("no_output")
    for first, second in find_crossing(found.mentions):
        found.issue("crossing", f"{first.start}-{first.end} {second.start}-{second.end}")
    return found.reading()
