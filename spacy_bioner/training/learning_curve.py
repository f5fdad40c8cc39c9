"""The learning curve of a training: one JSON line an evaluation, and a line on the screen."""

import json
import sys
from pathlib import Path
from timeit import default_timer as timer
from typing import IO, Any, Callable, Dict, Optional, Tuple

from spacy.language import Language

Logger = Callable[[Language, IO, IO], Tuple[Callable[[Optional[Dict[str, Any]]], None], Callable[[], None]]]


def make_curve_logger(path: Optional[str] = None, spans_key: str = "sc") -> Logger:
    """Make the logger.

    path (Optional[str]): JSON Lines file that grows as the training goes on; none without it.
    spans_key (str): Key of the span group that is scored.
    RETURNS (Logger): A logger as `[training.logger]` takes it. A line holds updates, epoch, seconds (of training and
        evaluation), words and words_per_second (of training alone), loss, dev_p, dev_r, dev_f and best.
    """
    def set_up(nlp: Language, stdout: IO = sys.stdout, stderr: IO = sys.stderr) -> Tuple[Callable, Callable]:
        started = timer()
        training = {"seconds": 0.0, "words": 0, "since": started}
        if path:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            Path(path).write_text("", encoding="utf8")

        def log_step(info: Optional[Dict[str, Any]]) -> None:
            now = timer()
            if info is None:
                training["seconds"] += now - training["since"]
                training["since"] = now
                training["updates"] = training.get("updates", 0) + 1
                return
            # The step that evaluates is left out of the training time, and its words with it.
            training["since"] = now
            line = _line(info, seconds=now - started, training=training, spans_key=spans_key)
            if path:
                with Path(path).open("a", encoding="utf8") as file_:
                    file_.write(json.dumps(line) + "\n")
            stdout.write(f"step {line['updates']:>6}  loss {line['loss']:>8.2f}  dev P {line['dev_p']:.2f} "
                         f"R {line['dev_r']:.2f} F {line['dev_f']:.2f}  {line['words_per_second']} words/s\n")
            stdout.flush()

        def finalize() -> None:
            return None

        return log_step, finalize

    return set_up


def _line(info: Dict[str, Any], *, seconds: float, training: Dict[str, Any], spans_key: str) -> Dict[str, Any]:
    scores = info["other_scores"] or {}
    counted = training.get("updates", 0)
    words = info["words"] * counted / (info["step"] + 1)
    rate = words / training["seconds"] if training["seconds"] else 0
    percent = {name: round(100 * (scores.get(f"spans_{spans_key}_{name}") or 0.0), 2) for name in "prf"}
    return {"updates": info["step"], "epoch": info["epoch"], "seconds": round(seconds, 1), "words": info["words"],
            "words_per_second": round(rate), "loss": round(sum(info["losses"].values()), 3),
            **{f"dev_{name}": value for name, value in percent.items()},
            "best": info["score"] == max(info["checkpoints"])[0]}
