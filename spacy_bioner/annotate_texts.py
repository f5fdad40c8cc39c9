"""Texts in, annotated texts out, in one call, for those who do not know spaCy."""

import logging
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, List, Mapping, Optional, Sequence, Union, overload

from spacy import displacy
from spacy.language import Language
from spacy.util import is_package

from .annotation import Annotation
from .corpus.sentences import find_sentences
from .errors import BionerError, Errors, Warnings
from .formats.docbin import doc_to_annotation
from .llm.annotation.assembly import make_annotator
from .llm.local.model_source import CausalLMSource, ModelSource
from .llm.server.server_source import make_server
from .llm.settings import AUTO, AnnotatorSettings
from .settings import build_settings
from .tokens import find_units
from .training.pipeline_loading import load_installed

logger = logging.getLogger(__name__)

_COLORS = ("#f4a582", "#92c5de", "#a6dba0", "#fddbc7", "#c2a5cf", "#ffe08a", "#b8e0d2", "#e7b7c8")
_SPANS = "sc"


class AnnotatedTexts(List[Annotation]):
    """Annotated texts: a list, which a notebook shows with its mentions in colour."""

    @overload  # type: ignore[override]
    def __getitem__(self, place: int) -> Annotation: ...

    @overload
    def __getitem__(self, place: slice) -> "AnnotatedTexts": ...

    def __getitem__(self, place: Union[int, slice]) -> Union[Annotation, "AnnotatedTexts"]:
        """Return a text, or some of them."""
        found = super().__getitem__(place)
        return AnnotatedTexts(found) if isinstance(place, slice) else found  # type: ignore[arg-type, return-value]

    def to_html(self) -> str:
        """Draw the texts with their mentions, each nested one on a line of its own.

        RETURNS (str): HTML without a head, to be put into a page; empty for no texts.
        """
        labels = sorted({mention.label for one in self for mention in one.mentions})
        colors = {label: _COLORS[place % len(_COLORS)] for place, label in enumerate(labels)}
        if not self:
            return ""
        return displacy.render([_describe(one) for one in self], style="span", jupyter=False, manual=True,
                               options={"colors": colors})

    def _repr_html_(self) -> str:
        return self.to_html()


def annotate(texts: Union[str, Iterable[str]], labels: Union[Mapping[str, str], Sequence[str], None] = None,
             model: Union[str, Path, Language, None] = None, *, server: Optional[str] = None,
             adapter: Optional[str] = AUTO) -> AnnotatedTexts:
    """Find mentions of named entities in texts.

    texts (Union[str, Iterable[str]]): The texts, or one text.
    labels (Union[Mapping[str, str], Sequence[str], None]): Label to definition, or labels alone; None takes what the
        adapter was trained on, which is diseases and chemicals for the default. Others are known by their definitions.
    model (Union[str, Path, Language, None]): A trained pipeline (its folder, the name of its package, or a loaded one),
        or a language model (a folder or a hub id; with a server the name that the server knows). None takes the
        embedded language model.
    server (Optional[str]): URL of an OpenAI-compatible server that is asked in place of a local model.
    adapter (Optional[str]): Folder of an adapter for the language model; "auto" takes the packaged one if it is for
        this model and these labels, None takes none.
    RETURNS (AnnotatedTexts): The texts in order, with their mentions. One that fails has none, and the reason in
        `meta["error"]`.
    RAISES BionerError: E568 for labels beside a pipeline, whose labels are fixed; those of the model otherwise.
    """
    documents = [texts] if isinstance(texts, str) else list(texts)
    nlp = _find_pipeline(model) if server is None else None
    if nlp is not None:
        if labels is not None:
            raise BionerError(Errors.E568.format(labels=", ".join(labels)))
        return AnnotatedTexts(doc_to_annotation(doc, _SPANS) for doc in nlp.pipe(documents))
    asked = build_settings(AnnotatorSettings, {"labels": list(labels) if isinstance(labels, (list, tuple)) else labels},
                           place="annotate")
    annotator = make_annotator(_open(model, server, adapter), asked, find_sentences=find_sentences)
    found = AnnotatedTexts(annotator.annotate(_number(documents)))
    failed = [str(one.meta["error"]) for one in found if "error" in one.meta]
    if failed:
        logger.warning(Warnings.W208.format(count=len(failed), total=len(found), why=failed[0]))
    return found


def _describe(annotation: Annotation) -> Dict[str, Any]:
    """Return a text as displaCy takes it; a mention that begins or ends inside a pre-token is drawn over all of it."""
    units = find_units(annotation.text)
    spans = [{"start": mention.start, "end": mention.end, "label": mention.label, "kb_id": "", "kb_url": "#",
              "start_token": sum(end <= mention.start for _, end in units),
              "end_token": sum(start < mention.end for start, _ in units)} for mention in annotation.mentions]
    return {"text": annotation.text, "spans": spans, "settings": {"lang": "", "direction": "ltr"},
            "tokens": [annotation.text[start:end] for start, end in units]}


def _find_pipeline(model: Any) -> Optional[Language]:
    """Return the pipeline that is named; None where a language model is."""
    if model is None or isinstance(model, Language):
        return model
    if (Path(model) / "config.cfg").is_file() or isinstance(model, str) and is_package(model):
        return load_installed(str(model))
    return None


def _open(model: Union[str, Path, Language, None], server: Optional[str], adapter: Optional[str]) -> ModelSource:
    """Return what answers; it is loaded when it is first used."""
    named = {} if model is None else {"model": str(model)}
    if server is not None:
        return make_server(**named, base_url=server, adapter=None if adapter == AUTO else adapter)
    return build_settings(CausalLMSource, {**named, "adapter": adapter}, place="annotate")


def _number(texts: Iterable[str]) -> Iterator[Annotation]:
    for number, text in enumerate(texts, start=1):
        yield Annotation(text, id=str(number))
