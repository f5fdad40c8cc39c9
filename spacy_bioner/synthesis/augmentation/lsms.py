"""New sentences from gold ones by simple changes: the baselines that generated sentences compete with.

Source: LSMS, in the words of Dai and Adel (2020): mention replacement, label-wise token replacement, shuffle within
segments, synonym replacement.
"""

import random
from functools import partial
from itertools import groupby
from typing import Callable, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple, TypeVar

from ...annotation import Annotation
from ...errors import BionerError, Errors
from ...tokens import find_units
from .edits import Edit, apply_edits, outermost
from .material import CUT, Material, Pool, covering, unit_roles

Place = TypeVar("Place")
Operation = Callable[[Annotation, random.Random], List[Edit]]
OPERATIONS = ("mention_replacement", "token_replacement", "shuffle_within_segments", "synonym_replacement", "noise")
LSMS = OPERATIONS[:4]


def augment(sentences: Sequence[Annotation], operations: Mapping[str, Operation], *, copies: int,
            seed: int) -> Iterator[Annotation]:
    """Change each sentence a few times, by one operation a time.

    sentences (Sequence[Annotation]): Gold sentences of train.
    operations (Mapping[str, Operation]): Name to operation, see `make_operations`; they take turns.
    copies (int): Changed sentences to make of each.
    seed (int): Random seed.
    YIELDS (Annotation): The changed sentences; those that an operation cannot change, or that come out as another
        one did before, are left out. `meta` says origin, operation and source.
    """
    names = list(operations)
    seen = {sentence.text for sentence in sentences}
    for number, sentence in enumerate(sentences):
        for copy in range(copies):
            name = names[(number + copy) % len(names)]
            changed = apply_edits(sentence, operations[name](sentence, random.Random(f"{seed}|{number}|{copy}")))
            if changed.text not in seen:
                seen.add(changed.text)
                yield mark_augmented(changed, sentence, name, number=copy, seed=seed)


def mark_augmented(changed: Annotation, source: Annotation, operation: str, *, number: int, seed: int) -> Annotation:
    """Return a changed sentence that says where it comes from; the operation is a part of its id."""
    meta = {**source.meta, "origin": "augmented", "split": "train", "source": "augmented", "operation": operation,
            "of": source.id, "seed": seed}
    return Annotation(changed.text, changed.mentions, id=f"{source.id}-{operation}-{number}", meta=meta)


def make_operations(names: Sequence[str], material: Material, *, share: float,
                    synonyms: Optional[Mapping[str, Sequence[str]]] = None) -> Dict[str, Operation]:
    """Make operations by their names.

    names (Sequence[str]): Some of `OPERATIONS`.
    material (Material): Mentions and words of train.
    share (float): How likely each mention, word or segment is changed; at least one of a sentence always is.
    synonyms (Optional[Mapping[str, Sequence[str]]]): Word to synonyms; without it, words of train that look alike.
    RETURNS (Dict[str, Operation]): Name to operation.
    RAISES BionerError: E428 for an unknown name.
    """
    known: Dict[str, Operation] = {
        "mention_replacement": partial(replace_mentions, material=material, share=share),
        "token_replacement": partial(replace_tokens, material=material, share=share),
        "shuffle_within_segments": partial(shuffle_segments, share=share),
        "synonym_replacement": partial(replace_synonyms, material=material, share=share, synonyms=synonyms),
        "noise": partial(add_noise, share=share)}
    for name in names:
        if name not in known:
            raise BionerError(Errors.E428.format(name=name, known=", ".join(OPERATIONS)))
    return {name: known[name] for name in names}


def _choose(places: Sequence[Place], share: float, chance: random.Random) -> List[Place]:
    """Take each place, or change, with a probability, and one where that gave none."""
    chosen = [place for place in places if chance.random() < share]
    return chosen or ([chance.choice(places)] if places else [])


def replace_mentions(sentence: Annotation, chance: random.Random, *, material: Material, share: float) -> List[Edit]:
    """Put other mentions of the same label, with all that is nested in them, in the place of outermost mentions."""
    places = [(mention, pool, name) for mention in outermost(sentence)
              for pool, name in [(material.mention_pool(mention.label), sentence.surface(mention).casefold())]
              if pool.has_other(name)]
    others = [(mention, pool.draw(name, chance)) for mention, pool, name in _choose(places, share, chance)]
    return [Edit(mention.start, mention.end, other.text, other.mentions) for mention, other in others if other]


def replace_tokens(sentence: Annotation, chance: random.Random, *, material: Material, share: float) -> List[Edit]:
    """Put other words of the same role in the place of words, inside mentions and outside, but not half inside."""
    places = [(start, end, material.word_pool(role, sentence.text[start:end])) for start, end, role
              in unit_roles(sentence) if role != CUT and any(map(str.isalpha, sentence.text[start:end]))]
    return _draw_words(sentence, places, share, chance)


def replace_synonyms(sentence: Annotation, chance: random.Random, *, material: Material, share: float,
                     synonyms: Optional[Mapping[str, Sequence[str]]] = None) -> List[Edit]:
    """Put synonyms in the place of words outside mentions, and inside them where a synonym file has some."""
    places: List[Tuple[int, int, Pool[str]]] = []
    for start, end, role in unit_roles(sentence):
        word = sentence.text[start:end]
        if synonyms is not None and role != CUT:
            places.append((start, end, Pool(synonyms.get(word.casefold(), ()), str)))
        elif synonyms is None and not role and word.isalpha():
            places.append((start, end, material.word_pool(role, word, alike=True)))
    return _draw_words(sentence, places, share, chance, spell=_match_case)


def _draw_words(sentence: Annotation, places: Sequence[Tuple[int, int, Pool[str]]], share: float,
                chance: random.Random, *, spell: Callable[[str, str], str] = lambda other, _: other) -> List[Edit]:
    """Choose places that have another word, and draw one for each; nothing is drawn for the rest."""
    fitting = [(start, end, pool) for start, end, pool in places if pool.has_other(sentence.text[start:end])]
    words = [(start, end, pool.draw(sentence.text[start:end], chance))
             for start, end, pool in _choose(fitting, share, chance)]
    return [_replace_word(sentence, start, end, spell(word, sentence.text[start:end]))
            for start, end, word in words if word]


def _match_case(other: str, word: str) -> str:
    return other[:1].upper() + other[1:] if word[:1].isupper() and not word.isupper() else other


def _replace_word(sentence: Annotation, start: int, end: int, other: str) -> Edit:
    """Return a word replaced; mentions that are just this word stay on it."""
    on_it = tuple(type(mention)(0, len(other), mention.label) for mention in sentence.mentions
                  if (mention.start, mention.end) == (start, end))
    return Edit(start, end, other, on_it)


def shuffle_segments(sentence: Annotation, chance: random.Random, *, share: float) -> List[Edit]:
    """Shuffle the words of stretches that lie in the same mentions; the white space stays where it is."""
    units = [(start, end, role == CUT, covering(sentence, start, end)) for start, end, role in unit_roles(sentence)]
    edits = []
    for (cut, _), group in groupby(units, key=lambda unit: unit[2:]):
        segment = [(start, end) for start, end, _, _ in group if any(map(str.isalnum, sentence.text[start:end]))]
        if len(segment) > 1 and not cut:
            edits.append(_shuffle(sentence.text, segment, chance))
    return _choose([edit for edit in edits if edit.text != sentence.text[edit.start:edit.end]], share, chance)


def _shuffle(text: str, segment: Sequence[Sequence[int]], chance: random.Random) -> Edit:
    words = [text[start:end] for start, end in segment]
    gaps = [text[left[1]:right[0]] for left, right in zip(segment, segment[1:])]
    chance.shuffle(words)
    shuffled = "".join(part for pair in zip(words, [*gaps, ""]) for part in pair)
    return Edit(segment[0][0], segment[-1][1], shuffled, keep=True)


def add_noise(sentence: Annotation, chance: random.Random, *, share: float) -> List[Edit]:
    """Misspell words outside mentions: a letter doubled, left out, or changed with its neighbour."""
    edits = []
    for start, end in find_units(sentence.text):
        word = sentence.text[start:end]
        if word.isalpha() and word.isascii() and len(word) > 3 and not any(
                mention.start < end and start < mention.end for mention in sentence.mentions):
            place = chance.randrange(1, len(word) - 1)
            spellings = [word[:place] + word[place] + word[place:], word[:place] + word[place + 1:],
                         word[:place] + word[place + 1] + word[place] + word[place + 2:]]
            edits.append(Edit(start, end, chance.choice(spellings)))
    return _choose(edits, share, chance)
