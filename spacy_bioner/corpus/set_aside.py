"""Documents that an annotator could not annotate: they lie beside its output, with their reasons.

Nothing is trained on them. Where a system is scored they count as documents in which it found nothing.
"""

from pathlib import Path
from typing import List

from ..annotation import Annotation
from ..formats.jsonl import read_jsonl


def set_aside_path(output: Path) -> Path:
    """Return where the documents lie that are missing in `output`: OUT.failed.jsonl in place of its ending."""
    name = output.name.removesuffix(".gz")
    return output.with_name(f"{name[:name.rindex('.')]}.failed.jsonl")


def read_set_aside(output: Path) -> List[Annotation]:
    """Return the documents that are missing in `output`, without mentions; usually none."""
    path = set_aside_path(output)
    return [annotation.with_mentions(()) for annotation in read_jsonl(path, raw=True)] if path.is_file() else []
