"""Answers of a real server, free, held to a schema and held to a grammar, beside local grounded decoding.

The server is llama.cpp with the embedded model, untuned, in a process of its own; the local decoder has the same
weights.
The grammar is tried on all sentences, for whether each span is exact and each reply well formed; all four are compared
on the first of them. No adapter is used, so no sentence was trained on.

    python -m benchmarks servers
"""

import time
from collections import Counter
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Sequence

from benchmarks.llama_server import LlamaServer, missing_package
from spacy_bioner.annotation import Annotation
from spacy_bioner.cli._shared.schema import read_schema
from spacy_bioner.codecs import make_codec
from spacy_bioner.corpus.sentences import find_sentences
from spacy_bioner.errors import BionerError, Errors
from spacy_bioner.evaluation.metrics import Sampling, evaluate
from spacy_bioner.formats.jsonl import read_jsonl
from spacy_bioner.llm.annotation.assembly import make_annotator
from spacy_bioner.llm.local.model_source import ModelSource, make_causal_lm
from spacy_bioner.llm.server.server_source import make_server
from spacy_bioner.llm.settings import AnnotatorSettings

MODEL = "smollm2-135m-instruct"
CORPUS = Path(__file__).parents[1] / "assets" / "embedded"
SENTENCES, COMPARED = 300, 40
SLOTS, THREADS = 4, 1
# Tokens of an answer. This model repeats items, and a limit of 160 cut 7 of 40 answers that a grammar held.
LONGEST = 512
MALFORMED = ("no_output", "malformed_json", "bad_item", "truncated")
INEXACT = ("not_found", "fuzzy_match", "text_changed")


def read_gold(count: int) -> List[Annotation]:
    """Return annotated sentences of the embedded corpus."""
    found: Iterator[Annotation] = (sentence for split in ("test", "dev", "train")
                                   for sentence in read_jsonl(CORPUS / f"{split}.jsonl"))
    return [sentence for sentence, _ in zip(found, range(count))]


def annotate(source: ModelSource, gold: Sequence[Annotation]) -> Dict[str, Any]:
    """Annotate sentences, and count.

    source (ModelSource): What answers.
    gold (Sequence[Annotation]): The sentences with their true mentions.
    RETURNS (Dict[str, Any]): Requests a second, spans and how many of them are exact, malformed replies, F1.
    """
    labels = read_schema(CORPUS / "labels.yml").labels
    annotator = make_annotator(source, AnnotatorSettings(labels=labels, codec=make_codec("json"), max_sentences=0),
                               find_sentences=find_sentences)
    started = time.perf_counter()
    found = list(annotator.annotate(gold))
    seconds = time.perf_counter() - started
    failed = Counter(str(record.meta["error"]) for record in found if "error" in record.meta)
    issues = Counter(kind for record in found for kind in record.meta.get("issues", {}))
    inexact = sum(record.meta.get("issues", {}).get(kind, 0) for record in found for kind in INEXACT)
    spans = sum(len(record.mentions) for record in found)
    true = sum(mention.grounding != "fuzzy" for record in found for mention in record.mentions)
    scores = evaluate(list(gold), [record.with_mentions(record.mentions) for record in found],
                      sampling=Sampling(resamples=1))
    return {"sentences": len(gold), "seconds": round(seconds, 1), "per_second": round(len(gold) / seconds, 3),
            "spans": spans, "exact": true, "inexact_claims": inexact,
            "malformed": sum(any(kind in record.meta.get("issues", {}) for kind in MALFORMED) for record in found),
            "failed": dict(failed), "issues": dict(issues), "f1": _f1(scores),
            "answer_tokens": annotator.usage.model.get("answer_tokens", 0)}


def _f1(scores: Dict[str, Any]) -> float:
    return round(100 * float(scores["micro"]["f1"]), 2)


def run(*, quick: bool = False,
        report: Callable[[str, Dict[str, Any]], None] = lambda name, row: None) -> Dict[str, Any]:
    """Run the benchmark.

    quick (bool): Few sentences.
    report (Callable[[str, Dict[str, Any]], None]): Is told each row as soon as it is there.
    RETURNS (Dict[str, Any]): A row for each way of answering, and the ratios.
    RAISES BionerError: E706 without llama.cpp.
    """
    missing = missing_package()
    if missing is not None:
        raise BionerError(Errors.E706.format(package=missing, extra="dev"))
    gold = read_gold(8 if quick else SENTENCES)
    compared = gold[:4 if quick else COMPARED]
    server = LlamaServer(slots=SLOTS, threads=THREADS).start()
    rows: Dict[str, Dict[str, Any]] = {}

    def add(name: str, source: ModelSource, sentences: Sequence[Annotation]) -> None:
        rows[name] = annotate(source, sentences)
        report(name, rows[name])

    def ask(**settings: Any) -> ModelSource:
        return make_server(MODEL, base_url=server.url, concurrency=SLOTS, context_length=2048, timeout=600.0,
                           max_new_tokens=LONGEST, **settings)

    try:
        add("grammar", ask(grammar="llama.cpp"), compared)
        add("schema", ask(grammar=None, structured=True), compared)
        add("free", ask(grammar=None), compared)
        add("local", make_causal_lm(MODEL, adapter=None), compared)
        add("grammar, all", ask(grammar="llama.cpp"), gold)
    finally:
        server.kill()
    add("local, all", make_causal_lm(MODEL, adapter=None), gold)
    ratios = [{"what": "requests a second with a grammar", "against": other, "aim": None,
               "ratio": rows["grammar"]["per_second"] / rows[other]["per_second"]}
              for other in ("free", "schema", "local")]
    return {"ratios": ratios, "rows": rows}
