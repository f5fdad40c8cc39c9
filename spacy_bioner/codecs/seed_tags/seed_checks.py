"""Checks the tags of a generated sentence against the seeds that were asked for, and repairs them on request."""

from dataclasses import dataclass, replace
from typing import Dict, List, Sequence, Tuple

from ...annotation import Mention
from ...grounding.folding import fold_plain
from ...grounding.names import NamePlace, find_all_places

Seed = Tuple[str, str]


@dataclass
class SeedCheck:
    """What comparing tags with seeds gave.

    mentions (List[Mention]): The tagged mentions, repaired where asked for.
    issues (List[Tuple[str, str]]): Issue word and the text that it is about.
    """

    mentions: List[Mention]
    issues: List[Tuple[str, str]]


def check_seeds(text: str, mentions: Sequence[Mention], seeds: Sequence[Seed], *, repair: bool = False) -> SeedCheck:
    """Compare the tags of a sentence with its seeds, without regard to spacing and case.

    text (str): The sentence without tags.
    mentions (Sequence[Mention]): What is tagged in it.
    seeds (Sequence[Seed]): Text and label of each seed.
    repair (bool): Whether to widen a tag that covers part of a seed, to tag the seeds that are not tagged, and to take
        off a tag that gives a seed another label.
    RETURNS (SeedCheck): The mentions and what is wrong: a seed not in the sentence (`seed_missing`), not tagged
        (`seed_untagged`), tagged with other edges (`seed_boundary`), and what is tagged but no seed (`new_entity`).
        Inside a longer word, as GA in GABA, a seed stands only where it is tagged.
    """
    check = SeedCheck(list(mentions), [])
    wanted = {(fold_plain(surface), label) for surface, label in seeds}
    partial: Dict[Mention, Mention] = {}
    untagged: List[Mention] = []
    for surface, label in dict.fromkeys(seeds):
        places = [place for place in find_all_places(text, surface.strip())
                  if place.bounded or _is_tagged(place, label, mentions)]
        if not places:
            check.issues.append(("seed_missing", surface))
        missed = False
        for place in places:
            seed = Mention(place.start, place.end, label, grounding="exact" if place.exact else "fuzzy")
            if seed in mentions or _stands_in_seed(text, seed, mentions, wanted):
                continue
            tags = _partial_tags(text, place, label, mentions, wanted)
            partial.update((tag, seed) for tag in tags if tag not in partial)
            if not tags:
                missed = True
                untagged.append(seed)
        if missed:
            check.issues.append(("seed_untagged", surface))
    check.issues += [("seed_boundary", text[tag.start:tag.end]) for tag in partial]
    for mention in mentions:
        if mention not in partial and (fold_plain(text[mention.start:mention.end]), mention.label) not in wanted:
            check.issues.append(("new_entity", text[mention.start:mention.end]))
    if repair:
        check.mentions = _repair(text, mentions, partial, untagged, wanted)
    return check


def _is_tagged(place: NamePlace, label: str, mentions: Sequence[Mention]) -> bool:
    """Return whether a tag of the seed's label lies on a part of the place."""
    return any(mention.label == label and mention.start < place.end and place.start < mention.end
               for mention in mentions)


def _stands_in_seed(text: str, seed: Mention, mentions: Sequence[Mention], wanted: "set[Seed]") -> bool:
    """Return whether a seed stands only as a part of another, longer seed that is tagged."""
    return any(mention.start <= seed.start and seed.end <= mention.end and mention.key[:2] != seed.key[:2]
               and (fold_plain(text[mention.start:mention.end]), mention.label) in wanted for mention in mentions)


def _partial_tags(text: str, place: NamePlace, label: str, mentions: Sequence[Mention], wanted: "set[Seed]",
                  ) -> List[Mention]:
    """Return tags of the seed's label that overlap a place of it and are no seed themselves."""
    return [mention for mention in mentions
            if mention.label == label and mention.start < place.end and place.start < mention.end
            and (fold_plain(text[mention.start:mention.end]), label) not in wanted]


def _repair(text: str, mentions: Sequence[Mention], partial: Dict[Mention, Mention], untagged: Sequence[Mention],
            wanted: "set[Seed]") -> List[Mention]:
    """Return tags inside a seed widened to it, and seeds tagged where that crosses no other tag."""
    repaired: List[Mention] = []
    for mention in mentions:
        seed = partial.get(mention)
        inside = seed is not None and seed.start <= mention.start and mention.end <= seed.end
        repaired.append(replace(mention, start=seed.start, end=seed.end) if seed and inside else mention)
    for seed in sorted(untagged, key=lambda seed: (seed.start - seed.end, seed.start)):
        overlapping = [other for other in repaired if seed.start < other.end and other.start < seed.end]
        if not any(other.label == seed.label or seed.crosses(other) for other in overlapping):
            # The prompt said what the seed is: on its very place another label is a mistake of the model.
            repaired = [other for other in repaired if other.key[:2] != seed.key[:2]
                        or (fold_plain(text[other.start:other.end]), other.label) in wanted]
            repaired.append(seed)
    return list(dict.fromkeys(repaired))
