"""What a LoRA adapter was trained on, kept beside its weights, so that it is asked as in training."""

import hashlib
import json
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional

from pydantic import TypeAdapter, ValidationError

from ..errors import BionerError, Errors, first_fault
from ..files import write_json
from ..tokens import UNITS_VERSION
from .model_files import UnreadableFile, read_object

CARD_FILE = "bioner.json"
CONFIG_FILE = "adapter_config.json"
WEIGHTS_FILE = "adapter_model.safetensors"
# What a run may ask otherwise than in training.
_MEANT = ("labels", "corpus", "lang")


@dataclass(frozen=True)
class AdapterCard:
    """The settings of an adapter's training that annotation must share.

    base_model (str): Name of the model that it was trained on.
    revision (str): Its revision or package version.
    shapes (Dict[str, int]): Its hidden size, layers and vocabulary; empty in cards from before they were kept.
    base_hash (str): Hash of some of its weights; empty in cards from before it was kept.
    codec (Dict[str, Any]): Settings of the codec.
    labels (Dict[str, str]): Label to definition.
    corpus (str): Name of the corpus in the prompt.
    lang (str): Language of the prompt.
    template (str): Name of the prompt template.
    template_source (str): Its text.
    more_templates (Dict[str, str]): Name to text of templates that were trained with too, as that of another language.
    more_corpora (List[Dict[str, Any]]): labels, corpus and lang of each further corpus that was trained on.
    instruction (str): "all" where a question asked for all labels at once, "each" for one label at a time.
    prompt (Dict[str, Any]): Of a generator of sentences: variant, domain, genre and style_examples of its prompts.
    chat (bool): Whether prompts were wrapped into chat markup.
    max_sentences (int): Sentences of a text of the training, at most in 19 of 20 texts; 0 where that is not known.
    units_version (int): Version of the cutting of texts into units.
    seed (int): Random seed of the training.
    versions (Dict[str, str]): Package to version.
    data_hash (str): Hash of the training records.
    began_with (Dict[str, Any]): adapter (its fingerprint), data_hash and corpora of the adapter that the training
        began with; empty where it began with fresh weights.
    score (Dict[str, float]): What was measured at the end of the training.
    sha256 (Dict[str, str]): File to SHA-256 sum, of weights, configuration and this card; empty in cards from before
        they were kept. Written by `write`.
    """

    base_model: str
    codec: Dict[str, Any]
    labels: Dict[str, str]
    revision: str = ""
    shapes: Dict[str, int] = field(default_factory=dict)
    base_hash: str = ""
    corpus: str = ""
    lang: str = "en"
    template: str = ""
    template_source: str = ""
    more_templates: Dict[str, str] = field(default_factory=dict)
    more_corpora: List[Dict[str, Any]] = field(default_factory=list)
    instruction: str = "all"
    prompt: Dict[str, Any] = field(default_factory=dict)
    chat: bool = False
    max_sentences: int = 0
    units_version: int = UNITS_VERSION
    seed: int = 0
    versions: Dict[str, str] = field(default_factory=dict)
    data_hash: str = ""
    began_with: Dict[str, Any] = field(default_factory=dict)
    score: Dict[str, float] = field(default_factory=dict)
    sha256: Dict[str, str] = field(default_factory=dict, compare=False)

    def write(self, folder: Path) -> None:
        """Write the card beside the adapter's weights, with the sums of the files there."""
        content = asdict(self)
        files = [path for path in (Path(folder) / CONFIG_FILE, Path(folder) / WEIGHTS_FILE) if path.is_file()]
        content["sha256"] = {**{path.name: _hash_file(path) for path in files}, CARD_FILE: _hash_card(content)}
        write_json(Path(folder) / CARD_FILE, content)

    @classmethod
    def read(cls, folder: Path) -> "AdapterCard":
        """Read the card of an adapter.

        folder (Path): Folder of the adapter.
        RETURNS (AdapterCard): The card.
        RAISES BionerError: E206 where there is none, it cannot be read, or a value has another type. E235 where it is
            not as it was written.
        """
        path = Path(folder) / CARD_FILE
        try:
            content = read_object(path)
            _check_card(path, content)
            kept = {item.name: content[item.name] for item in fields(cls) if item.name in content}
            # As JSON: of Python's own values pydantic takes a dataclass only from one, where types are strict.
            return TypeAdapter(cls).validate_json(json.dumps(kept), strict=True)
        except UnreadableFile as error:
            raise BionerError(Errors.E206.format(path=path, why=error)) from None
        except ValidationError as error:
            key, why = first_fault(error)
            raise BionerError(Errors.E206.format(path=path, why=f"{key}: {why}")) from None

    def check_files(self, folder: Path) -> None:
        """Compare the files of the adapter with those that were written.

        folder (Path): Folder of the adapter.
        RAISES BionerError: E235 where one has other bytes.
        """
        for name in (CONFIG_FILE, WEIGHTS_FILE):
            path = Path(folder) / name
            if name in self.sha256 and path.is_file():
                _compare(path, _hash_file(path), self.sha256[name])

    def check(self, settings: Mapping[str, Any], *, base_model: Optional[str] = None,
              chat: Optional[bool] = None) -> List[str]:
        """Compare what annotation is about to ask with what the adapter was trained on.

        settings (Mapping[str, Any]): `PromptBuilder.settings()` of the run.
        base_model (Optional[str]): Name of the model of the run.
        chat (Optional[bool]): Whether the run wraps prompts into chat markup.
        RETURNS (List[str]): Keys in which the run departs from the training in a way that can be meant (other
            definitions, another corpus name): worth a warning.
        RAISES BionerError: E207 where the model could not understand the run: another base model, codec, template,
            chat markup or cutting into units. E311 where it is asked for several labels at once and was trained for
            one at a time.
        """
        wanted = {"codec": (self.codec, settings["codec"]), "units": (self.units_version, UNITS_VERSION)}
        if settings["source"] not in self.more_templates.values():
            wanted["template"] = (self.template_source, settings["source"])
        if base_model is not None:
            wanted["base model"] = (self.base_model, base_model)
        if chat is not None:
            wanted["chat"] = (self.chat, chat)
        for what, (trained, asked) in wanted.items():
            if trained != asked:
                raise BionerError(Errors.E207.format(what=what, trained=_short(trained), asked=_short(asked)))
        if self.instruction == "each" and len(settings["labels"]) > 1:
            raise BionerError(Errors.E311.format(labels=", ".join(settings["labels"])))
        first, *further = ([key for key in _MEANT if not self._was_trained_on(key, corpus.get(key, {}), settings[key])]
                           for corpus in ({key: getattr(self, key) for key in _MEANT}, *self.more_corpora))
        return first if all(further) else []

    def _was_trained_on(self, key: str, trained: Any, asked: Any) -> bool:
        """Return whether a corpus was trained on so: with these labels in this order, or with each of them."""
        if key != "labels":
            return trained == asked
        if self.instruction == "each":
            return set(asked.items()) <= set(trained.items())
        return list(asked.items()) == list(trained.items())

    def check_model(self, shapes: Mapping[str, int], base_hash: str = "") -> None:
        """Compare the model that the adapter is about to be put on with the one that it was trained on, whatever the
        two are called.

        shapes (Mapping[str, int]): See `CausalLM.shapes`.
        base_hash (str): See `CausalLM.base_hash`.
        RAISES BionerError: E207 where they have other shapes or other weights.
        """
        if self.shapes and self.shapes != dict(shapes):
            raise BionerError(Errors.E207.format(what="base model", trained=f"{self.base_model}, {_short(self.shapes)}",
                                                 asked=_short(dict(shapes))))
        if self.base_hash and base_hash and self.base_hash != base_hash:
            raise BionerError(Errors.E207.format(what="base model", trained=f"{self.base_model}, weights "
                              f"{self.base_hash}", asked=f"one of the same shapes with the weights {base_hash}"))


def _check_card(path: Path, content: Dict[str, Any]) -> None:
    """Compare the sum that a card has of itself, if it has one. RAISES BionerError: E235 where it is another one."""
    sums = content.get("sha256")
    if isinstance(sums, dict) and CARD_FILE in sums:
        _compare(path, _hash_card(content), sums[CARD_FILE])


def _compare(path: Path, found: str, wanted: Any) -> None:
    if found != wanted:
        raise BionerError(Errors.E235.format(path=path, found=found, wanted=wanted, card=CARD_FILE))


def _hash_card(content: Mapping[str, Any]) -> str:
    """Return the SHA-256 sum of a card: of its keys and values but for the sums, however they are laid out."""
    kept = {key: value for key, value in content.items() if key != "sha256"}
    return hashlib.sha256(json.dumps(kept, sort_keys=True).encode("utf8")).hexdigest()


def _hash_file(path: Path) -> str:
    with path.open("rb") as file_:
        return hashlib.file_digest(file_, "sha256").hexdigest()


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = " ".join(text.split())
    return text if len(text) <= 80 else text[:77] + "..."
