"""The verb review serve: a page on this machine on which a queue is corrected."""

from contextlib import suppress
from pathlib import Path
from typing import Optional

import typer

from ...annotation import index_records
from ...errors import BionerError, Errors
from .._shared.console.signals import Stopped
from .._shared.outputs import name_beside, refuse_own_input
from .._shared.schema import read_schema
from .import_corrections import read_user_name


def review_serve_cli(
    queue: Path = typer.Argument(..., metavar="QUEUE", help="Sentences to correct, as `review next` or `audit` wrote "
                                                            "them, or any silver records."),
    decisions: Optional[Path] = typer.Option(None, help="File that keeps the decisions; by default beside QUEUE."),
    labels: Optional[Path] = typer.Option(None, help="Label schema; by default the labels that occur in QUEUE."),
    by: Optional[str] = typer.Option(None, help="Who corrects; by default the user."),
    port: int = typer.Option(8800, min=0, max=65535, help="Port on 127.0.0.1; 0 for any that is free."),
) -> None:
    """Correct a queue on a local page.

    The page needs no network, and only this machine can reach it. Each decision is on disk before the page says so.
    Ctrl-C ends the server; the next one resumes.

    Example: spacy-bioner review serve queue.jsonl --labels labels.yml

    Writes the file of decisions, which `review import` reads.
    """
    from ...formats.jsonl import read_jsonl
    from ...review.correction_page import HOST, Review, list_suggestions, make_page
    from ...review.decisions import DecisionLog
    from ...serving.app import listen, serve

    kept = decisions or name_beside(queue, "decisions.db")
    refuse_own_input(kept, [queue, labels])
    records = list(index_records(read_jsonl(queue, raw=True), source=str(queue)).values())
    if not records:
        raise BionerError(Errors.E008.format(path=queue))
    known = list(read_schema(labels).labels) if labels is not None else sorted(
        {label for one in records for label in (*(mention.label for mention in one.mentions),
                                                *(each["label"] for each in list_suggestions(one)))})
    if not known:
        raise BionerError(Errors.E737.format(option="--labels", found="", wanted=f"a label schema, since {queue} has "
                                                                                 "no mention"))
    log = DecisionLog(kept, records)
    log.keep_labels(known)
    review = Review(records, log, known, by or read_user_name(), queue.name.split(".")[0])
    taken = listen(HOST, port)
    number = taken.getsockname()[1]
    typer.echo(f"Decisions are kept in {kept}. Open {review.address(number)}")
    with suppress(Stopped):
        serve(make_page(review, number), taken)
