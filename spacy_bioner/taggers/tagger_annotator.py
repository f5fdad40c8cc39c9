"""A tagger that annotates records as a language model does: those that fail come out with their reasons."""

from dataclasses import replace
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, Mapping, Optional, Sequence

from spacy.util import get_package_path

from ..annotation import Annotation, Mention
from ..errors import describe
from ..llm.annotation.reply_shapes import ReplyShapes
from ..llm.annotation.usage import Usage
from ..llm.local.fingerprint import fingerprint
from ..llm.local.hub import resolve_model
from .opening import LabelMap, PipelineSettings, Tagger, find_kind

# Metadata of the annotator whose mentions are replaced.
_FORMER_ANNOTATOR = ("model", "adapter", "prompt_hash", "temperature", "seed", "issues")


class TaggerAnnotator:
    """Annotates records by a tagger.

    tagger (Tagger): Finds the mentions.
    labels (LabelMap): Gives them the labels of the records.
    origin (str): Origin of the records that come out.
    """

    def __init__(self, tagger: Tagger, labels: LabelMap, *, origin: str) -> None:
        self.usage = Usage()
        self.shapes = ReplyShapes()
        self._tagger = tagger
        self._labels = labels
        self._origin = origin

    def annotate(self, annotations: Iterable[Annotation]) -> Iterator[Annotation]:
        """Annotate texts.

        annotations (Iterable[Annotation]): The texts; their own mentions are not used.
        YIELDS (Annotation): One for each, in order; one that failed has no mentions and its reason as `error`.
        RAISES BionerError: E242 for a label that is not known, E607 for a span group that no Doc has.
        """
        for text, found in self._tagger.find(annotations):
            error = {"error": describe(found)} if isinstance(found, Exception) else {}
            mentions = () if isinstance(found, Exception) else self._labels.apply(found)
            self.usage.add(documents=1, failed=len(error))
            yield give_mentions(text, mentions, self._tagger.name).with_meta(origin=self._origin, **error)


def give_mentions(annotation: Annotation, mentions: Sequence[Mention], name: str) -> Annotation:
    """Give a record the mentions of another annotator, with its name in place of what it says of the former one.

    annotation (Annotation): The record.
    mentions (Sequence[Mention]): The mentions.
    name (str): Who found them.
    RETURNS (Annotation): The record. One that was generated goes on saying what wrote it, and how many mentions came by
        looking through it.
    """
    meta = {key: value for key, value in annotation.meta.items() if key != "error"}
    fresh = replace(annotation, meta=meta).with_mentions(mentions)
    if meta.get("source") == "generated":
        return fresh.with_meta(relabelled=len(set(fresh.mentions) - set(annotation.mentions)))
    kept = {key: value for key, value in meta.items() if key not in _FORMER_ANNOTATOR}
    return replace(fresh, meta={**kept, "model": name})


def identify_tagger(settings: PipelineSettings, schema: Optional[Mapping[str, str]]) -> Dict[str, Any]:
    """Describe a tagger by what its annotations depend on, without loading it; where it lies and runs is no part of it.

    settings (PipelineSettings): Which one, and its labels.
    schema (Optional[Mapping[str, str]]): The labels that there may be, and those that some models are asked for.
    RETURNS (Dict[str, Any]): Plain values by key; files as a hash of what they hold.
    RAISES BionerError: E001, E202 or E203 where it cannot be had.
    """
    name = str(settings.name)
    kind, folder = find_kind(name, settings.kind, revision=settings.revision)
    if kind == "spacy":
        # The weights of a package lie in a folder inside it.
        folder = folder or next((path.parent for path in get_package_path(name).glob("*/config.cfg")), None)
        files = fingerprint(folder or get_package_path(name), patterns=("**/*",))
    else:
        files = fingerprint(folder or resolve_model(name, revision=settings.revision))
    return {"pipeline": Path(name).name, "files": files, "spans_key": settings.spans_key, "map": settings.map,
            "threshold": settings.threshold, "labels": None if schema is None else list(schema)}
