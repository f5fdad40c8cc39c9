"""The span categorizer against `spancat` with the n-gram suggester: same encoder, same sentences, same words."""

import resource
from pathlib import Path
from timeit import default_timer as timer
from typing import Any, Dict, List

import spacy
from spacy.language import Language
from spacy.training import Example
from thinc.api import Adam, Config, fix_random_seed

from spacy_bioner.annotation import Annotation
from spacy_bioner.formats.jsonl import read_jsonl
from spacy_bioner.formats.sentences import split_sentences
from spacy_bioner.llm.resolve import resolve_model
from spacy_bioner.training.mixed_corpus import Prepared, make_example

ROOT = Path(__file__).parents[1]
CORPUS = ROOT.parent / "shared" / "data" / "ncbi_disease"
TRAINED, READ = 160, 400
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
    """RETURNS (Language): A pipeline of "ours" or "stock" parts, not yet initialized."""
    nlp = spacy.blank("en", config={"nlp": {"tokenizer": {"@tokenizers": "spacy-bioner.UnitTokenizer.v1"}}})
    if kind == "ours":
        config = Config().from_disk(ROOT / "configs" / "embedded" / "spancat_en.cfg")
        settings = config["components"]["bioner_spancat"]
        nlp.add_pipe("bioner_spancat", config={key: value for key, value in settings.items() if key != "factory"})
        return nlp
    config = Config().from_str(STOCK.format(name=resolve_model("all-minilm-l6-v2"), longest=LONGEST))
    for name, settings in config["components"].items():
        nlp.add_pipe(settings.pop("factory"), name=name, config=settings)
    return nlp


def read_corpus(split: str, limit: int) -> List[Annotation]:
    """RETURNS (List[Annotation]): The first sentences of NCBI-Disease."""
    sentences = (sentence for record in read_jsonl(CORPUS / f"{split}.jsonl") for sentence in split_sentences(record))
    return [sentence for sentence, _ in zip(sentences, range(limit))]


def make_examples(nlp: Language, records: List[Annotation]) -> List[Example]:
    """RETURNS (List[Example]): Fresh examples of the records."""
    return [make_example(Prepared(record), nlp, "sc")[0] for record in records]


def measure(kind: str, train: List[Annotation], read: List[Annotation]) -> Dict[str, float]:
    """Train one epoch and read sentences.

    kind (str): "ours" or "stock".
    train (List[Annotation]): Sentences to train on.
    read (List[Annotation]): Sentences to read.
    RETURNS (Dict[str, float]): Words per second of both, and the peak memory so far, in MiB.
    """
    fix_random_seed(0)
    nlp = make_nlp(kind)
    examples = make_examples(nlp, train)
    nlp.initialize(lambda: examples)
    optimizer = Adam(1e-4, use_averages=False, L2=0.01)
    batches = list(spacy.util.minibatch(examples, 16))
    nlp.update(batches[0], sgd=optimizer)
    started = timer()
    for batch in batches[1:]:
        nlp.update(batch, sgd=optimizer, drop=0.1)
    training = sum(len(example.predicted) for batch in batches[1:] for example in batch) / (timer() - started)
    texts = [record.text for record in read]
    list(nlp.pipe(texts[:64], batch_size=64))
    started = timer()
    docs = list(nlp.pipe(texts, batch_size=64))
    reading = sum(map(len, docs)) / (timer() - started)
    return {"train_words_per_second": round(training), "words_per_second": round(reading),
            "peak_memory_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)}


def run(quick: bool = False) -> Dict[str, Any]:
    """Measure both in one run on the same sentences.

    quick (bool): Whether a quarter of the sentences is enough.
    RETURNS (Dict[str, Any]): Figures of both, and the ratios ours / stock.
    """
    part = 4 if quick else 1
    train, read = read_corpus("train", TRAINED // part), read_corpus("dev", READ // part)
    ours, stock = measure("ours", train, read), measure("stock", train, read)
    against = "stock spancat with the n-gram suggester"
    return {"ours": ours, "stock": stock, "sentences": {"trained": len(train), "read": len(read)}, "ratios": [
        {"what": "span categorizer, words/s", "against": against, "aim": 3,
         "ratio": ours["words_per_second"] / stock["words_per_second"]},
        {"what": "span categorizer training, words/s", "against": against, "aim": 2,
         "ratio": ours["train_words_per_second"] / stock["train_words_per_second"]}]}
