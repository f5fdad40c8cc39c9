"""Requests a second of `serve`, and how long an answer takes, by clients at once and texts in a request.

    python -m benchmarks.serving training/pipeline corpus/test.jsonl
"""

import argparse
import statistics
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Dict, Iterator, List, Sequence, Tuple

from spacy_bioner.formats.jsonl import read_jsonl

# Clients at once, and texts of each of their requests.
LOADS: Sequence[Tuple[int, int]] = ((1, 1), (4, 1), (16, 1), (4, 16))
_WARM_UP = 2.0


@contextmanager
def served(pipeline: Path, *options: str) -> Iterator[Tuple[str, int]]:
    """Serve a pipeline in a process of its own; yields where it answers, and the number of the process."""
    process = subprocess.Popen([sys.executable, "-m", "spacy_bioner", "serve", str(pipeline), "--port", "0", *options],
                               stdout=subprocess.PIPE, text=True)
    try:
        yield process.stdout.readline().split()[-1], process.pid  # type: ignore[union-attr]
    finally:
        process.terminate()
        process.wait()


def measure(address: str, texts: Sequence[str], *, clients: int, size: int, seconds: float) -> Dict[str, Any]:
    """Ask without a pause.

    address (str): Where the pipeline answers.
    texts (Sequence[str]): What is asked about, again and again.
    clients (int): Clients at once.
    size (int): Texts of a request.
    seconds (float): How long.
    RETURNS (Dict[str, Any]): `requests` and `texts` a second; `median` and `slow` milliseconds of an answer, of which
        one of twenty takes longer than the latter.
    """
    began = time.monotonic()
    with ThreadPoolExecutor(clients) as threads:
        asked = [threads.submit(_ask, address, texts[number:] + texts[:number], size, began + seconds)
                 for number in range(clients)]
        waits = sorted(wait for client in asked for wait in client.result())
    took = time.monotonic() - began
    return {"requests": len(waits) / took, "texts": len(waits) * size / took, "median": statistics.median(waits) * 1e3,
            "slow": waits[int(0.95 * len(waits))] * 1e3}


def _ask(address: str, texts: Sequence[str], size: int, end: float) -> List[float]:
    """Return the seconds of each answer."""
    import httpx

    waits: List[float] = []
    with httpx.Client(trust_env=False, timeout=60) as client:
        while time.monotonic() < end:
            first = len(waits) * size % (len(texts) - size + 1)
            began = time.perf_counter()
            client.post(address, json={"texts": list(texts[first:first + size])}).raise_for_status()
            waits.append(time.perf_counter() - began)
    return waits


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.serving", description=__doc__.split("\n")[0])
    parser.add_argument("pipeline", type=Path, help="folder of a trained pipeline")
    parser.add_argument("records", type=Path, help="texts to ask about, JSONL")
    parser.add_argument("--seconds", type=float, default=15, help="of each load")
    arguments = parser.parse_args()
    texts = [record.text for record in read_jsonl(arguments.records, raw=True)]
    for options in ((), ("--int8",)):
        with served(arguments.pipeline, *options) as (address, _):
            measure(address, texts, clients=1, size=1, seconds=_WARM_UP)
            for clients, size in LOADS:
                row = measure(address, texts, clients=clients, size=size, seconds=arguments.seconds)
                print(f"{'8 bits' if options else 'as stored'}, {clients} clients, {size} texts: "
                      f"{row['requests']:.1f} requests/s, {row['texts']:.1f} texts/s, median {row['median']:.0f} ms, "
                      f"95% within {row['slow']:.0f} ms", flush=True)


if __name__ == "__main__":
    main()
