"""Memory against file size: verbs that stream take no more for a hundred times the records; others have a bound."""

import json
import shutil
from pathlib import Path
from typing import Any, Callable, Dict, List

from spacy_bioner.files import write_json

from .children import run_verb
from .many_records import write_pipeline, write_records, write_replies, write_schema

_LEAST = 20_000
# Bytes for each further record: what garbage, tables of pages and caches of fixed size may seem to cost.
_FLAT = 60
# Verbs that hold what the page on limits says: bytes for each short record, at most.
HELD = {"inspect": 1_200, "evaluate": 6_000}

Verb = Callable[[Path, Path], List[str]]

VERBS: Dict[str, Verb] = {
    "convert": lambda shared, folder: ["convert", str(folder / "in.jsonl"), str(folder / "out.xml"), "--to", "bioc"],
    "encode": lambda shared, folder: ["encode", str(folder / "in.jsonl"), str(folder / "encoded.jsonl"), "--format",
                                      "bracket"],
    "decode": lambda shared, folder: ["decode", str(folder / "encoded.jsonl"), str(folder / "decoded.jsonl")],
    "annotate": lambda shared, folder: [
        "annotate", str(folder / "in.jsonl"), str(folder / "annotated.jsonl"), "--labels", str(shared / "labels.yml"),
        "--annotate.cache", "null", "--annotate.replay", str(shared / "replies.jsonl")],
    "apply": lambda shared, folder: ["annotate", str(folder / "in.jsonl"), str(folder / "applied.jsonl"), "--pipeline",
                                     str(shared / "pipeline")],
    "generate": lambda shared, folder: ["generate", "seeds", str(folder / "in.jsonl"), str(folder / "seeds.jsonl"),
                                        "--labels", str(shared / "labels.yml")],
    "inspect": lambda shared, folder: ["inspect", str(folder / "in.jsonl"), "--output", str(folder / "page.html")],
    "evaluate": lambda shared, folder: ["evaluate", str(folder / "in.jsonl"), str(folder / "annotated.jsonl"), "-o",
                                        str(folder / "metrics.json"), "--resamples", "10"],
}


def run(count: int, seed: int, folder: Path) -> Dict[str, Any]:
    """Measure the most memory that each verb takes for few and for many records.

    count (int): Records of the large file; the small one has 20,000, or a tenth of the large one if that is less.
    seed (int): Not used: nothing is random.
    folder (Path): Where progress is kept.
    RETURNS (Dict[str, Any]): One row of the table: MB for both sizes, and bytes for each further record.
    """
    sizes = (min(_LEAST, max(count // 10, 1)), count)
    progress = folder / f"memory-{count}.progress.json"
    row: Dict[str, Any] = json.loads(progress.read_text(encoding="utf8")) if progress.is_file() else {}
    work = folder / f"memory-{count}.work"
    work.mkdir(parents=True, exist_ok=True)
    write_replies(work / "replies.jsonl")
    write_schema(work / "labels.yml")
    write_pipeline(work / "pipeline")
    for size in sizes:
        place = work / str(size)
        if not (place / "in.jsonl").is_file():
            place.mkdir(exist_ok=True)
            write_records(place / "in.jsonl", size)
        for name, verb in VERBS.items():
            key = f"{name}-{size}"
            if key not in row:
                row[key] = round(run_verb(verb(work, place), work / "log.txt").peak_mb, 1)
                write_json(progress, row)
    verbs = {name: _compare(row[f"{name}-{sizes[0]}"], row[f"{name}-{sizes[1]}"], sizes[1] - sizes[0])
             for name in VERBS}
    faults = [f"{name}: {figures['bytes_per_record']} bytes for each record" for name, figures in verbs.items()
              if figures["bytes_per_record"] > HELD.get(name, _FLAT)]
    shutil.rmtree(work, ignore_errors=True)
    return {"guarantee": "memory against file size", "count": count, "sizes": sizes, "verbs": verbs,
            "bounds": {"flat": _FLAT, **HELD}, "faults": faults, "held": not faults}


def _compare(small: float, large: float, more: int) -> Dict[str, float]:
    return {"small_mb": small, "large_mb": large, "bytes_per_record": round((large - small) * 2 ** 20 / max(more, 1))}
