"""A sentence while it is being written: its words and tags, what is still to come, and how words are taken back."""

import random
from dataclasses import dataclass, field
from typing import Iterator, List, Optional, Sequence, Tuple

import torch

from ...grounding.folding import fold_plain
from ...grounding.names import find_all_places
from ...grounding.words import on_boundaries
from ...tokens import UNSPACED

Seed = Tuple[str, str]


@dataclass(frozen=True)
class Part:
    """A token written freely, or a whole tag.

    text (str): What it adds to the sentence; empty for a token that begins a character and does not end it.
    size (int): Its tokens.
    tag (Optional[Seed]): For a tag its surface and label, and then `text` is this surface with the space before it.
    seed (Optional[Seed]): The seed that it used up; None for words, and for a seed that stands a second time.
    """

    text: str
    size: int
    tag: Optional[Seed] = None
    seed: Optional[Seed] = None


@dataclass
class SentenceRow:
    """A sentence that is being written.

    index (int): Its request.
    attempt (int): How often it was begun, this time counted.
    all_seeds (Tuple[Seed, ...]): Its seeds, as (text, label).
    chance (random.Random): The random numbers of this sentence alone.
    queue (List[int]): Tokens that come next without a choice.
    seeds (List[Seed]): Seeds still to be used.
    parts (List[Part]): What was written.
    cells (List[Tuple[int, int]]): The tokens that stand, each with its column in the cache.
    pending (bytes): The beginning of a character that is not whole yet.
    options (List[Tuple[Seed, List[int]]]): Inside an opened tag, the seeds that it can become, and their tags' tokens.
    space (str): Before the opened tag.
    depth (int): Tokens of the opened tag that are written.
    steps (int): Tokens written, those counted that were taken back.
    position (int): Position of the next token.
    done (Optional[str]): "stop" or "length" when it is finished.
    """

    index: int
    attempt: int
    all_seeds: Tuple[Seed, ...]
    chance: random.Random
    queue: List[int] = field(default_factory=list)
    seeds: List[Seed] = field(default_factory=list)
    parts: List[Part] = field(default_factory=list)
    cells: List[Tuple[int, int]] = field(default_factory=list)
    pending: bytes = b""
    options: List[Tuple[Seed, List[int]]] = field(default_factory=list)
    space: str = ""
    depth: int = 0
    steps: int = 0
    position: int = 0
    done: Optional[str] = None

    def __post_init__(self) -> None:
        self.seeds = list(self.all_seeds)

    @property
    def plain(self) -> str:
        """Return the sentence without its tags."""
        return "".join(part.text for part in self.parts)

    @property
    def follows_tag(self) -> bool:
        return bool(self.parts) and self.parts[-1].tag is not None

    def space_before_tag(self, joining: str) -> str:
        """Return a space, but nothing at the start, after what opens or joins, and in Chinese."""
        before = self.plain[-1:]
        if not before or before.isspace() or before in joining:
            return ""
        # Some signs, such as ”, are those of many scripts: the word before them says which one is written.
        shared = not before.isascii() and not before.isalnum() and before < UNSPACED
        script = next((sign for sign in reversed(self.plain) if sign.isalnum()), before) if shared else before
        return " " if script < UNSPACED else ""

    def add_tag(self, space: str, tag: Seed, seed: Optional[Seed], size: int) -> None:
        """Add a tag.

        space (str): White space before it.
        tag (Seed): Surface and label.
        seed (Optional[Seed]): The seed that it uses up; None where it was used before.
        size (int): Tokens of the tag.
        """
        if seed is not None:
            self.seeds.remove(seed)
        self.parts.append(Part(space + tag[0], size, tag, seed))

    def spell(self) -> str:
        """Return the sentence with its tags; surfaces are those of the seeds, not of their tokens."""
        return "".join(part.text if part.tag is None else _spell_tag(part) for part in self.parts)

    def tagged(self) -> Iterator[Tuple[int, int]]:
        """Yield where the tags stand in the sentence without tags."""
        reached = 0
        for part in self.parts:
            reached += len(part.text)
            if part.tag is not None:
                yield reached - len(part.tag[0]), reached

    def find_untagged(self, following: Optional[str]) -> Optional[Tuple[Seed, int, int]]:
        """Look for a seed that stands without its tag, the longest first.

        following (Optional[str]): The text that would come next; None where a tag or the end would.
        RETURNS (Optional[Tuple[Seed, int, int]]): The seed, and where it begins and ends. One that begins inside a
            tag is not found, since its tag could not be written.
        """
        plain = self.plain
        text = plain + (following or "")
        folded = fold_plain(plain)
        tags = None
        for seed in sorted(self.all_seeds, key=lambda item: -len(item[0])):
            if fold_plain(seed[0]) not in folded:
                continue
            tags = list(self.tagged()) if tags is None else tags
            for place in find_all_places(plain, seed[0]):
                start, end = place.start, place.end
                inside = any(first < start < last or (first == start and end <= last) for first, last in tags)
                if inside or not on_boundaries(text, start, end):
                    continue
                if following is None or not self._goes_on(text[start:]):
                    return seed, start, end
        return None

    def _goes_on(self, beginning: str) -> bool:
        """Return whether a longer seed begins so; then its end is waited for."""
        folded = fold_plain(beginning)
        return any(fold_plain(text).startswith(folded) for text, _ in self.all_seeds)

    def take_back(self, start: int, mask: torch.Tensor) -> str:
        """Take back all that was written from a character on; seeds that were used up there are to be used again.

        start (int): The character.
        mask (torch.Tensor): The row's columns of the cache, (columns,); those of what is taken back are hidden.
        RETURNS (str): What stood before this character in a token that is taken back, to be written again.
        """
        reached, size, before = len(self.plain), 0, ""
        while self.parts and (reached > start or not self.parts[-1].text):
            part = self.parts.pop()
            reached -= len(part.text)
            size += part.size
            before = part.text or before
            if part.seed is not None:
                self.seeds.append(part.seed)
        for _, column in self.cells[len(self.cells) - size:]:
            mask[column] = 0
        del self.cells[len(self.cells) - size:]
        self.position -= size
        self.pending = b""
        return before[:start - reached]


def _spell_tag(part: Part) -> str:
    surface, label = part.tag or ("", "")
    return f"{part.text[:len(part.text) - len(surface)]}<{label}>{surface}</{label}>"


def shared_length(prompts: Sequence[List[int]]) -> int:
    """Return tokens that all prompts begin with, at least one left to each."""
    first, last = min(prompts), max(prompts)
    limit = min(len(prompt) for prompt in prompts) - 1
    shared = 0
    while shared < min(limit, len(first), len(last)) and first[shared] == last[shared]:
        shared += 1
    return shared
