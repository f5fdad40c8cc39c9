"""The parameters of requests: what is set is sent, and what a server refuses is left out from then on."""

import logging
import re
from typing import TYPE_CHECKING, Any, Dict, Iterable, Mapping, Optional, Set

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
_REFUSES = re.compile(r"unsupported|not support|unknown|unrecogni[sz]ed|unexpected|not (permitted|allowed)|invalid"
                      r"|extra", re.IGNORECASE)


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
        return {"model": settings.model, **kept, **settings.extra_body}

    def adapt(self, sent: Mapping[str, Any], refused: Optional[str]) -> bool:
        """Leave a parameter out from now on, and say so once.

        sent (Mapping[str, Any]): What a request was sent with.
        refused (Optional[str]): The parameter that the server refused.
        RETURNS (bool): Whether another request would be sent without it.
        """
        known_names = (*_SPARED, *_LOGPROBS, *_LIMITS)
        if refused not in sent or refused in self.settings.extra_body or refused not in known_names:
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
    body = error if isinstance(error, dict) else {}
    stated = body.get("error")
    inner = stated if isinstance(stated, dict) else body
    if isinstance(inner.get("param"), str) and inner["param"].split(".")[0] in names:
        return inner["param"].split(".")[0]
    detail = body.get("detail")
    for item in detail if isinstance(detail, list) else ():
        place = item.get("loc") if isinstance(item, dict) else None
        found = [part for part in place if isinstance(part, str) and part in names] if isinstance(place, list) else []
        if found:
            return found[0]
    message = inner.get("message", body.get("detail"))
    if not isinstance(message, str) or not _REFUSES.search(message):
        return None
    quoted = re.findall(r"['\"`](\w+)['\"`]", message[:2000])
    return next((name for name in quoted if name in names and name not in prompt), None)


def describe_refusal(error: Any, refused: Optional[str]) -> str:
    """Return code and parameter of a refusal, nothing where there are none; no message, for that may quote the
    document."""
    inner = error.get("error") if isinstance(error, dict) and isinstance(error.get("error"), dict) else error
    inner = inner if isinstance(inner, dict) else {}
    codes = [str(inner.get(key)) for key in ("code", "type") if isinstance(inner.get(key), (str, int))]
    said = [code for code in codes if _NAME.fullmatch(code)][:1] + ([refused] if refused else [])
    return f" ({': '.join(said)})" if said else ""
