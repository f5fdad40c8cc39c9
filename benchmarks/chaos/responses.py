"""Mutated responses in all formats: no exception, no invalid span, none that takes long.

Trial `n` of a seed is always the same response, whatever was run before, so a run resumes by counting.
"""

import json
import random
import time
import traceback
from collections import Counter
from contextlib import nullcontext
from functools import lru_cache, partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Dict, List, Sequence, Tuple

from spacy_bioner.annotation import Annotation, Mention
from spacy_bioner.codecs import make_codec
from spacy_bioner.files import write_json

from .reply_mutations import LABELS, damage, make_annotation

CODECS: Sequence[Tuple[str, Dict[str, Any]]] = (
    ("bracket", {"lines": "all"}), ("bracket", {"lines": "occurring"}), ("html", {}), ("json", {"shape": "name"}),
    ("json", {"shape": "offsets"}), ("json", {"shape": "context"}), ("seed_tags", {}))
# Seconds of processor time that reading a response of so many characters may take.
LIMIT, CHARACTERS = 0.05, 2_000
_TRIES = 5
# Mutated responses of one right response.
_FROM_ONE = 8
_BLOCK = 2_000
_MOST_FAULTS = 20


def find_fault(text: str, mentions: Sequence[Mention], labels: Sequence[str] = LABELS) -> str:
    """Return what is wrong with a span: outside the text, empty, with white space at an edge, a label that is
    not known; nothing where all are right."""
    for mention in mentions:
        surface = text[mention.start:mention.end]
        if not 0 <= mention.start < mention.end <= len(text):
            return f"span {mention.start}-{mention.end} of {len(text)} characters"
        if surface != surface.strip():
            return f"white space at an edge of {surface!r}"
        if mention.label not in labels:
            return f"label {mention.label!r}"
    return ""


def make_trial(number: int, seed: int) -> Tuple[str, Dict[str, Any], Annotation, str]:
    """Return codec, its options, a text with mentions, and a mutated
    response to it, of at most 2,000 characters."""
    name, options, annotation, reply, foreign = _make_source(number // _FROM_ONE, seed)
    return name, options, annotation, damage(random.Random(f"{seed}/{number}"), reply, foreign)[:CHARACTERS]


@lru_cache(maxsize=1)
def _make_source(number: int, seed: int) -> Tuple[str, Dict[str, Any], Annotation, str, str]:
    """Return codec, its options, a text with mentions, the right response to it, and one in another format."""
    random_ = random.Random(f"{seed}/source/{number}")
    name, options = CODECS[number % len(CODECS)]
    codec = make_codec(name, **options)
    # Mostly sentences; some of the full length.
    annotation = make_annotation(random_, 30 if random_.random() < 0.9 else 500, mentions=random_.choice((6, 6, 40)))
    cut = Annotation(annotation.text[:CHARACTERS])
    annotation = cut.with_mentions(mention for mention in annotation.mentions if mention.end <= len(cut.text))
    annotation = annotation.with_mentions(set(annotation.mentions) - set(codec.unwritable(annotation)))
    other_name, other_options = random_.choice(CODECS)
    other = make_codec(other_name, **other_options)
    foreign = annotation.with_mentions(set(annotation.mentions) - set(other.unwritable(annotation)))
    return (name, options, annotation, codec.encode(annotation, LABELS)[:CHARACTERS],
            other.encode(foreign, LABELS)[:400])


def _decode(name: str, options: Dict[str, Any], annotation: Annotation,
            reply: str) -> List[Tuple[str, Sequence[Mention]]]:
    """Return texts with the mentions that were read."""
    codec = make_codec(name, **options)
    read = [(annotation.text, codec.decode(annotation.text, LABELS, reply).mentions)]
    if name == "seed_tags":
        seeds = [(annotation.surface(mention), mention.label) for mention in annotation.mentions]
        sentence = make_codec(name, repair=True).read(reply, LABELS, seeds)
        read.append((sentence.text, sentence.mentions))
    return read


def _seconds(name: str, options: Dict[str, Any], annotation: Annotation, reply: str) -> Tuple[float, str]:
    """Return the time of a decoding, and what is wrong with what was read."""
    start = time.perf_counter()
    read = _decode(name, options, annotation, reply)
    taken = time.perf_counter() - start
    return taken, next(filter(None, (find_fault(*each) for each in read)), "")


def run(count: int, seed: int, folder: Path, *, processes: int = 1) -> Dict[str, Any]:
    """Decode mutated responses.

    count (int): How many, those of earlier runs with this seed included.
    seed (int): Random seed.
    folder (Path): Where progress is kept.
    processes (int): Processes that share the work; the row does not depend on it.
    RETURNS (Dict[str, Any]): The row: how many by format, exceptions, invalid spans, slow ones, the worst time.
    """
    kept = folder / f"responses-{seed}.progress.json"
    state: Dict[str, Any] = {"done": 0, "exceptions": 0, "invalid": 0, "slow": 0, "worst": 0.0, "formats": {},
                             "faults": []}
    if kept.is_file():
        state = json.loads(kept.read_text(encoding="utf8"))
    blocks = [range(first, min(first + _BLOCK, count)) for first in range(state["done"], count, _BLOCK)]
    with get_context("spawn").Pool(processes) if processes > 1 else nullcontext() as pool:
        take = pool.imap if pool is not None else map
        for found in take(partial(decode_block, seed=seed), blocks):
            _add(state, found)
            write_json(kept, state)
    held = not (state["exceptions"] or state["invalid"] or state["slow"])
    return {"guarantee": "mutated responses", "count": state["done"], "seed": seed, "formats": state["formats"],
            "exceptions": state["exceptions"], "invalid_spans": state["invalid"], "over_50_ms": state["slow"],
            "worst_ms": round(1000 * state["worst"], 2), "faults": state["faults"], "held": held}


def decode_block(numbers: Sequence[int], *, seed: int) -> Dict[str, Any]:
    """Decode some trials.

    numbers (Sequence[int]): Their numbers.
    seed (int): Random seed.
    RETURNS (Dict[str, Any]): How many by format, exceptions, invalid spans, slow ones, the worst time, faults.
    """
    formats: Counter = Counter()
    state: Dict[str, Any] = {"done": len(numbers), "exceptions": 0, "invalid": 0, "slow": 0, "worst": 0.0,
                             "formats": formats, "faults": []}
    for number in numbers:
        name, options, annotation, reply = make_trial(number, seed)
        formats["-".join([name, *options.values()])] += 1
        try:
            taken, fault = _seconds(name, options, annotation, reply)
            for _ in range(_TRIES):
                # Machines share their cores: what seems slow is timed again, by what the processor had to do.
                if taken <= LIMIT:
                    break
                started = time.process_time()
                _decode(name, options, annotation, reply)
                taken = min(taken, time.process_time() - started)
        except Exception:  # noqa: BLE001  (the guarantee is that there is none, of whatever kind)
            taken, fault = 0.0, ""
            state["exceptions"] += 1
            state["faults"].append({"trial": number, "what": traceback.format_exc(limit=-2)})
        if fault:
            state["invalid"] += 1
            state["faults"].append({"trial": number, "what": fault})
        if taken > LIMIT:
            state["slow"] += 1
            state["faults"].append({"trial": number, "what": f"{taken:.3f} s"})
        state["worst"] = max(state["worst"], taken)
    return state


def _add(state: Dict[str, Any], found: Dict[str, Any]) -> None:
    for key in ("done", "exceptions", "invalid", "slow"):
        state[key] += found[key]
    state["worst"] = max(state["worst"], found["worst"])
    state["formats"] = dict(Counter(state["formats"]) + found["formats"])
    state["faults"] = [*state["faults"], *found["faults"]][:_MOST_FAULTS]
