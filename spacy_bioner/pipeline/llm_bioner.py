"""The component `llm_bioner`: a language model annotates Docs, exactly and safely."""

from collections import deque
from pathlib import Path
from typing import Any, Callable, Deque, Dict, Iterable, Iterator, Optional, Tuple

from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from spacy.vocab import Vocab

from ..annotation import Annotation
from ..codecs.checks import check_readable
from ..corpus.sentences import find_sentences
from ..errors import BionerError, Errors
from ..llm.annotation.annotator import Annotator
from ..llm.annotation.assembly import choose_labels, fit_adapter, make_annotator
from ..llm.annotation.usage import Usage
from ..llm.local.model_source import ModelSource
from ..llm.settings import AnnotatorSettings
from ..settings import default_values, setting, takes_settings
from .adapter_files import AdapterPipe, require_llm
from .config_labels import check_config_labels
from .doc_annotation import set_annotation
from .spacy_llm import llm_registry  # noqa: F401  (makes the registry that the config of the model names)
from .spacy_llm.stock_models import as_source


class LLMBioNERSettings(AnnotatorSettings):
    """The component `llm_bioner`: what texts are asked for, and where the mentions go."""

    spans_key: str = setting("sc", "Key of the group in `Doc.spans` that takes the mentions.")


# A config cannot put a section in the place of null.
DEFAULT_CONFIG = {**default_values(LLMBioNERSettings), "labels": {},
                  "model": {"@llm_models": "spacy-bioner.CausalLM.v1"},
                  "scorer": {"@scorers": "spacy-bioner.nested_span_scorer.v1"}}


@Language.factory("llm_bioner", default_config=DEFAULT_CONFIG,
                  default_score_weights={"spans_sc_f": 1.0, "spans_sc_p": 0.0, "spans_sc_r": 0.0})
@takes_settings(LLMBioNERSettings, place="llm_bioner", check=check_config_labels)
def make_llm_bioner(nlp: Language, name: str, model: Any, scorer: Optional[Callable],
                    settings: LLMBioNERSettings) -> "LLMBioNER":
    """Make the component.

    nlp (Language): The pipeline.
    name (str): Name of the component.
    model (ModelSource): What answers: a model of this package, or any of spacy-llm's.
    scorer (Optional[Callable]): Scores Docs.
    settings (LLMBioNERSettings): What texts are asked for, and where the mentions go.
    """
    require_llm(nlp)
    if settings.labels and settings.codec is not None:
        check_readable(settings.codec, list(settings.labels))
    asked = AnnotatorSettings(**{**settings.shared_with(AnnotatorSettings), "labels": settings.labels or None})
    return LLMBioNER(nlp.vocab, name, source=as_source(model), settings=asked, spans_key=settings.spans_key,
                     scorer=scorer)


class LLMBioNER(AdapterPipe):
    """Annotates Docs with a language model.

    The mentions are in `doc.spans[spans_key]`, their scores in its `attrs["scores"]`; `doc.user_data["meta"]` says
    which model said so and which issues were met, or, as "error", why there are no mentions.

    vocab (Vocab): Vocabulary of the pipeline.
    name (str): Name of the component.
    source (ModelSource): What answers; loaded when first used.
    settings (AnnotatorSettings): How texts are asked for.
    spans_key (str): Where the mentions go in `Doc.spans`.
    scorer (Optional[Callable]): Scores Docs.
    """

    def __init__(self, vocab: Vocab, name: str = "llm_bioner", *, source: ModelSource, settings: AnnotatorSettings,
                 spans_key: str = "sc", scorer: Optional[Callable] = None) -> None:
        super().__init__(vocab, name, source)
        self.settings = settings
        self.spans_key = spans_key
        self.scorer = scorer
        self.usage = Usage()
        self._made_with = self._cfg()

    @property
    def annotator(self) -> Annotator:
        """Return what does the work; the model is loaded when this is first asked for."""
        return self._load()

    @property
    def label_definitions(self) -> Dict[str, str]:
        return dict(self.settings.labels or choose_labels(fit_adapter(self.source, self.settings).card()))

    @property
    def adapter_folder(self) -> Optional[Path]:
        return fit_adapter(self.source, self.settings).adapter_folder

    @property
    def labels(self) -> Tuple[str, ...]:
        """Return the labels; none while spaCy loads a pipeline and its adapter is not there yet."""
        try:
            return tuple(self.label_definitions)
        except BionerError:
            return ()

    def add_label(self, label: str, definition: str = "") -> int:
        """Add a label to what is looked for.

        label (str): The label.
        definition (str): What it means, for the prompt.
        RETURNS (int): 1, or 0 where the label was there with this definition.
        """
        known = self.label_definitions
        if known.get(label) == definition:
            return 0
        self.settings = self.settings.changed(labels={**known, label: definition})
        self._forget()
        return 1

    def __call__(self, doc: Doc) -> Doc:
        """Return the Doc, annotated."""
        return next(self.pipe([doc]))

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 256) -> Iterator[Doc]:
        """Annotate Docs.

        stream (Iterable[Doc]): The Docs.
        batch_size (int): How many are taken at once, at most as many as the window holds.
        YIELDS (Doc): All of them, in order; for one that fails the error handler is called, if one was set.
        """
        waiting: Deque[Doc] = deque()

        def read_texts() -> Iterator[Annotation]:
            for doc in stream:
                waiting.append(doc)
                yield Annotation(doc.text)

        for annotation in self.annotator.annotate(read_texts(), window=min(batch_size, self.settings.window)):
            doc = waiting.popleft()
            lost = set_annotation(doc, annotation, spans_key=self.spans_key)
            if lost:
                self.usage.add(issues={"off_boundary": len(lost)})
            # spaCy's default handler raises, and would take the neighbours along: only one that was set is called.
            if "error" in annotation.meta and hasattr(self, "error_handler"):
                error = BionerError(Errors.E222.format(why=annotation.meta["error"]))
                self.error_handler(self.name, self, [doc], error)
            yield doc

    def score(self, examples: Iterable[Example], **kwargs: Any) -> Dict[str, Any]:
        """Score the mentions, under the key of this component whatever key the scorer was made with.

        examples (Iterable[Example]): Predicted Docs and their references.
        RETURNS (Dict[str, Any]): The scores, their names beginning with `spans_<spans_key>_`.
        """
        return super().score(examples, **{**kwargs, "spans_key": self.spans_key})

    def _make(self) -> Annotator:
        return make_annotator(self.source, self.settings, find_sentences=find_sentences, usage=self.usage)

    def _cfg(self) -> Dict[str, Any]:
        return {"labels": self.settings.labels, "spans_key": self.spans_key}

    def _set_cfg(self, cfg: Dict[str, Any]) -> None:
        self.settings = self.settings.changed(labels=cfg["labels"])
        self.spans_key = cfg["spans_key"]
