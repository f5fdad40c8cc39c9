"""A server that lies: of 23 kinds of faults at 30% of all tries, no document is lost, wrong or asked for twice."""

import json
import random
import re
from collections import Counter
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional, Union

from spacy_bioner.annotation import Annotation, Mention
from spacy_bioner.codecs import make_codec
from spacy_bioner.files import write_json
from spacy_bioner.llm.annotation.annotator import Annotator
from spacy_bioner.llm.annotation.cache import ReplyCache
from spacy_bioner.llm.server.client import Server, ServerSettings
from spacy_bioner.prompts.build import PromptBuilder

from .lying_server import LoopbackServer

Fault = Union[str, int, None]
PASSING: List[Fault] = ["busy", "busy_seconds", "busy_for_ever", "broken", "unavailable", "silent", "dropped", "half",
                        "cut_json", "html", "no_choices", "odd_reason", "no_reason", "trickle", "bomb", "damaged_gzip",
                        "too_large", "endless"]
LASTING: List[Fault] = ["refused", "filtered", "cut_text", 413, 422]
SHARE = 0.3
_LABELS = {"DISEASE": "illnesses", "DRUG": "medicines"}
_NAMES = {"DISEASE": ["gout", "measles", "colon cancer"], "DRUG": ["aspirin", "lithium"]}
_BATCH = 250


def run(count: int, seed: int, folder: Path) -> Dict[str, Any]:
    """Annotate documents by a server with faults.

    count (int): Documents, those of earlier runs included.
    seed (int): Random seed.
    folder (Path): Where progress is kept.
    RETURNS (Dict[str, Any]): One row of the table.
    """
    progress = folder / f"server-{seed}.progress.json"
    row = json.loads(progress.read_text(encoding="utf8")) if progress.is_file() else {
        "documents": 0, "right": 0, "truncated": 0, "set_aside": 0, "lost": 0, "wrong": 0, "twice": 0,
        "without_reason": 0, "faults": {}, "reasons": {}}
    while row["documents"] < count:
        size = min(_BATCH, count - row["documents"])
        _add(row, _run_batch(random.Random(f"{seed}-{row['documents']}"), size, folder))
        write_json(progress, row)
    bad = row["lost"] + row["wrong"] + row["twice"] + row["without_reason"]
    return {"guarantee": "lying server", "count": count, "seed": seed, "kinds": len(PASSING) + len(LASTING),
            "share": SHARE, **row, "held": bad == 0}


def make_documents(chance: random.Random, size: int) -> Iterator[Annotation]:
    """Yield sentences with known mentions, no two alike."""
    for number in range(size):
        chosen = [(label, name) for label in _LABELS for name in _NAMES[label] if chance.random() < 0.4]
        text = f"Case {number} of {chance.random():.12f} had {', '.join(name for _, name in chosen) or 'nothing'}."
        yield Annotation(text, id=str(number)).with_mentions(find_names(text))


def find_names(text: str) -> List[Mention]:
    """Return all names in a text."""
    return [Mention(found.start(), found.end(), label) for label, names in _NAMES.items() for name in names
            for found in re.finditer(re.escape(name), text)]


def _run_batch(chance: random.Random, size: int, folder: Path) -> Counter:
    codec = make_codec("bracket")
    documents = list(make_documents(chance, size))
    plans = {document.text: [_choose(chance) for _ in range(8)] for document in documents}
    sentence = re.compile(r"Case \d+ of [\d.]+ had [^.]*\.")

    def find_text(prompt: str) -> str:
        return sentence.findall(prompt)[-1]

    def fault(prompt: str, tried: int) -> Fault:
        plan = plans[find_text(prompt)]
        lasting = next((each for each in plan[:1] if each in LASTING), None)
        return lasting or plan[min(tried, len(plan)) - 1]

    server = LoopbackServer(lambda prompt: codec.encode(Annotation(find_text(prompt)).with_mentions(
        find_names(find_text(prompt))), list(_LABELS)), fault).start()
    cache = folder / "server.sqlite"
    cache.unlink(missing_ok=True)
    settings = ServerSettings(model="m", base_url=server.url, timeout=3.0, backoff=0.01, max_wait=0.05, max_tries=4,
                              concurrency=16)
    annotator = Annotator(model=Server(settings), builder=PromptBuilder(template="annotate.en", labels=_LABELS,
                                                                       codec=codec), cache=ReplyCache(cache),
                          max_failures=0)
    try:
        counts: Counter = Counter(documents=size)
        found = list(annotator.annotate([document.with_mentions(()) for document in documents]))
        for document, annotation in zip(documents, found):
            counts.update(_judge(document, annotation))
        counts["lost"] += size - len(found)
        counts["twice"] += sum(times > 1 for times in server.answered.values())
        counts.update({f"fault:{name}": times for name, times in server.faults.items() if name is not None})
        return counts
    finally:
        server.stop()
        annotator.cache.close()
        for path in folder.glob("server.sqlite*"):
            path.unlink()


def _choose(chance: random.Random) -> Fault:
    return chance.choice([*PASSING, *LASTING]) if chance.random() < SHARE else None


def _judge(document: Annotation, annotation: Annotation) -> Dict[str, int]:
    """Return what became of a document, counted."""
    error: Optional[str] = annotation.meta.get("error")
    if "error" in annotation.meta:
        reason = re.sub(r"[\d,]+", "N", str(error or ""))[:60]
        return {"set_aside": 1, f"reason:{reason}": 1, "without_reason": not error}
    if "truncated" in annotation.meta.get("issues", ()):
        # What the server has cut is said, and what stands before the cut counts.
        return {"truncated": 1, "wrong": not set(annotation.mentions) <= set(document.mentions)}
    right = annotation.mentions == document.mentions and annotation.id == document.id
    return {"right": right, "wrong": not right}


def _add(row: Dict[str, Any], counts: Counter) -> None:
    for name, times in counts.items():
        kind, _, rest = name.partition(":")
        into, key = (row[f"{kind}s"], rest) if rest else (row, kind)
        into[key] = into.get(key, 0) + times
