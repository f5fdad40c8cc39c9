"""The verb review next: the sentences whose correction brings most, written for an annotation tool."""

from pathlib import Path
from typing import Dict, List, Optional, Sequence, Tuple

import typer

from ...annotation import Annotation, Mention, index_records
from ...errors import BionerError, Errors
from ...review.choices import Strategy, Tool
from .._shared.named_paths import parse_named_paths
from .._shared.outputs import name_beside, refuse_other_ending, refuse_own_input


def review_next_cli(
    pool: Path = typer.Argument(..., metavar="POOL", help="Unlabelled or silver sentences as records."),
    output: Path = typer.Argument(..., metavar="OUT", help="The queue: the chosen sentences as records, .jsonl."),
    count: int = typer.Option(50, "--n", min=1, help="How many sentences."),
    tool: Tool = typer.Option(Tool.jsonl, help="Tool that a second file beside OUT is for; jsonl writes none."),
    strategy: Strategy = typer.Option(Strategy.gain, help="What sentences are chosen by; gain is doubt times novelty, "
                                                          "random is the control."),
    pipeline: Optional[Path] = typer.Option(None, help="Trained pipeline that says what is in doubt; without it the "
                                                       "scores of POOL do."),
    teacher: List[str] = typer.Option([], metavar="NAME=FILE", help="Another annotator's records of the same "
                                                                    "sentences; give several for a committee."),
    train: Optional[Path] = typer.Option(None, help="What is corrected already: left out, and what is like it ranks "
                                                    "lower."),
    encoder: str = typer.Option("all-minilm-l6-v2", help="Encoder that says which sentences are alike."),
    seed: int = typer.Option(0, min=0, help="Random seed of the strategy random."),
    overwrite: bool = typer.Option(False, "--overwrite", help="Replace OUT although decisions about it are not in "
                                                              "--train."),
) -> None:
    """Choose the sentences to correct next.

    They are ranked by expected gain: how many corrections are to be expected in a sentence, by the scores of a
    pipeline and by what annotators disagree on, and how unlike the known ones it is.

    Example: spacy-bioner review next silver.jsonl queue.jsonl --n 50 --tool label-studio

    Writes the file OUT, and the file of the tool beside it.
    """
    from ...formats import write_annotations
    from ...formats.jsonl import find_jsonl, read_jsonl, write_jsonl
    from ...formats.parsing.problems import Problems
    from ...review.queueing import Pool, leave_out_known, make_queue
    from ..convert import print_problems

    teachers = parse_named_paths(teacher, taken=(), unreadable=Errors.E532, repeated=Errors.E533)
    of_tool = name_beside(output, tool.ending)
    for path in (output, of_tool):
        refuse_own_input(path, [pool, train, *teachers.values()])
    refuse_other_ending(output)
    known = list(read_jsonl(train)) if train is not None and find_jsonl(train).exists() else []
    if not overwrite:
        refuse_pending(output, known)
    sentences = leave_out_known(read_jsonl(pool, raw=True), known, source=str(pool))
    said = {name: index_records(read_jsonl(path), source=str(path)) for name, path in teachers.items()}
    found = run_pipeline(pipeline, sentences) if pipeline is not None else {}
    queue = make_queue(Pool(str(pool), sentences, said, found), count, strategy=strategy, seed=seed, known=known,
                       encoder=encoder)
    write_jsonl(output, queue)
    doubt = sum(one.meta["queue"]["doubt"] for one in queue)
    typer.echo(f"{len(queue)} of {len(sentences)} sentences by {strategy.value}, {doubt:.1f} corrections expected "
               f"-> {output}")
    if tool is not Tool.jsonl:
        problems = Problems()
        write_annotations(of_tool, queue, tool.file_format, problems=problems)
        print_problems(problems, title="What the tool cannot hold")
        typer.echo(f"For {tool.value}: {of_tool}")


def refuse_pending(queue: Path, known: Sequence[Annotation]) -> None:
    """Refuse to replace a queue whose decisions are not imported yet.

    queue (Path): The queue.
    known (Sequence[Annotation]): What is corrected already.
    RAISES BionerError: E916 where a decision of the page about this queue is not there.
    """
    from ...formats.jsonl import find_jsonl, read_jsonl
    from ...review.corrections import Answers, count_pending, read_decided

    decisions = name_beside(queue, "decisions.db")
    if decisions.is_file() and find_jsonl(queue).exists():
        pending = count_pending(read_decided(decisions, read_jsonl(queue, raw=True), Answers()), known)
        if pending:
            raise BionerError(Errors.E916.format(path=queue, count=pending, decisions=decisions))


def run_pipeline(path: Path, sentences: List[Annotation]) -> Dict[str, Tuple[Annotation, Tuple[Mention, ...]]]:
    """Run a pipeline over sentences.

    path (Path): Its folder.
    sentences (List[Annotation]): The sentences.
    RETURNS (Dict[str, Tuple[Annotation, Tuple[Mention, ...]]]): By id what it finds, and finds nearly.
    """
    from ...review.doubt import find_candidates
    from ...training.pipeline_loading import load_pipeline

    return {text.id: (text, nearly) for text, nearly in find_candidates(load_pipeline(path), sentences,
                                                                        pipeline=str(path))}
