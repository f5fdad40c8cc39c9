"""Pairs that train a model to write sentences from seeds: from raw text alone, from gold sentences, or from both.

A sentence becomes the answer, one to three phrases of it the seeds. In raw text the phrases are runs of content words
under a neutral label; in gold sentences they are mentions. So the model learns the form and the style of the domain
without any label.
"""

import random
from dataclasses import dataclass
from typing import Iterable, Iterator, List, Optional, Sequence, Set, Tuple

from ..annotation import Annotation, Mention, in_text_order
from ..grounding.names import find_all_places
from ..grounding.words import on_boundaries
from ..tokens import find_units
from .seeds import Seed, draw_mentions, fold_name

NEUTRAL_LABEL = "TERM"
_LONGEST_PHRASE = 4


@dataclass(frozen=True)
class GeneratorPair:
    """A sentence, and the phrases of it that stand as seeds in the prompt.

    annotation (Annotation): The sentence with its seeds as flat mentions, every occurrence of a seed marked but one
        that gold gives another label.
    seeds (Tuple[Seed, ...]): The seeds in random order, each name once.
    """

    annotation: Annotation
    seeds: Tuple[Seed, ...]


def make_generator_pairs(sentences: Iterable[Annotation], *, stop_words: Set[str], seed: int, max_seeds: int = 3,
                         min_units: int = 6, max_units: int = 60, limit: Optional[int] = None) -> List[GeneratorPair]:
    """Make a pair of each sentence that has a phrase to serve as seed.

    A gold mention that begins or ends inside a word is no seed: a generator could not tag it there.

    sentences (Iterable[Annotation]): Raw or annotated sentences.
    stop_words (Set[str]): Lower-case function words, which end a phrase of raw text.
    seed (int): Random seed.
    max_seeds (int): Largest number of seeds in a sentence.
    min_units (int): Shorter sentences (headings, fragments) are left out.
    max_units (int): Longer sentences are left out.
    limit (Optional[int]): Most pairs; None for one of each sentence that is fit.
    RETURNS (List[GeneratorPair]): The pairs in the order of the sentences.
    """
    chance = random.Random(seed)
    pairs: List[GeneratorPair] = []
    for sentence in sentences:
        if limit is not None and len(pairs) >= limit:
            break
        units = find_units(sentence.text)
        if not min_units <= len(units) <= max_units or "<" in sentence.text:
            continue
        mentions = [mention for mention in sentence.mentions if _is_bounded(sentence.text, mention)]
        choices = list(_flat(mentions)) or list(_phrases(sentence.text, units, stop_words))
        if choices:
            drawn = draw_mentions(sentence, choices, chance.randint(1, max_seeds), chance)
            pairs.append(_make_pair(sentence, choices, drawn, chance))
    return pairs


def _make_pair(sentence: Annotation, choices: Sequence[Mention], drawn: Sequence[Mention],
               chance: random.Random) -> GeneratorPair:
    labels = {fold_name(sentence.surface(mention)): mention.label for mention in drawn}
    # A seed may be spelled otherwise where it comes again.
    mentions = [mention for mention in choices if labels.get(fold_name(sentence.surface(mention))) == mention.label]
    seeds = [Seed(sentence.surface(mention), mention.label) for mention in drawn]
    # Every place of a seed is marked, so that the model learns that no seed stands untagged.
    for item in sorted(seeds, key=lambda item: -len(item.text)):
        for found in find_all_places(sentence.text, item.text):
            place = Mention(found.start, found.end, item.label)
            if _is_free(sentence, place) and not any(_overlap(place, other) for other in mentions):
                mentions.append(place)
    chance.shuffle(seeds)
    return GeneratorPair(sentence.with_mentions(mentions), tuple(seeds))


def _is_free(sentence: Annotation, place: Mention) -> bool:
    """Return whether a place may be tagged: it is no part of a word, and gold has no other label for it."""
    labels = {mention.label for mention in sentence.mentions if mention.key[:2] == place.key[:2]}
    return _is_bounded(sentence.text, place) and (not labels or place.label in labels)


def _flat(mentions: Sequence[Mention]) -> Iterator[Mention]:
    """Yield the outermost mentions; a seed inside another cannot be tagged apart."""
    end = -1
    for mention in in_text_order(mentions):
        if mention.start >= end:
            end = mention.end
            yield mention


def _phrases(text: str, units: Sequence[Tuple[int, int]], stop_words: Set[str]) -> Iterator[Mention]:
    """Yield runs of content words: what lies between function words and punctuation, at most a few words."""
    run: List[Tuple[int, int]] = []
    for start, end in [*units, (len(text), len(text))]:
        word = text[start:end]
        joined = bool(run) and text[run[-1][1]:start] in ("", " ")
        content = word.isalnum() and word.lower() not in stop_words and not word.isdigit()
        hyphen = word == "-" and joined and text[end:end + 1].isalnum() and run[-1][1] == start
        if run and not (joined and (content or hyphen)):
            yield from _trim(text, run)
            run = []
        if content or (hyphen and run):
            run.append((start, end))


def _trim(text: str, run: Sequence[Tuple[int, int]]) -> Iterator[Mention]:
    """Yield the last words of a run: in English the head of a noun phrase stands at its end.

    A single word in small letters is as likely a verb, so it is left out; names (p53, HeLa) stay.
    """
    words = [place for place in run if text[place[0]:place[1]] != "-"][-_LONGEST_PHRASE:]
    if not words:
        return
    start, end = words[0][0], words[-1][1]
    looks_like_name = any(character.isdigit() or character.isupper() for character in text[start + 1:end])
    if len(words) > 1 or looks_like_name or not text[start].isascii():
        yield Mention(start, end, NEUTRAL_LABEL)


def _overlap(first: Mention, second: Mention) -> bool:
    return first.start < second.end and second.start < first.end


def _is_bounded(text: str, mention: Mention) -> bool:
    return on_boundaries(text, mention.start, mention.end)
