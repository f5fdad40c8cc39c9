"""The verb apply: a trained pipeline over records, its mentions in place of theirs."""

import sys
from pathlib import Path

import typer

from .outputs import refuse_other_ending, refuse_own_input


def apply_cli(
    pipeline: Path = typer.Argument(..., help="Folder of a trained pipeline."),
    source: Path = typer.Argument(..., metavar="IN", help="Records or .spacy; only the texts are read."),
    output: Path = typer.Argument(..., metavar="OUT", help="Records with what the pipeline found."),
    origin: str = typer.Option("synthetic", help="What the records that come out say of their origin."),
    spans_key: str = typer.Option("sc", help="Key of the spans in Docs."),
    gpu_id: int = typer.Option(-1, "--gpu-id", "-g", help="GPU, -1 for the CPU."),
) -> None:
    """Annotate records with a trained pipeline, as `annotate` does with a language model."""
    refuse_own_input(output, [source])
    refuse_other_ending(output)
    count = apply(pipeline, source, output, origin=origin, spans_key=spans_key, gpu_id=gpu_id)
    print(f"{count} records -> {output}", file=sys.stderr)


def apply(pipeline: Path, source: Path, output: Path, *, origin: str = "synthetic", spans_key: str = "sc",
          gpu_id: int = -1) -> int:
    """Run a pipeline over records.

    pipeline (Path): Its folder.
    source (Path): The records.
    output (Path): Takes them with the mentions, and their scores, that the pipeline found.
    origin (str): Origin of the records that come out.
    spans_key (str): Key of the spans.
    gpu_id (int): GPU, or -1 for the CPU.
    RETURNS (int): How many records were written.
    RAISES BionerError: E001 where there is no pipeline, E607 where it writes no span group of this key.
    """
    from ..errors import BionerError, Errors
    from ..formats.jsonl import write_jsonl
    from .systems import System, read_annotations, read_answers

    if not (pipeline / "config.cfg").is_file():
        raise BionerError(Errors.E001.format(path=pipeline, wanted="pipeline"))
    texts = read_annotations(source, spans_key=spans_key)
    found = read_answers(System(pipeline.name, pipeline), texts, spans_key=spans_key, gpu_id=gpu_id).annotations
    # A Doc holds a few words of the metadata; the rest is taken from the records.
    return write_jsonl(output, (text.with_mentions(answer.mentions).with_meta(origin=origin)
                                for text, answer in zip(texts, found)))
