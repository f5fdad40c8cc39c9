"""The span categorizer against `spancat` with the n-gram suggester: same encoder, sentences, batches and updates.

Each runs in a process of its own, so that its peak of memory is its own: training words per second, then words per
second and F1 on sentences of the dev part, at a threshold of 0.5.

    python -m benchmarks.spancat --updates 200
"""

import argparse
import json
import resource
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from timeit import default_timer as timer
from typing import Any, Dict, List, Tuple

import spacy
from spacy.language import Language
from spacy.training import Example
from thinc.api import Adam, Config, fix_random_seed
from thinc.schedules import warmup_linear

from spacy_bioner.annotation import Annotation
from spacy_bioner.config_files import find_config
from spacy_bioner.corpus.sentences import split_sentences
from spacy_bioner.evaluation.counts import Counts, count_strict
from spacy_bioner.extras import extra
from spacy_bioner.files import write_json
from spacy_bioner.formats.docbin import doc_to_annotation
from spacy_bioner.formats.jsonl import read_jsonl
from spacy_bioner.llm.local.hub import resolve_model
from spacy_bioner.training.mixed_corpus import Prepared, make_example

ROOT = Path(__file__).parents[1]
KINDS = ("ours", "stock")
# Stock spancat listens to a `transformer`, whose package needs an environment of its own: make test-spacy-transformers.
STOCK_PYTHON = ROOT / ".venv-spacy-transformers" / "bin" / "python"
# Updates of each, sentences of a batch, and sentences that are read: less than ten minutes on two cores.
UPDATES, BATCH, READ = 160, 8, 400
QUICK_UPDATES, QUICK_READ = 6, 64
RATE = 2e-4
LONGEST = 12

STOCK = """
[components]

[components.transformer]
factory = "transformer"

[components.transformer.model]
@architectures = "spacy-transformers.TransformerModel.v3"
name = "{name}"
tokenizer_config = {{"use_fast": true}}

[components.transformer.model.get_spans]
@span_getters = "spacy-transformers.doc_spans.v1"

[components.spancat]
factory = "spancat"
spans_key = "sc"

[components.spancat.model]
@architectures = "spacy.SpanCategorizer.v1"
reducer = {{"@layers": "spacy.mean_max_reducer.v1", "hidden_size": 128}}
scorer = {{"@layers": "spacy.LinearLogistic.v1"}}

[components.spancat.model.tok2vec]
@architectures = "spacy-transformers.TransformerListener.v1"
grad_factor = 1.0
pooling = {{"@layers": "reduce_mean.v1"}}

[components.spancat.suggester]
@misc = "spacy.ngram_range_suggester.v1"
min_size = 1
max_size = {longest}
"""


def make_nlp(kind: str) -> Language:
    """Return a pipeline of "ours" or "stock" parts, not yet initialized."""
    nlp = spacy.blank("en", config={"nlp": {"tokenizer": {"@tokenizers": "spacy-bioner.UnitTokenizer.v1"}}})
    if kind == "ours":
        config = find_config("spancat").read()
        settings = config["components"]["bioner_spancat"]
        nlp.add_pipe("bioner_spancat", config={key: value for key, value in settings.items() if key != "factory"})
        return nlp
    with extra("spacy-transformers"):
        import spacy_transformers  # noqa: F401
    config = Config().from_str(STOCK.format(name=resolve_model("all-minilm-l6-v2"), longest=LONGEST))
    for name, settings in config["components"].items():
        nlp.add_pipe(settings.pop("factory"), name=name, config=settings)
    return nlp


def read_corpus(split: str, limit: int) -> Tuple[List[Annotation], str]:
    """Return the first sentences of NCBI-Disease where it has been fetched, else
    of the embedded corpus, and the name of the corpus."""
    fetched = ROOT.parent / "shared" / "data" / "ncbi_disease"
    folder = fetched if fetched.is_dir() else ROOT / "assets" / "embedded"
    sentences = (sentence for record in read_jsonl(folder / f"{split}.jsonl") for sentence in split_sentences(record))
    return [sentence for sentence, _ in zip(sentences, range(limit))], folder.name


def make_examples(nlp: Language, records: List[Annotation]) -> List[Example]:
    """Return fresh examples of the records."""
    return [make_example(Prepared(record), nlp, "sc")[0] for record in records]


def measure(kind: str, updates: int, read: int) -> Dict[str, Any]:
    """Train, then read sentences.

    kind (str): "ours" or "stock".
    updates (int): Updates of the weights; the first one, which warms up the machine, is not timed.
    read (int): Sentences to read.
    RETURNS (Dict[str, Any]): Words per second of both, F1 of what was read, and the peak of memory, in MiB.
    """
    fix_random_seed(0)
    nlp = make_nlp(kind)
    train, corpus = read_corpus("train", updates * BATCH)
    examples = make_examples(nlp, train)
    nlp.initialize(lambda: examples)
    optimizer = Adam(warmup_linear(RATE, max(1, updates // 10), updates), use_averages=False, L2=0.01, grad_clip=1.0)
    batches = [list(batch) for batch in spacy.util.minibatch(examples, BATCH)]
    words, started = 0, timer()
    for number in range(updates):
        # A small corpus comes again, in fresh examples: those that were seen hold what was predicted.
        place = number % len(batches)
        batch = batches[place] if number < len(batches) else make_examples(nlp, train[place * BATCH:][:BATCH])
        nlp.update(batch, sgd=optimizer, drop=0.1)
        optimizer.step_schedules()
        if number == 0:
            words, started = 0, timer()
        else:
            words += sum(len(example.predicted) for example in batch)
    training = words / (timer() - started)
    gold, _ = read_corpus("dev", read)
    texts = [record.text for record in gold]
    with nlp.use_params(optimizer.averages or {}):
        list(nlp.pipe(texts[:64], batch_size=64))
        started = timer()
        docs = list(nlp.pipe(texts, batch_size=64))
        reading = sum(map(len, docs)) / (timer() - started)
    found = [doc_to_annotation(doc) for doc in docs]
    total = sum((count for one, other in zip(gold, found) for count in count_strict(one, other).values()), Counts())
    return {"train_words_per_second": round(training), "words_per_second": round(reading),
            "f1": round(100 * total.f1, 2), "precision": round(100 * total.precision, 2),
            "recall": round(100 * total.recall, 2), "sentences": {"trained": len(train), "read": len(gold)},
            "corpus": corpus, "peak_memory_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)}


def measure_apart(kind: str, updates: int, read: int) -> Dict[str, Any]:
    """Return what `measure` gives in a process of its own."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "figures.json"
        python = STOCK_PYTHON if kind == "stock" and STOCK_PYTHON.exists() else sys.executable
        subprocess.run([python, "-m", "benchmarks.spancat", "--kind", kind, "--updates", str(updates),
                        "--read", str(read), "--output", str(path)], cwd=ROOT, check=True)
        return json.loads(path.read_text(encoding="utf8"))


def run(quick: bool = False, updates: int = 0) -> Dict[str, Any]:
    """Measure both in one run on the same sentences.

    quick (bool): Whether few updates and sentences are enough.
    updates (int): Updates of each; 0 takes the usual number.
    RETURNS (Dict[str, Any]): Figures of both, and the ratios ours / stock.
    """
    updates = updates or (QUICK_UPDATES if quick else UPDATES)
    ours, stock = (measure_apart(kind, updates, QUICK_READ if quick else READ) for kind in KINDS)
    against = "stock spancat with the n-gram suggester"
    said = f"F1 {ours['f1']} against {stock['f1']} after {updates} updates"
    return {"ours": ours, "stock": stock, "updates": updates, "f1_difference": round(ours["f1"] - stock["f1"], 2),
            "ratios": [
                {"what": f"span categorizer, words/s ({said})", "against": against, "aim": 3,
                 "ratio": ours["words_per_second"] / stock["words_per_second"]},
                {"what": "span categorizer training, words/s", "against": against, "aim": 2,
                 "ratio": ours["train_words_per_second"] / stock["train_words_per_second"]},
                {"what": "span categorizer, peak memory", "against": against, "aim": None,
                 "ratio": ours["peak_memory_mib"] / stock["peak_memory_mib"]}]}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.spancat", description=__doc__.split("\n")[0])
    parser.add_argument("--updates", type=int, default=UPDATES, help="updates of each kind")
    parser.add_argument("--read", type=int, default=READ, help="sentences that are read")
    parser.add_argument("--kind", choices=KINDS, help="measure one of them alone, in this process")
    parser.add_argument("--output", type=Path, default=Path("metrics/benchmarks/spancat.json"))
    arguments = parser.parse_args()
    if arguments.kind:
        write_json(arguments.output, measure(arguments.kind, arguments.updates, arguments.read))
        return
    result = run(updates=arguments.updates)
    write_json(arguments.output, result)
    for row in result["ratios"]:
        print(f"{row['what']} against {row['against']}: {row['ratio']:.2f} (aim {row['aim']})")


if __name__ == "__main__":
    main()
