"""Drafts: readable sentences whose tags are compared with their seeds, and repaired or refused as the mode says.

The modes: "repair" tags seeds that stand untagged and widens tags that cover part of a seed, "filter" does the same but
leaves out a sentence with a tag that is no seed (GENLLM's "+ filter"), "drop" leaves out every sentence whose tags are
not in order, "keep" takes it as it is, "relabel" repairs it, and an annotator adds what it finds beside the seeds.
"""

from dataclasses import dataclass
from typing import FrozenSet, Sequence, Tuple

from ..annotation import Mention, in_text_order
from ..codecs.seed_tags.seed_checks import check_seeds
from ..codecs.seed_tags.seed_codec import SeedReading
from ..errors import BionerError, Errors
from ..grounding.words import on_boundaries

MODES = ("repair", "filter", "drop", "keep", "relabel")
_REPAIRING = ("repair", "filter", "relabel")
_MENDABLE = frozenset({"seed_untagged", "seed_boundary"})
_UNTIDY = _MENDABLE | {"seed_missing", "new_entity"}
# What leaves a sentence out: a seed that is not in it at all cannot be repaired.
_FATAL = {"repair": {"seed_missing"}, "relabel": {"seed_missing"}, "filter": {"seed_missing", "new_entity"},
          "drop": _UNTIDY, "keep": frozenset()}


def check_mode(mode: str) -> None:
    """Refuse a mode that there is not; raises BionerError E410."""
    if mode not in MODES:
        raise BionerError(Errors.E410.format(mode=mode, known=", ".join(MODES)))


@dataclass(frozen=True)
class Draft:
    """A sentence that could be read.

    reading (SeedReading): The sentence as it was written, with all that was noticed.
    mentions (Tuple[Mention, ...]): Its mentions, repaired where the mode repairs.
    mended (FrozenSet[str]): Issues that a repair brought into order.
    unmended (FrozenSet[str]): Issues that a repair could not bring into order.
    """

    reading: SeedReading
    mentions: Tuple[Mention, ...]
    mended: FrozenSet[str] = frozenset()
    unmended: FrozenSet[str] = frozenset()

    @property
    def text(self) -> str:
        """Return the sentence without tags."""
        return self.reading.text

    @property
    def untidy(self) -> FrozenSet[str]:
        """Return issues between tags and seeds as they were written, before any repair."""
        return _UNTIDY.intersection(issue.kind for issue in self.reading.issues)


def make_draft(reading: SeedReading, seeds: Sequence[Tuple[str, str]], mode: str) -> Draft:
    """Repair a sentence, where the mode does.

    reading (SeedReading): The sentence; its wrapper and tags are whole.
    seeds (Sequence[Tuple[str, str]]): Text and label of each seed that was asked for.
    mode (str): One of `MODES`.
    RETURNS (Draft): The sentence; what a second check still finds is unmended.
    """
    draft = Draft(reading, reading.mentions)
    mendable = draft.untidy & _MENDABLE
    if not mendable or mode not in _REPAIRING:
        return draft
    mentions = in_text_order(check_seeds(reading.text, reading.mentions, seeds, repair=True).mentions)
    unmended = mendable.intersection(kind for kind, _ in check_seeds(reading.text, mentions, seeds).issues)
    return Draft(reading, mentions, mendable - unmended, unmended)


def find_tag_fault(draft: Draft, mode: str) -> str:
    """Say why the tags of a sentence leave it out.

    draft (Draft): The sentence, after its repair.
    mode (str): One of `MODES`.
    RETURNS (str): The issue, the first by the alphabet of several; empty where there is none.
    """
    faults = set(draft.untidy & _FATAL[mode])
    if mode == "filter":
        # A tag that cannot be made a seed is a labelled entity which is none.
        faults |= draft.unmended
    # No Doc can hold a mention that ends inside a word, and there a generated tag is most often a slip.
    if mode != "keep" and not all(on_boundaries(draft.text, item.start, item.end) for item in draft.mentions):
        faults.add("off_boundary")
    return min(faults, default="")
