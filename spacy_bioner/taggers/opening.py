"""Annotators that are no language models: which kind one is, and the labels that its mentions get."""

import logging
from dataclasses import replace
from pathlib import Path
from typing import (
    Any,
    Collection,
    Dict,
    Iterable,
    Iterator,
    List,
    Literal,
    Mapping,
    Optional,
    Protocol,
    Sequence,
    Tuple,
    Union,
)

from ..annotation import Annotation, Mention
from ..errors import BionerError, Errors, Warnings
from ..settings import Settings, setting

logger = logging.getLogger(__name__)

GLINER_FILE = "gliner_config.json"
# Stands for `doc.ents` in place of a span group.
ENTS = "ents"
# What a tagger gives for a text: its mentions, or the error on it.
Found = Union[Sequence[Mention], Exception]


class PipelineSettings(Settings):
    """A spaCy pipeline, a token classifier or a GLiNER model in place of a language model."""

    name: Optional[str] = setting(
        None, "Folder or package of a spaCy pipeline, or folder or hub id of a Hugging Face token classifier or of a "
        "GLiNER model; null asks a language model.")
    kind: Literal["auto", "spacy", "token_classifier", "gliner"] = setting(
        "auto", "What it is; auto looks at its files.")
    revision: Optional[str] = setting(None, "Revision of a hub model.")
    spans_key: Optional[str] = setting(
        None, "Key of the span group of a spaCy pipeline, or ents for doc.ents; null takes sc where the pipeline "
        "writes it, else ents.")
    map: Dict[str, str] = setting(
        {}, "Label of the annotator to label of the records; an empty one drops its mentions. Others stay.")
    threshold: float = setting(0.5, "Least probability of a mention of a GLiNER model.", ge=0, le=1)


class Tagger(Protocol):
    """What finds mentions in texts.

    name (str): How records call it.
    labels (Sequence[str]): Its labels; empty where it does not say.
    """

    name: str
    labels: Sequence[str]

    def find(self, texts: Iterable[Annotation]) -> Iterator[Tuple[Annotation, Found]]:
        """Yield each text with the mentions that are found in it, by labels of the tagger, or with the error on it."""


def open_tagger(settings: PipelineSettings, *, schema: Optional[Mapping[str, str]] = None,
                device: str = "cpu") -> Tagger:
    """Load an annotator.

    settings (PipelineSettings): Which one; its name is given.
    schema (Optional[Mapping[str, str]]): Label to definition, for one that is asked for labels.
    device (str): Device of models that are not spaCy's, which spaCy itself chooses.
    RETURNS (Tagger): The annotator.
    RAISES BionerError: E001, E202 or E203 where it cannot be had, E243 to E245 where it is none, E706 without gliner.
    """
    from ..llm.local.hub import resolve_model

    name = str(settings.name)
    kind, folder = find_kind(name, settings.kind, revision=settings.revision)
    if kind == "spacy":
        from .spacy_tagger import SpacyTagger

        return SpacyTagger(name, spans_key=settings.spans_key)
    folder = folder or resolve_model(name, revision=settings.revision)
    if kind == "gliner":
        from .gliner_tagger import GlinerTagger

        return GlinerTagger(folder, name=name, schema=schema or {}, map=settings.map, threshold=settings.threshold,
                            device=device)
    from .token_classifier import TokenClassifier

    return TokenClassifier(folder, name=name, device=device)


def find_kind(name: str, kind: str = "auto", *, revision: Optional[str] = None) -> Tuple[str, Optional[Path]]:
    """Find out what a name stands for.

    name (str): Folder, package or hub id.
    kind (str): What it is said to be, or "auto".
    revision (Optional[str]): Revision of a hub model.
    RETURNS (Tuple[str, Optional[Path]]): "spacy", "token_classifier" or "gliner", and the folder where it is known.
    RAISES BionerError: E001 where there is no such thing, E202 and E203 for a hub model that cannot be had.
    """
    from spacy.util import is_package

    from ..llm.local.hub import resolve_model

    path = Path(name)
    folder: Optional[Path] = path if path.is_dir() else None
    if kind != "auto":
        return kind, folder
    if is_package(name) or (path / "config.cfg").is_file():
        return "spacy", folder
    if folder is None:
        if name.count("/") != 1 or path.is_absolute() or name.startswith("."):
            raise BionerError(Errors.E001.format(path=name, wanted="pipeline"))
        folder = resolve_model(name, revision=revision)
    if (folder / GLINER_FILE).is_file():
        return "gliner", folder
    if (folder / "config.json").is_file():
        return "token_classifier", folder
    raise BionerError(Errors.E001.format(path=folder / "config.cfg", wanted="pipeline"))


class LabelMap:
    """Gives mentions the labels of the records.

    map (Mapping[str, str]): Label of the tagger to another one, empty to drop its mentions.
    known (Optional[Collection[str]]): The labels that there may be; None for any.
    tagger (Tagger): What finds the mentions. A label that it has not, and that is mapped, is an error.
    RAISES BionerError: E241 for such a label, E242 where a label of the tagger is unknown. Known labels that a tagger
        which tells its labels never gives are a warning.
    """

    def __init__(self, map: Mapping[str, str], *, known: Optional[Collection[str]], tagger: Tagger) -> None:
        self._map: Dict[str, str] = dict(map)
        self._known = known
        self._tagger = tagger.name
        for label in map:
            if tagger.labels and label not in tagger.labels:
                raise BionerError(Errors.E241.format(label=label, name=tagger.name, known=", ".join(tagger.labels)))
        given = {self._check(label) for label in tagger.labels}
        missing = [label for label in known or () if label not in given] if tagger.labels else []
        if missing:
            logger.warning(Warnings.W210.format(name=tagger.name, labels=", ".join(missing),
                                                known=", ".join(tagger.labels)))

    def apply(self, mentions: Iterable[Mention]) -> List[Mention]:
        """Return the mentions with their labels changed; raises E242 for one that is not known."""
        kept = []
        for mention in mentions:
            label = self._check(mention.label)
            if label:
                kept.append(mention if label == mention.label else replace(mention, label=label))
        return kept

    def _check(self, label: str) -> str:
        mapped = self._map.get(label, label)
        if mapped and self._known is not None and mapped not in self._known:
            raise BionerError(Errors.E242.format(name=self._tagger, label=label, known=", ".join(self._known)))
        return mapped


def drop_overlapping(mentions: Iterable[Mention]) -> List[Mention]:
    """Return mentions of which equal ones of overlapping parts of a text come once, the most probable of each."""
    best: Dict[Any, Mention] = {}
    for mention in mentions:
        other = best.get(mention.key)
        if other is None or (mention.score or 0) > (other.score or 0):
            best[mention.key] = mention
    return list(best.values())
