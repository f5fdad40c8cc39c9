"""Growth of time with the number of records: the exponent of processor time, from three sizes."""

import json
import math
import shutil
from pathlib import Path
from typing import Any, Callable, Dict, List

from spacy_bioner.files import write_json

from .children import run_verb
from .many_records import write_records, write_replies, write_schema

FACTORS = (1, 4, 16)
LIMIT = 1.1
_TRIES = 3
_TOK2VEC = {"@architectures": "spacy.HashEmbedCNN.v2", "pretrained_vectors": None, "width": 16, "depth": 1,
            "embed_size": 200, "window_size": 1, "maxout_pieces": 2, "subword_features": True}
_MODEL = "components.bioner_spancat.model"


def _train(folder: Path) -> List[str]:
    small = {f"{_MODEL}.tok2vec": _TOK2VEC, f"{_MODEL}.average": 0.0}
    return ["train", "spancat", str(folder / "in.jsonl"), str(folder / "trained"), "--dev", str(folder / "dev.jsonl"),
            "--epochs", "1", "--evaluations", "1", "--overwrite",
            *(part for key, value in small.items() for part in (f"--{key}", json.dumps(value)))]


# Each takes what an earlier one has written.
VERBS: Dict[str, Callable[[Path], List[str]]] = {
    "annotate": lambda folder: ["annotate", str(folder / "in.jsonl"), str(folder / "annotated.jsonl"), "--labels",
                                str(folder / "labels.yml"), "--annotate.cache", str(folder / "cache.sqlite"),
                                "--annotate.replay", str(folder / "replies.jsonl")],
    "train": _train,
    "evaluate": lambda folder: ["evaluate", str(folder / "in.jsonl"), str(folder / "annotated.jsonl"), "-o",
                                str(folder / "metrics.json"), "--resamples", "200"],
    "report": lambda folder: ["report", str(folder / "metrics.json"), "--output", str(folder / "report.html")],
}


def run(count: int, seed: int, folder: Path) -> Dict[str, Any]:
    """Measure processor time of verbs for once, four and sixteen times the records.

    count (int): Records of the smallest size.
    seed (int): Not used: nothing is random.
    folder (Path): Where progress is kept.
    RETURNS (Dict[str, Any]): One row of the table: seconds and the exponent of each verb.
    """
    progress = folder / f"growth-{count}.progress.json"
    row: Dict[str, List[float]] = json.loads(progress.read_text(encoding="utf8")) if progress.is_file() else {}
    work = folder / f"growth-{count}.work"
    for factor in FACTORS:
        _write_inputs(work / str(factor), count * factor)
    for name, verb in VERBS.items():
        times = row.setdefault(name, [])
        for factor in FACTORS[len(times):]:
            times.append(_measure(name, verb, work / str(factor)))
            write_json(progress, row)
        # On a shared machine what grows too fast is timed again.
        for _ in range(_TRIES - 1):
            if find_exponent(times) <= LIMIT:
                break
            times[:] = [min(time, _measure(name, verb, work / str(factor))) for time, factor in zip(times, FACTORS)]
            write_json(progress, row)
    exponents = {name: round(find_exponent(times), 3) for name, times in row.items()}
    faults = [f"{name}: {exponent}" for name, exponent in exponents.items() if exponent > LIMIT]
    shutil.rmtree(work, ignore_errors=True)
    return {"guarantee": "growth of time", "count": count, "factors": FACTORS, "seconds": row, "exponents": exponents,
            "limit": LIMIT, "faults": faults, "held": not faults}


def find_exponent(times: List[float]) -> float:
    """Find the exponent of growth, whatever a start costs.

    times (List[float]): Seconds for one, four and sixteen times the records: each `a + b * n ** p`.
    RETURNS (float): p; 0 where the differences are too small to tell.
    """
    first, second = times[1] - times[0], times[2] - times[1]
    return math.log(second / first, FACTORS[1]) if first > 0 and second > 0 else 0.0


def _measure(name: str, verb: Callable[[Path], List[str]], folder: Path) -> float:
    for cache in folder.glob("cache.sqlite*"):
        cache.unlink()
    return round(run_verb(verb(folder), folder / "log.txt").cpu_seconds, 2)


def _write_inputs(folder: Path, count: int) -> None:
    """Write records, all of them different, replies to them and a small dev set, unless they are there."""
    if (folder / "in.jsonl").is_file():
        return
    folder.mkdir(parents=True, exist_ok=True)
    write_schema(folder / "labels.yml")
    write_replies(folder / "replies.jsonl", texts=count)
    write_records(folder / "dev.jsonl", 20, split="dev")
    write_records(folder / "in.jsonl", count, texts=count)
