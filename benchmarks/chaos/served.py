"""A long run of `serve`: memory stays flat after a warm-up, whatever new words the texts bring."""

import random
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Dict, List

from ..serving import served
from .long_run import SAMPLES, judge, read_memory
from .many_records import LABELS, make_record

_CLIENTS = 4
_TEXTS = 8


def run(count: int, seed: int, folder: Path) -> Dict[str, Any]:
    """Ask a served span categorizer without a pause, and look at the memory of its process.

    count (int): Seconds.
    seed (int): Random seed of the words.
    folder (Path): Where the pipeline is written.
    RETURNS (Dict[str, Any]): One row of the table.
    """
    pipeline = folder / "served.pipeline"
    if not (pipeline / "config.cfg").is_file():
        _write_pipeline(pipeline)
    with served(pipeline) as (address, process), ThreadPoolExecutor(_CLIENTS) as threads:
        end = time.monotonic() + count
        asked = [threads.submit(_ask, address, end, f"{seed}-{client}") for client in range(_CLIENTS)]
        memory = _sample(str(process), end, count / SAMPLES)
        requests = sum(client.result() for client in asked)
    return {"guarantee": "long run of serve", "count": count, "seed": seed, "documents": requests * _TEXTS,
            "requests_per_second": round(requests / count, 1), **judge(memory)}


def _write_pipeline(folder: Path) -> None:
    """Write a span categorizer that has its weights from chance: what it finds does not matter here."""
    import spacy
    from spacy.training import Example

    from spacy_bioner.formats.docbin import annotation_to_doc

    nlp = spacy.blank("en")
    nlp.add_pipe("bioner_spancat")
    docs = [annotation_to_doc(make_record(number), nlp.vocab)[0] for number in range(10)]
    nlp.initialize(lambda: [Example(nlp.make_doc(doc.text), doc) for doc in docs])
    nlp.to_disk(folder)


def _ask(address: str, end: float, seed: str) -> int:
    """Ask until the end; return how often. Each answer must be that of its own texts."""
    import httpx

    chance, requests = random.Random(seed), 0
    with httpx.Client(trust_env=False, timeout=60) as client:
        while time.monotonic() < end:
            texts = [_make_text(chance) for _ in range(_TEXTS)]
            answer = client.post(address, json={"texts": texts})
            answer.raise_for_status()
            if [record["text"] for record in answer.json()["records"]] != texts:
                raise ValueError("the answer is that of other texts")
            requests += 1
    return requests


def _make_text(chance: random.Random) -> str:
    """Return a sentence of up to 60 words, many of which nobody has seen before."""
    words = [f"{LABELS[0].lower()}{chance.randrange(10**9)}" if chance.random() < 0.5 else "and"
             for _ in range(chance.randint(1, 60))]
    return " ".join(words)


def _sample(process: str, end: float, every: float) -> List[float]:
    memory = []
    while time.monotonic() < end:
        memory.append(read_memory(process))
        time.sleep(every)
    return memory
