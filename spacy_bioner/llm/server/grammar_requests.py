"""Sends grammars with requests, in the way that the server takes them, so that each answer copies its text exactly."""

import json
import logging
from typing import Any, Awaitable, Callable, Dict, Optional

from ...errors import BionerError, Errors, Warnings
from ..settings import GrammarSettings
from .answers import Outcome, may_pass

logger = logging.getLogger(__name__)

# The server to the member of a request that holds the grammar.
_MEMBERS: Dict[str, Callable[[str], Dict[str, Any]]] = {
    "llama.cpp": lambda grammar: {"grammar": grammar},
    "vllm": lambda grammar: {"structured_outputs": {"grammar": grammar}},
    "sglang": lambda grammar: {"ebnf": grammar}}
# What servers say of themselves in their list of models.
_OWNERS = {"llamacpp": "llama.cpp", "vllm": "vllm", "sglang": "sglang"}
_OK = 200
_NOT_IMPLEMENTED = 501
_PAGE = "models"

# Takes the last part of an address, gives status, headers and content of the page.
Probe = Callable[[str], Awaitable[Any]]


class LookUpFailed(Exception):
    """The server did not say what it is, but may at the next try.

    page (Any): Status and headers of what it said.
    """

    def __init__(self, page: Any) -> None:
        super().__init__(f"HTTP {page.status} from {_PAGE}: if it stays so, set grammar to the kind of the server "
                         "or to null")
        self.page = page


class GrammarRequests:
    """Writes the grammar of each request, asks the server once what it is, and notes what it refuses.

    settings (GrammarSettings): Which servers get a grammar, and what happens if one is refused.
    write (Callable[[str], str]): Text to grammar.
    """

    def __init__(self, settings: GrammarSettings, write: Callable[[str], str]) -> None:
        self.settings = settings
        self._write = write
        self._kind: Optional[str] = None if settings.grammar == "auto" else settings.grammar
        self._is_known = settings.grammar != "auto"
        self._was_taken = self._has_warned = False

    @property
    def is_undecided(self) -> bool:
        """Return whether the server has still to be asked what it is."""
        return not self._is_known

    async def detect(self, probe: Probe) -> None:
        """Ask the server what it is; no text of a document is sent.

        probe (Probe): Asks for a page. Its errors of transport are passed on, and the next call asks again.
        RAISES LookUpFailed: Where the server is busy or broken for now; the next call asks again too.
        """
        page = await probe(_PAGE)
        if may_pass(page.status) and page.status != _NOT_IMPLEMENTED:
            raise LookUpFailed(page)
        self._kind = _OWNERS.get(_find_owner(page))
        self._is_known = True
        logger.info("the server takes %s", "no grammar" if self._kind is None else f"grammars ({self._kind})")

    def members(self, text: str) -> Dict[str, Any]:
        """Return what is added to the request for a text; nothing where the server takes no grammar."""
        if not text or self._kind is None:
            return {}
        return _MEMBERS[self._kind](self._write(text))

    def gives_way(self, outcome: Outcome) -> bool:
        """Return whether to send a request once more without its grammar, with which it was refused.

        outcome (Outcome): What the request came to, with a grammar or not.
        RAISES BionerError: E236 where the run is to stop, unless the server has taken a grammar before: then the
            refusal is of the document.
        """
        if not (outcome.refused and outcome.constrained):
            return False
        if self.settings.on_refused_grammar == "stop" and not self._was_taken:
            raise BionerError(Errors.E236.format(kind=self._kind, why=outcome.error))
        return self.settings.on_refused_grammar == "free"

    def note_answered(self, *, constrained: bool, refused: bool) -> None:
        """Note an answer.

        constrained (bool): Whether its request had a grammar.
        refused (bool): Whether it came only after the grammar was left out.
        """
        self._was_taken = self._was_taken or constrained
        if not refused:
            return
        if not self._was_taken:
            self._kind = None
        if not self._has_warned:
            self._has_warned = True
            logger.warning(Warnings.W205)


def _find_owner(page: Any) -> str:
    """Return who serves the models, empty where the page does not tell."""
    if page.status != _OK:
        return ""
    try:
        content = json.loads(page.content)
    except (ValueError, RecursionError):
        return ""
    models = content.get("data") if isinstance(content, dict) else None
    first = models[0] if isinstance(models, list) and models else None
    owner = first.get("owned_by") if isinstance(first, dict) else None
    return owner if isinstance(owner, str) else ""
