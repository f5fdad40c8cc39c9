"""Models of spacy-llm in our annotator: asked one prompt at a time, so that a failure stays with its document."""

import hashlib
import json
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, Iterator, Optional, Sequence, Tuple, Union, cast

from ...extras import extra
from ...llm.adapter import AdapterCard
from ...llm.annotation.planner import estimate_tokens
from ...llm.local.model_source import ModelSource
from ...llm.protocol import DOCUMENT_STATUS, LanguageModel, Reply, Request
from ...prompts.build import PromptBuilder

with extra("llm"):
    from requests import HTTPError, RequestException
    from requests.exceptions import InvalidJSONError

StockModel = Callable[[Iterable[Iterable[Any]]], Iterable[Iterable[Any]]]

# What spacy-llm's models raise for a request that fails.
FAILURES = (RequestException, ConnectionError, TimeoutError, ValueError, KeyError, IndexError, AssertionError,
            RuntimeError)
_DEFAULT_CONTEXT = 4096


def as_source(model: Union[ModelSource, StockModel]) -> ModelSource:
    """Return a source of models: ours as it is, one of spacy-llm's wrapped."""
    return cast(ModelSource, model) if hasattr(model, "open") else StockSource(model)


@dataclass(frozen=True)
class StockSource:
    """A model of spacy-llm where one of ours is expected.

    model (StockModel): Takes prompts by document and gives replies.
    """

    model: StockModel
    adapter_folder: Optional[Path] = None

    def card(self) -> Optional[AdapterCard]:
        return None

    def open(self, builder: PromptBuilder) -> LanguageModel:
        return StockLanguageModel(self.model)

    def __call__(self, prompts: Iterable[Iterable[Any]]) -> Iterable[Iterable[Any]]:
        return self.model(prompts)


class StockLanguageModel:
    """Answers requests with a model of spacy-llm.

    model (StockModel): The model.
    """

    def __init__(self, model: StockModel) -> None:
        self.model = model

    @property
    def context_length(self) -> int:
        """Return what the model says, else a modest guess."""
        return getattr(self.model, "context_length", None) or _DEFAULT_CONTEXT

    def count_tokens(self, text: str) -> int:
        """Return an estimate; these models have no tokenizer to ask."""
        return estimate_tokens(text)

    def identity(self) -> Dict[str, Any]:
        """Return the name and a hash of the settings, credentials left out."""
        settings = {key: value for key, value in getattr(self.model, "__dict__", {}).items()
                    if "credential" not in key and isinstance(value, (str, int, float, bool, dict, list, type(None)))}
        spelt = json.dumps(settings, sort_keys=True, default=str)
        kind = self.model if hasattr(self.model, "__qualname__") else type(self.model)
        return {"model": str(settings.get("_name") or kind.__qualname__), "adapter": None,
                "revision": hashlib.sha256(f"{kind.__module__}.{kind.__qualname__} {spelt}".encode()).hexdigest()[:16]}

    def generate(self, requests: Sequence[Request]) -> Iterator[Tuple[int, Reply]]:
        """Yield the index and reply, in order."""
        for index, request in enumerate(requests):
            started = time.perf_counter()
            try:
                answers = [str(answer) for shards in self.model([[request.prompt.plain]]) for answer in shards]
                reply = Reply(text=answers[0])
            except FAILURES as error:
                reply = Reply(finish_reason="error", error=f"{type(error).__name__} in the model",
                              service_failed=speaks_of_service(error))
            yield index, replace(reply, usage={"requests": 1, "seconds": time.perf_counter() - started})


def speaks_of_service(error: BaseException) -> bool:
    """Tell failures of a service from those of one request, by the first cause that says which.

    error (BaseException): What a model of spacy-llm raised; it tells statuses only by what lies beneath.
    RETURNS (bool): True for connections, time limits and statuses of the service; False for a refused request, an
        answer that cannot be read, and all else.
    """
    found: Optional[BaseException] = error
    while found is not None:
        if isinstance(found, HTTPError) and found.response is not None:
            return found.response.status_code not in DOCUMENT_STATUS
        if isinstance(found, (RequestException, ConnectionError, TimeoutError)):
            return not isinstance(found, InvalidJSONError)
        found = found.__cause__ or found.__context__
    return False
