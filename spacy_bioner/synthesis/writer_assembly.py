"""What a writer of sentences is made of: the prompt as in training of the generator, its model, the checks."""

import logging
from pathlib import Path
from typing import Any, Iterable, Mapping, Optional, Protocol, Tuple

from ..errors import BionerError, Errors, Warnings
from ..llm.adapter import AdapterCard
from ..llm.annotation.assembly import choose_labels
from ..llm.annotation.cache import ReplyCache
from ..llm.annotation.request_runner import Runner
from ..llm.annotation.usage import Usage
from ..llm.protocol import LanguageModel
from ..settings import setting
from .checking.check_settings import CheckSettings
from .checking.sentence_checks import SentenceChecks
from .seed_prompt import SeedPrompt
from .settings import GenerationPromptSettings, WritingSettings
from .writer import Relabel, SentenceWriter

logger = logging.getLogger(__name__)


class GeneratorSource(Protocol):
    """A model that can write sentences; see `llm.local.model_source` and `llm.server.server_source`."""

    adapter_folder: Optional[Path]

    def card(self) -> Optional[AdapterCard]:
        """Return what its adapter was trained on, or None without one."""

    def open_generator(self, *, top_p: float, attempts: int, batch_size: int, min_units: int = 0) -> LanguageModel:
        """Return the model, ready to write."""


class WriterSettings(WritingSettings, GenerationPromptSettings):
    """How sentences are asked for and what must be right about them."""

    labels: Optional[Mapping[str, str]] = setting(
        None, "Label to definition; null or empty takes those of the adapter, or of the embedded corpus.")
    lang: Optional[str] = setting(None, "Language of the sentences; null takes that of the adapter, or en.")
    corpus: str = setting("", "Name of the corpus, for the meta of the sentences.")
    style_examples: Tuple[str, ...] = setting((), "Raw sentences that show the style.")
    checks: CheckSettings = CheckSettings()


def make_seed_prompt(card: Optional[AdapterCard], settings: WriterSettings) -> SeedPrompt:
    """Make the prompt of a run.

    card (Optional[AdapterCard]): What the adapter was trained on.
    settings (WriterSettings): What is set for the run.
    RETURNS (SeedPrompt): The prompt.
    RAISES BionerError: E207 for another template than the adapter was trained with; what else is asked otherwise than
        in training is a warning.
    """
    lang = choose_lang(card, settings)
    source = card.template_source if card is not None and settings.template is None else ""
    template = card.template if source and card is not None else settings.template
    trained = card.prompt if card is not None else {}
    prompt = SeedPrompt(settings.labels or choose_labels(card), variant=settings.variant,
                        domain=settings.domain or trained.get("domain", ""),
                        genre=settings.genre or trained.get("genre", ""),
                        style_examples=settings.style_examples, source=source,
                        template=template or f"generate.{'zh' if lang == 'zh' else 'en'}")
    if card is not None and card.template_source != prompt.source:
        raise BionerError(Errors.E207.format(what="template", trained=card.template, asked=prompt.template))
    for key, asked in prompt.card_settings().items():
        if key in trained and trained[key] != asked:
            logger.warning(Warnings.W401.format(key=key, trained=_shorten(trained[key]), asked=_shorten(asked)))
    return prompt


def _shorten(value: Any) -> str:
    return f"{len(value)} of them" if isinstance(value, list) else f"'{value}'"


def choose_lang(card: Optional[AdapterCard], settings: WriterSettings) -> str:
    """Return the language of the run."""
    return settings.lang or (card.lang if card is not None else "en")


def make_writer(source: GeneratorSource, settings: WriterSettings, *, held_out: Iterable[Path] = (),
                relabel: Optional[Relabel] = None, usage: Optional[Usage] = None) -> SentenceWriter:
    """Make a writer: load the model, build the prompt, open the cache.

    source (GeneratorSource): What writes.
    settings (WriterSettings): How it is asked, and what is checked.
    held_out (Iterable[Path]): Records of dev and test, whose sentences must not come out again.
    relabel (Optional[Relabel]): For the mode "relabel": annotates a sentence.
    usage (Optional[Usage]): Counts to go on with.
    RETURNS (SentenceWriter): The writer.
    RAISES BionerError: E4xx for settings that do not fit each other, E2xx for models that cannot be had.
    """
    card = source.card()
    if card is not None and card.codec.get("name") != "seed_tags":
        raise BionerError(Errors.E424.format(path=source.adapter_folder, codec=f"answer in {card.codec.get('name')}"))
    if settings.variant == "chain_of_thought" and getattr(source, "decoding", "free") == "grounded":
        raise BionerError(Errors.E423)
    prompt = make_seed_prompt(card, settings)
    lang = choose_lang(card, settings)
    checks = SentenceChecks(settings.checks.changed(lang=lang), held_out=held_out)
    model = source.open_generator(top_p=settings.top_p, attempts=settings.attempts, batch_size=settings.batch_size,
                                  min_units=settings.checks.min_units)
    runner = Runner(model, cache=None if settings.cache is None else ReplyCache(settings.cache), usage=usage)
    return SentenceWriter(runner, prompt, checks, mode=settings.mode, relabel=relabel,
                          max_failures=settings.max_failures, meta=_provenance(model, prompt, settings, lang))


def _provenance(model: LanguageModel, prompt: SeedPrompt, settings: WriterSettings, lang: str) -> Mapping[str, Any]:
    """Return what each sentence says of its origin."""
    identity = model.identity()
    known = {key: identity.get(key) for key in ("model", "adapter", "temperature", "seed")}
    corpus = {"corpus": settings.corpus} if settings.corpus else {}
    return {**corpus, "lang": lang, **known, "top_p": settings.top_p, "variant": prompt.variant,
            "prompt_hash": prompt.hash}
