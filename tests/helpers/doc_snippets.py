"""Snippets of the documentation, for tests that run or check them."""

import re
import shlex
from pathlib import Path
from typing import Iterator, List, Tuple

from places import DOCS, ROOT


def list_pages() -> List[Path]:
    """Return all pages, README included."""
    return [ROOT / "README.md", *sorted(page for page in DOCS.rglob("*.md") if "_build" not in page.parts)]


def read_snippets(page: str, kind: str = "python") -> List[str]:
    """Return the snippets of a page in a language, in order."""
    return re.findall(rf"```{kind}\n(.*?)```", (DOCS / page).read_text(encoding="utf8"), re.DOTALL)


def read_snippet(page: str, holding: str) -> str:
    """Return the one snippet of a page that holds some words."""
    snippet, = (snippet for snippet in read_snippets(page) if holding in snippet)
    return snippet


def list_command_lines() -> Iterator[Tuple[str, List[str]]]:
    """Yield page and words of each command line in the documentation, in blocks and in running text."""
    for page in list_pages():
        text = page.read_text(encoding="utf8")
        name = page.relative_to(ROOT).as_posix()
        for block in re.findall(r"^ *```(?:bash|text|)\n(.*?)^ *```", text, re.DOTALL | re.MULTILINE):
            for line in re.sub(r"\\\n", " ", block).splitlines():
                yield name, split_line(line)
        for code in re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL)):
            yield name, split_line(code)


def split_line(line: str) -> List[str]:
    """Return the words of a command line, without prompt and comment."""
    try:
        return shlex.split(line.strip().removeprefix("$ "), comments=True)
    except ValueError:
        return []
