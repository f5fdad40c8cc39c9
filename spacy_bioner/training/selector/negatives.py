"""What a selector is trained on: gold mentions, and mentions that are wrong in the ways annotators are wrong.

Negatives are gold mentions with an edge moved by one or two units, with another label, or both, and spans that are no
mention at all; and, where recorded predictions are at hand, the errors that an annotator really made. No negative is
ever a gold mention. No edge moves to a punctuation mark, where hardly any mention begins or ends: a selector would tell
such a negative from its last character.
"""

import random
from dataclasses import dataclass
from typing import Dict, Iterable, Iterator, List, Mapping, Optional, Sequence, Tuple

from ...annotation import Annotation, Mention
from ...errors import BionerError, Errors
from ...settings import Settings, setting
from ...tokens import find_units

KINDS = ("shift", "label", "both", "spurious")
_LONGEST_SPURIOUS = 6
_TRIES = 8


class NegativeSettings(Settings):
    """Which negatives are made for each gold mention."""

    shift: float = setting(2.0, "Negatives of a mention with a moved edge.", ge=0)
    label: float = setting(0.5, "Negatives with another label, edges as they are.", ge=0)
    both: float = setting(0.25, "Negatives with a moved edge and another label.", ge=0)
    spurious: float = setting(
        0.5, "Spans for each mention that share no pre-token with one; a sentence without mentions gets one.", ge=0)
    max_shift: int = setting(2, "Pre-tokens that an edge moves by at most.", ge=1)


@dataclass(frozen=True)
class Candidate:
    """A mention that may be wrong.

    mention (Mention): Where it is, and its label.
    valid (bool): Whether it is gold.
    kind (str): "gold", one of KINDS, or "annotator".
    group (int): Number of the gold mention that it was made from, -1 for none; a contrastive loss compares within it.
    """

    mention: Mention
    valid: bool
    kind: str
    group: int = -1


def make_candidates(annotation: Annotation, labels: Sequence[str], settings: NegativeSettings,
                    randomness: random.Random, *, predicted: Iterable[Mention] = ()) -> List[Candidate]:
    """Make the candidates of one text.

    annotation (Annotation): The text with its gold mentions.
    labels (Sequence[str]): All labels.
    settings (NegativeSettings): How many negatives of which kind.
    randomness (random.Random): Chooses.
    predicted (Iterable[Mention]): What an annotator that has not seen this text found in it; its errors are negatives.
    RETURNS (List[Candidate]): The gold mentions, then the negatives, each once.
    """
    units = find_units(annotation.text)
    gold = {mention.key for mention in annotation.mentions}
    made: Dict[Tuple[int, int, str], Candidate] = {
        mention.key: Candidate(mention, True, "gold", group) for group, mention in enumerate(annotation.mentions)}
    makers = {"shift": _moved, "label": _relabelled, "both": _moved_and_relabelled}
    for group, mention in enumerate(annotation.mentions):
        for kind, maker in makers.items():
            for _ in range(_number(getattr(settings, kind), randomness)):
                _add(made, gold, kind, group, (maker(mention, annotation.text, units, labels, settings, randomness)
                                               for _ in range(_TRIES)))
    for _ in range(_number(settings.spurious * max(1, len(annotation.mentions)), randomness)):
        _add(made, gold, "spurious", -1, (_spurious(annotation, units, labels, randomness) for _ in range(_TRIES)))
    for mention in predicted:
        _add(made, gold, "annotator", -1, [mention])
    return list(made.values())


def count_candidates(candidates: Iterable[Candidate]) -> Dict[str, int]:
    """Return how many there are of each kind.

    RAISES BionerError: E518 where all are valid or none is: there is nothing to learn.
    """
    counts: Dict[str, int] = {}
    for candidate in candidates:
        counts[candidate.kind] = counts.get(candidate.kind, 0) + 1
    positive = counts.get("gold", 0)
    negative = sum(counts.values()) - positive
    if not positive or not negative:
        raise BionerError(Errors.E518.format(positive=positive, negative=negative))
    return counts


def _number(mean: float, randomness: random.Random) -> int:
    whole, fraction = divmod(mean, 1)
    return int(whole) + (randomness.random() < fraction)


def _add(made: Dict[Tuple[int, int, str], Candidate], gold: Iterable[Tuple[int, int, str]], kind: str, group: int,
         tries: Iterable[Optional[Mention]]) -> None:
    for mention in tries:
        if mention is not None and mention.key not in gold and mention.key not in made:
            made[mention.key] = Candidate(mention, False, kind, group)
            return


def _moved(mention: Mention, text: str, units: Sequence[Tuple[int, int]], labels: Sequence[str],
           settings: NegativeSettings, randomness: random.Random) -> Optional[Mention]:
    """Return the mention with an edge moved, to the first or last letter of a word or number."""
    first = next((place for place, unit in enumerate(units) if unit[0] == mention.start), None)
    last = next((place for place, unit in enumerate(units) if unit[1] == mention.end), None)
    if first is None or last is None:
        return None
    by = randomness.choice([-1, 1]) * randomness.randint(1, settings.max_shift)
    at_start = randomness.random() < 0.5
    if at_start:
        first += by
    else:
        last += by
    if not 0 <= first <= last < len(units):
        return None
    start, end = units[first][0], units[last][1]
    is_word = text[start if at_start else end - 1].isalnum()
    return Mention(start, end, mention.label) if is_word else None


def _relabelled(mention: Mention, text: str, units: Sequence[Tuple[int, int]], labels: Sequence[str],
                settings: NegativeSettings, randomness: random.Random) -> Optional[Mention]:
    others = [label for label in labels if label != mention.label]
    return Mention(mention.start, mention.end, randomness.choice(others)) if others else None


def _moved_and_relabelled(mention: Mention, text: str, units: Sequence[Tuple[int, int]], labels: Sequence[str],
                          settings: NegativeSettings, randomness: random.Random) -> Optional[Mention]:
    moved = _moved(mention, text, units, labels, settings, randomness)
    return _relabelled(moved, text, units, labels, settings, randomness) if moved else None


def _spurious(annotation: Annotation, units: Sequence[Tuple[int, int]], labels: Sequence[str],
              randomness: random.Random) -> Optional[Mention]:
    """A span like a mention: edges are words, and no unit of a mention is in it."""
    if not units or not labels:
        return None
    first = randomness.randrange(len(units))
    last = min(first + min(randomness.randint(1, _LONGEST_SPURIOUS), randomness.randint(1, _LONGEST_SPURIOUS)) - 1,
               len(units) - 1)
    start, end = units[first][0], units[last][1]
    is_word = annotation.text[start].isalnum() and annotation.text[end - 1].isalnum()
    shares = any(mention.start < end and start < mention.end for mention in annotation.mentions)
    return None if shares or not is_word else Mention(start, end, randomness.choice(list(labels)))


def pair_predictions(gold: Iterable[Annotation],
                     predicted: Mapping[str, Annotation]) -> Iterator[Tuple[Annotation, Tuple[Mention, ...]]]:
    """Yield gold annotations with what an annotator found in the same text, paired by id.

    gold (Iterable[Annotation]): Gold records.
    predicted (Mapping[str, Annotation]): Predictions by id.
    YIELDS (Tuple[Annotation, Tuple[Mention, ...]]): Gold, and the predicted mentions; none where there is no record.
    RAISES BionerError: E524 where two records of one id have different texts.
    """
    for annotation in gold:
        other = predicted.get(annotation.id)
        if other is not None and other.text != annotation.text:
            raise BionerError(Errors.E524.format(id=annotation.id))
        yield annotation, other.mentions if other is not None else ()
