"""Texts to grounded annotations: what the component, the generator's relabelling and Ray share."""

from collections import Counter
from dataclasses import replace
from itertools import islice
from typing import Any, Dict, Iterable, Iterator, Optional, Sequence

from ..annotation import Annotation
from ..prompts.build import PromptBuilder
from ..prompts.examples import ExampleChooser
from .base import LanguageModel, Reply
from .cache import ReplyCache
from .planning import ChunkSettings, Plan, Planner
from .runner import Runner
from .usage import Usage


class Annotator:
    """Asks a language model to annotate texts, and reads and grounds its answers.

    model (LanguageModel): What answers.
    builder (PromptBuilder): Writes the prompts; its codec reads the answers, its labels are the schema.
    cache (Optional[ReplyCache]): Where replies are kept as soon as they exist.
    examples (Optional[ExampleChooser]): Chooses few-shot examples for each text; None takes the builder's own.
    chunks (Optional[ChunkSettings]): How long texts are cut.
    window (int): Documents that are planned, asked and given back together.
    max_failures (int): So many failed requests in a row stop the run; 0 never stops it.
    usage (Optional[Usage]): Counts to go on with.
    """

    def __init__(self, *, model: LanguageModel, builder: PromptBuilder, cache: Optional[ReplyCache] = None,
                 examples: Optional[ExampleChooser] = None, chunks: Optional[ChunkSettings] = None,
                 window: int = 256, max_failures: int = 20, usage: Optional[Usage] = None) -> None:
        self.model = model
        self.builder = builder
        self.cache = cache
        self.window = window
        self.usage = usage if usage is not None else Usage()
        self._planner = Planner(builder, count_tokens=model.count_tokens, context_length=model.context_length,
                                chunks=chunks, examples=examples)
        settings = {"codec": builder.codec.settings(), "labels": list(builder.labels.items())}
        self._runner = Runner(model, cache=cache, settings=settings, max_failures=max_failures, usage=self.usage)

    def annotate(self, annotations: Iterable[Annotation], *, window: Optional[int] = None) -> Iterator[Annotation]:
        """Annotate texts.

        annotations (Iterable[Annotation]): Text, id and meta are kept, mentions are replaced.
        window (Optional[int]): Another window than the annotator's own.
        YIELDS (Annotation): One for each, in order. `meta` says the model, the adapter, the hash of the prompt and
            the issues met; one that failed has no mentions and its reason as `error`.
        RAISES BionerError: Only for what ends the run: the cache, the template, too many failures in a row.
        """
        stream = iter(annotations)
        while batch := list(islice(stream, window or self.window)):
            plans = [self._planner.plan(annotation.text) for annotation in batch]
            replies = iter(self._runner.run([request for plan in plans for request in plan.requests]))
            for annotation, plan in zip(batch, plans):
                yield self._finish(annotation, plan, list(islice(replies, len(plan.requests))))

    def provenance(self) -> Dict[str, Any]:
        """RETURNS (Dict[str, Any]): What an annotation says of its origin: model, adapter, hash of the prompt."""
        identity = self.model.identity()
        return {"model": identity.get("model"), "adapter": identity.get("adapter"), "prompt_hash": self.builder.hash}

    def _finish(self, annotation: Annotation, plan: Plan, replies: Sequence[Reply]) -> Annotation:
        """Read the replies to a document, or say why there are none."""
        self.usage.documents += 1
        meta = {key: value for key, value in annotation.meta.items() if key != "error"} | self.provenance()
        error = plan.error or next((reply.error for reply in replies if reply.error is not None), None)
        if error is not None:
            self.usage.failed += 1
            return replace(annotation, mentions=(), meta={**meta, "issues": {}, "error": error})
        reading = self._planner.read(plan, replies)
        issues = Counter(issue.kind for issue in reading.issues)
        self.usage.issues.update(issues)
        return replace(annotation, mentions=reading.mentions, meta={**meta, "issues": dict(sorted(issues.items()))})
