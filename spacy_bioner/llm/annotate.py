"""Texts to grounded annotations: what the component, the generator's relabelling and Ray share."""

from collections import Counter
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from typing import Any, Callable, Dict, Iterable, Iterator, List, Optional, Sequence

from ..annotation import Annotation, Mention, in_text_order
from ..codecs.base import Issue, Reading
from ..errors import BionerError, Errors
from ..prompts.build import PromptBuilder
from ..prompts.examples import ExampleChooser
from .base import LanguageModel, Reply, Request
from .cache import ReplyCache
from .chunks import Bounds, Chunk, DocumentTooLong, cut_text, find_lines, join_mentions
from .runner import Runner
from .usage import Usage

# Tokens kept free for chat markup and for the end of the answer.
_MARGIN = 64
_SAMPLE_TEXT = "The patient was given aspirin for the pain in her left knee."


@dataclass(frozen=True)
class ChunkSettings:
    """How long texts are cut.

    max_tokens (Optional[int]): Tokens of text a chunk may have; None takes what prompt and answer leave room for.
    max_sentences (int): Sentences a chunk may have; 0 sets no limit. 1 suits a model taught on sentences.
    overlap (int): Sentences that a chunk shares with the one before.
    find_sentences (Callable[[str], List[Bounds]]): Finds the sentences of a text.
    """

    max_tokens: Optional[int] = 512
    max_sentences: int = 0
    overlap: int = 1
    find_sentences: Callable[[str], List[Bounds]] = find_lines


@dataclass(frozen=True)
class _Plan:
    """What is asked for one document, or why nothing is."""

    annotation: Annotation
    chunks: Sequence[Chunk] = ()
    requests: Sequence[Request] = ()
    error: Optional[str] = None


class Annotator:
    """Asks a language model to annotate texts, and reads and grounds its answers.

    model (LanguageModel): What answers.
    builder (PromptBuilder): Writes the prompts; its codec reads the answers, its labels are the schema.
    cache (Optional[ReplyCache]): Where replies are kept as soon as they exist.
    examples (Optional[ExampleChooser]): Chooses few-shot examples for each text; None takes the builder's own.
    chunks (ChunkSettings): How long texts are cut.
    window (int): Documents that are planned, asked and given back together.
    max_failures (int): So many failed requests in a row stop the run; 0 never stops it.
    usage (Optional[Usage]): Counts to go on with.
    """

    def __init__(self, *, model: LanguageModel, builder: PromptBuilder, cache: Optional[ReplyCache] = None,
                 examples: Optional[ExampleChooser] = None,
                 chunks: Optional[ChunkSettings] = None, window: int = 256, max_failures: int = 20,
                 usage: Optional[Usage] = None) -> None:
        self.model = model
        self.builder = builder
        self.cache = cache
        self.window = window
        self._examples = examples
        self._chunks = chunks or ChunkSettings()
        settings = {"codec": builder.codec.settings(), "labels": builder.labels}
        self._runner = Runner(model, cache=cache, settings=settings, max_failures=max_failures, usage=usage)

    @property
    def usage(self) -> Usage:
        return self._runner.usage

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
            plans = [self._plan(annotation) for annotation in batch]
            requests = [request for plan in plans for request in plan.requests]
            replies = iter(self._runner.run(requests))
            for plan in plans:
                yield self._finish(plan, list(islice(replies, len(plan.requests))))

    def provenance(self) -> Dict[str, Any]:
        """RETURNS (Dict[str, Any]): What an annotation says of its origin: model, adapter, hash of the prompt."""
        identity = self.model.identity()
        return {"model": identity.get("model"), "adapter": identity.get("adapter"), "prompt_hash": self.builder.hash}

    def _plan(self, annotation: Annotation) -> _Plan:
        """Cut a text and render its prompts; what does not fit is this document's error alone."""
        try:
            chunks = cut_text(
                annotation.text, count_tokens=self.model.count_tokens, room=self._room,
                max_sentences=self._chunks.max_sentences, overlap=self._chunks.overlap,
                find_sentences=self._chunks.find_sentences)
            requests = [self._request(annotation.text[chunk.start:chunk.end]) for chunk in chunks]
        except DocumentTooLong as error:
            return _Plan(annotation, error=str(error))
        return _Plan(annotation, chunks, requests)

    def _request(self, text: str) -> Request:
        """Render the prompt of a chunk, which must fit the context together with its answer."""
        chosen = self._examples.choose(text) if self._examples is not None else ()
        prompt = self.builder.render(text, examples=chosen)
        needed = self._upper_bound(prompt.plain) + self._answer_tokens(text)
        if needed > self.model.context_length:
            needed = self.model.count_tokens(prompt.plain) + self._answer_tokens(text)
        if needed > self.model.context_length:
            raise DocumentTooLong(Errors.E224.format(needed=needed, context=self.model.context_length))
        return Request(prompt, text=text)

    @staticmethod
    def _upper_bound(text: str) -> int:
        """RETURNS (int): Tokens that a text cannot have more of, a byte each: spares counting most of the time."""
        return len(text.encode("utf8", "surrogatepass"))

    def _answer_tokens(self, text: str) -> int:
        return int(self._answer_ratio * self.model.count_tokens(text)) + _MARGIN

    @cached_property
    def _answer_ratio(self) -> float:
        """RETURNS (float): Tokens of an answer for a token of text, where every label marks the whole text."""
        codec, labels = self.builder.codec, list(self.builder.labels)
        mentions = [Mention(0, len(_SAMPLE_TEXT), label) for label in labels]
        answers = [codec.encode(Annotation(_SAMPLE_TEXT, in_text_order(marked)), labels) for marked in ((), mentions)]
        return max(map(self.model.count_tokens, answers)) / max(self.model.count_tokens(_SAMPLE_TEXT), 1)

    @cached_property
    def _room(self) -> int:
        """RETURNS (int): Tokens of text for which prompt and answer fit the context."""
        context = self.model.context_length
        examples = self._examples.longest if self._examples is not None else ()
        fixed = self.model.count_tokens(self.builder.render(".", examples=examples).plain) + 2 * _MARGIN
        room = int((context - fixed) / (1 + self._answer_ratio))
        if room < 1:
            raise BionerError(Errors.E226.format(tokens=fixed, context=context))
        return min(room, self._chunks.max_tokens or room)

    def _finish(self, plan: _Plan, replies: Sequence[Reply]) -> Annotation:
        """Read the replies to a document and bring its chunks together."""
        self.usage.documents += 1
        error = plan.error or next((reply.error for reply in replies if reply.error is not None), None)
        if error is not None:
            self.usage.failed += 1
            return plan.annotation.with_mentions(()).with_meta(**self.provenance(), issues={}, error=error)
        readings = [self._read(request.text, reply) for request, reply in zip(plan.requests, replies)]
        issues = Counter(issue.kind for reading in readings for issue in reading.issues)
        self.usage.issues.update(issues)
        meta = {key: value for key, value in plan.annotation.meta.items() if key != "error"}
        mentions = join_mentions(plan.chunks, [reading.mentions for reading in readings])
        annotation = replace(plan.annotation, mentions=mentions, meta=meta)
        return annotation.with_meta(**self.provenance(), issues=dict(sorted(issues.items())))

    def _read(self, text: str, reply: Reply) -> Reading:
        """RETURNS (Reading): Grounded mentions as they came, or what the codec reads."""
        truncated = reply.finish_reason == "length"
        if reply.mentions is not None:
            return Reading(reply.mentions, (Issue("truncated"),) if truncated else ())
        return self.builder.codec.decode(text, list(self.builder.labels), reply.text, truncated=truncated)
