"""What makes a corpus fit to learn from and to test on: rules across its splits, checked and counted."""

from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from typing import Dict, Iterable, Iterator, List, Mapping, Sequence, Set, Tuple

from ..annotation import Annotation, Mention, in_text_order
from ..tokens import find_units
from .findings import RULES, CorpusReport, Finding, SplitFigures
from .leakage import normalise
from .near_duplicates import find_near_duplicates
from .sentences import split_sentences
from .validation import find_depths

Splits = Mapping[str, Sequence[Annotation]]

# Headings such as "METHODS." stand in many documents and give nothing away.
TELLING_UNITS = 5


@dataclass(frozen=True)
class CorpusRules:
    """What is demanded of a corpus.

    max_shared_trigrams (float): Part of its word trigrams that a text may share with another.
    min_nested (float): Part of the mentions that must lie inside another, over all splits.
    min_surfaces (int): How many distinct mentions there must be.
    min_unseen (float): Part of the mentions of each held-out split whose surface must be absent from train.
    min_empty (float): Part of the texts that must have no mention, over all annotated splits.
    max_empty (float): Part of the texts that may have none.
    """

    max_shared_trigrams: float = 0.5
    min_nested: float = 0.15
    min_surfaces: int = 400
    min_unseen: float = 0.3
    min_empty: float = 0.15
    max_empty: float = 0.4


def check_corpus(splits: Splits, *, rules: CorpusRules = CorpusRules()) -> CorpusReport:
    """Check the splits of a corpus against each other.

    splits (Splits): Annotations of each split, by its name: train, dev, test, and raw text under any other name.
    rules (CorpusRules): What is demanded.
    RETURNS (CorpusReport): The counts, and every place where a rule is broken.
    """
    train_surfaces = _surfaces(splits.get("train", ()))
    figures = {name: _count(annotations, train_surfaces) for name, annotations in splits.items()}
    distinct: Set[str] = set().union(*map(_surfaces, splits.values()))
    report = CorpusReport(figures, len(distinct))
    findings = [*_check_mentions(splits), *_check_ids(splits), *_check_repetition(splits),
                *_check_near_duplicates(splits, rules), *_check_unmarked(splits, figures),
                *_check_figures(report, rules)]
    order = list(RULES)
    findings.sort(key=lambda finding: order.index(finding.rule))
    return replace(report, findings=tuple(findings))


def _fold(surface: str) -> str:
    return " ".join(surface.casefold().split())


def _surfaces(annotations: Iterable[Annotation]) -> Set[str]:
    return {_fold(annotation.surface(mention)) for annotation in annotations for mention in annotation.mentions}


def _count(annotations: Sequence[Annotation], train_surfaces: Set[str]) -> SplitFigures:
    surfaces = [_fold(annotation.surface(mention)) for annotation in annotations for mention in annotation.mentions]
    labels = Counter(mention.label for annotation in annotations for mention in annotation.mentions)
    depths = [depth for annotation in annotations for depth in find_depths(in_text_order(annotation.mentions))]
    return SplitFigures(
        texts=len(annotations), mentions=len(surfaces), surfaces=len(set(surfaces)),
        nested=sum(depth > 0 for depth in depths),
        empty=sum(not annotation.mentions for annotation in annotations),
        unseen=sum(surface not in train_surfaces for surface in surfaces), labels=dict(labels.most_common()),
    )


def _check_mentions(splits: Splits) -> Iterator[Finding]:
    for annotation in (annotation for annotations in splits.values() for annotation in annotations):
        units = find_units(annotation.text)
        starts, ends = {start for start, _ in units}, {end for _, end in units}
        for mention, count in Counter(annotation.mentions).items():
            place = f"{mention.start}-{mention.end} {mention.label}"
            surface = annotation.surface(mention)
            inside = 0 <= mention.start < mention.end <= len(annotation.text)
            if not inside or surface != surface.strip():
                yield Finding("offsets", annotation.id, place)
            elif mention.start not in starts or mention.end not in ends:
                yield Finding("boundary", annotation.id, f"{place} '{surface}'")
            if count > 1:
                yield Finding("repeated_mention", annotation.id, place)


def _check_ids(splits: Splits) -> Iterator[Finding]:
    counts = Counter(annotation.id for annotations in splits.values() for annotation in annotations)
    for id_, count in counts.items():
        if count > 1:
            yield Finding("repeated_id", id_, f"{count} records")


def _check_repetition(splits: Splits) -> Iterator[Finding]:
    seen: Dict[str, Tuple[str, str]] = {}
    for split, annotations in splits.items():
        for annotation in annotations:
            for text in _sentences(annotation):
                first_split, first = seen.setdefault(text, (split, annotation.id))
                if first_split != split:
                    yield Finding("two_splits", annotation.id, f"of {split}, also {first} of {first_split}")
        whole: Dict[str, str] = {}
        for annotation in annotations:
            first = whole.setdefault(normalise(annotation.text), annotation.id)
            if first != annotation.id:
                yield Finding("repeated_text", annotation.id, f"the same as {first}")


def _sentences(annotation: Annotation) -> List[str]:
    """Return the sentences of a record, normalised; headings and what has no letter are left out."""
    texts = [annotation.text]
    if annotation.meta.get("unit") != "sentence":
        texts += [sentence.text for sentence in split_sentences(annotation)
                  if len(find_units(sentence.text)) >= TELLING_UNITS]
    return [text for text in map(normalise, texts) if text]


def _check_near_duplicates(splits: Splits, rules: CorpusRules) -> Iterator[Finding]:
    records = {normalise(annotation.text): annotation for annotations in splits.values() for annotation in annotations}
    annotations = list(records.values())
    texts = [annotation.text for annotation in annotations]
    for pair in find_near_duplicates(texts, max_share=rules.max_shared_trigrams):
        other = annotations[pair.first]
        yield Finding("near_duplicate", annotations[pair.second].id, f"shares {pair.share:.0%} with {other.id}")


def _check_unmarked(splits: Splits, figures: Mapping[str, SplitFigures]) -> Iterator[Finding]:
    """Look for annotated surfaces outside of all mentions: either these or those are wrong.

    Surfaces of one character are passed over: in Chinese they are seldom words.
    """
    annotated = [annotation for name, annotations in splits.items() if figures[name].mentions
                 for annotation in annotations]
    known = {_words(annotation.surface(mention)) for annotation in annotated for mention in annotation.mentions
             if mention.end - mention.start > 1}
    lengths: Dict[str, Set[int]] = defaultdict(set)
    for words in known:
        lengths[words[0].lower()].add(len(words))
    for annotation in annotated:
        units = [unit for unit in find_units(annotation.text) if not _covered(unit, annotation.mentions)]
        for index, (start, end) in enumerate(units):
            for length in sorted(lengths.get(annotation.text[start:end].lower(), ()), reverse=True):
                surface = annotation.text[start:units[min(index + length, len(units)) - 1][1]]
                words = _words(surface)
                if len(words) == length and words in known:
                    yield Finding("unmarked", annotation.id, f"{start}-{start + len(surface)} '{surface}'")
                    break


def _words(surface: str) -> Tuple[str, ...]:
    """Return the units of a surface; a capital counts unless it may be the first of a sentence."""
    folded = surface.lower() if surface[1:] == surface[1:].lower() else surface
    return tuple(folded[start:end] for start, end in find_units(folded))


def _covered(unit: Tuple[int, int], mentions: Iterable[Mention]) -> bool:
    return any(mention.start < unit[1] and unit[0] < mention.end for mention in mentions)


def _check_figures(report: CorpusReport, rules: CorpusRules) -> Iterator[Finding]:
    nested, empty = report.part("nested", "mentions"), report.part("empty", "texts")
    if nested < rules.min_nested:
        yield Finding("nested", "corpus", f"{nested:.1%}, wanted at least {rules.min_nested:.0%}")
    if report.surfaces < rules.min_surfaces:
        yield Finding("surfaces", "corpus", f"{report.surfaces}, wanted at least {rules.min_surfaces}")
    for name, figures in report.splits.items():
        if name != "train" and figures.mentions and figures.unseen < rules.min_unseen * figures.mentions:
            unseen = figures.unseen / figures.mentions
            yield Finding("unseen", name, f"{unseen:.1%}, wanted at least {rules.min_unseen:.0%}")
    if not rules.min_empty <= empty <= rules.max_empty:
        yield Finding("empty", "corpus", f"{empty:.1%}, wanted {rules.min_empty:.0%} to {rules.max_empty:.0%}")
