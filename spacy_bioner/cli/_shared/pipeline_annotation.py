"""Annotating texts with a tagger in place of a language model."""

from dataclasses import replace
from pathlib import Path
from typing import Any, Dict, Iterable, Mapping, Optional, Sequence

from ...annotation import Annotation, Mention
from ...errors import BionerError, Errors
from ...taggers.opening import PipelineSettings

# Metadata of the annotator whose mentions are replaced.
_FORMER_ANNOTATOR = ("model", "adapter", "prompt_hash", "temperature", "seed", "issues", "error")


def refuse_with_pipeline(options: Mapping[str, Any]) -> None:
    """Refuse options of the language model where a pipeline annotates.

    options (Mapping[str, Any]): Option, or dotted key of a setting, to its value.
    RAISES BionerError: E730 for the first one that is given.
    """
    for name, value in options.items():
        if value and name not in ("annotate.limit", "annotate.origin") and not name.startswith("annotate.pipeline."):
            option = name if name.startswith("--") else f"--{name}"
            raise BionerError(Errors.E730.format(option=option, why="--pipeline asks no language model"))


def read_map(arguments: Sequence[str]) -> Dict[str, str]:
    """Read changes of labels.

    arguments (Sequence[str]): OLD=NEW each, NEW empty to drop the mentions.
    RETURNS (Dict[str, str]): Old to new label.
    RAISES BionerError: E748 for another form, E036 for a label that gets two others.
    """
    found: Dict[str, str] = {}
    for argument in arguments:
        old, equals, new = argument.partition("=")
        if not equals or not old:
            raise BionerError(Errors.E748.format(value=argument))
        if found.get(old, new) != new:
            raise BionerError(Errors.E036.format(old=old, first=found[old], second=new))
        found[old] = new
    return found


def annotate_by_pipeline(texts: Iterable[Annotation], output: Path, settings: PipelineSettings, *,
                         origin: str = "synthetic", schema: Optional[Mapping[str, str]] = None, device: str = "cpu",
                         gpu_id: int = -1) -> int:
    """Run an annotator that is no language model over texts and write what it found, one after the other.

    texts (Iterable[Annotation]): The texts; their own mentions are not used.
    output (Path): Takes them with the mentions, and their scores, that were found.
    settings (PipelineSettings): Which annotator, and its labels.
    origin (str): Origin of the records that come out.
    schema (Optional[Mapping[str, str]]): Label to definition; another label is an error. None allows any.
    device (str): Device of models that are not spaCy's.
    gpu_id (int): GPU that spaCy takes, or -1 for the CPU.
    RETURNS (int): How many records were written.
    RAISES BionerError: Those of `taggers.opening`.
    """
    from ...corpus.set_aside import set_aside_path
    from ...formats import write_annotations
    from ...taggers.opening import LabelMap, open_tagger
    from .gpu import set_up_gpu

    set_up_gpu(gpu_id)
    tagger = open_tagger(settings, schema=schema, device=device)
    labels = LabelMap(settings.map, known=schema, tagger=tagger)
    count = write_annotations(output, (give_mentions(text, labels.apply(mentions), tagger.name).with_meta(origin=origin)
                                       for text, mentions in tagger.find(texts)))
    set_aside_path(output).unlink(missing_ok=True)
    return count


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
