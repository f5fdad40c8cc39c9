"""What one busy neighbour costs: training, selection and annotation, quiet and beside a process that never rests.

The neighbour has a session of its own, as the process of another user would. Quiet and busy units of work follow each
other, so that other work on the machine, which is printed as the load, slows both alike. The thread settings are those
of the command line; `--plain` leaves them out, to show what they are good for.

    python -m benchmarks neighbour
    python -m benchmarks.neighbour --plain
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List

from spacy_bioner.cpu_threads import thread_settings

# At most so many times slower.
AIM = 2.5
_BUSY = "while True: pass"
Work = Callable[[], Any]


@contextmanager
def busy_neighbour() -> Iterator[None]:
    """Keep one processor busy in a session of its own."""
    neighbour = subprocess.Popen([sys.executable, "-c", _BUSY], start_new_session=True)
    try:
        yield
    finally:
        neighbour.kill()
        neighbour.wait()


def make_works(folder: Path, *, quick: bool) -> Dict[str, Work]:
    """Return what is measured: name to a function that does one unit of the work."""
    from benchmarks.ifd import BATCH_TOKENS
    from benchmarks.spancat import make_examples, make_nlp, read_corpus
    from benchmarks.training import MODEL, our_trainer, read_pairs
    from spacy_bioner.finetuning.selection.ifd import score_pairs, start_id
    from spacy_bioner.llm.local.causal_lm import load_causal_lm

    size = 4 if quick else 16
    lm = load_causal_lm(MODEL)
    pairs = read_pairs(lm, size)
    trainer = our_trainer(load_causal_lm(MODEL, for_training=True), pairs, folder, 4, compiled=False)
    start = start_id(lm.tokenizer)
    records, _ = read_corpus("train", size)
    import spacy

    annotator = spacy.blank("en")
    annotator.add_pipe("llm_bioner")
    categorizer = make_nlp("ours")
    examples = make_examples(categorizer, records)
    optimizer = categorizer.initialize(lambda: examples)
    return {
        "LoRA fine-tuning": lambda: trainer.update(range(4)),
        "IFD scoring": lambda: list(score_pairs(lm.model, pairs, start=start, max_batch_tokens=BATCH_TOKENS["cpu"])),
        "annotation": lambda: list(annotator.pipe(record.text for record in records)),
        "span categorizer training": lambda: categorizer.update(make_examples(categorizer, records), sgd=optimizer),
    }


def measure(work: Work, *, rounds: int) -> Dict[str, float]:
    """Time units of a work in turn, quiet and beside a busy neighbour.

    work (Work): Does one unit; the first one is not timed.
    rounds (int): Units of each.
    RETURNS (Dict[str, float]): Seconds of a unit, the median of each, by "quiet" and "busy".
    """
    work()
    seconds: Dict[str, List[float]] = {"quiet": [], "busy": []}
    for _ in range(rounds):
        seconds["quiet"].append(_time(work))
        with busy_neighbour():
            seconds["busy"].append(_time(work))
    return {name: sorted(times)[len(times) // 2] for name, times in seconds.items()}


def _time(work: Work) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def measure_here(*, quick: bool) -> Dict[str, Any]:
    """Measure all works in this process.

    quick (bool): Whether to do little work, to see that it runs.
    RETURNS (Dict[str, Any]): Figures of each work, and the load of the machine before.
    """
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    with tempfile.TemporaryDirectory() as folder:
        works = make_works(Path(folder), quick=quick)
        figures = {name: measure(work, rounds=1 if quick else 5) for name, work in works.items()}
    return {"load_before": load, "threads": os.environ.get("OMP_NUM_THREADS"),
            "wait_policy": os.environ.get("OMP_WAIT_POLICY"), "seconds": figures}


def run(*, quick: bool = False, plain: bool = False) -> Dict[str, Any]:
    """Measure in a process that starts with the thread settings, or with none of them; torch reads them at import."""
    environment = {**os.environ, "TOKENIZERS_PARALLELISM": "false"}
    for name, value in thread_settings().items():
        environment.pop(name, None)
        if not plain:
            environment[name] = value
    command = [sys.executable, "-m", "benchmarks.neighbour", "--worker", *(["--quick"] if quick else [])]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    result = json.loads(done.stdout.splitlines()[-1])
    ratios = [{"what": f"{name}, seconds beside a busy neighbour", "against": "quiet",
               "ratio": times["busy"] / times["quiet"], "aim": AIM} for name, times in result["seconds"].items()]
    return {"ratios": ratios, **result}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.neighbour", description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="little work: to see that it runs, not to quote")
    parser.add_argument("--plain", action="store_true", help="without the thread settings of the command line")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        print(json.dumps(measure_here(quick=arguments.quick)))
        return
    from benchmarks.__main__ import print_ratios

    print_ratios("neighbour", run(quick=arguments.quick, plain=arguments.plain))


if __name__ == "__main__":
    main()
