"""The parameters of requests: what is set is sent, and what a server refuses is left out from then on."""

import logging
import re
from typing import TYPE_CHECKING, Any, Dict, Iterable, Iterator, Mapping, Optional, Set

from ...errors import Warnings
from ...locks import ThreadLock
from .token_logprobs import logprob_parameters

if TYPE_CHECKING:
    from .client import ServerSettings

logger = logging.getLogger(__name__)

# What a server may do without: its own default then holds.
_SPARED = frozenset({"temperature", "seed", "top_p"})
# Of these none is sent without the others.
_LOGPROBS = frozenset({"logprobs", "top_logprobs"})
_LIMITS = ("max_tokens", "max_completion_tokens")
_NAME = re.compile(r"[A-Za-z][\w.\-]{0,59}")
_KNOWN = frozenset({*_SPARED, *_LOGPROBS, *_LIMITS})
_REFUSES = re.compile(r"unsupported|not support|unknown|unrecogni[sz]ed|unexpected|not (permitted|allowed)|invalid"
                      r"|extra|deprecated|no longer|cannot find field|input should", re.IGNORECASE)
_SENTENCE_END = re.compile(r"[.;!?\n](?=\s|$)")
# More is not looked through, since a refusal is short.
_MOST_TEXT, _MOST_ITEMS, _MOST_DEPTH = 2000, 50, 5


class Parameters:
    """Makes the parameters of requests, and learns which of them a server refuses.

    settings (ServerSettings): How the server is asked.
    """

    def __init__(self, settings: "ServerSettings") -> None:
        self.settings = settings
        self._left_out: Set[str] = set()
        self._lock = ThreadLock()

    def of_request(self, sample: int, *, logprobs: bool = False) -> Dict[str, Any]:
        """Return the parameters of a request, without those that the server has refused.

        sample (int): Number of the sample; with temperature 0 all are the same, and without a seed none is sent.
        logprobs (bool): Whether the answer shall come with the log-probabilities of its tokens.
        """
        settings = self.settings
        asked: Dict[str, Any] = {"temperature": settings.temperature}
        if settings.top_p is not None:
            asked["top_p"] = settings.top_p
        if logprobs:
            asked.update(logprob_parameters(chat=settings.chat))
        if settings.temperature > 0 or settings.seed:
            asked["seed"] = settings.seed + sample
        limit = next((name for name in _LIMITS if name not in self._left_out), _LIMITS[0])
        asked[limit] = settings.max_new_tokens
        if settings.json_schema is not None:
            schema = {"name": "answer", "schema": dict(settings.json_schema), "strict": True}
            asked["response_format"] = {"type": "json_schema", "json_schema": schema}
        kept = {name: value for name, value in asked.items() if name not in self._left_out or name in _LIMITS}
        body = {"model": settings.model, **kept, **settings.extra_body}
        return {name: value for name, value in body.items() if value is not None}

    def adapt(self, sent: Mapping[str, Any], refused: Optional[str]) -> bool:
        """Leave a parameter out from now on, and say so once.

        sent (Mapping[str, Any]): What a request was sent with.
        refused (Optional[str]): The parameter that the server refused.
        RETURNS (bool): Whether another request would be sent without it.
        """
        if refused not in sent or refused in self.settings.extra_body or refused not in _KNOWN:
            return False
        with self._lock:
            known = refused in self._left_out
            self._left_out.update(_LOGPROBS if refused in _LOGPROBS else {refused})
            if self._left_out.issuperset(_LIMITS):
                # The server takes neither name, so another request would be refused as this one.
                return False
        if not known:
            logger.warning(Warnings.W204.format(parameter=refused, how=_describe_substitute(refused)))
        return True


def _describe_substitute(refused: str) -> str:
    """Return how requests go without a parameter."""
    if refused in _LOGPROBS:
        return "without it, so that spans get no scores"
    if refused in _LIMITS:
        return f"with {next(name for name in _LIMITS if name != refused)} in its place"
    return "without it, so that the server's own default holds"


def find_refused(error: Any, sent: Iterable[str], prompt: str) -> Optional[str]:
    """Find the parameter that a refusal names.

    error (Any): The body of the answer, as JSON.
    sent (Iterable[str]): Names of the parameters that were sent.
    prompt (str): The text that was sent; a server may quote it, so that what stands in it says nothing.
    RETURNS (Optional[str]): One of the names sent, or None.
    """
    names = set(sent)
    parts = list(_walk(error))
    objects = [part for part in parts if isinstance(part, dict)]
    stated = [item["param"].split(".")[0] for item in objects if isinstance(item.get("param"), str)]
    places = [part for item in objects if isinstance(item.get("loc"), list)
              for part in item["loc"] if isinstance(part, str)]
    messages = [part[:_MOST_TEXT] for part in parts if isinstance(part, str) and _REFUSES.search(part)]
    quoted = [name for message in messages for name in re.findall(r"['\"`](\w+)['\"`]", message)]
    # Without quotes only what is a parameter anywhere, in the very sentence that refuses something.
    bare = [word for message in messages for sentence in _SENTENCE_END.split(message) if _REFUSES.search(sentence)
            for word in re.findall(r"\w+", sentence) if word in _KNOWN]
    return next((name for name in [*stated, *places, *(word for word in quoted + bare if word not in prompt)]
                 if name in names), None)


def _walk(part: Any, depth: int = 0) -> Iterator[Any]:
    """Yield the objects and texts in which a refusal may say what is wrong, from the outside in."""
    if isinstance(part, list) and depth < _MOST_DEPTH:
        for item in part[:_MOST_ITEMS]:
            yield from _walk(item, depth + 1)
    elif isinstance(part, dict):
        yield part
        for key in ("error", "message", "detail") if depth < _MOST_DEPTH else ():
            yield from _walk(part.get(key), depth + 1)
    elif isinstance(part, str) and depth:
        yield part


def describe_refusal(error: Any, refused: Optional[str]) -> str:
    """Return code and parameter of a refusal, nothing where there are none; no message, for that may quote the
    document."""
    inner = error.get("error") if isinstance(error, dict) and isinstance(error.get("error"), dict) else error
    inner = inner if isinstance(inner, dict) else {}
    codes = [str(inner.get(key)) for key in ("code", "type") if isinstance(inner.get(key), (str, int))]
    said = [code for code in codes if _NAME.fullmatch(code)][:1] + ([refused] if refused else [])
    return f" ({': '.join(said)})" if said else ""
