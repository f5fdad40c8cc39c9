"""A long run of `nlp.pipe`: memory stays flat after a warm-up."""

import time
from pathlib import Path
from typing import Any, Dict, Iterator, List, Sequence

from .many_records import LABELS, make_record, write_replies

_WARM_UP = 0.2
SAMPLES = 200
# Share of growth after the warm-up that is noise of the allocator.
LIMIT = 0.05
_MORE_MB = 8.0


def run(count: int, seed: int, folder: Path) -> Dict[str, Any]:
    """Annotate by a pipeline without a pause, and look at its memory.

    count (int): Seconds.
    seed (int): Not used: nothing is random.
    folder (Path): Where progress is kept.
    RETURNS (Dict[str, Any]): One row of the table.
    """
    import spacy

    replies = write_replies(folder / "long_run.replies.jsonl")
    nlp = spacy.blank("en")
    model = {"@llm_models": "spacy-bioner.Replay.v1", "path": str(replies)}
    nlp.add_pipe("llm_bioner", config={"labels": dict.fromkeys(LABELS, ""), "model": model})
    started = time.monotonic()
    memory: List[float] = []
    documents = 0
    try:
        for _ in nlp.pipe(_texts(started + count), batch_size=64):
            documents += 1
            if time.monotonic() - started >= len(memory) * count / SAMPLES:
                memory.append(read_memory())
    finally:
        replies.unlink()
    return {"guarantee": "long run", "count": count, "documents": documents, **judge(memory)}


def judge(memory: Sequence[float]) -> Dict[str, Any]:
    """Compare memory at the end with memory after the warm-up.

    memory (Sequence[float]): Samples in MB, in order of time.
    RETURNS (Dict[str, Any]): Both, the peak, the limit, and whether it was held.
    """
    settled = memory[int(len(memory) * _WARM_UP):]
    fifth = max(1, len(settled) // 5)
    before, after = max(settled[:fifth]), max(settled[-fifth:])
    return {"mb_after_warm_up": round(before, 1), "mb_at_end": round(after, 1), "mb_peak": round(max(memory), 1),
            "limit": LIMIT, "held": after <= before * (1 + LIMIT) or after - before <= _MORE_MB}


def _texts(end: float) -> Iterator[str]:
    number = 0
    while time.monotonic() < end:
        yield make_record(number % 500).text
        number += 1


def read_memory(process: str = "self") -> float:
    """Return the memory that a process holds now, this one by default, in MB."""
    pages = int(Path(f"/proc/{process}/statm").read_text(encoding="ascii").split()[1])
    return pages * 4096 / 2 ** 20
