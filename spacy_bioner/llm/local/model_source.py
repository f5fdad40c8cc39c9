"""Which model answers, as settings: loaded when first used, and usable in spacy-llm's own component too.

A source of models knows what to load but not yet for which labels and codec; `open` makes the model that annotates.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Dict, Iterable, List, Optional, Protocol

from ...errors import BionerError, Errors
from ...prompts.build import Prompt, PromptBuilder
from ...settings import takes_settings
from ..adapter import CARD_FILE, AdapterCard
from ..protocol import LanguageModel, Request
from ..settings import AUTO, EMBEDDED_MODEL, CausalLMSettings

# For diseases and chemicals, and for any labels by their definitions.
EMBEDDED_ADAPTER = Path(__file__).parent / "embedded_adapter"
LABEL_SETS_ADAPTER = Path(__file__).parent / "label_sets_adapter"


class ModelSource(Protocol):
    """Opens a language model for a prompt builder; what takes part in spacy-llm's protocol is called with prompts.

    adapter_folder (Optional[Path]): Where the adapter of the model lies, if it has one.
    """

    @property
    def adapter_folder(self) -> Optional[Path]:
        """Return where the adapter of the model lies, if it has one."""

    def open(self, builder: PromptBuilder) -> LanguageModel:
        """Return the model, ready to answer the prompts of this builder."""

    def card(self) -> Optional[AdapterCard]:
        """Return what its adapter was trained on, or None without one."""

    def __call__(self, prompts: Iterable[Iterable[Any]]) -> Iterable[Iterable[Any]]:
        """Return for each document the replies to its prompts."""


def find_adapter(name: str, adapter: Optional[str]) -> Optional[Path]:
    """Decide which adapter goes with a model.

    name (str): Name of the model.
    adapter (Optional[str]): Folder of an adapter; None for the plain model; "auto" for the one that comes with this
        package, where it does and the model is the embedded one.
    RETURNS (Optional[Path]): The folder, or None for the plain model.
    RAISES BionerError: E221 where the folder is no adapter's.
    """
    if adapter is None:
        return None
    if adapter == AUTO:
        return EMBEDDED_ADAPTER if name == EMBEDDED_MODEL and (EMBEDDED_ADAPTER / CARD_FILE).is_file() else None
    if not (Path(adapter) / CARD_FILE).is_file():
        raise BionerError(Errors.E221.format(adapter=adapter))
    return Path(adapter)


class CausalLMSource(CausalLMSettings):
    """A local model that is loaded when first used, see `causal_lm.load_causal_lm`."""

    def __getstate__(self) -> Dict[str, Any]:
        """Return the settings; a loaded model stays in its process."""
        return {**super().__getstate__(), "__dict__": self.values()}

    @property
    def adapter_folder(self) -> Optional[Path]:
        return find_adapter(self.model, self.adapter)

    def card(self) -> Optional[AdapterCard]:
        """Return what the adapter was trained on, or None without one."""
        folder = self.adapter_folder
        return None if folder is None else AdapterCard.read(folder)

    def with_adapter(self, folder: Optional[Path]) -> "CausalLMSource":
        """Return the same settings with another adapter, not yet loaded."""
        return self.changed(adapter=None if folder is None else str(folder))

    def open(self, builder: PromptBuilder) -> LanguageModel:
        """Return a decoder for the builder's codec and labels; raises BionerError E207 where the
        adapter is another model's."""
        from ..decoding.grounded import GroundedDecoder

        card = self.card()
        # A folder has moved more often than it holds another model: of folders the shapes are compared, in loading.
        if card is not None and not Path(self.model).is_dir() and not Path(card.base_model).is_dir():
            card.check(builder.settings(), base_model=self.model)
        if self.decoding == "free":
            return self._free
        return GroundedDecoder(self._lm, codec=builder.codec, labels=builder.labels, chat=self._chat,
                               max_batch_tokens=self.max_batch_tokens, pass_tokens=self.pass_tokens)

    def open_generator(self, *, top_p: float, attempts: int, batch_size: int, min_units: int = 0) -> LanguageModel:
        """Open the model as a writer of sentences; `max_new_tokens`, `temperature` and `seed` are the source's own.

        top_p (float): Share of the probability that is sampled from.
        attempts (int): How often a sentence that does not get ready is sampled, with grounded decoding.
        batch_size (int): Sentences written together, with grounded decoding.
        min_units (int): Fewest units of a sentence, with grounded decoding.
        RETURNS (LanguageModel): The model.
        """
        options: Dict[str, Any] = {"max_new_tokens": self.max_new_tokens, "temperature": self.temperature,
                                   "top_p": top_p, "seed": self.seed, "chat": self._chat}
        if self.decoding == "free":
            from ..decoding.free import FreeDecoder

            return FreeDecoder(self._lm, max_batch_tokens=self.max_batch_tokens, **options)
        from ..decoding.generation import GroundedGenerator

        return GroundedGenerator(self._lm, attempts=attempts, batch_size=batch_size, min_units=min_units,
                                 **options)

    def __call__(self, prompts: Iterable[Iterable[Any]]) -> Iterable[Iterable[Any]]:
        """Answer the prompts of documents freely, as spacy-llm's models do."""
        return answer_prompts(self._free, prompts)

    @property
    def context_length(self) -> int:
        return self._lm.context_length

    @property
    def _chat(self) -> bool:
        card = self.card()
        return card is not None and card.chat

    @cached_property
    def _lm(self) -> Any:
        from .causal_lm import load_causal_lm

        return load_causal_lm(self.model, adapter=self.adapter_folder, revision=self.revision, device=self.device,
                              dtype=self.dtype, quantize=self.quantize)

    @cached_property
    def _free(self) -> LanguageModel:
        from ..decoding.free import FreeDecoder

        return FreeDecoder(self._lm, max_new_tokens=self.max_new_tokens, max_batch_tokens=self.max_batch_tokens,
                           temperature=self.temperature, seed=self.seed, chat=self._chat)


@dataclass(frozen=True)
class OpenedSource:
    """A model that is there already, and the same for all labels: recorded replies, or one made in a program.

    model (LanguageModel): The model.
    """

    model: LanguageModel
    adapter_folder: Optional[Path] = None

    def card(self) -> Optional[AdapterCard]:
        return None

    def open(self, builder: PromptBuilder) -> LanguageModel:
        return self.model

    def open_generator(self, *, top_p: float, attempts: int, batch_size: int, min_units: int = 0) -> LanguageModel:
        return self.model

    def __call__(self, prompts: Iterable[Iterable[Any]]) -> Iterable[Iterable[Any]]:
        return answer_prompts(self.model, prompts)

    @property
    def context_length(self) -> int:
        return self.model.context_length


def answer_prompts(model: LanguageModel, prompts: Iterable[Iterable[Any]]) -> List[List[str]]:
    """Answer prompts in the way of spacy-llm's models: a failed one has an empty reply.

    model (LanguageModel): The model.
    prompts (Iterable[Iterable[Any]]): For each document its prompts, as strings.
    RETURNS (List[List[str]]): For each document its replies.
    """
    nested = [[str(prompt) for prompt in shards] for shards in prompts]
    requests = [Request(Prompt(system="", user=prompt)) for shards in nested for prompt in shards]
    texts = [""] * len(requests)
    for index, reply in model.generate(requests):
        texts[index] = reply.text
    flat = iter(texts)
    return [[next(flat) for _ in shards] for shards in nested]


@takes_settings(CausalLMSettings, place="spacy-bioner.CausalLM.v1")
def make_causal_lm(settings: CausalLMSettings) -> CausalLMSource:
    """Create the registered model `spacy-bioner.CausalLM.v1`.

    settings (CausalLMSettings): The model, its adapter, and how it decodes.
    """
    return CausalLMSource(**settings.values())
