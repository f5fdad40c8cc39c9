"""Keeps passes of a packed model full: sequences join as others finish, and all share the prompt's prefix.

What is decoded is up to the walks: grounded annotation here, other constrained writing elsewhere. A walk proposes
tokens, is told the probabilities at the places where it had a choice, and says how many of the tokens it keeps.
"""

import os
from collections import deque
from dataclasses import dataclass
from typing import Deque, Generic, Iterator, List, Protocol, Sequence, TypeVar

import torch

from .packed_attention import Lane
from .packed_model import PackedModel

# A prefix shorter than this is not worth a lane of its own.
_SHORTEST_PREFIX = 8


@dataclass(frozen=True)
class Proposal:
    """Tokens that a walk wants scored, and the places where it has a choice.

    tokens (List[int]): Next tokens of the sequence, none of them scored yet; the first may be part of the prompt.
    places (List[int]): Indices of the tokens behind which there is a choice.
    choices (List[Sequence[int]]): The legal tokens at each of these places.
    """

    tokens: List[int]
    places: List[int]
    choices: List[Sequence[int]]


class Walk(Protocol):
    """A sequence that is being written.

    prompt (Sequence[int]): Tokens that it begins with.
    limit (int): Tokens that prompt and answer may have together.
    done (bool): Whether nothing is left to be scored.
    """

    @property
    def prompt(self) -> Sequence[int]:
        """Return tokens that it begins with."""

    @property
    def limit(self) -> int:
        """Return tokens that prompt and answer may have together."""

    @property
    def done(self) -> bool:
        """Return whether nothing is left to be scored."""

    def propose(self, cached: int) -> Proposal:
        """Return tokens to score, behind the first `cached` ones of prompt and answer."""

    def observe(self, scores: Sequence[Sequence[float]]) -> int:
        """Take the log probabilities of the choices of the last proposal.

        scores (Sequence[Sequence[float]]): One list a place.
        RETURNS (int): How many tokens of prompt and answer stay in the cache.
        """


WalkType = TypeVar("WalkType", bound=Walk)


@dataclass
class _Running(Generic[WalkType]):
    walk: WalkType
    lane: Lane
    proposal: Proposal


class PackedDecoder:
    """Runs walks through a packed model.

    model (PackedModel): The model.
    max_batch_tokens (int): Tokens that the sequences in flight may have together; bounds the memory of the cache.
    pass_tokens (int): New tokens of one forward pass.
    stopped (bool): Set by another thread to end a run after the pass that it is in.
    """

    def __init__(self, model: PackedModel, *, max_batch_tokens: int, pass_tokens: int) -> None:
        self.model = model
        self.max_batch_tokens = max_batch_tokens
        self.pass_tokens = pass_tokens
        self.stopped = False
        self._prefix: List[int] = []
        self._prefix_lane = Lane(0)
        self._shared = 0

    def run(self, walks: Sequence[WalkType]) -> Iterator[WalkType]:
        """Write sequences to their ends.

        walks (Sequence[WalkType]): The sequences, at least one token of prompt each.
        YIELDS (WalkType): Each as it is done.
        """
        waiting = deque(sorted((walk for walk in walks if not walk.done), key=lambda walk: -walk.limit))
        yield from (walk for walk in walks if walk.done)
        if not waiting:
            return
        free = self._make_room(waiting)
        running: Deque[_Running[WalkType]] = deque()
        while (waiting or running) and not self.stopped:
            rows = self._next_rows(running, waiting, free)
            self._score(rows)
            for row in rows:
                if row.walk.done:
                    free.append(row.lane)
                    yield row.walk
                else:
                    row.proposal = row.walk.propose(row.lane.length)
                    running.append(row)

    def _make_room(self, walks: Sequence[WalkType]) -> List[Lane]:
        """Reserve lanes, and fill the first one with what all prompts begin with."""
        width = max(walk.limit for walk in walks)
        count = max(1, min(len(walks), self.max_batch_tokens // width))
        if self.model.reserve(count + 1, width):
            self._prefix = []
        shared = common_prefix([walk.prompt for walk in walks])
        if self._prefix[:len(shared)] != shared:
            self._prefix = []
            if len(shared) >= _SHORTEST_PREFIX:
                self._prefix_lane.length = 0
                self.model.forward([(self._prefix_lane, shared)])
                self._prefix = shared
        self._shared = len(shared) if len(shared) >= _SHORTEST_PREFIX else 0
        return [Lane(index) for index in range(count, 0, -1)]

    def _next_rows(self, running: Deque[_Running[WalkType]], waiting: Deque[WalkType],
                   free: List[Lane]) -> List[_Running[WalkType]]:
        """Fill a pass: first with those that are under way, then with new ones; at least one, however long."""
        rows: List[_Running[WalkType]] = []
        room = self.pass_tokens
        while running and (not rows or len(running[0].proposal.tokens) <= room):
            rows.append(running.popleft())
            room -= len(rows[-1].proposal.tokens)
        fresh: List[Lane] = []
        while not running and waiting and free and (not rows or room > 0):
            fresh.append(free.pop())
            rows.append(self._begin(waiting.popleft(), fresh[-1]))
            room -= len(rows[-1].proposal.tokens)
        if fresh and self._shared:
            self.model.copy(self._prefix_lane, fresh, self._shared)
        return rows

    def _begin(self, walk: WalkType, lane: Lane) -> _Running[WalkType]:
        # Of what all prompts begin with, the keys and values are copied, for all new sequences of a pass at once.
        lane.length = self._shared
        return _Running(walk, lane, walk.propose(lane.length))

    def _score(self, rows: Sequence[_Running[WalkType]]) -> None:
        """Run one forward pass, and tell each walk what it wanted to know."""
        hidden = self.model.forward([(row.lane, row.proposal.tokens) for row in rows])
        places: List[int] = []
        choices: List[Sequence[int]] = []
        begin = 0
        for row in rows:
            places += [begin + place for place in row.proposal.places]
            choices += row.proposal.choices
            begin += len(row.proposal.tokens)
        scores = self.model.choose_among(hidden[torch.tensor(places, device=hidden.device)], choices)
        begin = 0
        for row in rows:
            end = begin + len(row.proposal.places)
            row.lane.length = row.walk.observe(scores[begin:end])
            begin = end


def common_prefix(prompts: Sequence[Sequence[int]]) -> List[int]:
    """Return the tokens that all prompts begin with, leaving each at least its last one."""
    shortest = min(map(len, prompts)) - 1
    shared = os.path.commonprefix([list(prompt) for prompt in prompts])
    return list(shared[:shortest])

