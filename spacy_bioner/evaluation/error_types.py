"""What went wrong: each wrong prediction has one kind, and so has each gold mention that nothing stands for.

A wrong prediction is one whose place and label are not in gold. It is, by the first that holds,

- `Type`: the place of a gold mention, with another label;
- `Span`: overlaps a gold mention of its label;
- `Type&Span`: overlaps a gold mention, of another label;
- `Spurious`: overlaps no gold mention.

It stands for one of the gold mentions that made its kind: rather for one that was not found than for one that was, then
for the one that shares most with it. A gold mention that was neither found nor stood for is

- `Missed`.

So right predictions, the first four kinds and `Missed` are everything there is, each once.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Any, Dict, Iterable, List, Optional, Sequence, Set, Tuple

from ..annotation import Annotation, Mention
from .pairing import Pair
from .ruler import Ruler

TYPE, SPAN, TYPE_AND_SPAN, SPURIOUS, MISSED = "Type", "Span", "Type&Span", "Spurious", "Missed"
KINDS = (TYPE, SPAN, TYPE_AND_SPAN, SPURIOUS, MISSED)
DEFINITIONS: Dict[str, str] = {
    TYPE: "the right place with the wrong label",
    SPAN: "overlaps a gold mention and has its label, but begins or ends elsewhere",
    TYPE_AND_SPAN: "overlaps a gold mention, but has another label and begins or ends elsewhere",
    SPURIOUS: "overlaps no gold mention",
    MISSED: "a gold mention that was not found and that no wrong prediction stands for",
}
# Shifts from this on are counted together.
FARTHEST = 6
NEAR = 2


@dataclass(frozen=True)
class SpanError:
    """One error of a system.

    kind (str): One of `KINDS`.
    predicted (Optional[Mention]): The wrong prediction; None for `Missed`.
    gold (Optional[Mention]): The gold mention that it stands for; None for `Spurious`.
    """

    kind: str
    predicted: Optional[Mention]
    gold: Optional[Mention]

    @property
    def place(self) -> Tuple[int, int]:
        """Return the start and end of what it is about: the prediction, or the missed mention."""
        mention = self.predicted or self.gold
        return (mention.start, mention.end) if mention else (0, 0)


def find_errors(gold: Annotation, predicted: Annotation) -> Tuple[SpanError, ...]:
    """Find what is wrong with a document.

    gold (Annotation): The text with its true mentions.
    predicted (Annotation): The same text with what a system found.
    RETURNS (Tuple[SpanError, ...]): The errors, in text order.
    """
    found = set(gold.mentions) & set(predicted.mentions)
    errors = [_classify(mention, gold.mentions, found) for mention in predicted.mentions if mention not in found]
    stood_for = {error.gold for error in errors}
    errors.extend(SpanError(MISSED, None, mention) for mention in gold.mentions
                  if mention not in found and mention not in stood_for)
    return tuple(sorted(errors, key=lambda error: error.place))


def _classify(mention: Mention, gold: Sequence[Mention], found: Set[Mention]) -> SpanError:
    """Return the kind of a wrong prediction, with the gold mention that it stands for."""
    same_place = [other for other in gold if (other.start, other.end) == (mention.start, mention.end)]
    overlapping = [other for other in gold if other.start < mention.end and mention.start < other.end]
    same_label = [other for other in overlapping if other.label == mention.label]
    for kind, candidates in ((TYPE, same_place), (SPAN, same_label), (TYPE_AND_SPAN, overlapping)):
        if candidates:
            return SpanError(kind, mention, min(candidates, key=lambda other: (
                other in found, -_shared(mention, other), other.start, other.end, other.label)))
    return SpanError(SPURIOUS, mention, None)


def _shared(first: Mention, second: Mention) -> float:
    """Return characters that two overlapping mentions share, out of those of both."""
    shared = min(first.end, second.end) - max(first.start, second.start)
    return shared / (max(first.end, second.end) - min(first.start, second.start))


def summarise_errors(pairs: Sequence[Pair], *, examples: int = 5) -> Dict[str, Any]:
    """Count the errors of a system.

    pairs (Sequence[Pair]): Its documents beside gold's.
    examples (int): How many errors of each kind are named as examples; the text itself is left in the documents.
    RETURNS (Dict[str, Any]): `kinds`, `boundary_share` (of all wrong predictions those of kind Span or Type&Span),
        `shifts`, `confusion`, `issues` and `examples`.
    """
    by_pair = [(pair, find_errors(pair.gold, pair.predicted)) for pair in pairs]
    errors = [(pair, error) for pair, found in by_pair for error in found]
    kinds = Counter(error.kind for _, error in errors)
    wrong = sum(kinds.values()) - kinds[MISSED]
    return {
        "kinds": {kind: kinds[kind] for kind in KINDS},
        "boundary_share": (kinds[SPAN] + kinds[TYPE_AND_SPAN]) / wrong if wrong else 0.0,
        "shifts": count_shifts(errors),
        "confusion": count_confusions(by_pair),
        "issues": count_issues(pair.predicted for pair in pairs),
        "examples": {kind: _choose_examples([(pair.gold.id, error) for pair, error in errors if error.kind == kind],
                                            examples) for kind in KINDS},
    }


def count_shifts(errors: Iterable[Tuple[Pair, SpanError]]) -> Dict[str, Any]:
    """Count by how many units boundaries are off, over errors of kind Span and Type&Span.

    errors (Iterable[Tuple[Pair, SpanError]]): Errors with their documents.
    RETURNS (Dict[str, Any]): `start` and `end` (negative: too early) and `total` (both, without sign), each from shift
        to count, shifts from `FARTHEST` on together; `near` is the share with a total of at most `NEAR`.
    """
    rulers: Dict[int, Ruler] = {}
    starts: Counter = Counter()
    ends: Counter = Counter()
    totals: Counter = Counter()
    near = 0
    for pair, error in errors:
        if error.kind not in (SPAN, TYPE_AND_SPAN) or error.gold is None or error.predicted is None:
            continue
        ruler = rulers.setdefault(id(pair), Ruler(pair.gold.text))
        start = ruler.start_shift(error.gold.start, error.predicted.start)
        end = ruler.end_shift(error.gold.end, error.predicted.end)
        total = abs(start) + abs(end)
        starts[_clip(start)] += 1
        ends[_clip(end)] += 1
        totals[_clip(total)] += 1
        near += total <= NEAR
    both_ways = range(-FARTHEST, FARTHEST + 1)
    return {"start": {str(shift): starts[shift] for shift in both_ways},
            "end": {str(shift): ends[shift] for shift in both_ways},
            "total": {str(shift): totals[shift] for shift in range(FARTHEST + 1)},
            "near": near / totals.total() if totals else 0.0}


def count_confusions(by_pair: Sequence[Tuple[Pair, Sequence[SpanError]]]) -> Dict[str, Any]:
    """Count what became of gold mentions, each of them once.

    by_pair (Sequence[Tuple[Pair, Sequence[SpanError]]]): Documents of a system beside gold's, with their errors.
    RETURNS (Dict[str, Any]): `labels`; `table`, gold by predicted label: on the diagonal what is right, elsewhere Type
        and Type&Span; `shifted`, `missed` (by gold label) and `spurious` (by predicted label). Of several errors that
        stand for a mention the first in the order of `KINDS` counts, and none where the mention was found.
    """
    labels = sorted({mention.label for pair, _ in by_pair for part in (pair.gold, pair.predicted)
                     for mention in part.mentions})
    cells: Counter = Counter()
    by_kind: Dict[str, Counter] = {kind: Counter() for kind in KINDS}
    for pair, errors in by_pair:
        known = set(pair.gold.mentions) & set(pair.predicted.mentions)
        cells.update((mention.label, mention.label) for mention in known)
        for error in sorted(errors, key=lambda error: KINDS.index(error.kind)):
            mention = error.gold or error.predicted
            if mention is None or error.gold in known:
                continue
            if error.gold is not None:
                known.add(error.gold)
            if error.kind in (TYPE, TYPE_AND_SPAN) and error.predicted is not None:
                cells[mention.label, error.predicted.label] += 1
            by_kind[error.kind][mention.label] += 1
    return {"labels": labels,
            "table": [[cells[row, column] for column in labels] for row in labels],
            "shifted": [by_kind[SPAN][label] for label in labels],
            "missed": [by_kind[MISSED][label] for label in labels],
            "spurious": [by_kind[SPURIOUS][label] for label in labels]}


def count_issues(predicted: Iterable[Annotation]) -> Dict[str, int]:
    """Count what an annotator noted when it found its answers in the text again.

    predicted (Iterable[Annotation]): Documents whose `meta["issues"]` lists issue words, or objects with a `kind`, or
        maps words to counts; a document with `meta["error"]` has no answer.
    RETURNS (Dict[str, int]): Issue to count, most frequent first.
    """
    counts: Counter = Counter()
    for annotation in predicted:
        if annotation.meta.get("error"):
            counts["document without an answer"] += 1
        issues = annotation.meta.get("issues") or ()
        if isinstance(issues, dict):
            counts.update({str(kind): int(number) for kind, number in issues.items()})
        else:
            counts.update(str(issue.get("kind")) if isinstance(issue, dict) else str(issue) for issue in issues)
    return dict(counts.most_common())


def _choose_examples(errors: List[Tuple[str, SpanError]], number: int) -> List[Dict[str, Any]]:
    """Return errors spread evenly over the documents, by id and places."""
    step = max(1, len(errors) // number) if number else 1
    return [{"id": id_, "predicted": error.predicted.key if error.predicted else None,
             "gold": error.gold.key if error.gold else None} for id_, error in errors[::step][:number]]


def _clip(shift: int) -> int:
    return max(-FARTHEST, min(FARTHEST, shift))
