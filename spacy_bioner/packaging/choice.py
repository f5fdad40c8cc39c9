"""Which of several trained pipelines is shipped: the one that found most on dev. The test part has no say in it."""

import json
from pathlib import Path
from typing import Any, Dict, Mapping, Tuple

from ..errors import BionerError, Errors


def choose_on_dev(pipelines: Mapping[str, Path]) -> Tuple[str, Dict[str, float]]:
    """Choose by the strict F1 on dev that `train spancat` wrote down, with the thresholds that it stored.

    pipelines (Mapping[str, Path]): Name to pipeline, as `train spancat` makes it; of equals the first is taken.
    RETURNS (Tuple[str, Dict[str, float]]): The name of the best, and F1 in percent by name.
    RAISES BionerError: E001 where there is no pipeline, E536 where its dev score is not known, E537 where two were
        scored on different dev files.
    """
    scores: Dict[str, float] = {}
    measured_on: Dict[str, str] = {}
    for name, path in pipelines.items():
        made = _read_training(path)
        scores[name] = made["tuned"].get("dev_f", made["best"]["dev_f"])
        measured_on[made["dev"]["sha256"]] = name
    if len(measured_on) > 1:
        first, second, *_ = measured_on.values()
        raise BionerError(Errors.E537.format(first=pipelines[first], second=pipelines[second]))
    return max(scores, key=lambda name: scores[name]), scores


def _read_training(path: Path) -> Dict[str, Any]:
    if not (path / "meta.json").is_file():
        raise BionerError(Errors.E001.format(path=path, wanted="pipeline"))
    made = json.loads((path / "meta.json").read_text(encoding="utf8")).get("spacy_bioner", {})
    if not isinstance(made.get("best"), dict) or not isinstance(made.get("dev"), dict):
        raise BionerError(Errors.E536.format(path=path))
    return {**made, "tuned": made.get("tuned") or {}}
