"""Requests and replies: what the parts that ask a language model say to each other."""

from dataclasses import dataclass, field
from typing import Any, Dict, Iterable, Mapping, Optional, Protocol, Sequence, Tuple

from ..annotation import Mention
from ..prompts.build import Prompt

# What HTTP servers answer to a request that they cannot take; all other errors speak of the service.
DOCUMENT_STATUS = frozenset({400, 413, 422})


@dataclass(frozen=True)
class Request:
    """One question to a model.

    prompt (Prompt): The rendered prompt.
    text (str): The source text that the answer marks; grounded decoding copies it. Empty for plain generation.
    sample (int): Number of the sample where one prompt is sampled several times.
    seeds (Tuple[Tuple[str, str], ...]): For sentence generation, the seeds as (text, label), still to be used.
    """

    prompt: Prompt
    text: str = ""
    sample: int = 0
    seeds: Tuple[Tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Reply:
    """What came back for one request.

    text (str): The answer as the model wrote it, or as grounded decoding spelt it.
    finish_reason (str): "stop", "length" (cut by the token limit) or "error".
    mentions (Optional[Tuple[Mention, ...]]): With grounded decoding the mentions with their scores; else None.
    scored (Optional[Tuple[Mention, ...]]): From a server that gives log-probabilities the mentions of the text with
        their scores, for the mentions that the codec reads; else None.
    error (Optional[str]): Why there is no answer, one line without document text.
    usage (Dict[str, float]): prompt_tokens, answer_tokens, passes (forward passes) or requests, seconds.
    service_failed (bool): Whether the error speaks of the service (no connection, no answer in time, too busy, broken,
        not let in), so that other requests will fail too; False where it speaks of this request alone (over the
        context, refused, not readable).
    refused (bool): Whether a server refused the request as one that it cannot take. Where it refuses all of them alike
        the fault lies in the settings, not in the document.
    """

    text: str = ""
    finish_reason: str = "stop"
    mentions: Optional[Tuple[Mention, ...]] = None
    scored: Optional[Tuple[Mention, ...]] = None
    error: Optional[str] = None
    usage: Dict[str, float] = field(default_factory=dict)
    service_failed: bool = False
    refused: bool = False


class LanguageModel(Protocol):
    """A local model, a server or recorded replies."""

    def identity(self) -> Mapping[str, Any]:
        """Return the name, revision, adapter and decoding settings: all that a reply depends on
        beside the prompt; part of the cache key."""

    def generate(self, requests: Sequence[Request]) -> Iterable[Tuple[int, Reply]]:
        """Answer requests in the order that is fastest.

        requests (Sequence[Request]): A window of requests.
        YIELDS (Tuple[int, Reply]): Index into the requests, and its reply, as soon as it exists. A request that
            fails yields a reply with an error; only what ends the whole run is raised.
        """

    def count_tokens(self, text: str) -> int:
        """Return tokens of a text, for cutting long documents."""

    @property
    def context_length(self) -> int:
        """Return tokens that prompt and answer may have together."""
