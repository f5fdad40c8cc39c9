"""A trained pipeline in use: words per second, one sentence, memory, and F1, with float and with 8-bit weights.

    python -m benchmarks.inference training/pipeline corpus/dev.jsonl

Each kind of weights has a process of its own, so that its memory is its own.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Dict, List

from benchmarks.chaos.long_run import read_memory
from spacy_bioner.evaluation.counts import Counts, count_strict
from spacy_bioner.formats.docbin import doc_to_annotation
from spacy_bioner.formats.jsonl import read_jsonl
from spacy_bioner.training.pipeline_loading import load_pipeline

# Sentences that are read before time is taken, and those that are read one by one.
_WARM_UP, _SINGLE = 64, 100
_ROUNDS = 3


def measure(pipeline: Path, records: Path, *, int8: bool) -> Dict[str, Any]:
    """Measure a pipeline in this process.

    pipeline (Path): Its folder.
    records (Path): Gold sentences.
    int8 (bool): Whether weights are rounded to 8 bits.
    RETURNS (Dict[str, Any]): words_per_second and milliseconds of one sentence, of processor time; megabytes that
        loading takes; F1.
    """
    gold = list(read_jsonl(records))
    texts = [one.text for one in gold]
    before = read_memory()
    nlp = load_pipeline(pipeline, int8=int8)
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
    return {"weights": "int8" if int8 else "float", "words_per_second": round(max(rates)),
            "milliseconds": round(statistics.median(single), 1), "megabytes": round(loaded),
            "f1": round(100 * counts.f1, 2)}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.inference", description=__doc__.split("\n")[0])
    parser.add_argument("pipeline", type=Path)
    parser.add_argument("records", type=Path)
    parser.add_argument("--weights", choices=["float", "int8"], help="only these, in this process")
    arguments = parser.parse_args()
    if arguments.weights:
        print(json.dumps(measure(arguments.pipeline, arguments.records, int8=arguments.weights == "int8")))
        return
    for weights in ("float", "int8"):
        subprocess.run([sys.executable, "-m", "benchmarks.inference", str(arguments.pipeline), str(arguments.records),
                        "--weights", weights], check=True)


if __name__ == "__main__":
    main()
