"""`spacy-bioner encode`: records to the answers that a model is taught."""

from pathlib import Path
from typing import Any, Dict, List, Optional

import typer

from ..codecs import CODEC_NAMES, make_codec
from ..codecs.recorded import collect_labels, convert_lines, encode_record
from .lines import report_lines
from .outputs import refuse_own_input
from .schema import read_schema


def encode_cli(
    source: Path = typer.Argument(..., metavar="IN", help="Annotated records as JSON Lines."),
    target: Path = typer.Argument(..., metavar="OUT", help='Where to write {"id", "format", "labels", "text", '
                                  '"output", "skipped"}, one a record, in order; `decode` reads it.'),
    format_: str = typer.Option(..., "--format", help=f"One of: {', '.join(CODEC_NAMES)}."),
    labels: Optional[Path] = typer.Option(None, "--labels", help="Label schema (YAML); without it the labels of IN."),
    shape: str = typer.Option("offsets", "--shape", help="For json: offsets, name or context."),
    lines: str = typer.Option("all", "--lines", help="For bracket: a line for all labels, or for those occurring."),
) -> None:
    """Write annotated records as answers in one format.

    What the format cannot write is left out of the answer and listed under `skipped`. A line that is no record is
    reported with its number and left out; then the exit code is 1.
    """
    refuse_own_input(target, [source, labels])
    options: Dict[str, Dict[str, Any]] = {"json": {"shape": shape}, "bracket": {"lines": lines}}
    codec = make_codec(format_, **options.get(format_, {}))
    known: List[str] = list(read_schema(labels).labels) if labels else collect_labels(source)
    report_lines(source, target, lambda report: convert_lines(
        source, target, lambda record: encode_record(record, known, codec), report))
