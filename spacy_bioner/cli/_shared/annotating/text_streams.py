"""Texts that a verb annotates, and what comes of them: records, and those that failed in a file of their own."""

import json
from collections import Counter
from pathlib import Path
from typing import IO, Callable, Iterable, Iterator, Optional

from ....annotation import Annotation
from ....errors import BionerError, Errors
from ....formats.plain_text import ENDINGS, count_plain_texts


def read_texts(source: Path) -> Iterator[Annotation]:
    """Read texts one by one.

    source (Path): Records, Docs, a .txt file with a document a line, or a folder with a .txt file a document.
    YIELDS (Annotation): The texts, with ids; those of a folder as they lie on the disk, line ends and all.
    RAISES BionerError: E003 where a file is not UTF-8.
    """
    from ....formats import TEXT, read_annotations

    is_text = source.is_dir() or source.name.lower().endswith(ENDINGS)
    yield from read_annotations(source, TEXT if is_text else "", raw=True)


def count_texts(source: Path, limit: Optional[int]) -> Optional[int]:
    """Return how many documents there are to annotate; None where only reading them would tell."""
    if source.is_dir() or source.is_file() and not source.name.lower().endswith(".spacy"):
        count = count_plain_texts(source)
    else:
        return limit
    return min(count, limit) if limit else count


def keep_annotated(annotated: Iterable[Annotation], failures: IO[str], reasons: Counter,
                    advance: Callable[[], None]) -> Iterator[Annotation]:
    """Let through what was annotated, write what failed to its own file, and count its reasons."""
    for annotation in annotated:
        if "error" in annotation.meta:
            reasons[annotation.meta["error"]] += 1
            failures.write(json.dumps(annotation.to_record(), ensure_ascii=False) + "\n")
        else:
            yield annotation
        advance()


def refuse_empty(annotated: Iterator[Annotation], source: Path, reasons: Counter) -> Iterator[Annotation]:
    """Let annotations through, at least one of them: an empty output would look like a finished one."""
    first = next(annotated, None)
    if first is None and reasons:
        (why, most), = reasons.most_common(1)
        raise BionerError(Errors.E735.format(path=source, count=reasons.total(), most=most, why=why))
    if first is None:
        raise BionerError(Errors.E008.format(path=source))
    yield first
    yield from annotated
