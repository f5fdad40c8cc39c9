"""What the gold sentences of train offer to augmentation: their mentions by label, their words by role."""

import random
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, FrozenSet, Iterable, List, Optional, Tuple

from ..annotation import Annotation, Mention
from ..errors import BionerError, Errors
from ..files import read_lines
from ..units import find_units
from .edits import Edit, cut_out, outermost
from .held_out import refuse_other_splits

Role = FrozenSet[Tuple[str, str]]


def unit_roles(annotation: Annotation) -> List[Tuple[int, int, Role]]:
    """Say of each unit which labels it begins and which it continues.

    annotation (Annotation): The text with its mentions.
    RETURNS (List[Tuple[int, int, Role]]): Start, end and role of each unit; one that a mention cuts has a role of its
        own ("cut"), so that nothing replaces it.
    """
    roles = []
    for start, end in find_units(annotation.text):
        over = [mention for mention in annotation.mentions if mention.start < end and start < mention.end]
        cut = any(start < edge < end for mention in over for edge in (mention.start, mention.end))
        parts = {("cut", f"{start}")} if cut else {("B" if mention.start == start else "I", mention.label)
                                                   for mention in over}
        roles.append((start, end, frozenset(parts)))
    return roles


def is_cut(role: Role) -> bool:
    """RETURNS (bool): Whether a mention begins or ends inside the unit."""
    return any(part == "cut" for part, _ in role)


@dataclass(frozen=True)
class Material:
    """Mentions and words to put into other sentences.

    mentions (Dict[str, List[Edit]]): Label to its mentions, each with what is nested in it, as often as they occur.
    words (Dict[Role, List[str]]): Role to the words that play it, as often as they occur.
    """

    mentions: Dict[str, List[Edit]]
    words: Dict[Role, List[str]]

    def draw_mention(self, label: str, surface: str, chance: random.Random) -> Optional[Edit]:
        """RETURNS (Optional[Edit]): Another mention of a label, None where there is none."""
        others = [item for item in self.mentions.get(label, ()) if item.text.casefold() != surface.casefold()]
        return chance.choice(others) if others else None

    def draw_word(self, role: Role, word: str, chance: random.Random, *, alike: bool = False) -> Optional[str]:
        """Draw another word that plays the same role.

        role (Role): The role.
        word (str): The word that is replaced.
        chance (random.Random): Random numbers.
        alike (bool): Whether it must look alike: the same kind of characters and the same ending.
        RETURNS (Optional[str]): The word, None where there is none.
        """
        others = [other for other in self.words.get(role, ()) if other != word
                  and (not alike or _shape(other) == _shape(word))]
        return chance.choice(others) if others else None


def _shape(word: str) -> Tuple[bool, bool, str]:
    return word.isalpha(), word[:1].isupper(), word[-2:].lower()


def collect_material(sentences: Iterable[Annotation]) -> Material:
    """Collect mentions and words.

    sentences (Iterable[Annotation]): Gold sentences of train; another split is an error.
    RETURNS (Material): What they offer.
    RAISES BionerError: E009 for another split, E401 where there is no mention.
    """
    mentions: Dict[str, List[Edit]] = defaultdict(list)
    words: Dict[Role, List[str]] = defaultdict(list)
    for sentence in refuse_other_splits(sentences):
        for mention in outermost(sentence):
            mentions[mention.label].append(cut_out(sentence, mention))
        for start, end, role in unit_roles(sentence):
            if any(character.isalpha() for character in sentence.text[start:end]):
                words[role].append(sentence.text[start:end])
    if not mentions:
        raise BionerError(Errors.E401)
    return Material(dict(mentions), dict(words))


def read_synonyms(path: Path) -> Dict[str, List[str]]:
    """Read a synonym file.

    path (Path): A word, a tab and its synonym a line.
    RETURNS (Dict[str, List[str]]): Lower-case word to its synonyms.
    RAISES BionerError: E003 for another line, E418 where there is none.
    """
    synonyms: Dict[str, List[str]] = defaultdict(list)
    for number, line in read_lines(path):
        fields = [field.strip() for field in line.split("\t")]
        if len(fields) != 2 or not all(fields):
            raise BionerError(Errors.E003.format(path=path, line=number, why="wanted are a word, a tab and a synonym"))
        synonyms[fields[0].casefold()].append(fields[1])
    if not synonyms:
        raise BionerError(Errors.E418.format(path=path))
    return dict(synonyms)


def covering(annotation: Annotation, start: int, end: int) -> FrozenSet[Mention]:
    """RETURNS (FrozenSet[Mention]): The mentions that a stretch lies in."""
    return frozenset(mention for mention in annotation.mentions if mention.start <= start and end <= mention.end)
