"""A trained pipeline in use: words per second, one sentence, memory, and F1, with float and with 8-bit weights.

    python -m benchmarks.inference training/pipeline corpus/dev.jsonl

Beside them the CNN `ner` of spaCy, untrained, of the width of `en_core_web_sm`; its F1 means nothing. Each system has a
process of its own, so that its memory is its own.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Dict, List

import spacy
from spacy.language import Language

from benchmarks.chaos.long_run import read_memory
from spacy_bioner.evaluation.counts import Counts, count_strict
from spacy_bioner.formats.docbin import doc_to_annotation
from spacy_bioner.formats.jsonl import read_jsonl
from spacy_bioner.training.pipeline_loading import load_pipeline

# Sentences that are read before time is taken, and those that are read one by one.
_WARM_UP, _SINGLE = 64, 100
_ROUNDS = 3


SYSTEMS = ("float", "int8", "ner")


def load(pipeline: Path, system: str) -> Language:
    """Load the pipeline with float or 8-bit weights, or make a CNN `ner` with its labels."""
    if system != "ner":
        return load_pipeline(pipeline, int8=system == "int8")
    nlp = spacy.blank("en")
    ner = nlp.add_pipe("ner")
    for label in json.loads((pipeline / "meta.json").read_text(encoding="utf8"))["labels"]["bioner_spancat"]:
        ner.add_label(label)
    nlp.initialize()
    return nlp


def measure(pipeline: Path, records: Path, system: str) -> Dict[str, Any]:
    """Measure a system in this process.

    pipeline (Path): Its folder.
    records (Path): Gold sentences.
    system (str): One of SYSTEMS.
    RETURNS (Dict[str, Any]): words_per_second and milliseconds of one sentence, of processor time; megabytes that
        loading takes; F1.
    """
    gold = list(read_jsonl(records))
    texts = [one.text for one in gold]
    before = read_memory()
    nlp = load(pipeline, system)
    list(nlp.pipe(texts[:_WARM_UP]))
    loaded = read_memory() - before
    rates: List[float] = []
    for _ in range(_ROUNDS):
        started = time.process_time()
        docs = list(nlp.pipe(texts, batch_size=64))
        rates.append(sum(map(len, docs)) / (time.process_time() - started))
    single = []
    for text in texts[:_SINGLE]:
        started = time.process_time()
        nlp(text)
        single.append(1000 * (time.process_time() - started))
    counts = sum((label for one, doc in zip(gold, docs)
                  for label in count_strict(one, doc_to_annotation(doc)).values()), Counts())
    return {"system": system, "words_per_second": round(max(rates)),
            "milliseconds": round(statistics.median(single), 1), "megabytes": round(loaded),
            "f1": round(100 * counts.f1, 2)}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.inference", description=__doc__.split("\n")[0])
    parser.add_argument("pipeline", type=Path)
    parser.add_argument("records", type=Path)
    parser.add_argument("--system", choices=SYSTEMS, help="only this one, in this process")
    arguments = parser.parse_args()
    if arguments.system:
        print(json.dumps(measure(arguments.pipeline, arguments.records, arguments.system)))
        return
    for system in SYSTEMS:
        subprocess.run([sys.executable, "-m", "benchmarks.inference", str(arguments.pipeline), str(arguments.records),
                        "--system", system], check=True)


if __name__ == "__main__":
    main()
