"""The verb audit: likely errors in gold, as a report and as a queue for review."""

from pathlib import Path
from typing import Optional

import typer

from ...annotation import index_records
from ...errors import BionerError, Errors
from ...files import open_atomic
from .._shared.console.progress_bar import show_progress
from .._shared.outputs import name_beside, refuse_other_ending, refuse_own_input, refuse_same_output


def audit_cli(
    corpus: Path = typer.Argument(..., metavar="CORPUS", help="Gold sentences as records."),
    output: Path = typer.Argument(..., metavar="OUT", help="The queue: sentences with likely errors, .jsonl."),
    count: int = typer.Option(200, "--n", min=1, help="How many sentences at most."),
    folds: int = typer.Option(5, min=2, help="Folds; each is predicted by a quick probe of the others."),
    predicted: Optional[Path] = typer.Option(None, help="Predictions with scores for all of CORPUS in place of probes, "
                                                        "by models that have not seen what they predict."),
    report: Optional[Path] = typer.Option(None, help="Report in Markdown; by default beside OUT."),
    seed: int = typer.Option(0, min=0, help="Random seed of folds and weights."),
) -> None:
    """Find likely errors in gold.

    Sentences are ranked by how strongly calibrated predictions contradict them: mentions that are missing, unlikely, or
    have another label or boundary.

    Example: spacy-bioner audit train.jsonl suspects.jsonl

    Writes the file OUT for `review serve`, and the report beside it.
    """
    from ...formats.jsonl import read_jsonl, write_jsonl
    from ...review.gold_audit import audit, predict_folds, take_predictions, write_report

    report = report or name_beside(output, "audit.md")
    refuse_same_output(output, report, "--report")
    for path in (output, report):
        refuse_own_input(path, [corpus, predicted])
    refuse_other_ending(output)
    gold = list(index_records(read_jsonl(corpus), source=str(corpus)).values())
    if not any(one.mentions for one in gold):
        raise BionerError(Errors.E008.format(path=corpus) if not gold else Errors.E045.format(paths=corpus))
    if predicted is not None:
        predictions = take_predictions(gold, index_records(read_jsonl(predicted), source=str(predicted)))
    else:
        with show_progress("folds", total=folds) as advance:
            predictions = predict_folds(gold, folds=folds, seed=seed, advance=advance)
    audited = audit(gold, predictions)
    suspects = [one for one in audited if one.findings][:count]
    write_jsonl(output, (one.to_queue(rank) for rank, one in enumerate(suspects, start=1)))
    with open_atomic(report) as file_:
        file_.write(write_report(audited, corpus=corpus.name.split(".")[0]))
    typer.echo(f"{sum(bool(one.findings) for one in audited)} of {len(audited)} sentences are contradicted; "
               f"the first {len(suspects)} -> {output}, report {report}")
