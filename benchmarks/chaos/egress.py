"""Egress: without a configured server or hub name no verb reaches for another machine, also under Ray."""

import json
import shutil
import socket
import time
from pathlib import Path
from typing import Any, Callable, Dict, List
from unittest import mock

from spacy_bioner.errors import BionerError
from spacy_bioner.files import write_json

from .growth import VERBS as GROWTH_VERBS
from .many_records import write_records, write_replies, write_schema
from .watched import run_watched

_ROOT = Path(__file__).parents[2]
_SECONDS = 2.0


def _annotate(folder: Path, *more: str) -> List[str]:
    return ["annotate", str(folder / "in.jsonl"), str(folder / "out"), "--labels", str(folder / "labels.yml"),
            "--annotate.cache", "null", "--annotate.replay", str(folder / "replies.jsonl"), *more]


VERBS: Dict[str, Callable[[Path], List[str]]] = {
    "annotate by the embedded model": lambda folder: ["annotate", str(folder / "dev.jsonl"),
                                                      str(folder / "embedded.jsonl"), "--annotate.limit", "2"],
    **GROWTH_VERBS,
    "apply": lambda folder: ["annotate", str(folder / "dev.jsonl"), str(folder / "applied.jsonl"), "--pipeline",
                             str(folder / "trained" / "model-best")],
    "prepare": lambda folder: ["prepare", str(_ROOT / "assets"), "embedded", str(folder / "corpus")],
    "inspect": lambda folder: ["inspect", str(folder / "in.jsonl"), "--output", str(folder / "page.html")],
    "Ray": lambda folder: _annotate(folder, "--engine", "ray", "--annotate.ray.shard_size", "10"),
}


def run(count: int, seed: int, folder: Path) -> Dict[str, Any]:
    """Run verbs that may reach this machine alone, and name unknown models where nothing can be reached.

    count (int): Records that the verbs take.
    seed (int): Not used: nothing is random.
    folder (Path): Where progress is kept.
    RETURNS (Dict[str, Any]): One row of the table.
    """
    progress = folder / f"egress-{count}.progress.json"
    row: Dict[str, Any] = json.loads(progress.read_text(encoding="utf8")) if progress.is_file() else {}
    work = folder / f"egress-{count}.work"
    work.mkdir(parents=True, exist_ok=True)
    write_schema(work / "labels.yml")
    write_replies(work / "replies.jsonl", texts=count)
    write_records(work / "dev.jsonl", 5, split="dev")
    write_records(work / "in.jsonl", count, texts=count)
    for name, verb in VERBS.items():
        if name not in row:
            row[name] = run_watched(verb(work), work, _ROOT)
            write_json(progress, row)
    seconds = {swallowed: round(time_unknown_model(swallowed), 2) for swallowed in ("getaddrinfo", "create_connection")}
    faults = [f"{name}: {attempt}" for name, attempts in row.items() for attempt in attempts]
    faults += [f"unknown model, {name}: {taken} s" for name, taken in seconds.items() if taken > _SECONDS]
    shutil.rmtree(work, ignore_errors=True)
    return {"guarantee": "egress", "count": count, "verbs": list(VERBS), "attempts": sum(map(len, row.values())),
            "seconds_for_an_unknown_model": seconds, "faults": faults, "held": not faults}


def time_unknown_model(swallowed: str) -> float:
    """Name an unknown model where the network swallows what is sent.

    swallowed (str): The function of `socket` that waits: "getaddrinfo" or "create_connection".
    RETURNS (float): Seconds until the error.
    """
    import huggingface_hub.constants as constants

    from spacy_bioner.llm.local.hub import resolve_model

    def wait(*arguments: Any, **options: Any) -> None:
        time.sleep(5)
        raise TimeoutError

    with mock.patch.object(constants, "HF_HUB_OFFLINE", False), mock.patch.object(socket, swallowed, wait):
        started = time.monotonic()
        try:
            resolve_model("nobody/no-such-model")
        except BionerError:
            return time.monotonic() - started
    raise RuntimeError("an unknown model was found")
