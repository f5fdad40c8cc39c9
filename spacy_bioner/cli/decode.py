"""`spacy-bioner decode`: recorded replies to spans."""

from pathlib import Path

import typer

from ..codecs.recorded import convert_lines, decode_record
from ._shared.outputs import refuse_other_ending, refuse_own_input
from ._shared.skipped_lines import report_lines


def decode_cli(
    source: Path = typer.Argument(..., metavar="IN", help='Replies as JSON Lines: {"id", "format", "labels", "text", '
                                  '"output"}, with "seeds" instead of "text" for seed_tags.'),
    target: Path = typer.Argument(..., metavar="OUT", help='Where to write {"id", "spans", "issues"}, one a reply, '
                                  'in order; for seed_tags also "text" and "keep".'),
    repair: bool = typer.Option(False, "--repair", help="For seed_tags: tag seeds that are not tagged, and widen tags "
                                "that cover a part of one."),
) -> None:
    """Decode recorded responses: exact character spans, and what was wrong with each response.

    A line that is no such record is reported with its number and left out; then the exit code is 1.

    Example: spacy-bioner decode responses.jsonl decoded.jsonl

    Writes the file OUT, one record per line.
    """
    refuse_own_input(target, [source])
    refuse_other_ending(target)
    report_lines(source, target, lambda report: convert_lines(
        source, target, lambda record: decode_record(record, repair=repair), report))
