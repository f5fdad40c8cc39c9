"""Draft and verify: a grammar drafts the answer, one pass scores all its choices, the first wrong guess is mended.

A grammar says what may come next: a few choices, each a run of tokens. Where only one token is legal nothing is asked
of the model. Where several are, the most probable of them is taken, exactly as if the answer were written token by
token. The draft only guesses which it will be; a wrong guess costs time, never a different answer.
"""

import math
from dataclasses import dataclass, field
from typing import Any, Hashable, List, Optional, Sequence, Set

from ..local.passes.batch_sizes import DraftSizes
from .grammars.grammar import Factors, Found, Grammar
from .packed.packed_decoding import Proposal
from .partial_readings import AnswerEnd, PartialReading, expand_state, legal_tokens, list_found, read_token


@dataclass
class _Point:
    """A place of a draft with a choice.

    index (int): Of the drafted token that is chosen here.
    legal (List[int]): The legal tokens.
    guess (int): The drafted one; -1 where the draft ends without a guess.
    readings (List[PartialReading]): Before the choice.
    """

    index: int
    legal: List[int]
    guess: int
    readings: List[PartialReading]


@dataclass
class AnswerWalk:
    """An answer under way.

    grammar (Grammar): What it may look like.
    prompt (List[int]): The prompt.
    limit (int): Tokens that prompt and answer may have together.
    draft_sizes (DraftSizes): How far drafts go.
    answer (List[int]): Tokens decided so far.
    passes (int): Forward passes that it took part in.
    """

    grammar: Grammar
    prompt: List[int]
    limit: int
    draft_sizes: DraftSizes
    answer: List[int] = field(default_factory=list)
    passes: int = 0

    def __post_init__(self) -> None:
        self._readings: List[PartialReading] = []
        self._end: Optional[AnswerEnd] = None
        self._scores: List[float] = []
        self._hints: Set[Hashable] = set()
        self._right_drafts = 0
        self._draft: List[int] = []
        self._points: List[_Point] = []
        self._resume(*expand_state(self.grammar, self.grammar.start()))

    @property
    def done(self) -> bool:
        return self._end is not None or self.cut

    @property
    def cut(self) -> bool:
        """Return whether the token limit ends the answer before its end."""
        return self._end is None and len(self.prompt) + len(self.answer) >= self.limit

    @property
    def state(self) -> Any:
        """Return the state that has been reached; of several readings the preferred one's."""
        return self._end.state if self._end is not None else self._readings[0].state

    @property
    def text(self) -> str:
        """Return the answer as text, as far as it is decided."""
        trail = self._end.trail if self._end is not None else self._readings[0].trail
        parts: List[str] = []
        while trail is not None:
            trail, part = trail
            parts.append(part)
        return "".join(reversed(parts))

    @property
    def mentions(self) -> List[Found]:
        """Return the mentions written so far, in the order in which they were completed."""
        return list_found(self.state)

    def probability(self, factors: Factors) -> float:
        """Return the product of the probabilities of some decisions."""
        return math.exp(sum(self._scores[number] for number in factors))

    def propose(self, cached: int) -> Proposal:
        """Give the tokens that are decided but not scored, and the draft of what may follow.

        cached (int): Tokens of prompt and answer that are scored.
        RETURNS (Proposal): The tokens, up to the last place that has a choice.
        """
        known = (self.prompt + self.answer)[cached:] if cached < len(self.prompt) else \
            self.answer[cached - len(self.prompt):]
        tokens = known + self._draft
        return Proposal(tokens, [len(known) + point.index - 1 for point in self._points],
                        [point.legal for point in self._points])

    def observe(self, scores: Sequence[Sequence[float]]) -> int:
        """Accept the draft up to its first wrong guess, mend that, and draft what follows.

        scores (Sequence[Sequence[float]]): Log probabilities of the legal tokens at each place of the draft.
        RETURNS (int): Tokens of prompt and answer that stay scored.
        """
        self.passes += 1
        last = len(self._points) - 1
        number, token = -1, -1
        while number < last and (number < 0 or token == self._points[number].guess):
            number += 1
            best = max(range(len(scores[number])), key=scores[number].__getitem__)
            token = self._points[number].legal[best]
            self._scores.append(scores[number][best])
        point = self._points[number]
        self._adapt(token == point.guess, number, scores)
        kept = len(self.prompt) + len(self.answer) + point.index
        self.answer += [*self._draft[:point.index], token]
        self._resume(*read_token(self.grammar, point.readings, token, len(self._scores) - 1))
        return kept

    def _adapt(self, right: bool, number: int, scores: Sequence[Sequence[float]]) -> None:
        """Learn from a pass: be bolder after a draft that was right, and note where later marks were wanted."""
        self._right_drafts = self._right_drafts + 1 if right else 0
        point = self._points[number]
        if not right and any(reading.choice.place in self._hints for reading in point.readings):
            self._hints = set()
            return
        for later, row in zip(self._points[number + 1:], scores[number + 1:]):
            wanted = later.legal[max(range(len(row)), key=row.__getitem__)]
            self._hints.update(reading.choice.place for reading in later.readings if reading.choice.place is not None
                               and reading.offset == 0 and reading.choice.tokens[0] == wanted)

    def _resume(self, readings: List[PartialReading], end: Optional[AnswerEnd]) -> None:
        """Take what is forced, and draft up to where guessing is no longer worth it."""
        self._readings, self._end = readings, end
        self._draft, self._points = [], []
        draft: List[int] = []
        boldness = min(self._right_drafts, 2)
        most, most_inside = self.draft_sizes.outside[boldness], self.draft_sizes.inside[boldness]
        inside = 0
        room = self.limit - len(self.prompt) - len(self.answer)
        while end is None and len(draft) < room:
            legal = legal_tokens(readings)
            factor = None
            token = legal[0]
            if len(legal) > 1:
                token = self._guess(readings)
                self._points.append(_Point(len(draft), legal, token, readings))
                inside += readings[0].choice.inside
                if token < 0 or inside >= most_inside or len(self._points) >= most:
                    break
                factor = len(self._scores) + len(self._points) - 1
            draft.append(token)
            readings, end = read_token(self.grammar, readings, token, factor)
        if not self._points:
            self.answer += draft
            self._readings, self._end = readings, end
        else:
            self._draft = draft[:self._points[-1].index]

    def _guess(self, readings: Sequence[PartialReading]) -> int:
        """Return the token that a draft takes; -1 where there is nothing to go by."""
        for reading in readings:
            if reading.choice.place is not None and reading.choice.place in self._hints:
                return reading.choice.tokens[reading.offset]
        for reading in readings:
            if reading.choice.likely:
                return reading.choice.tokens[reading.offset]
        return -1
