"""What an annotator is made of: prompts as the adapter was trained with, or as the settings say."""

import json
import logging
from importlib import resources
from typing import Callable, Dict, Iterable, List, Optional, Tuple

from ...annotation import Annotation
from ...codecs import make_codec
from ...errors import BionerError, Errors, Warnings
from ...files import read_json_lines
from ...prompts.build import PromptBuilder
from ...prompts.examples import ExampleChooser, write_examples, write_pool
from ..adapter import AdapterCard
from ..local.model_source import LABEL_SETS_ADAPTER, CausalLMSource, ModelSource
from ..protocol import LanguageModel
from ..server.server_source import ServerSource
from ..settings import AUTO, AnnotatorSettings
from .annotator import Annotator
from .cache import ReplyCache
from .chunking import Bounds
from .planner import ChunkSettings
from .usage import Usage

logger = logging.getLogger(__name__)

DEFAULT_CODEC = "bracket"
# Bracket lines are what small models are trained on; others know JSON best.
SERVED_CODEC = "json"


def make_annotator(source: ModelSource, settings: AnnotatorSettings, *,
                   find_sentences: Callable[[str, str], List[Bounds]], usage: Optional[Usage] = None) -> Annotator:
    """Make an annotator: load the model, build the prompts, open the cache.

    source (ModelSource): What answers.
    settings (AnnotatorSettings): How texts are asked for.
    find_sentences (Callable[[str, str], List[Bounds]]): Finds the sentences of a text of a language.
    usage (Optional[Usage]): Counts to go on with.
    RETURNS (Annotator): The annotator.
    RAISES BionerError: E1xx and E2xx for settings that do not fit each other, and models that cannot be had.
    """
    source = fit_adapter(source, settings, warn=True)
    settings = fit_codec(source, settings)
    examples = [] if settings.examples is None else [
        Annotation.from_record(record) for _, record in read_json_lines(settings.examples)]
    builders = make_builders(source.card(), settings, examples=() if settings.choose_examples else examples)
    models = _open_all(source, builders)
    builder = builders[0] if len(builders) == 1 else builders[0].with_labels(
        {label: definition for question in builders for label, definition in question.labels.items()})
    chooser = None
    if settings.choose_examples:
        written, left_out = write_pool(examples, codec=builder.codec, labels=list(builder.labels))
        if left_out:
            logger.warning(Warnings.W203.format(count=len(left_out), total=len(examples), codec=builder.codec.name,
                                                id=left_out[0]))
        chooser = ExampleChooser(written, count=settings.choose_examples)
    most = choose_max_sentences(source.card(), settings)
    return Annotator(
        model=models[0], builder=builder, questions=list(zip(models, builders)), examples=chooser,
        window=settings.window, usage=usage,
        cache=None if settings.cache is None else ReplyCache(settings.cache), max_failures=settings.max_failures,
        chunks=ChunkSettings(max_tokens=settings.max_chunk_tokens, max_sentences=most, overlap=settings.overlap,
                             find_sentences=lambda text: find_sentences(text, builder.lang)))


def _open_all(source: ModelSource, builders: Iterable[PromptBuilder]) -> List[LanguageModel]:
    """Return a model for each question; they work in turn, so that one memory serves them."""
    from ..decoding.grounded import GroundedDecoder

    models = [source.open(builder) for builder in builders]
    for model in models[1:]:
        if isinstance(model, GroundedDecoder) and isinstance(models[0], GroundedDecoder):
            model.share_memory(models[0])
    return models


def fit_adapter(source: ModelSource, settings: AnnotatorSettings, *, warn: bool = False) -> ModelSource:
    """Choose among the adapters of this package: that of diseases and chemicals where nothing else is asked for, that
    of many label sets for other labels, none where neither was trained on what is asked for.

    An adapter that was named stays, and what it was not trained on is an error.

    source (ModelSource): What answers.
    settings (AnnotatorSettings): What is asked for.
    warn (bool): Whether to say that none fits.
    RETURNS (ModelSource): The same source, or one with another adapter, or the plain model.
    """
    if not isinstance(source, CausalLMSource) or source.adapter != AUTO:
        return source
    card = source.card()
    if card is None:
        return source
    unknown = _find_unknown(card, settings)
    if not unknown and set(settings.labels or ()) <= set(card.labels):
        return source
    of_sets = AdapterCard.read(LABEL_SETS_ADAPTER)
    unknown = _find_unknown(of_sets, settings)
    if not unknown:
        return source.with_adapter(LABEL_SETS_ADAPTER)
    if warn:
        logger.warning(Warnings.W202.format(what=unknown[0], codecs=f"{card.codec['name']} or {of_sets.codec['name']}"))
    return source.with_adapter(None)


def _find_unknown(card: AdapterCard, settings: AnnotatorSettings) -> List[str]:
    """Return what is asked for otherwise than an adapter was trained, labels aside."""
    wanted = {"codec": settings.codec is None or settings.codec.settings() == card.codec,
              "template": settings.template in (None, card.template),
              "language": settings.lang in (None, card.lang)}
    return [name for name, trained in wanted.items() if not trained]


def fit_codec(source: ModelSource, settings: AnnotatorSettings) -> AnnotatorSettings:
    """Choose the codec of a model on a server without an adapter, where none is set.

    source (ModelSource): What answers.
    settings (AnnotatorSettings): What is asked for.
    RETURNS (AnnotatorSettings): The same, with the codec.
    """
    if settings.codec is not None or not isinstance(source, ServerSource) or source.adapter_folder is not None:
        return settings
    return settings.changed(codec=make_codec(SERVED_CODEC))


def make_builder(card: Optional[AdapterCard], settings: AnnotatorSettings, *,
                 examples: Iterable[Annotation] = ()) -> PromptBuilder:
    """Make the prompt builder of a run.

    card (Optional[AdapterCard]): What the adapter was trained on.
    settings (AnnotatorSettings): What is set for the run.
    examples (Iterable[Annotation]): Few-shot examples, the same for all texts.
    RETURNS (PromptBuilder): The builder.
    RAISES BionerError: E207 where the adapter could not understand the prompts.
    """
    builder = _build(card, settings, examples)
    _warn_of_departures(card, [builder])
    return builder


def make_builders(card: Optional[AdapterCard], settings: AnnotatorSettings, *,
                  examples: Iterable[Annotation] = ()) -> List[PromptBuilder]:
    """Make the prompt builders of a run: one, or one a label where the adapter was trained on one label at a time.

    card (Optional[AdapterCard]): What the adapter was trained on.
    settings (AnnotatorSettings): What is set for the run.
    examples (Iterable[Annotation]): Few-shot examples, the same for all texts.
    RETURNS (List[PromptBuilder]): The builders.
    RAISES BionerError: E207 where the adapter could not understand the prompts, E311 for examples of several labels.
    """
    labels = settings.labels or choose_labels(card)
    if card is None or card.instruction != "each" or len(labels) == 1:
        return [make_builder(card, settings, examples=examples)]
    if settings.examples is not None:
        raise BionerError(Errors.E311.format(labels=", ".join(labels)))
    builders = [_build(card, settings.changed(labels={label: definition})) for label, definition in labels.items()]
    _warn_of_departures(card, builders)
    return builders


def _warn_of_departures(card: Optional[AdapterCard], builders: Iterable[PromptBuilder]) -> None:
    departures = [key for builder in builders for key in card.check(builder.settings())] if card else []
    # Who was trained on several label sets is meant to be asked for others.
    allowed = ("labels", "corpus") if card and len(card.more_corpora) > 1 else ()
    for key in dict.fromkeys(key for key in departures if key not in allowed):
        logger.warning(Warnings.W201.format(key=key))


def _build(card: Optional[AdapterCard], settings: AnnotatorSettings,
           examples: Iterable[Annotation] = ()) -> PromptBuilder:
    codec = settings.codec or (make_codec(**card.codec) if card else make_codec(DEFAULT_CODEC))
    labels = dict(settings.labels or choose_labels(card))
    lang = settings.lang or (card.lang if card else "en")
    corpus = settings.corpus if settings.corpus is not None else card.corpus if card else ""
    template, source = _choose_template(card, settings, lang)
    return PromptBuilder(template=template, source=source, labels=labels, codec=codec, corpus=corpus, lang=lang,
                         examples=write_examples(examples, codec=codec, labels=list(labels)))


def choose_max_sentences(card: Optional[AdapterCard], settings: AnnotatorSettings) -> int:
    """Return sentences that are asked for at once, 0 for no limit: a model is lost in longer texts than it was
    trained on."""
    if settings.max_sentences is not None:
        return settings.max_sentences
    return card.max_sentences if card is not None else 0


def choose_labels(card: Optional[AdapterCard]) -> Dict[str, str]:
    """Return what a run without labels of its own looks for: what the adapter was trained on, else the
    labels of the embedded corpus."""
    if card is not None:
        return card.labels
    text = (resources.files(__package__) / "embedded_labels.json").read_text(encoding="utf8")
    return dict(json.loads(text))


def _choose_template(card: Optional[AdapterCard], settings: AnnotatorSettings,
                     lang: str) -> Tuple[str, Optional[str]]:
    of_language = f"annotate.{'zh' if lang == 'zh' else 'en'}"
    if settings.template is None and card is not None:
        if lang != card.lang and of_language in card.more_templates:
            return of_language, card.more_templates[of_language]
        return card.template, card.template_source
    return settings.template or of_language, None
