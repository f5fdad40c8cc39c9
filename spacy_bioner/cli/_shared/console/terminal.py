"""What reaches the terminal: control characters of labels, ids, texts and model output are escaped in one place."""

import os
import re
import sys
import warnings
from contextlib import contextmanager
from typing import Any, Iterator, TextIO

from ....files import naming

# C0 without tab and line feed, delete, C1, marks and overrides of direction, separators, lone surrogates.
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
_BOLD = re.compile("\x1b\\[[01]m")


def printable(text: str, *, line: bool = False) -> str:
    """Escape what a terminal would obey.

    text (str): Any text.
    line (bool): Whether line feeds are escaped too, so that the text stays one line.
    RETURNS (str): The text; control characters as Python writes them ("\\x1b").
    """
    escaped = _CONTROLS.sub(lambda match: match[0].encode("unicode_escape").decode("ascii"), text)
    return escaped.replace("\n", "\\n") if line else escaped


# Modules whose warnings a user of the command line cannot act on.
_LIBRARIES = r"(torch|transformers|peft|huggingface_hub|accelerate|spacy_llm|spacy|thinc|ray)(\.|$)"


class EscapedStream:
    """A text stream that escapes what is written to it; not taken for a terminal, so that nobody colours it.

    raw (TextIO): The stream.
    """

    def __init__(self, raw: TextIO) -> None:
        self.raw = raw

    def write(self, text: str) -> int:
        with naming(self._where()):
            # A line ending of two characters is no attempt to overwrite the line, and bold type hides nothing: weasel
            # sets its headings in it, whatever the stream is.
            self.raw.write(printable(_BOLD.sub("", text.replace("\r\n", "\n"))))
        return len(text)

    def flush(self) -> None:
        with naming(self._where()):
            self.raw.flush()

    def _where(self) -> str:
        """Return what the stream is called in errors."""
        name = str(getattr(self.raw, "name", ""))
        return {"<stdout>": "standard output", "<stderr>": "standard error"}.get(name, name)

    def writelines(self, lines: Any) -> None:
        for line in lines:
            self.write(line)

    def isatty(self) -> bool:
        return False

    def __getattr__(self, name: str) -> Any:
        if name in ("buffer", "raw"):  # neither the bytes, nor a lookup before there is a stream
            raise AttributeError(name)
        return getattr(self.raw, name)


@contextmanager
def escaped_output() -> Iterator[None]:
    """Escape all that is printed, logged or warned about in the block, whoever does it."""
    before = sys.stdout, sys.stderr
    colours = os.environ.get("ANSI_COLORS_DISABLED")
    os.environ["ANSI_COLORS_DISABLED"] = "1"
    sys.stdout, sys.stderr = (each if isinstance(each, EscapedStream) else EscapedStream(each) for each in before)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before
        if colours is None:
            del os.environ["ANSI_COLORS_DISABLED"]


def quiet_libraries() -> None:
    """Keep bars and warnings of libraries from the terminal, unless the user asks for them by the environment.

    This must run before the libraries are imported.
    """
    for name in ("TQDM_DISABLE", "HF_HUB_DISABLE_PROGRESS_BARS"):
        os.environ.setdefault(name, "1")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    if not sys.warnoptions and "PYTHONWARNINGS" not in os.environ:
        warnings.filterwarnings("ignore", module=_LIBRARIES)


def console(*, stderr: bool = False) -> Any:
    """Make a console for tables and bars, which move the cursor themselves; what they show goes through `printable`.

    stderr (bool): Whether it writes to standard error.
    RETURNS (Console): A rich console.
    """
    from rich.console import Console

    stream: Any = sys.stderr if stderr else sys.stdout
    return Console(file=stream.raw if isinstance(stream, EscapedStream) else stream)
