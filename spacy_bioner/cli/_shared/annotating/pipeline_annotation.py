"""Annotating texts with a tagger in place of a language model."""

from collections import Counter
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Dict, Mapping, Optional, Sequence

from ....errors import BionerError, Errors
from ....taggers.opening import PipelineSettings
from .text_streams import count_texts, keep_annotated, read_texts, refuse_empty

if TYPE_CHECKING:
    from ....taggers.tagger_annotator import TaggerAnnotator


def refuse_with_pipeline(options: Mapping[str, Any], *, by_ray: bool = False) -> None:
    """Refuse options of the language model where a pipeline annotates.

    options (Mapping[str, Any]): Option, or dotted key of a setting, to its value.
    by_ray (bool): Whether the settings of Ray have an effect.
    RAISES BionerError: E730 for the first one that is given.
    """
    sections = ("annotate.pipeline.", "annotate.ray.") if by_ray else ("annotate.pipeline.",)
    for name, value in options.items():
        if value and name not in ("annotate.limit", "annotate.origin") and not name.startswith(sections):
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


def make_pipeline_annotator(settings: PipelineSettings, *, origin: str, schema: Optional[Mapping[str, str]] = None,
                            device: str = "cpu", gpu_id: int = -1) -> "TaggerAnnotator":
    """Load an annotator that is no language model.

    settings (PipelineSettings): Which annotator, and its labels.
    origin (str): Origin of the records that come out.
    schema (Optional[Mapping[str, str]]): Label to definition; another label is an error. None allows any.
    device (str): Device of models that are not spaCy's.
    gpu_id (int): GPU that spaCy takes, or -1 for the CPU.
    RETURNS (TaggerAnnotator): The annotator.
    RAISES BionerError: Those of `taggers.opening`.
    """
    from ....taggers.opening import LabelMap, open_tagger
    from ....taggers.tagger_annotator import TaggerAnnotator
    from ..gpu import set_up_gpu

    set_up_gpu(gpu_id)
    tagger = open_tagger(settings, schema=schema, device=device)
    return TaggerAnnotator(tagger, LabelMap(settings.map, known=schema, tagger=tagger), origin=origin)


def annotate_by_pipeline(source: Path, output: Path, settings: PipelineSettings, *, limit: Optional[int] = None,
                         **options: Any) -> str:
    """Annotate a file of texts by an annotator that is no language model, one document after the other.

    source (Path): The texts, see `read_texts`.
    output (Path): Takes them with the mentions, and their scores, that were found; those that failed go beside it.
    settings (PipelineSettings): Which annotator, and its labels.
    limit (Optional[int]): Annotate no more than so many documents.
    options (Any): Those of `make_pipeline_annotator`.
    RETURNS (str): One line: how many records were written, and how many were set aside.
    RAISES BionerError: Those of `taggers.opening`, E008 where there is no text, E735 where every document failed.
    """
    from ....corpus.set_aside import set_aside_path
    from ....files import open_atomic
    from ....formats import write_annotations
    from ..console.progress_bar import show_progress

    annotator = make_pipeline_annotator(settings, **options)
    reasons: Counter = Counter()
    with open_atomic(set_aside_path(output), private=True) as failures, \
            show_progress("Annotating", total=count_texts(source, limit)) as advance:
        kept = keep_annotated(annotator.annotate(islice(read_texts(source), limit)), failures, reasons,
                              lambda: advance(failed=reasons.total()))
        count = write_annotations(output, refuse_empty(kept, source, reasons))
    if not reasons:
        set_aside_path(output).unlink()
    return f"{count} records" + (f"; {reasons.total()} set aside" if reasons else "")
