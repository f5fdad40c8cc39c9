"""The verb apply: a trained pipeline over records, its mentions in place of theirs."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Sequence

import typer

from ..annotation import Annotation, Mention
from ._shared.outputs import refuse_other_ending, refuse_own_input

# What a record says of the annotator of its mentions.
_OF_THE_FORMER = ("model", "adapter", "prompt_hash", "temperature", "seed", "issues", "error")


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
    RAISES BionerError: E001 where there is no pipeline, E549 for one that is damaged, E607 where it writes no span
        group of this key.
    """
    from ..errors import BionerError, Errors
    from ..formats.jsonl import write_jsonl
    from ._shared.systems import System, read_annotations, read_answers

    if not (pipeline / "config.cfg").is_file():
        raise BionerError(Errors.E001.format(path=pipeline, wanted="pipeline"))
    texts = read_annotations(source, spans_key=spans_key)
    found = read_answers(System(pipeline.name, pipeline), texts, spans_key=spans_key, gpu_id=gpu_id).annotations
    name = name_pipeline(pipeline)
    # A Doc holds a few words of the metadata; the rest is taken from the records.
    return write_jsonl(output, (give_mentions(text, answer.mentions, name).with_meta(origin=origin)
                                for text, answer in zip(texts, found)))


def name_pipeline(path: Path) -> str:
    """RETURNS (str): Language, name and version of a pipeline, as its package is called."""
    from spacy.util import load_meta

    meta = load_meta(path / "meta.json")
    return f"{meta['lang']}_{meta['name']}-{meta['version']}"


def give_mentions(annotation: Annotation, mentions: Sequence[Mention], name: str) -> Annotation:
    """Give a record the mentions of another annotator, with its name in place of what it says of the former one.

    annotation (Annotation): The record.
    mentions (Sequence[Mention]): The mentions.
    name (str): Who found them.
    RETURNS (Annotation): The record. One that was generated goes on saying what wrote it, and how many mentions came by
        looking through it.
    """
    fresh = annotation.with_mentions(mentions)
    if annotation.meta.get("source") == "generated":
        return fresh.with_meta(relabelled=len(set(fresh.mentions) - set(annotation.mentions)))
    meta = {key: value for key, value in annotation.meta.items() if key not in _OF_THE_FORMER}
    return replace(fresh, meta={**meta, "model": name})
