"""`spacy-bioner encode`: records to the responses that a model is trained on."""

from pathlib import Path
from typing import Any, Dict, List, Optional

import typer

from ..codecs import CODEC_NAMES, list_codecs, make_codec
from ..codecs.recorded import collect_labels, convert_lines, encode_record
from ..errors import BionerError, Errors
from ._shared.outputs import refuse_other_ending, refuse_own_input
from ._shared.schema import read_schema
from ._shared.skipped_lines import report_lines


def encode_cli(
    source: Path = typer.Argument(..., metavar="IN", help="Annotated records as JSON Lines."),
    target: Path = typer.Argument(..., metavar="OUT", help='Where to write {"id", "format", "labels", "text", '
                                  '"output", "skipped"}, one a record, in order; `decode` reads it.'),
    format_: str = typer.Option(..., "--format", help=f"One of: {', '.join(list_codecs())}."),
    labels: Optional[Path] = typer.Option(None, "--labels", help="Label schema (YAML); without it the labels of IN."),
    shape: Optional[str] = typer.Option(None, "--shape", help="For json: offsets (the default), name or context."),
    lines: Optional[str] = typer.Option(None, "--lines", help="For bracket: a line for all labels (the default), or "
                                        "for those occurring."),
) -> None:
    """Write annotated records as responses in one format.

    What the format cannot write is left out of the response and listed under `skipped`. A line that is no record is
    reported with its number and left out; then the exit code is 1.

    Example: spacy-bioner encode gold.jsonl responses.jsonl --format bracket

    Writes the file OUT, one response per line.
    """
    refuse_own_input(target, [source, labels])
    refuse_other_ending(target)
    for option, value, wanted in (("--shape", shape, "json"), ("--lines", lines, "bracket")):
        if value is not None and format_ in CODEC_NAMES and format_ != wanted:
            raise BionerError(Errors.E730.format(option=option, why=f"it is for --format {wanted}"))
    options: Dict[str, Dict[str, Any]] = {"json": {"shape": shape or "offsets"}, "bracket": {"lines": lines or "all"}}
    codec = make_codec(format_, **options.get(format_, {}))
    known: List[str] = list(read_schema(labels).labels) if labels else collect_labels(source)
    report_lines(source, target, lambda report: convert_lines(
        source, target, lambda record: encode_record(record, known, codec), report))
