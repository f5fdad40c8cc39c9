"""What is asked for a text: its chunks and their prompts, sure to fit the model's context."""

from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Callable, List, Optional, Sequence

from ...annotation import Annotation, Mention, in_text_order
from ...codecs.base import Issue, Reading
from ...errors import BionerError, Errors
from ...prompts.build import PromptBuilder
from ...prompts.examples import ExampleChooser
from ..protocol import Reply, Request
from .chunking import Bounds, Chunk, cut_text, find_lines, join_mentions
from .long_sentences import FoldedText, fold_gaps
from .reply_shapes import ReplyShapes

# Tokens kept free for chat markup and for the end of the answer.
_MARGIN = 64
_SAMPLE_TEXT = "The patient was given aspirin for the pain in her left knee."
# Mentions of the sample, twelve words, in the answer that there is room for. Few sentences have more; of an answer that
# would, what was written until the context is full counts, and it is told.
_SAMPLE_MENTIONS = 2
_BYTES_PER_TOKEN = 3


class DocumentTooLong(BionerError):
    """The error of one document that cannot be asked for; the others are not concerned."""


def estimate_tokens(text: str) -> int:
    """Return tokens of a text where there is no tokenizer to ask, rather too many than too few."""
    return _count_bytes(text) // _BYTES_PER_TOKEN + 1


def _count_bytes(text: str) -> int:
    return len(text.encode("utf8", "surrogatepass"))


def add_scores(reading: Reading, scored: Sequence[Mention], text: str) -> Reading:
    """Give the mentions that a codec has read the scores of those that were scored.

    reading (Reading): What the codec has read.
    scored (Sequence[Mention]): Mentions with scores.
    text (str): The source text.
    RETURNS (Reading): The same mentions. Where a name stands for several places each has the score of the name.
    """
    scores = {mention.key: mention.score for mention in scored}
    names = {}
    if any(issue.kind == "ambiguous_occurrence" for issue in reading.issues):
        names = {(text[mention.start:mention.end], mention.label): mention.score for mention in reversed(scored)}
    return replace(reading, mentions=tuple(
        replace(mention, score=scores.get(mention.key, names.get((text[mention.start:mention.end], mention.label))))
        for mention in reading.mentions))


@dataclass(frozen=True)
class ChunkSettings:
    """How long texts are cut.

    max_tokens (Optional[int]): Tokens of text a chunk may have; None takes what prompt and answer leave room for. A
        sentence that has more is asked for by itself where it fits the context, and cut at pre-tokens where not.
    max_sentences (int): Sentences a chunk may have; 0 sets no limit. 1 suits a model trained on sentences.
    overlap (int): Sentences that a chunk shares with the one before.
    find_sentences (Callable[[str], List[Bounds]]): Finds the sentences of a text.
    """

    max_tokens: Optional[int] = 512
    max_sentences: int = 0
    overlap: int = 1
    find_sentences: Callable[[str], List[Bounds]] = find_lines


@dataclass(frozen=True)
class Plan:
    """What is asked for one text, or why nothing is.

    chunks (Sequence[Chunk]): The parts of the text, as it is folded.
    requests (Sequence[Request]): A request for each.
    error (Optional[str]): Why the text cannot be asked for.
    folded (FoldedText): The text as prompts show it.
    """

    chunks: Sequence[Chunk] = ()
    requests: Sequence[Request] = ()
    error: Optional[str] = None
    folded: FoldedText = FoldedText("")


class Planner:
    """Cuts texts, writes the prompts of their chunks, and reads what comes back.

    builder (PromptBuilder): Writes the prompts; its codec reads the answers, its labels are the schema.
    count_tokens (Callable[[str], int]): Counts tokens as the model does.
    context_length (int): Tokens that prompt and answer may have together.
    chunks (Optional[ChunkSettings]): How long texts are cut.
    examples (Optional[ExampleChooser]): Chooses few-shot examples for each text; None takes the builder's own.
    shapes (Optional[ReplyShapes]): Counts replies that cannot be read.
    """

    def __init__(self, builder: PromptBuilder, *, count_tokens: Callable[[str], int], context_length: int,
                 chunks: Optional[ChunkSettings] = None, examples: Optional[ExampleChooser] = None,
                 shapes: Optional[ReplyShapes] = None) -> None:
        self.builder = builder
        # A chunk is counted when it is cut and again with its prompt.
        self.count_tokens = lru_cache(maxsize=1024)(count_tokens)
        self.context_length = context_length
        self.chunks = chunks or ChunkSettings()
        self.examples = examples
        self.shapes = shapes if shapes is not None else ReplyShapes()

    def plan(self, text: str) -> Plan:
        """Return chunks and requests; what does not fit is this text's error alone."""
        settings, folded = self.chunks, fold_gaps(text)
        room = min(self._room, settings.max_tokens or self._room)
        try:
            chunks = cut_text(folded.text, count_tokens=self.count_tokens, room=room, most=self._room,
                              overlap=settings.overlap, max_sentences=settings.max_sentences,
                              find_sentences=settings.find_sentences)
            requests = [self._request(folded.text[chunk.start:chunk.end]) for chunk in chunks]
            return Plan(chunks, requests, folded=folded)
        except DocumentTooLong as error:
            return Plan(error=str(error))

    def read(self, plan: Plan, replies: Sequence[Reply]) -> Reading:
        """Return the mentions of all chunks in the whole text, and the issues met."""
        readings = [self._read(request.text, reply) for request, reply in zip(plan.requests, replies)]
        joined = join_mentions(plan.chunks, [reading.mentions for reading in readings])
        return Reading(plan.folded.give_back(joined),
                       tuple(issue for reading in readings for issue in reading.issues))

    def _read(self, text: str, reply: Reply) -> Reading:
        """Return grounded mentions as they came, or what the codec reads."""
        truncated = reply.finish_reason == "length"
        if reply.mentions is not None:
            return Reading(reply.mentions, (Issue("truncated"),) if truncated else ())
        reading = self.builder.codec.decode(text, list(self.builder.labels), reply.text, truncated=truncated)
        self.shapes.add(reply, reading)
        return reading if reply.scored is None else add_scores(reading, reply.scored, text)

    def _request(self, text: str) -> Request:
        """Render the prompt of a chunk, which must fit the context together with its answer."""
        chosen = self.examples.choose(text) if self.examples is not None else ()
        prompt = self.builder.render(text, examples=chosen)
        # No text has more tokens than bytes, which spares counting most of the time.
        for count in (_count_bytes, self.count_tokens):
            needed = count(prompt.plain) + int(self._answer_ratio * count(text)) + _MARGIN
            if needed <= self.context_length:
                return Request(prompt, text=text)
        raise DocumentTooLong(Errors.E217.format(needed=needed, context=self.context_length))

    @cached_property
    def _answer_ratio(self) -> float:
        """Return tokens of an answer for a token of text that holds many mentions, of the labels that take
        most to write."""
        codec, labels = self.builder.codec, list(self.builder.labels)
        longest = sorted(labels, key=self.count_tokens)[-_SAMPLE_MENTIONS:]
        mentions = in_text_order(Mention(0, len(_SAMPLE_TEXT), label) for label in longest)
        answers = [codec.encode(Annotation(_SAMPLE_TEXT, marked), labels) for marked in ((), mentions)]
        return max(map(self.count_tokens, answers)) / max(self.count_tokens(_SAMPLE_TEXT), 1)

    @cached_property
    def _room(self) -> int:
        """Return tokens of text for which prompt and answer fit the context."""
        examples = self.examples.longest if self.examples is not None else ()
        fixed = self.count_tokens(self.builder.render(".", examples=examples).plain) + 2 * _MARGIN
        room = int((self.context_length - fixed) / (1 + self._answer_ratio))
        if room < 1:
            raise BionerError(Errors.E218.format(tokens=fixed, context=self.context_length))
        return room
