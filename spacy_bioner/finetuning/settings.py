"""Settings of fine-tuning and of the selection of records: the model, and how gold records are put to it."""

import logging
from typing import Any, Dict, Literal, Mapping, Optional

from ..codecs import make_codec
from ..codecs.base import Codec
from ..llm.settings import LocalModelSettings
from ..settings import other_default, setting
from .lora.lora_settings import LoraSettings, TrainingSettings

logger = logging.getLogger(__name__)

# Lines for a single label, HTML for several, which writes the text once for all of them.
AUTO_CODEC = "auto"
# With a line for each label a small model learns faster; with more labels than these it takes too many tokens.
_FEW_LABELS = 2


class TrainedFormatSettings(LocalModelSettings):
    """The model, and how gold records are put to it."""

    unit: Literal["record", "sentence"] = setting(
        "record", "record: records as they are. sentence: records split into sentences first.")
    codec: str = setting(
        "bracket", "Format of the responses: bracket, html, json, or auto. auto: bracket lines for one label, HTML "
        "for several.")
    codec_options: Dict[str, Any] = setting(
        {}, "Options of the codec. Of bracket lines, lines = all writes one for each label, occurring only for those "
        "that occur, and auto is all for up to two labels, else occurring.")
    template: str = setting("auto", "Prompt template; auto takes that of the language.")
    chat: bool = setting(False, "Whether prompts are wrapped into chat markup.")

    def make_codec(self, labels: int, *, begun: Optional[Mapping[str, Any]] = None) -> Codec:
        """Make the format of the responses.

        labels (int): How many labels a response is about; decides what the codec "auto" stands for, and the lines
            "auto" of the brackets. Other formats have no lines and ignore this word.
        begun (Optional[Mapping[str, Any]]): Codec of the adapter that training begins with, which "auto" takes.
        RETURNS (Codec): The format.
        """
        name, options, begun = self.codec, dict(self.codec_options), dict(begun or {})
        if name == AUTO_CODEC:
            # Who says how lines are written wants brackets: no other format has lines.
            lines_asked = options.get("lines", "auto") != "auto"
            name = begun.get("name") or ("bracket" if labels == 1 or lines_asked else "html")
            logger.info("Format of the responses, for up to %s labels in one: %s", labels, name)
            options.update({key: value for key, value in begun.items() if key not in ("name", "lines")})
        if options.get("lines") == "auto":
            del options["lines"]
            if name == "bracket":
                few = "all" if labels <= _FEW_LABELS else "occurring"
                options["lines"] = begun.get("lines", few)
                logger.info("Bracket lines for up to %s labels in a response: %s", labels, options["lines"])
        return make_codec(name, **options)


class FinetuneSettings(TrainedFormatSettings):
    """Fine-tuning of a language model that annotates."""

    codec: str = other_default(TrainedFormatSettings, "codec", AUTO_CODEC)
    codec_options: Dict[str, Any] = other_default(TrainedFormatSettings, "codec_options", {"lines": "auto"})
    start_from: Optional[str] = setting(
        None, "The adapter that training begins with: a folder, packaged for the one in this package that knows many "
        "label sets, auto for the one of diseases and chemicals, or null for fresh weights. Rank, scale and modules "
        "are then its own, and so is the codec auto.")
    instruction: Literal["all", "each"] = setting("all", "all: one prompt for all labels. each: one prompt a label.")
    loss: Literal["answer", "decisions"] = setting(
        "answer", "Tokens that the loss counts: answer, those of the response, or decisions, those that grounded "
        "decoding decides on.")
    dev_limit: int = setting(200, "Records of dev that are decoded for each score, 0 for all.", ge=0)
    dev_batch_tokens: int = setting(16384, "Most tokens of all dev records in progress.", ge=1)
    lora: LoraSettings = LoraSettings()
    training: TrainingSettings = TrainingSettings()


class SelectDataSettings(TrainedFormatSettings):
    """The selection of gold records by IFD of a weak model, which is the model here."""

    codec: str = other_default(TrainedFormatSettings, "codec", "json")
    ratio: Literal["perplexity", "loss"] = setting(
        "perplexity", "perplexity: IFD is PPL(response | prompt) / PPL(response). loss: the ratio of the mean losses, "
        "which ranks differently.")
    tokens: Literal["answer", "mentions"] = setting(
        "answer", "answer: all tokens of the response are scored. mentions: only those that spell mentions.")
    max_length: int = setting(1024, "Longer records are not scored, left out and counted.", ge=1)
    max_batch_tokens: Optional[int] = setting(
        None, "Tokens of one forward pass, padding included; null takes what suits the device.", ge=1)
    strategy: Literal["hybrid", "all", "random", "ifd_all", "lowest"] = setting(
        "hybrid", "hybrid: of the records with mentions those of the highest IFD, and all without. lowest: those of "
        "the lowest IFD. random: as many at random. ifd_all: all ranked together, which drops most records without "
        "mentions. all: every record.")
    keep_ratio: float = setting(0.9, "Share to keep of the ranked records that are below max_ifd.", gt=0, le=1)
    max_ifd: float = setting(1.0, "Records with an IFD from here on are dropped.", gt=0)
    negatives: bool = setting(True, "Whether negatives, records without mentions, are kept.")
    diversity: bool = setting(
        False, "Whether to choose so that every sentence has a similar one among the chosen, by vectors of the "
        "encoder.")
    diversity_pool: float = setting(
        2.0, "Among how many of the top of the ranking it chooses, as a multiple of how many it takes; 1 leaves no "
        "choice.", ge=1)
    encoder: str = setting("all-minilm-l6-v2", "The encoder of the vectors: an embedded package, a folder or a hub id.")
    seed: int = setting(0, "Random seed of the selection.", ge=0)
