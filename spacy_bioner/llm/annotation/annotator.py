"""Texts to grounded annotations: what the component, the generator's relabelling and Ray share."""

from collections import Counter
from dataclasses import replace
from itertools import islice
from typing import Any, Dict, Iterable, Iterator, List, Optional, Sequence, Tuple

from ...annotation import Annotation, in_text_order
from ...prompts.build import PromptBuilder
from ...prompts.examples import ExampleChooser
from ..protocol import LanguageModel, Reply, Request
from .cache import ReplyCache
from .planner import ChunkSettings, Plan, Planner
from .reply_shapes import ReplyShapes
from .request_runner import Runner
from .usage import Usage

Question = Tuple[LanguageModel, PromptBuilder]


class Annotator:
    """Asks a language model to annotate texts, and reads and grounds its answers.

    model (LanguageModel): What answers.
    builder (PromptBuilder): Writes the prompts; its codec reads the answers, its labels are the schema.
    cache (Optional[ReplyCache]): Where replies are kept as soon as they exist.
    examples (Optional[ExampleChooser]): Chooses few-shot examples for each text; None takes the builder's own.
    chunks (Optional[ChunkSettings]): How long texts are cut.
    window (int): Documents that are planned, asked and given back together.
    max_failures (int): So many failures of the service in a row stop the run; 0 never stops it.
    usage (Optional[Usage]): Counts to go on with.
    questions (Optional[Sequence[Question]]): A model and a builder for each question that is asked of every text, as
        one a label; None asks the one question of `builder`.
    """

    def __init__(self, *, model: LanguageModel, builder: PromptBuilder, cache: Optional[ReplyCache] = None,
                 examples: Optional[ExampleChooser] = None, chunks: Optional[ChunkSettings] = None,
                 window: int = 256, max_failures: int = 20, usage: Optional[Usage] = None,
                 questions: Optional[Sequence[Question]] = None) -> None:
        self.model = model
        self.builder = builder
        self.cache = cache
        self.window = window
        self.usage = usage if usage is not None else Usage()
        self.shapes = ReplyShapes(builder.codec.name)
        self._askers: List[Tuple[Planner, Runner]] = []
        for asked, question in questions or [(model, builder)]:
            planner = Planner(question, count_tokens=asked.count_tokens, context_length=asked.context_length,
                              chunks=chunks, examples=examples, shapes=self.shapes)
            settings = {"codec": question.codec.settings(), "labels": list(question.labels.items())}
            self._askers.append((planner, Runner(asked, cache=cache, settings=settings, max_failures=max_failures,
                                                 usage=self.usage)))

    def annotate(self, annotations: Iterable[Annotation], *, window: Optional[int] = None) -> Iterator[Annotation]:
        """Annotate texts.

        annotations (Iterable[Annotation]): Text, id and meta are kept, mentions are replaced.
        window (Optional[int]): Another window than the annotator's own.
        YIELDS (Annotation): One for each, in order. `meta` says what `provenance` does and the issues met; one that
            failed has no mentions and its reason as `error`.
        RAISES BionerError: Only for what ends the run: the cache, the template, too many failures in a row.
        """
        stream = iter(annotations)
        while batch := list(islice(stream, window or self.window)):
            answers = [_ask(planner, runner, [annotation.text for annotation in batch])
                       for planner, runner in self._askers]
            for annotation, *answered in zip(batch, *answers):
                yield self._finish(annotation, answered)

    def find_requests(self, annotations: Iterable[Annotation], *,
                      missing: bool = False) -> Iterator[Tuple[LanguageModel, Dict[str, Request]]]:
        """Find what `annotate` asks for texts.

        annotations (Iterable[Annotation]): The texts.
        missing (bool): Whether to leave out what the cache answers.
        YIELDS (Tuple[LanguageModel, Dict[str, Request]]): A model and requests to it by their keys in the cache. A text
            that cannot be asked for has none.
        """
        stream = iter(annotations)
        while batch := list(islice(stream, self.window)):
            for planner, runner in self._askers:
                requests = [request for annotation in batch for request in planner.plan(annotation.text).requests]
                yield runner.model, runner.find_missing(requests) if missing else runner.key_requests(requests)

    def retry_truncated(self) -> None:
        """Ask once more for cached replies that the token limit has cut."""
        for _, runner in self._askers:
            runner.retry_truncated = True

    def provenance(self) -> Dict[str, Any]:
        """Return what an annotation says of its origin: model, adapter, hash of the prompt, and of
        a sampled one temperature and seed."""
        identity = self.model.identity()
        sampled = {key: identity.get(key) for key in ("temperature", "seed")} if identity.get("temperature") else {}
        return {"model": identity.get("model"), "adapter": identity.get("adapter"), "prompt_hash": self.builder.hash,
                **sampled}

    def _finish(self, annotation: Annotation, answered: Sequence[Tuple[Plan, Sequence[Reply]]]) -> Annotation:
        """Read the replies to the questions about a document, or say why there are none."""
        meta = {key: value for key, value in annotation.meta.items() if key != "error"} | self.provenance()
        errors = [error for plan, replies in answered for error in (plan.error, *(reply.error for reply in replies))]
        error = next((error for error in errors if error is not None), None)
        if error is not None:
            self.usage.add(documents=1, failed=1)
            return replace(annotation, mentions=(), meta={**meta, "issues": {}, "error": error})
        readings = [planner.read(plan, replies) for (planner, _), (plan, replies) in zip(self._askers, answered)]
        issues = Counter(issue.kind for reading in readings for issue in reading.issues)
        self.usage.add(documents=1, issues=issues)
        mentions = readings[0].mentions if len(readings) == 1 else tuple(
            in_text_order(mention for reading in readings for mention in reading.mentions))
        return replace(annotation, mentions=mentions, meta={**meta, "issues": dict(sorted(issues.items()))})


def _ask(planner: Planner, runner: Runner, texts: Sequence[str]) -> List[Tuple[Plan, List[Reply]]]:
    """Return for each text what was asked and what came back."""
    plans = [planner.plan(text) for text in texts]
    replies = iter(runner.run([request for plan in plans for request in plan.requests]))
    return [(plan, list(islice(replies, len(plan.requests)))) for plan in plans]
