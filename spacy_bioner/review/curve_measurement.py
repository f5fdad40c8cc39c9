"""The learning curve of a growing training set: by quick probes on its beginnings, or from pipelines trained along."""

from pathlib import Path
from typing import Any, Callable, Dict, List, Mapping, Sequence, Tuple

import numpy

from ..annotation import Annotation
from ..errors import BionerError, Errors
from ..loading import read_json
from ..ml.calibration import best_threshold
from .choices import CHANGES, read_history

Points = List[Tuple[int, float]]
# Probes are trained on so many beginnings of the training set, each so often.
SIZES, REPEATS = 6, 2
_LEAST_SENTENCES = 20


def choose_sizes(count: int) -> List[int]:
    """Choose the lengths of the beginnings that are trained on, even steps up to all.

    count (int): Records of the training set.
    RETURNS (List[int]): The lengths, at least 5 each.
    RAISES BionerError: E907 for a training set that is too small for a curve.
    """
    if count < _LEAST_SENTENCES:
        raise BionerError(Errors.E907.format(count=count, wanted=_LEAST_SENTENCES))
    return sorted({max(5, round(count * number / SIZES)) for number in range(1, SIZES + 1)})


def measure_curve(train: Sequence[Annotation], dev: Sequence[Annotation], *, seed: int = 0,
                  advance: Callable[[], None] = lambda: None) -> Points:
    """Train probes on the beginnings of a training set, in the order in which it grew.

    train (Sequence[Annotation]): The training set.
    dev (Sequence[Annotation]): The development set; F1 is that at the threshold that is best on it, as in training.
    seed (int): Of the first of the repeated trainings.
    advance (Callable[[], None]): Called when one is done.
    RETURNS (Points): Number of sentences and F1 of each training.
    RAISES BionerError: E907 for a training set that is too small, E045 where it has no mention.
    """
    from .probe import FLOOR, encode_texts, train_probe

    labels = sorted({mention.label for one in train for mention in one.mentions})
    if not labels:
        raise BionerError(Errors.E045.format(paths="the training set"))
    lengths = choose_sizes(len(train))
    encoded, of_dev = (encode_texts([one.text for one in part]) for part in (train, dev))
    total = sum(len(one.mentions) for one in dev)
    points: Points = []
    for length in lengths:
        for repeat in range(REPEATS):
            probe = train_probe(encoded[:length], train[:length], labels, seed=seed + repeat)
            judged = [(mention.score, mention in gold.mentions) for gold, found in zip(dev, probe.find(of_dev))
                      for mention in found]
            scores = numpy.asarray([score for score, _ in judged], dtype="float64")
            valid = numpy.asarray([right for _, right in judged], dtype=bool)
            points.append((length, best_threshold(scores, valid, total, floor=FLOOR)[1]))
            advance()
    return points


def read_curve(pipelines: Sequence[Path]) -> Points:
    """Read sentences and dev F1 from the cards of pipelines that were trained along the way.

    pipelines (Sequence[Path]): Their folders.
    RETURNS (Points): Number of gold sentences and dev F1, 0 to 1.
    RAISES BionerError: E001 where there is none, E011 for one with a broken meta.json, E908 for one without these
        figures, E909 where two were scored on different dev sets.
    """
    cards = {path: _read_card(path) for path in pipelines}
    scored = {path: card.get("dev", {}).get("sha256") for path, card in cards.items()}
    first = next(iter(scored), None)
    for path, dev in scored.items():
        if first is not None and dev != scored[first]:
            raise BionerError(Errors.E909.format(first=first, second=path))
    return [_read_point(path, card) for path, card in cards.items()]


def count_changes(train: Sequence[Annotation]) -> List[Dict[str, Any]]:
    """Say how much people changed, by the time of correction.

    train (Sequence[Annotation]): The training set.
    RETURNS (List[Dict[str, Any]]): For each day and person: sentences, and mentions added, removed and kept.
    RAISES BionerError: E030 for metadata that holds no corrections under their name.
    """
    days: Dict[Tuple[str, str], Dict[str, Any]] = {}
    for record in train:
        for entry in read_history(record):
            key = (str(entry.get("at", ""))[:10], str(entry.get("by", "")))
            day = days.setdefault(key, {"at": key[0], "by": key[1], "sentences": 0, **dict.fromkeys(CHANGES, 0)})
            day["sentences"] += 1
            for name in CHANGES:
                day[name] += entry.get(name, 0)
    return [days[key] for key in sorted(days)]


def _read_card(path: Path) -> Mapping[str, Any]:
    if not (path / "meta.json").is_file():
        raise BionerError(Errors.E001.format(path=path, wanted="pipeline"))
    meta = read_json(path / "meta.json", wanted="the meta.json of a pipeline")
    card = meta.get("spacy_bioner") if isinstance(meta, dict) else None
    if not isinstance(card, dict):
        raise BionerError(Errors.E908.format(path=path))
    return card


def _read_point(path: Path, card: Mapping[str, Any]) -> Tuple[int, float]:
    gold = (card.get("sources") or {}).get("gold") or {}
    score = (card.get("tuned") or {}).get("dev_f", (card.get("best") or {}).get("dev_f"))
    if not isinstance(gold.get("records"), int) or not isinstance(score, (int, float)):
        raise BionerError(Errors.E908.format(path=path))
    return gold["records"], score / 100
