"""The verb review import: corrections from a tool, merged into the training set."""

import getpass
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Iterator, List, Optional, Set

import typer

from ...annotation import Annotation, index_records
from ...errors import BionerError, Errors
from ...review.choices import Tool
from .._shared.console.terminal import printable
from .._shared.outputs import refuse_other_ending, refuse_own_input

if TYPE_CHECKING:
    from ...review.corrections import Answers

DECISIONS = ".db"
# What `prepare` writes beside its splits.
CARD = "corpus.json"


def review_import_cli(
    corrected: Path = typer.Argument(..., metavar="CORRECTED", help="Export of the tool, or the decisions (.db) of the "
                                                                    "page."),
    train: Path = typer.Argument(..., metavar="TRAIN", help="Training set of the corpus, not what `prepare` wrote: "
                                                            "takes the corrections; made where it is not there."),
    queue: Path = typer.Option(..., help="What was given out, as `review next` wrote it; or the pool."),
    tool: Optional[Tool] = typer.Option(None, help="Tool that CORRECTED is from, where its name does not tell."),
    by: Optional[str] = typer.Option(None, help="Who corrected, where CORRECTED does not say; by default the user."),
    labels: Optional[Path] = typer.Option(None, help="Label schema; by default those of QUEUE, TRAIN and the "
                                                  "page."),
    split: str = typer.Option("", help="Split of the records; by default dev or test where TRAIN is named so, else "
                                       "train."),
) -> None:
    """Merge corrections into the training set.

    They are matched by id and text. Each record keeps who corrected it, when, and how much. What cannot be used is left
    out, a line each, and stays in CORRECTED.

    Example: spacy-bioner review import queue.decisions.db assets/corpora/mine/train.jsonl --queue queue.jsonl

    Writes the file TRAIN.
    """
    from ...corpus.preparation import SPLITS
    from ...formats.jsonl import find_jsonl, read_jsonl, write_jsonl
    from ...review.corrections import Answers, merge_corrections, read_unchanged

    if split not in ("", *SPLITS):
        raise BionerError(Errors.E737.format(option="--split", found=split, wanted=", ".join(SPLITS)))
    refuse_own_input(train, [corrected, queue, labels])
    refuse_other_ending(train)
    refuse_prepared(train)
    given = list(index_records(read_jsonl(queue, raw=True), source=str(queue)).values())
    there = list(read_jsonl(train)) if find_jsonl(train).exists() else []
    index_records(there, source=str(train))
    answers = Answers(lists_open=tool is Tool.label_studio or ".labelstudio." in corrected.name)
    on_page = is_page(corrected, tool)
    # The page cannot change details.
    unchanged = [] if on_page else read_unchanged(given, corrected, format=tool.file_format if tool else "")
    merged = merge_corrections(given, read_corrected(corrected, tool, given, answers), there, answers=answers,
                               unchanged=unchanged, split=split or tell_split(train), by=by or read_user_name(),
                               labels=find_labels(labels, [*given, *there], corrected if on_page else None))
    for line in answers.lines:
        print(f"spacy-bioner: {printable(line, line=True)}", file=sys.stderr)
    if not merged.taken and not merged.known:
        raise BionerError(Errors.E906.format(source=corrected, count=len(answers.lines), skipped=answers.skipped,
                                             foreign=answers.foreign, waiting=answers.waiting))
    write_jsonl(train, merged.records)
    typer.echo(f"{merged.taken} corrections, {merged.renewed} of them again; mentions added {merged.added}, removed or "
               f"changed {merged.removed}, kept {merged.kept}; not answered yet {answers.waiting}, skipped or "
               f"rejected {answers.skipped}")
    if merged.known:
        typer.echo(f"{merged.known} were merged before, or are older than the latest correction of their record")
    if answers.foreign:
        typer.echo(f"{answers.foreign} decisions are about other queues")
    typer.echo(f"{len(merged.records)} records -> {train}")
    if answers.lines:
        raise typer.Exit(1)


def tell_split(train: Path) -> str:
    """Tell the split of a file by its name.

    train (Path): The file that takes corrections.
    RETURNS (str): dev or test where it is named so, else train.
    """
    from ...corpus.importing import tell_part

    part = tell_part(train)
    return part if part in ("dev", "test") else "train"


def refuse_prepared(train: Path) -> None:
    """Refuse a training, dev or test set that `prepare` or `select silver` wrote: the next run writes it anew.

    train (Path): The file that would take corrections.
    RAISES BionerError: E915 where the card of a prepared corpus lies beside it.
    """
    from ...corpus.preparation import SPLITS
    from ..report import read_card

    card = train.parent / CARD
    part = train.name.split(".")[0]
    if part in SPLITS and card.is_file():
        raise BionerError(Errors.E915.format(path=train, part=part, corpus=read_card(card).get("corpus", "")))


def read_user_name() -> str:
    """Read the name of the user.

    RETURNS (str): The name.
    RAISES BionerError: E737 where the system has none, as in a container that runs under a bare number.
    """
    try:
        return getpass.getuser()
    except (ImportError, KeyError, OSError):
        wanted = "who corrects, since the system has no name for this user"
        raise BionerError(Errors.E737.format(option="--by", found="", wanted=wanted)) from None


def is_page(path: Path, tool: Optional[Tool]) -> bool:
    """Return whether a file holds decisions of the page."""
    return tool is None and path.suffix == DECISIONS


def read_corrected(path: Path, tool: Optional[Tool], given: List[Annotation],
                   answers: "Answers") -> Iterator[Annotation]:
    """Read what came back: decisions of the page, or a tool's file."""
    from ...review.corrections import read_answered, read_decided

    if is_page(path, tool):
        return read_decided(path, given, answers)
    return read_answered(path, answers, format=tool.file_format if tool else "")


def find_labels(schema: Optional[Path], records: List[Annotation], decisions: Optional[Path]) -> Optional[Set[str]]:
    """Return the labels that there are, those of the page among them; None where nothing says one."""
    from ...review.decisions import read_page_labels
    from .._shared.schema import read_schema

    if schema is not None:
        return set(read_schema(schema).labels)
    offered = read_page_labels(decisions) if decisions is not None else ()
    return {*offered, *(mention.label for one in records for mention in one.mentions)} or None
