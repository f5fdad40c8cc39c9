"""Settings that all verbs share which load a model to teach or to score with it."""

import logging
from typing import TYPE_CHECKING, Any, Dict, Literal, Mapping, Optional

from .settings import Settings

if TYPE_CHECKING:
    from ...codecs.base import Codec
    from ...llm.local.causal_lm import CausalLM

logger = logging.getLogger(__name__)

# With a line for each label a small model learns sooner; with more labels than these it takes too many tokens.
# One label is taught as bracket lines, several as HTML, which writes the text once for all of them.
AUTO_CODEC = "auto"
_FEW_LABELS = 2


class LocalModelSettings(Settings):
    """Which model, and where it computes."""

    model: str
    revision: Optional[str] = None
    device: str = "auto"
    dtype: str = "auto"
    quantize: Optional[str] = None

    def load(self, gpu_id: int, *, device: Optional[str] = None) -> "CausalLM":
        """Load the model.

        gpu_id (int): GPU of the command line, which goes before the config; -1 for none, so that "auto" is the CPU.
        device (Optional[str]): Device of this process where there are several, which goes before both.
        RETURNS (CausalLM): The model.
        """
        from ...llm.local.causal_lm import load_causal_lm

        configured = "cpu" if self.device == "auto" else self.device
        chosen = device or (f"cuda:{gpu_id}" if gpu_id >= 0 else configured)
        return load_causal_lm(self.model, revision=self.revision, device=chosen, dtype=self.dtype,
                              quantize=self.quantize)


class TaughtFormatSettings(LocalModelSettings):
    """The model, and how gold records are put to it."""

    unit: Literal["record", "sentence"] = "record"
    codec: str = "bracket"
    codec_options: Dict[str, Any] = {}
    template: str = "auto"
    chat: bool = False

    def make_codec(self, labels: int, *, begun: Optional[Mapping[str, Any]] = None) -> "Codec":
        """Make the format of the answers.

        labels (int): How many labels an answer is about; decides what the codec "auto" stands for, and the lines "auto"
            of the brackets. Other formats have no lines and pass over this one word.
        begun (Optional[Mapping[str, Any]]): Codec of the adapter that training begins with, which "auto" takes.
        RETURNS (Codec): The format.
        """
        from ...codecs import make_codec

        name, options, begun = self.codec, dict(self.codec_options), dict(begun or {})
        if name == AUTO_CODEC:
            # Who says how lines are written wants brackets: no other format has lines.
            lines_asked = options.get("lines", "auto") != "auto"
            name = begun.get("name") or ("bracket" if labels == 1 or lines_asked else "html")
            logger.info("Format of the answers, for up to %s labels in one: %s", labels, name)
            options.update({key: value for key, value in begun.items() if key not in ("name", "lines")})
        if options.get("lines") == "auto":
            del options["lines"]
            if name == "bracket":
                few = "all" if labels <= _FEW_LABELS else "occurring"
                options["lines"] = begun.get("lines", few)
                logger.info("Bracket lines for up to %s labels in an answer: %s", labels, options["lines"])
        return make_codec(name, **options)
