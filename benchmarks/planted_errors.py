"""The audit of gold against errors that were planted: precision at the top of the ranking.

A share of the mentions of a sample is removed, shifted by a pre-token or relabelled (where there are several labels),
in equal parts. A sentence counts as found if an error was planted in it. The real errors that gold has anyway count as
false alarms, so the figures are lower bounds. Each run is written as soon as it is measured.

    python -m benchmarks.planted_errors OUT --corpora ncbi_disease genia
    python -m benchmarks.planted_errors OUT --summary
"""

import argparse
import json
import random
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence, Set, Tuple

import numpy

from benchmarks.sentences import DATA
from spacy_bioner.annotation import Annotation, Mention
from spacy_bioner.corpus.sampling import draw_sample
from spacy_bioner.corpus.sentences import split_sentences
from spacy_bioner.files import read_json_lines
from spacy_bioner.formats.jsonl import read_jsonl
from spacy_bioner.review.gold_audit import audit, predict_folds
from spacy_bioner.tokens import find_units

KINDS = ("removed", "shifted", "relabelled")
TOP = 50


def plant(gold: Sequence[Annotation], share: float, seed: int) -> Tuple[List[Annotation], Dict[str, str]]:
    """Plant errors.

    gold (Sequence[Annotation]): Sentences.
    share (float): Part of the mentions that become wrong.
    seed (int): Of their choice.
    RETURNS (Tuple[List[Annotation], Dict[str, str]]): The sentences, and id to the kind of error of those with one.
    """
    chosen = random.Random(seed)
    places = [(row, mention) for row, one in enumerate(gold) for mention in one.mentions]
    labels = sorted({mention.label for _, mention in places})
    kinds = KINDS if len(labels) > 1 else KINDS[:2]
    changed, planted = list(gold), {}
    for number, (row, mention) in enumerate(chosen.sample(places, round(share * len(places)))):
        kind = kinds[number % len(kinds)]
        wrong = _spoil(gold[row], mention, kind, labels, chosen)
        if kind == "removed" or wrong is not None and wrong not in changed[row].mentions:
            others = [one for one in changed[row].mentions if one != mention]
            changed[row] = changed[row].with_mentions([*others, wrong] if wrong else others)
            planted[gold[row].id] = kind
    return changed, planted


def _spoil(sentence: Annotation, mention: Mention, kind: str, labels: Sequence[str],
           chosen: random.Random) -> Optional[Mention]:
    if kind == "relabelled":
        return Mention(mention.start, mention.end, chosen.choice([one for one in labels if one != mention.label]))
    if kind == "shifted":
        units = find_units(sentence.text)
        ends = [end for _, end in units if end > mention.end][:1] + [end for _, end in units
                                                                   if mention.start < end < mention.end][-1:]
        starts = [start for start, _ in units if start < mention.start][-1:] + [
            start for start, _ in units if mention.start < start < mention.end][:1]
        moves = [(mention.start, end) for end in ends] + [(start, mention.end) for start in starts]
        return Mention(*chosen.choice(moves), mention.label) if moves else None
    return None


def measure(corpus: str, size: int, folds: int, share: float, seed: int) -> Dict[str, Any]:
    """Plant errors in a sample, audit it, and rank it in three ways."""
    sentences = (sentence for document in read_jsonl(DATA / corpus / "train.jsonl")
                 for sentence in split_sentences(document))
    gold, planted = plant(draw_sample(sentences, size, seed=seed), share, seed)
    audited = audit(gold, predict_folds(gold, folds=folds, seed=seed))
    ids = [one.annotation.id for one in audited]
    by_loss = [one.annotation.id for one in sorted(audited, key=lambda one: -one.loss)]
    length = {one.id: len(find_units(one.text)) for one in gold}
    by_mean_loss = [one.annotation.id for one in sorted(
        audited, key=lambda one: -one.loss / max(1, length[one.annotation.id]))]
    top = round(0.05 * size)
    return {"corpus": corpus, "seed": seed, "sentences": size, "folds": folds, "planted": len(planted),
            "kinds": {kind: list(planted.values()).count(kind) for kind in KINDS}, "top": top,
            "rankings": {name: _judge(ranked, planted, top) for name, ranked in (
                ("audit", ids), ("loss", by_loss), ("loss by pre-token", by_mean_loss))}}


def _judge(ranked: Sequence[str], planted: Dict[str, str], top: int) -> Dict[str, Any]:
    found: Set[str] = set(ranked[:top])
    return {"at_50": sum(one in planted for one in ranked[:TOP]) / TOP,
            "at_5_percent": sum(one in planted for one in ranked[:top]) / top,
            "recall_at_5_percent": len(found & planted.keys()) / len(planted),
            "found": {kind: sum(planted.get(one) == kind for one in found) for kind in KINDS}}


def summarise(runs: Sequence[Dict[str, Any]]) -> Dict[str, Any]:
    """Return for each corpus the mean over seeds of each figure; random has the share of sentences with an error."""
    result: Dict[str, Any] = {}
    for corpus in dict.fromkeys(run["corpus"] for run in runs):
        own = [run for run in runs if run["corpus"] == corpus]
        result[corpus] = {"seeds": [run["seed"] for run in own], "sentences": own[0]["sentences"],
                          "random": round(float(numpy.mean([run["planted"] / run["sentences"] for run in own])), 3)}
        for name in own[0]["rankings"]:
            result[corpus][name] = {figure: [round(run["rankings"][name][figure], 3) for run in own]
                                    for figure in ("at_50", "at_5_percent", "recall_at_5_percent")}
    return result


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.planted_errors", description=__doc__.split("\n")[0])
    parser.add_argument("output", type=Path, help="folder for runs.jsonl")
    parser.add_argument("--corpora", nargs="+", default=["ncbi_disease", "genia"])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--size", type=int, default=2000, help="sentences of the sample")
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--share", type=float, default=0.05, help="part of the mentions that become wrong")
    parser.add_argument("--summary", action="store_true", help="show what is measured")
    arguments = parser.parse_args()
    path = arguments.output / "runs.jsonl"
    runs = [line for _, line in read_json_lines(path)] if path.is_file() else []
    if arguments.summary:
        print(json.dumps(summarise(runs), indent=1))
        return
    arguments.output.mkdir(parents=True, exist_ok=True)
    for seed in arguments.seeds:
        for corpus in arguments.corpora:
            if any((run["corpus"], run["seed"]) == (corpus, seed) for run in runs):
                continue
            run = measure(corpus, arguments.size, arguments.folds, arguments.share, seed)
            with path.open("a", encoding="utf8") as file_:
                file_.write(json.dumps(run) + "\n")
            print(json.dumps(run), flush=True)


if __name__ == "__main__":
    main()
