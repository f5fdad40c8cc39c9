"""Annotating texts with a trained pipeline in place of a language model."""

from dataclasses import replace
from pathlib import Path
from typing import Iterable, Sequence

from ...annotation import Annotation, Mention
from ...errors import BionerError, Errors

# Metadata of the annotator whose mentions are replaced.
_FORMER_ANNOTATOR = ("model", "adapter", "prompt_hash", "temperature", "seed", "issues", "error")


def annotate_by_pipeline(texts: Iterable[Annotation], output: Path, pipeline: Path, *, origin: str = "synthetic",
                         spans_key: str = "sc", gpu_id: int = -1) -> int:
    """Run a pipeline over texts and write what it found, one after the other.

    texts (Iterable[Annotation]): The texts; their own mentions are not used.
    output (Path): Takes them with the mentions, and their scores, that the pipeline found.
    pipeline (Path): Folder of the pipeline.
    origin (str): Origin of the records that come out.
    spans_key (str): Key of the spans in Docs.
    gpu_id (int): GPU, or -1 for the CPU.
    RETURNS (int): How many records were written.
    RAISES BionerError: E001 where there is no pipeline, E549 for one that is damaged, E607 where it writes no span
        group of this key.
    """
    from ...corpus.set_aside import set_aside_path
    from ...formats import write_annotations
    from ...training.pipeline_loading import load_pipeline
    from .gpu import set_up_gpu
    from .systems import run_pipeline

    if not (pipeline / "config.cfg").is_file():
        raise BionerError(Errors.E001.format(path=pipeline, wanted="pipeline"))
    set_up_gpu(gpu_id)
    nlp = load_pipeline(pipeline)
    name = name_pipeline(pipeline)
    # A Doc holds a few words of the metadata; the rest is taken from the records.
    found = run_pipeline(nlp, texts, spans_key=spans_key, system=pipeline.name)
    count = write_annotations(output, (give_mentions(text, answer.mentions, name).with_meta(origin=origin)
                                       for text, _, answer in found))
    set_aside_path(output).unlink(missing_ok=True)
    return count


def name_pipeline(path: Path) -> str:
    """Return the language, name and version of a pipeline, as its package is called."""
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
    meta = {key: value for key, value in annotation.meta.items() if key not in _FORMER_ANNOTATOR}
    return replace(fresh, meta={**meta, "model": name})
