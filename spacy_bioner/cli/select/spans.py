"""The verb select spans: annotated records in, the same without the mentions that a selector finds wrong out."""

from collections import Counter
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, List, Optional, Sequence, Tuple

import typer

from ...annotation import Annotation
from ...errors import BionerError, Errors
from .._shared.gpu import set_up_gpu
from .._shared.outputs import name_beside, refuse_other_ending, refuse_own_input, refuse_same_output


def select_spans_cli(
    sources: List[Path] = typer.Argument(..., metavar="IN...", help="Annotated records."),
    output: Path = typer.Argument(..., metavar="OUT", help="Records with the mentions that are kept."),
    selector: Path = typer.Option(..., help="Pipeline with a span_selector, as `train selector` makes it."),
    rejected: Optional[Path] = typer.Option(None, help="Records with the dropped mentions; by default beside OUT."),
    gpu_id: int = typer.Option(-1, "--gpu-id", "-g", min=-1, help="GPU, -1 for the CPU."),
) -> None:
    """Drop spans that are likely wrong, by a trained selector.

    The score of a span that is kept is its probability of being correct.

    Example: spacy-bioner select spans annotated.jsonl selected.jsonl --selector training/selector/model-best

    Writes the file OUT; dropped spans go beside it, to .rejected.jsonl.
    """
    from ...corpus.set_aside import set_aside_path

    rejected = rejected or name_beside(output, "rejected.jsonl")
    refuse_same_output(output, rejected, "--rejected")
    for path in (output, rejected):
        refuse_own_input(path, sources)
        refuse_other_ending(path)
    refuse_own_input(set_aside_path(output), sources)
    set_up_gpu(gpu_id)
    counts = select_files(sources, output, selector=selector, rejected=rejected)
    typer.echo(f"{'label':<28}{'given':>9}{'kept':>9}{'dropped':>9}{'unplaced':>9}")
    for label, count in sorted(counts.items()):
        typer.echo(f"{label:<28}{count['given']:>9}{count['kept']:>9}{count['dropped']:>9}{count['unplaced']:>9}")


def select_files(sources: Sequence[Path], output: Path, *, selector: Path, rejected: Path) -> Dict[str, Counter]:
    """Judge the mentions of files of records.

    sources (Sequence[Path]): Annotated records.
    output (Path): Takes the records with what is kept.
    selector (Path): A pipeline with a span selector.
    rejected (Path): Takes the records that lost mentions, with these.
    RETURNS (Dict[str, Counter]): Label to given, kept, dropped, unplaced.
    RAISES BionerError: E001 and E549 for the pipeline, E522 where it has no selector, E517 for a label that the
        selector has not learnt.
    """
    from ...formats.jsonl import read_jsonl, write_jsonl
    from ...pipeline.record_selector import select_records
    from ...training.pipeline_loading import load_pipeline

    nlp = load_pipeline(selector)
    names = [name for name, factory in nlp.pipe_factories.items() if factory == "span_selector"]
    if not names:
        raise BionerError(Errors.E522.format(path=selector))
    component: Any = nlp.get_pipe(names[0])
    counts: Dict[str, Counter] = {}
    records = (record for path in sources for record in read_jsonl(path))
    lost = []

    def kept(pairs: Iterable[Tuple[Annotation, Annotation]]) -> Iterator[Annotation]:
        for record, dropped in pairs:
            if dropped.mentions:
                lost.append(dropped)
            yield record

    write_jsonl(output, kept(select_records(records, nlp, component, counts)))
    write_jsonl(rejected, lost)
    carry_set_aside(sources, output)
    return counts


def carry_set_aside(sources: Sequence[Path], output: Path) -> None:
    """Write what the annotators of the sources could not annotate beside the output too, where it is scored."""
    from ...corpus.set_aside import read_set_aside, set_aside_path
    from ...formats.jsonl import write_jsonl

    missing = [annotation for path in sources for annotation in read_set_aside(path)]
    if missing:
        write_jsonl(set_aside_path(output), missing)
    else:
        set_aside_path(output).unlink(missing_ok=True)
