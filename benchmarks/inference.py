"""A trained pipeline in use: words per second, one sentence, memory, and F1, with float and with 8-bit weights.

    python -m benchmarks.inference training/pipeline corpus/dev.jsonl

Beside them, with the same labels: stock `spancat` with the n-gram suggester on the encoder of the pipeline, the CNN
`ner` of spaCy of the width of `en_core_web_sm`, and GLiNER of the size of gliner_small, where its package is installed.
These are untrained: their speed counts, their F1 means nothing. Each system has a process of its own, so that its
memory is its own.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Callable, Dict, List, Sequence

import spacy
from spacy.language import Language
from spacy.util import load_config

from benchmarks.chaos.long_run import read_memory
from benchmarks.gliner_model import open_model, write_model
from spacy_bioner.annotation import Annotation
from spacy_bioner.errors import BionerError
from spacy_bioner.evaluation.counts import Counts, count_strict
from spacy_bioner.formats.docbin import doc_to_annotation
from spacy_bioner.formats.jsonl import read_jsonl
from spacy_bioner.tokens import find_units
from spacy_bioner.training.pipeline_loading import load_pipeline

# Sentences that are read before time is taken, and those that are read one by one.
_WARM_UP, _SINGLE = 64, 100
_ROUNDS = 3
# Spans that stock spancat scores, in pre-tokens. Untrained it gives each of them 0.5, so none is kept.
_LONGEST, _THRESHOLD = 12, 0.99

SYSTEMS = ("float", "int8", "spancat", "ner", "gliner")


@dataclass(frozen=True)
class Reader:
    """A system that is loaded.

    read (Callable): Texts to results, in batches of its own.
    convert (Callable): A result to an annotation, which is not timed.
    """

    read: Callable[[Sequence[str]], List[Any]]
    convert: Callable[[Any], Annotation]


def load(pipeline: Path, system: str, folder: Path) -> Reader:
    """Load the pipeline with float or 8-bit weights, or what it is compared with, for its labels.

    pipeline (Path): Its folder.
    system (str): One of SYSTEMS.
    folder (Path): Holds the GLiNER model, see `prepare`.
    RETURNS (Reader): The system.
    """
    labels = json.loads((pipeline / "meta.json").read_text(encoding="utf8"))["labels"]["bioner_spancat"]
    if system == "gliner":
        tagger = open_model(folder, labels)
        return Reader(lambda texts: list(tagger.find(map(Annotation, texts))),
                      lambda found: found[0].with_mentions(found[1]))
    if system in ("float", "int8"):
        nlp = load_pipeline(pipeline, int8=system == "int8")
    else:
        nlp = make_spancat(pipeline, labels) if system == "spancat" else make_ner(labels)
    return Reader(lambda texts: list(nlp.pipe(texts, batch_size=64)), doc_to_annotation)


def make_ner(labels: Sequence[str]) -> Language:
    """Make an untrained CNN `ner`."""
    nlp = spacy.blank("en")
    ner = nlp.add_pipe("ner")
    for label in labels:
        ner.add_label(label)
    nlp.initialize()
    return nlp


def make_spancat(pipeline: Path, labels: Sequence[str]) -> Language:
    """Make a stock `spancat`, untrained, on the encoder of a pipeline."""
    encoder = load_config(pipeline / "config.cfg").interpolate()["components"]["bioner_spancat"]["model"]["tok2vec"]
    nlp = spacy.blank("en", config={"nlp": {"tokenizer": {"@tokenizers": "spacy-bioner.UnitTokenizer.v1"}}})
    spancat = nlp.add_pipe("spancat", config={
        "spans_key": "sc", "threshold": _THRESHOLD,
        "suggester": {"@misc": "spacy.ngram_range_suggester.v1", "min_size": 1, "max_size": _LONGEST},
        "model": {"@architectures": "spacy.SpanCategorizer.v1", "tok2vec": encoder,
                  "reducer": {"@layers": "spacy.mean_max_reducer.v1", "hidden_size": 128},
                  "scorer": {"@layers": "spacy.LinearLogistic.v1"}}})
    for label in labels:
        spancat.add_label(label)
    nlp.initialize()
    return nlp


def measure(pipeline: Path, records: Path, system: str, folder: Path) -> Dict[str, Any]:
    """Measure a system in this process.

    pipeline (Path): Its folder.
    records (Path): Gold sentences.
    system (str): One of SYSTEMS.
    folder (Path): Holds the GLiNER model, see `prepare`.
    RETURNS (Dict[str, Any]): words_per_second (pre-tokens, the same for all systems) and milliseconds of one sentence,
        of processor time; megabytes that loading takes; F1.
    """
    gold = list(read_jsonl(records))
    texts = [one.text for one in gold]
    words = sum(len(find_units(text)) for text in texts)
    before = read_memory()
    reader = load(pipeline, system, folder)
    reader.read(texts[:_WARM_UP])
    loaded = read_memory() - before
    rates: List[float] = []
    for _ in range(_ROUNDS):
        started = time.process_time()
        results = reader.read(texts)
        rates.append(words / (time.process_time() - started))
    single = []
    for text in texts[:_SINGLE]:
        started = time.process_time()
        reader.read([text])
        single.append(1000 * (time.process_time() - started))
    counts = sum((label for one, result in zip(gold, results)
                  for label in count_strict(one, reader.convert(result)).values()), Counts())
    return {"system": system, "words_per_second": round(max(rates)),
            "milliseconds": round(statistics.median(single), 1), "megabytes": round(loaded),
            "f1": round(100 * counts.f1, 2)}


def prepare(system: str, folder: Path) -> None:
    """Write what a system reads, in a process that is not measured; BionerError E706 where a package is missing."""
    if system == "gliner":
        write_model(folder)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.inference", description=__doc__.split("\n")[0])
    parser.add_argument("pipeline", type=Path)
    parser.add_argument("records", type=Path)
    parser.add_argument("--system", choices=SYSTEMS, help="only this one")
    parser.add_argument("--prepared", type=Path, help="folder with what the system reads: measures in this process")
    arguments = parser.parse_args()
    if arguments.prepared:
        print(json.dumps(measure(arguments.pipeline, arguments.records, arguments.system, arguments.prepared)))
        return
    for system in [arguments.system] if arguments.system else SYSTEMS:
        with TemporaryDirectory() as folder:
            try:
                prepare(system, Path(folder))
            except BionerError as error:
                print(f"{system} skipped: {error}", file=sys.stderr)
                continue
            subprocess.run([sys.executable, "-m", "benchmarks.inference", str(arguments.pipeline),
                            str(arguments.records), "--system", system, "--prepared", folder], check=True)


if __name__ == "__main__":
    main()
