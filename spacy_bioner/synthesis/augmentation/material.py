"""What the gold sentences of train offer to augmentation: their mentions by label, their words by role."""

import random
from collections import Counter, defaultdict
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Callable, Dict, FrozenSet, Generic, Iterable, List, Optional, Tuple, TypeVar

from ...annotation import Annotation, Mention
from ...errors import BionerError, Errors
from ...files import read_lines
from ...tokens import find_units
from ..held_out import refuse_other_splits
from .edits import Edit, cut_out, outermost

Role = FrozenSet[Tuple[str, str]]
Shape = Tuple[bool, bool, str]
# The role of a unit in which a mention begins or ends.
CUT: Role = frozenset({("cut", "")})


def unit_roles(annotation: Annotation) -> List[Tuple[int, int, Role]]:
    """Say of each unit which labels it begins and which it continues.

    annotation (Annotation): The text with its mentions.
    RETURNS (List[Tuple[int, int, Role]]): Start, end and role of each unit; that of one which a mention cuts is `CUT`:
        another word in its place would move the edge of the mention.
    """
    roles = []
    for start, end in find_units(annotation.text):
        over = [mention for mention in annotation.mentions if mention.start < end and start < mention.end]
        cut = any(start < edge < end for mention in over for edge in (mention.start, mention.end))
        parts = frozenset(("B" if mention.start == start else "I", mention.label) for mention in over)
        roles.append((start, end, CUT if cut else parts))
    return roles


T = TypeVar("T")


class Pool(Generic[T]):
    """Things to draw from, as often as they occur, but never one with a given name.

    items (Iterable[T]): The things.
    name (Callable[[T], str]): Their name.
    """

    def __init__(self, items: Iterable[T], name: Callable[[T], str]) -> None:
        self._items = list(items)
        self._name = name
        self._counts = Counter(map(name, self._items))

    def has_other(self, name: str) -> bool:
        """Return whether there is a thing with another name."""
        return len(self._items) > self._counts[name]

    def draw(self, name: str, chance: random.Random) -> Optional[T]:
        """Return a thing with another name, None where there is none."""
        # A draw by number is repeated where the name is the same: the list is never gone through.
        while self.has_other(name):
            item = chance.choice(self._items)
            if self._name(item) != name:
                return item
        return None


@dataclass(frozen=True)
class Material:
    """Mentions and words to put into other sentences.

    mentions (Dict[str, List[Edit]]): Label to its mentions, each with what is nested in it, as often as they occur.
    words (Dict[Role, List[str]]): Role to the words that play it, as often as they occur.
    """

    mentions: Dict[str, List[Edit]]
    words: Dict[Role, List[str]]

    @cached_property
    def _mention_pools(self) -> Dict[str, Pool[Edit]]:
        return {label: Pool(items, lambda item: item.text.casefold()) for label, items in self.mentions.items()}

    @cached_property
    def _word_pools(self) -> Dict[Tuple[Role, Optional[Shape]], Pool[str]]:
        """Return words by role alone, and by role and shape."""
        groups: Dict[Tuple[Role, Optional[Shape]], List[str]] = defaultdict(list)
        for role, words in self.words.items():
            for word in words:
                groups[role, None].append(word)
                groups[role, _shape(word)].append(word)
        return {key: Pool(words, str) for key, words in groups.items()}

    def mention_pool(self, label: str) -> Pool[Edit]:
        """Return the mentions of a label, by their text in small letters."""
        return self._mention_pools.get(label, _EMPTY)

    def word_pool(self, role: Role, word: str, *, alike: bool = False) -> Pool[str]:
        """Find words that can stand in place of one.

        role (Role): Its role.
        word (str): The word.
        alike (bool): Whether they must look alike: the same kind of characters and the same ending.
        RETURNS (Pool[str]): The words, the given one among them.
        """
        return self._word_pools.get((role, _shape(word) if alike else None), _EMPTY)


_EMPTY: Pool[Any] = Pool((), str)


def _shape(word: str) -> Shape:
    return word.isalpha(), word[:1].isupper(), word[-2:].lower()


def collect_material(sentences: Iterable[Annotation]) -> Material:
    """Collect mentions and words.

    sentences (Iterable[Annotation]): Gold sentences of train; another split is an error.
    RETURNS (Material): What they offer; words that a mention cuts are left out.
    RAISES BionerError: E009 for another split, E401 where there is no mention.
    """
    mentions: Dict[str, List[Edit]] = defaultdict(list)
    words: Dict[Role, List[str]] = defaultdict(list)
    for sentence in refuse_other_splits(sentences):
        for mention in outermost(sentence):
            mentions[mention.label].append(cut_out(sentence, mention))
        for start, end, role in unit_roles(sentence):
            if role != CUT and any(character.isalpha() for character in sentence.text[start:end]):
                words[role].append(sentence.text[start:end])
    if not mentions:
        raise BionerError(Errors.E401)
    return Material(dict(mentions), dict(words))


def read_synonyms(path: Path) -> Dict[str, List[str]]:
    """Read a synonym file.

    path (Path): A word, a tab and its synonym a line.
    RETURNS (Dict[str, List[str]]): Lower-case word to its synonyms.
    RAISES BionerError: E003 for another line, E431 where there is none.
    """
    synonyms: Dict[str, List[str]] = defaultdict(list)
    for number, line in read_lines(path):
        fields = [field.strip() for field in line.split("\t")]
        if len(fields) != 2 or not all(fields):
            raise BionerError(Errors.E003.format(path=path, line=number, why="wanted are a word, a tab and a synonym"))
        synonyms[fields[0].casefold()].append(fields[1])
    if not synonyms:
        raise BionerError(Errors.E431.format(path=path))
    return dict(synonyms)


def covering(annotation: Annotation, start: int, end: int) -> FrozenSet[Mention]:
    """Return the mentions that a stretch lies in."""
    return frozenset(mention for mention in annotation.mentions if mention.start <= start and end <= mention.end)
