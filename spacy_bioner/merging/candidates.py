"""Several annotations of the same text made into one: gold over agreement over one annotator over a dictionary.

Ranks decide: where two mentions cannot both be right, because they share characters and are not the same, the one of
the better rank stays; of equal ranks the one with the higher score, then the longer one. Every clash is counted. What
one annotator says is never set against itself: its mentions may nest, and have several labels at one place. A word list
may only have the several labels.
"""

from collections import Counter
from dataclasses import replace
from functools import reduce
from typing import Dict, FrozenSet, Iterable, Iterator, List, Mapping, Sequence, Tuple

from ..annotation import Annotation, Mention, index_records
from ..errors import BionerError, Errors

RANKS = ("gold", "agreement", "single", "dictionary")
_WORD_LIST = RANKS.index("dictionary")
_WITHOUT_SCORE = 0.5

# Rank, score, mention, and the annotators that have it; the word lists where no annotator has it.
Ranked = Tuple[int, float, Mention, FrozenSet[str]]


def merge_annotations(sources: Mapping[str, Annotation], *, dictionary: Sequence[str] = ("dictionary",),
                      gold: Sequence[str] = ("gold",), nested: bool = False,
                      counts: Counter) -> Annotation:
    """Merge what several sources say of one text.

    sources (Mapping[str, Annotation]): Source to its annotation.
    dictionary (Sequence[str]): Which of them are word lists; several of them do not make an agreement.
    gold (Sequence[str]): Which are gold; where one covers the text, it alone counts.
    nested (bool): Whether a mention inside one of another annotator is no clash; crossing ones are always one.
    counts (Counter): Is counted up: the ranks of kept mentions, "conflict" and "conflict_label".
    RETURNS (Annotation): The mentions that are kept; meta["sources"] has the rank of each, in their order.
    RAISES BionerError: E521 where the texts differ.
    """
    first = next(iter(sources.values()))
    if any(annotation.text != first.text for annotation in sources.values()):
        raise BionerError(Errors.E521.format(id=first.id, sources=", ".join(sources)))
    trusted = [name for name in gold if name in sources]
    used = {name: sources[name] for name in trusted} if trusted else dict(sources)
    kept: List[Ranked] = []
    for rank, score, mention, voices in sorted(_rank(used, trusted, dictionary), key=_preference):
        # Gold is never thinned out: what overlaps there is meant so. No more is what one annotator says,
        # nor the labels that one word list has for a name.
        clash = None if rank == 0 else next(
            (other for _, _, other, others in kept if _clashes(mention, other, nested=nested)
             and not (voices & others and (rank < _WORD_LIST or _same_place(mention, other)))), None)
        if clash is None:
            kept.append((rank, score, mention, voices))
            counts[RANKS[rank]] += 1
        else:
            counts["conflict_label" if _same_place(mention, clash) else "conflict"] += 1
    # Gold needs no score: it is not to be weighed.
    merged = first.with_mentions(mention if rank == 0 else replace(mention, score=score)
                                 for rank, score, mention, _ in kept)
    ranks = {mention.key: RANKS[rank] for rank, _, mention, _ in kept}
    return merged.with_meta(sources=[ranks[mention.key] for mention in merged.mentions])


def merge_files(sources: Mapping[str, Iterable[Annotation]], *, counts: Counter,
                dictionary: Sequence[str] = ("dictionary",), gold: Sequence[str] = ("gold",),
                nested: bool = False) -> Iterator[Annotation]:
    """Merge the records of several sources, paired by id.

    sources (Mapping[str, Iterable[Annotation]]): Source to its records; not each needs all.
    counts (Counter): Is counted up, see `merge_annotations`.
    YIELDS (Annotation): One for each id, in the order in which ids are first met.
    RAISES BionerError: E521 where texts differ, E552 where a source has an id twice.
    """
    together: Dict[str, Dict[str, Annotation]] = {}
    for name, annotations in sources.items():
        for annotation in index_records(annotations, source=name).values():
            together.setdefault(annotation.id, {})[name] = annotation
    for found in together.values():
        yield merge_annotations(found, dictionary=dictionary, gold=gold, nested=nested, counts=counts)


def _rank(sources: Mapping[str, Annotation], gold: Sequence[str], dictionary: Sequence[str]) -> Iterator[Ranked]:
    """Yield each mention once with its rank and the mean score of the sources that have it."""
    said: Dict[Tuple[int, int, str], List[Tuple[str, Mention]]] = {}
    for name, annotation in sources.items():
        for mention in annotation.mentions:
            said.setdefault(mention.key, []).append((name, mention))
    for voices in said.values():
        annotators = [name for name, _ in voices if name not in dictionary]
        scores = [_WITHOUT_SCORE if mention.score is None else mention.score for _, mention in voices]
        if any(name in gold for name, _ in voices):
            rank = 0
        elif len(annotators) > 1:
            rank = 1
        else:
            rank = 2 if annotators else _WORD_LIST
        mention = reduce(Mention.united, (mention for _, mention in voices))
        yield rank, sum(scores) / len(scores), mention, frozenset(annotators or (name for name, _ in voices))


def _preference(ranked: Ranked) -> Tuple[int, float, int, int, str]:
    rank, score, mention, _ = ranked
    return (rank, -score, mention.start - mention.end, mention.start, mention.label)


def _clashes(mention: Mention, other: Mention, *, nested: bool) -> bool:
    if nested and not _same_place(mention, other):
        return mention.crosses(other)
    return mention.start < other.end and other.start < mention.end


def _same_place(mention: Mention, other: Mention) -> bool:
    return (mention.start, mention.end) == (other.start, other.end)
