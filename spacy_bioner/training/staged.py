"""Runs the stages of a strategy through spaCy's own training, each from where the one before ended."""

import hashlib
import json
import logging
import shutil
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Dict, List, Mapping, Sequence

import spacy
from spacy.training.initialize import init_nlp
from spacy.training.loop import train
from spacy.util import load_config, load_meta
from thinc.api import Config, ConfigValidationError

from ..errors import BionerError, Errors
from ..files import read_json_lines, write_json, write_json_lines
from ..formats.jsonl import find_jsonl, read_jsonl
from .strategies import Stage

logger = logging.getLogger(__name__)

_DONE = "done.json"


@dataclass(frozen=True)
class Run:
    """A training to be run.

    config (Path): spaCy training config with the sections [paths], [run] and [corpora.train.sources].
    strategy (str): Name of the strategy, for the model card.
    stages (Sequence[Stage]): Its stages.
    sources (Mapping[str, Mapping[str, Any]]): Settings of each source, its path among them.
    dev (Path): Records on which the best state is chosen.
    held_out (Sequence[Path]): Records of dev and test parts that no source may share a sentence with.
    seed (int): Seed of weights, order and dropout.
    evaluations (int): How often the dev part is scored in all stages together, about.
    overrides (Mapping[str, Any]): Further settings of the config, by dotted key.
    """

    config: Path
    strategy: str
    stages: Sequence[Stage]
    sources: Mapping[str, Mapping[str, Any]]
    dev: Path
    held_out: Sequence[Path]
    seed: int
    evaluations: int
    overrides: Mapping[str, Any]


def run_stages(run: Run, output: Path, *, gpu_id: int = -1, overwrite: bool = False) -> Dict[str, Any]:
    """Train, stage by stage; stages that an earlier call has finished are taken as they are.

    run (Run): What is trained on what.
    output (Path): Folder for stage1, stage2, ..., `curve.jsonl`, `run.json` and the pipeline `model-best`.
    gpu_id (int): The GPU, -1 for the CPU.
    overwrite (bool): Whether what the folder holds of another training is removed.
    RETURNS (Dict[str, Any]): The model card of the pipeline.
    RAISES BionerError: E518 where the folder holds another training, E519 where the config does not fit.
    """
    description = describe(run)
    _open_folder(output, description, overwrite=overwrite)
    labels = collect_labels(source["path"] for source in run.sources.values())
    previous = None
    for number, stage in enumerate(run.stages, start=1):
        folder = output / f"stage{number}"
        if not (folder / _DONE).is_file():
            logger.info("Stage %d of %d: %d updates on %s", number, len(run.stages), stage.updates,
                        " and ".join(stage.sources))
            _run_stage(run, stage, folder, previous=previous, labels=labels, gpu_id=gpu_id)
            write_json(folder / _DONE, asdict(stage))
        previous = folder / "model-last"
    curve = _join_curves(run.stages, output)
    write_json_lines(output / "curve.jsonl", curve)
    if (output / "model-best").exists():
        shutil.rmtree(output / "model-best")
    shutil.copytree(output / f"stage{len(run.stages)}" / "model-best", output / "model-best")
    return write_card(output / "model-best", description, curve)


def describe(run: Run) -> Dict[str, Any]:
    """RETURNS (Dict[str, Any]): All that the result depends on: settings, data by checksum, seed."""
    data = {name: {**{key: value for key, value in source.items() if key != "path"}, "file": Path(source["path"]).name,
                   "sha256": checksum(source["path"])} for name, source in run.sources.items()}
    return {"strategy": run.strategy, "stages": [asdict(stage) for stage in run.stages], "sources": data,
            "dev": {"file": run.dev.name, "sha256": checksum(run.dev)}, "seed": run.seed,
            "config_sha256": checksum(run.config), "overrides": dict(run.overrides)}


def checksum(path: Path) -> str:
    """RETURNS (str): SHA-256 of a file."""
    path = find_jsonl(path)
    if not path.is_file():
        raise BionerError(Errors.E001.format(path=path, wanted="file"))
    return hashlib.sha256(path.read_bytes()).hexdigest()


def collect_labels(paths: Any) -> List[str]:
    """RETURNS (List[str]): The labels of all sources; spaCy would look at the first hundred examples only."""
    return sorted({mention.label for path in paths for annotation in read_jsonl(path)
                   for mention in annotation.mentions})


def _open_folder(output: Path, description: Dict[str, Any], *, overwrite: bool) -> None:
    plan = output / "run.json"
    wanted = json.loads(json.dumps(description, default=str))
    if plan.is_file() and json.loads(plan.read_text(encoding="utf8")) != wanted:
        if not overwrite:
            raise BionerError(Errors.E518.format(path=output))
        for folder in output.glob("stage*"):
            shutil.rmtree(folder)
    write_json(plan, wanted)


def _run_stage(run: Run, stage: Stage, folder: Path, *, previous: Any, labels: List[str], gpu_id: int) -> None:
    total = sum(planned.updates for planned in run.stages)
    config = stage_config(run, stage, folder, previous=previous, labels=labels,
                          evaluate_every=max(1, round(total / max(1, run.evaluations))))
    try:
        nlp = init_nlp(config, use_gpu=gpu_id)
        train(nlp, folder, use_gpu=gpu_id, stdout=sys.stdout, stderr=sys.stderr)
    except ConfigValidationError as error:
        raise BionerError(Errors.E519.format(path=run.config, why=" ".join(str(error).split()))) from None


def stage_config(run: Run, stage: Stage, folder: Path, *, previous: Any, labels: List[str],
                 evaluate_every: int) -> Config:
    """Make the training config of a stage.

    previous (Optional[Path]): The pipeline that the stage goes on from.
    labels (List[str]): The labels of the whole run.
    evaluate_every (int): Updates between two looks at the dev part.
    RETURNS (Config): A config as `spacy train` takes it.
    """
    try:
        config = load_config(run.config, overrides={
            **run.overrides, "paths.dev": str(run.dev), "paths.curve": str(folder / "curve.jsonl"),
            "run.seed": run.seed, "run.updates": stage.updates,
            "run.evaluate_every": min(evaluate_every, stage.updates)}, interpolate=False)
    except (ConfigValidationError, ValueError) as error:
        raise BionerError(Errors.E519.format(path=run.config, why=" ".join(str(error).split()))) from None
    config["corpora"]["train"]["sources"] = {
        name: {**run.sources[name], "path": str(run.sources[name]["path"])} for name in stage.sources}
    config["corpora"]["train"]["held_out"] = [str(path) for path in run.held_out]
    names = [name for name in config["nlp"]["pipeline"]
             if config["components"].get(name, {}).get("factory") in ("bioner_spancat", "spancat")]
    for name in names:
        if previous is not None:
            config["components"][name] = {"source": str(previous)}
        config["initialize"].setdefault("components", {})[name] = {"labels": labels}
    return config


def _join_curves(stages: Sequence[Stage], output: Path) -> List[Dict[str, Any]]:
    lines, updates, seconds = [], 0, 0.0
    for number, stage in enumerate(stages, start=1):
        of_stage = [line for _, line in read_json_lines(output / f"stage{number}" / "curve.jsonl")]
        lines += [{"stage": number, **line, "updates": line["updates"] + updates,
                   "seconds": round(line["seconds"] + seconds, 1)} for line in of_stage]
        updates += stage.updates
        seconds += of_stage[-1]["seconds"] if of_stage else 0.0
    return lines


def write_card(folder: Path, description: Mapping[str, Any], curve: Sequence[Mapping[str, Any]]) -> Dict[str, Any]:
    """Write what the pipeline was made of into its `meta.json`, where `nlp.meta` has it.

    folder (Path): A pipeline.
    description (Mapping[str, Any]): See `describe`.
    curve (Sequence[Mapping[str, Any]]): The learning curve.
    RETURNS (Dict[str, Any]): The card.
    """
    meta = load_meta(folder / "meta.json")
    best = max(curve, key=lambda line: (line["stage"], line["dev_f"])) if curve else {}
    card = {**description, "curve_best": dict(best), "versions": {"spacy": spacy.__version__}}
    meta["spacy_bioner"] = json.loads(json.dumps(card, default=str))
    meta["description"] = f"Biomedical named entities, trained with strategy {description['strategy']}."
    write_json(folder / "meta.json", meta)
    return card
