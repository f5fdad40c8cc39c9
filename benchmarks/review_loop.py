"""The review loop simulated: F1 by number of corrected sentences, for each way to choose them.

The gold of train plays the person who corrects. All strategies begin with the same 50 random sentences; then each
chooses 50 by a probe trained on what it has (a span grid on the fixed vectors of the small encoder). Each point is
written as soon as it is measured, so an interrupted run resumes.

    python -m benchmarks.review_loop OUT --corpora ncbi_disease
    python -m benchmarks.review_loop OUT --summary
"""

import argparse
import json
import os
import random
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Callable, Dict, List, Sequence, Tuple

import numpy

from benchmarks.sentences import DATA
from spacy_bioner.annotation import Annotation, Mention
from spacy_bioner.corpus.sampling import draw_sample
from spacy_bioner.corpus.sentences import split_sentences
from spacy_bioner.evaluation.intervals import find_interval, resample
from spacy_bioner.files import read_json_lines
from spacy_bioner.formats.jsonl import read_jsonl
from spacy_bioner.ml.calibration import best_threshold
from spacy_bioner.review.choices import Strategy
from spacy_bioner.review.doubt import average_votes, expected_corrections
from spacy_bioner.review.probe import FLOOR, EncodedText, Probe, encode_texts, train_probe
from spacy_bioner.review.ranking import rank

STEP, MOST = 50, 500
SIZES = {"pool": 2000, "dev": 300, "test": 600}
STRATEGIES = [Strategy.random, Strategy.gain, Strategy.uncertainty, Strategy.diversity, Strategy.disagreement]
COMMITTEE = 3
RESAMPLES = 2000


@dataclass
class Part:
    """Sentences with their vectors.

    gold (List[Annotation]): The sentences.
    encoded (List[EncodedText]): Their token vectors.
    vectors (Any): Mean token vectors of length 1, (sentences, width).
    """

    gold: List[Annotation]
    encoded: List[EncodedText]
    vectors: Any


def read_part(corpus: str, name: str) -> Part:
    """Read a sample of the sentences of a split, and encode them."""
    split = "train" if name == "pool" else name
    sentences = (sentence for document in read_jsonl(DATA / corpus / f"{split}.jsonl")
                 for sentence in split_sentences(document))
    gold = draw_sample(sentences, SIZES[name], seed=0)
    encoded = encode_texts([one.text for one in gold])
    means = numpy.stack([one.vectors.astype("float32").mean(0) for one in encoded])
    return Part(gold, encoded, means / numpy.linalg.norm(means, axis=1, keepdims=True))


def choose_threshold(probe: Probe, dev: Part) -> float:
    """Return the threshold with the best F1 on dev."""
    probability, valid = [], []
    for gold, candidates in zip(dev.gold, probe.find(dev.encoded)):
        for mention in candidates:
            probability.append(mention.score)
            valid.append(mention in gold.mentions)
    total = sum(len(one.mentions) for one in dev.gold)
    return best_threshold(numpy.asarray(probability), numpy.asarray(valid, dtype=bool), total, floor=FLOOR)[0]


def count(gold: Sequence[Annotation], found: Sequence[Tuple[Mention, ...]], threshold: float) -> List[List[int]]:
    """Return right, wrong and missed mentions of each sentence."""
    counts = []
    for one, candidates in zip(gold, found):
        predicted = {mention for mention in candidates if (mention.score or 0) >= threshold}
        right = len(predicted & set(one.mentions))
        counts.append([right, len(predicted) - right, len(one.mentions) - right])
    return counts


def find_doubts(strategy: Strategy, probe: Probe, texts: Sequence[EncodedText],
                train_others: Callable[[], List[Probe]]) -> List[float]:
    """Return the corrections to be expected in each text: by one probe, or by the votes of several."""
    if strategy is not Strategy.disagreement:
        return [expected_corrections(candidates) for candidates in probe.find(texts)]
    votes = zip(*(each.find(texts, floor=0.5) for each in [probe, *train_others()]))
    return [expected_corrections(average_votes([Annotation("", tuple(
        Mention(*mention.key) for mention in found)) for found in said])) for said in votes]


def _train_others(train: Callable[..., Probe], seed: int) -> List[Probe]:
    return [train(seed=seed + 100 * number) for number in range(1, COMMITTEE)]


def simulate(corpus: str, parts: Dict[str, Part], strategy: Strategy, seed: int, done: List[Dict[str, Any]],
             output: Path) -> None:
    """Run one loop from where it was left."""
    pool = parts["pool"]
    labels = sorted({mention.label for one in pool.gold for mention in one.mentions})
    chosen: List[int] = done[-1]["next"] if done else random.Random(seed).sample(range(len(pool.gold)), STEP)
    while len(chosen) <= MOST:
        train = partial(train_probe, [pool.encoded[row] for row in chosen], [pool.gold[row] for row in chosen], labels)
        probe = train(seed=seed)
        threshold = choose_threshold(probe, parts["dev"])
        counts = count(parts["test"].gold, probe.find(parts["test"].encoded), threshold)
        rest = sorted(set(range(len(pool.gold))) - set(chosen))
        texts = [pool.encoded[row] for row in rest]
        others = partial(_train_others, train, seed)
        doubts = find_doubts(strategy, probe, texts, others) if strategy.needs_doubt else None
        picked = rank(len(rest), STEP, strategy=strategy, seed=seed + len(chosen), doubts=doubts,
                      vectors=pool.vectors[rest], known=pool.vectors[chosen])
        following = [*chosen, *(rest[choice.row] for choice in picked)]
        point = {"corpus": corpus, "strategy": strategy.value, "seed": seed, "sentences": len(chosen),
                 "tokens": sum(len(pool.encoded[row].places) for row in chosen),
                 "mentions": sum(len(pool.gold[row].mentions) for row in chosen),
                 "threshold": threshold, "counts": counts, "next": following}
        with output.open("a", encoding="utf8") as file_:
            file_.write(json.dumps(point) + "\n")
            file_.flush()
            os.fsync(file_.fileno())
        print(corpus, strategy.value, seed, len(chosen), f"{f1(numpy.asarray(counts).sum(0)):.4f}", flush=True)
        chosen = following


def f1(sums: Any) -> Any:
    """Return F1 of tp, fp, fn in the last dimension."""
    below = 2 * sums[..., 0] + sums[..., 1] + sums[..., 2]
    return numpy.divide(2.0 * sums[..., 0], below, out=numpy.zeros(below.shape), where=below > 0)


def read_points(path: Path) -> List[Dict[str, Any]]:
    return [line for _, line in read_json_lines(path)] if path.is_file() else []


def summarise(points: List[Dict[str, Any]]) -> Dict[str, Any]:
    """Compare each strategy with random, over the seeds that both have whole.

    points (List[Dict[str, Any]]): What was measured.
    RETURNS (Dict[str, Any]): For each corpus and strategy: seeds, mean F1 by number of sentences, area under the curve
        (mean F1 of the ten points), its difference from random with interval, tokens at the end, and with how many
        sentences it reaches what random reaches with all.
    """
    result: Dict[str, Any] = {}
    sizes = list(range(STEP, MOST + 1, STEP))
    for corpus in dict.fromkeys(point["corpus"] for point in points):
        table = {(point["strategy"], point["seed"], point["sentences"]): point for point in points
                 if point["corpus"] == corpus}
        whole = {(strategy, seed) for strategy, seed, size in table if size == MOST}
        result[corpus] = {}
        for strategy in [one.value for one in STRATEGIES]:
            seeds = sorted(seed for name, seed in whole if name == strategy and (Strategy.random.value, seed) in whole)
            if not seeds:
                continue
            own, base = (numpy.asarray([[table[name, seed, size]["counts"] for size in sizes] for seed in seeds],
                                       dtype=float) for name in (strategy, Strategy.random.value))
            # (seeds, sizes, documents, 3) to (documents, seeds * sizes * 3), resampled together: paired.
            both = numpy.stack([own, base])
            columns = both.transpose(3, 0, 1, 2, 4).reshape(both.shape[3], -1)
            drawn = f1(resample(columns, resamples=RESAMPLES, seed=0).reshape(RESAMPLES, *both.shape[:3], 3))
            curves = f1(both.sum(axis=3)).mean(axis=1)
            gap = (drawn[:, 0] - drawn[:, 1]).mean(axis=(1, 2))
            interval = find_interval(gap)
            reached = [size for size, value in zip(sizes, curves[0]) if value >= curves[1][-1]]
            at300 = (drawn[:, 0, :, sizes.index(300)] - drawn[:, 1, :, -1]).mean(axis=1)
            low = find_interval(at300)
            result[corpus][strategy] = {
                "seeds": seeds, "f1": [round(100 * value, 1) for value in curves[0]],
                "area": round(100 * curves[0].mean(), 2),
                "difference": [round(100 * value, 2) for value in (
                    (curves[0] - curves[1]).mean(), interval.low, interval.high)],
                "reaches_random_at_500_with": reached[0] if reached else None,
                "at_300_less_random_at_500": [round(100 * value, 2) for value in (
                    curves[0][sizes.index(300)] - curves[1][-1], low.low, low.high)],
                "tokens_at_500": round(float(numpy.mean([table[strategy, seed, MOST]["tokens"] for seed in seeds]))),
                "mentions_at_500": round(float(numpy.mean(
                    [table[strategy, seed, MOST]["mentions"] for seed in seeds])))}
    return result


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.review_loop", description=__doc__.split("\n")[0])
    parser.add_argument("output", type=Path, help="folder for points.jsonl")
    parser.add_argument("--corpora", nargs="+", default=["ncbi_disease", "bc5cdr", "genia"])
    parser.add_argument("--strategies", nargs="+", type=Strategy, default=STRATEGIES)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--summary", action="store_true", help="compare what is measured")
    arguments = parser.parse_args()
    path = arguments.output / "points.jsonl"
    if arguments.summary:
        print(json.dumps(summarise(read_points(path)), indent=1))
        return
    arguments.output.mkdir(parents=True, exist_ok=True)
    for corpus in arguments.corpora:
        parts: Dict[str, Part] = {}
        for seed in arguments.seeds:
            for strategy in arguments.strategies:
                done = [point for point in read_points(path) if (point["corpus"], point["strategy"], point["seed"]) == (
                    corpus, strategy.value, seed)]
                if done and done[-1]["sentences"] >= MOST:
                    continue
                parts = parts or {name: read_part(corpus, name) for name in SIZES}
                simulate(corpus, parts, strategy, seed, done, path)


if __name__ == "__main__":
    main()
