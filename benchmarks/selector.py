"""Selectors against the annotator whose candidates they judge: seconds on the same sentences, and F1 before and after.

The fast selectors encode a sentence once and score all its candidates; the marked ones (BERT-CLS, LLM-CLS) read each
candidate as a text of its own. All are trained here for a short while on the sentences that the annotator was trained
on, and their thresholds fit what the annotator finds in other sentences. A ratio is seconds of selecting over seconds
of annotating: the fast selectors, of both models, aim at a quarter at most.

    python -m benchmarks.selector --adapter training/adapter
"""

import argparse
import time
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Sequence

import spacy

from benchmarks.annotation import MODEL, ROOT, Contest, read_corpus, train_quickly
from spacy_bioner.annotation import Annotation
from spacy_bioner.cli._shared.schema import Schema
from spacy_bioner.codecs import make_codec
from spacy_bioner.config_files import find_config
from spacy_bioner.evaluation.counts import Counts, count_strict
from spacy_bioner.files import write_json
from spacy_bioner.formats.jsonl import write_jsonl
from spacy_bioner.llm.local.causal_lm import load_causal_lm
from spacy_bioner.pipeline.record_selector import Counts as Selected
from spacy_bioner.pipeline.record_selector import select_records
from spacy_bioner.prompts.build import PromptBuilder
from spacy_bioner.training.selector.selector_training import SelectorRun, run_selector

FOLDER = ROOT / "training" / "benchmarks"
FAST = ("fast selector, MiniLM", "fast selector, SmolLM2")
# Name, its config, updates, updates of a quick run.
SELECTORS = ((FAST[0], "default", 200, 4), (FAST[1], "selector_llm_fast", 60, 1),
             ("BERT-CLS, marked", "selector_bert_marked", 200, 2), ("LLM-CLS, marked", "selector_llm_marked", 60, 1))
AIM = 0.25


def annotate(contest: Contest) -> List[Annotation]:
    """Return the sentences of a contest with what the annotator finds in them."""
    replies = contest.ground()
    return [sentence.with_mentions(replies[index].mentions) for index, sentence in enumerate(contest.sentences)]


def write_parts(folder: Path, train: Sequence[Annotation], dev: Sequence[Annotation],
                found: Sequence[Annotation]) -> None:
    """Write what a selector is trained on: gold, dev, and what the annotator found in dev."""
    for name, records in (("train", train), ("dev", dev), ("dev_found", found)):
        write_jsonl(folder / f"{name}.jsonl", records)


def train_selector(profile: str, folder: Path, schema: Schema, *, updates: int, quick: bool) -> Path:
    """Return the pipeline of a selector, trained once; the next run takes it as it is."""
    settings: Dict[str, Any] = {"training.batcher.size": 150} if quick else {}
    run_selector(SelectorRun(config=find_config("selector", profile=profile), gold=folder / "train.jsonl",
                             dev=folder / "dev.jsonl", predicted=None, dev_predicted=folder / "dev_found.jsonl",
                             seed=0, updates=updates, evaluations=1 if quick else 3, tune="all", overrides=settings,
                             labels=tuple(schema.labels), definitions=schema.labels), folder / profile, overwrite=True)
    return folder / profile / "model-best"


def make_selecting(pipeline: Path, found: Sequence[Annotation]) -> Callable[[], List[Annotation]]:
    """Return a function that judges the candidates of the sentences, tokenizing included."""
    nlp = spacy.load(pipeline)
    selector = nlp.get_pipe("span_selector")

    def select() -> List[Annotation]:
        counts: Selected = {}
        return [kept for kept, _ in select_records(found, nlp, selector, counts)]

    return select


def score(gold: Sequence[Annotation], found: Sequence[Annotation]) -> Dict[str, float]:
    """Return strict precision, recall and F1 over all labels, in percent, and the candidates."""
    total = Counts()
    for one, other in zip(gold, found):
        total = sum(count_strict(one, other).values(), total)
    return {"precision": round(100 * total.precision, 2), "recall": round(100 * total.recall, 2),
            "f1": round(100 * total.f1, 2), "candidates": total.tp + total.fp}


def run(quick: bool = False, adapter: Optional[Path] = None) -> Dict[str, Any]:
    """Measure annotation and all selectors in turn, several times; the best time of each counts.

    quick (bool): Few sentences and updates.
    adapter (Optional[Path]): A trained adapter of the annotator, for bracket lines; without it one is trained.
    RETURNS (Dict[str, Any]): Seconds and scores of each, and the ratios selector / annotation.
    """
    sentences, test, schema, source = read_corpus()
    trained, dev_size, size = (16, 4, 6) if quick else (400, 64, 128)
    adapter = adapter or train_quickly("bracket", sentences[:trained], schema)
    lm = load_causal_lm(MODEL, adapter=str(adapter))
    builder = PromptBuilder(template="annotate.en", labels=schema.labels, codec=make_codec("bracket"),
                            corpus=schema.corpus)
    contest, dev = Contest(lm, builder, test[:size]), Contest(lm, builder, sentences[trained:trained + dev_size])
    found, folder = annotate(contest), FOLDER / f"selectors-{source}-{trained}"
    write_parts(folder, sentences[:trained], dev.sentences, annotate(dev))
    contenders: Dict[str, Callable[[], List[Annotation]]] = {"annotation": lambda: annotate(contest)}
    for name, config, updates, quick_updates in SELECTORS:
        pipeline = train_selector(config, folder, schema, updates=quick_updates if quick else updates, quick=quick)
        contenders[name] = make_selecting(pipeline, found)
    best: Dict[str, float] = {}
    answers: Dict[str, List[Annotation]] = {}
    for _ in range(1 if quick else 3):
        for name, work in contenders.items():
            started = time.perf_counter()
            answers[name] = work()
            best[name] = min(best.get(name, float("inf")), time.perf_counter() - started)
    figures = {name: {"seconds": round(best[name], 3), **score(contest.sentences, answers[name])}
               for name in contenders}
    before = figures["annotation"]["f1"]
    return {"corpus": source, "sentences": len(contest.sentences), "figures": figures, "ratios": [
        {"what": f"seconds, {name} (F1 {before} before, {figures[name]['f1']} after)", "against": "annotation",
         "aim": AIM if name in FAST else None, "ratio": best[name] / best["annotation"]}
        for name in contenders if name != "annotation"]}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.selector", description=__doc__.split("\n")[0])
    parser.add_argument("--adapter", type=Path, metavar="FOLDER", help="a trained adapter, for bracket lines")
    parser.add_argument("--output", type=Path, default=Path("metrics/benchmarks/selector.json"))
    arguments = parser.parse_args()
    result = run(adapter=arguments.adapter)
    write_json(arguments.output, result)
    for row in result["ratios"]:
        print(f"{row['what']} against {row['against']}: {row['ratio']:.2f} (aim {row['aim']})")


if __name__ == "__main__":
    main()
