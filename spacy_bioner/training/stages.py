"""Runs the stages of a strategy through spaCy's own training, each from where the one before ended."""

import json
import logging
import shutil
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import lru_cache
from math import ceil
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, List, Mapping, Optional, Sequence

from spacy import blank
from spacy.util import registry
from thinc.api import Config

from ..config_files import ConfigFiles
from ..errors import BionerError, Errors
from ..files import read_json_lines, write_json, write_json_lines
from .head_start_check import check_starts
from .mixed_corpus import make_mixed_corpus
from .spacy_training import (
    collect_labels,
    collect_overlaps,
    count_records,
    describe_annotators,
    describe_file,
    find_component,
    kept_line,
    read_training_config,
    run_training,
    score_every,
    score_in_use,
    ship_best,
    warmup_overrides,
)
from .strategies import Stage

logger = logging.getLogger(__name__)

_DONE = "done.json"
# Holds a training that is replaced until the new one has done a stage.
_REPLACED = ".replaced"
_PATHS = ("path", "doubtful")
_FACTORIES = ("bioner_spancat", "spancat")
_GOLD = "gold"


@dataclass(frozen=True)
class Run:
    """A training to be run.

    config (ConfigFiles): spaCy training config with the sections [paths], [run] and [corpora.train.sources].
    strategy (str): Name of the strategy, for the model card.
    stages (Sequence[Stage]): Its stages.
    sources (Mapping[str, Mapping[str, Any]]): Settings of each source, its path among them.
    dev (Path): Records on which the best state is chosen.
    held_out (Sequence[Path]): Records of dev and test parts that no source may share a sentence with.
    seed (int): Seed of weights, order and dropout.
    evaluations (int): How often the dev part is scored in all stages together, about.
    tune (str): Thresholds chosen on dev: "labels", "all" (one for all labels) or "none".
    overrides (Mapping[str, Any]): Further settings of the config, by dotted key.
    """

    config: ConfigFiles
    strategy: str
    stages: Sequence[Stage]
    sources: Mapping[str, Mapping[str, Any]]
    dev: Path
    held_out: Sequence[Path]
    seed: int
    evaluations: int
    tune: str
    overrides: Mapping[str, Any]


def run_stages(run: Run, output: Path, *, gpu_id: int = -1, overwrite: bool = False) -> Dict[str, Any]:
    """Train, stage by stage; stages that an earlier call has finished are taken as they are.

    run (Run): What is trained on what.
    output (Path): Folder for stage1, stage2, ..., `curve.jsonl`, `run.json` and the pipeline `model-best`.
    gpu_id (int): The GPU, -1 for the CPU.
    overwrite (bool): Whether what the folder holds of another training is removed.
    RETURNS (Dict[str, Any]): The model card of the pipeline.
    RAISES BionerError: E514 where the folder holds another training, E515 where the config does not fit, E572 where a
        head start was trained on texts of gold, dev or what is held out.
    """
    card = describe(run)
    with open_folder(output, card, overwrite=overwrite):
        labels = collect_labels(source["path"] for source in run.sources.values())
        overlaps = find_overlaps(run)
        check_later_sources(run)
        previous = None
        for number, stage in enumerate(run.stages, start=1):
            folder = output / f"stage{number}"
            config = stage_config(run, stage, folder, previous=previous, labels=labels, overlaps=overlaps)
            if not (folder / _DONE).is_file():
                logger.info("Stage %d of %d: %d steps on %s", number, len(run.stages), stage.updates,
                            " and ".join(stage.sources))
                run_training(config, folder, source=run.config, gpu_id=gpu_id)
                write_json(folder / _DONE, asdict(stage))
            previous = folder / "model-last"
        curve = join_curves(run.stages, output)
        write_json_lines(output / "curve.jsonl", curve)
        return _finish(run, output, card, curve, labels)


def count_steps(run: Run, names: Sequence[str], epochs: float) -> int:
    """Count the steps in which a stage sees its records so many times, in the order and the batches of the training.

    run (Run): The training; its stages do not count.
    names (Sequence[str]): The sources of the stage.
    epochs (float): Epochs over all of them.
    RETURNS (int): The steps, at least one; of a part of an epoch that part of its batches.
    RAISES BionerError: As `mixed_corpus.read_source`.
    """
    config = read_training_config(run.config, {**run.overrides, "run.seed": run.seed}).interpolate()
    corpus = {**config["corpora"]["train"], "sources": _source_settings(run, config, names),
              "held_out": [str(path) for path in run.held_out]}
    parts = registry.resolve({"corpus": corpus, "batcher": config["training"]["batcher"]})
    nlp = blank(config["nlp"]["lang"], config={"nlp": {"tokenizer": config["nlp"]["tokenizer"]}})
    find_length = lru_cache(maxsize=None)(lambda text: len(nlp.make_doc(text)))
    # Batchers ask for lengths alone, which ranges have without the time that examples take.
    each = (sum(1 for _ in parts["batcher"](range(find_length(record.annotation.text))
                                            for record in parts["corpus"].next_epoch()))
            for _ in range(ceil(epochs)))
    return max(1, round(sum(steps * min(1.0, epochs - done) for done, steps in enumerate(each))))


def find_overlaps(run: Run) -> str:
    """Return whether mentions of gold overlap, all of it asked: spaCy would look at the first hundred examples
    of the first stage, where a teacher that cannot nest may have labelled. Without gold all sources are asked. Mentions
    of sources that have labels of their own may overlap with those of others."""
    if len({tuple(source.get("annotated") or ()) for source in run.sources.values()}) > 1:
        return "any"
    asked = [_GOLD] if _GOLD in run.sources else list(run.sources)
    return collect_overlaps(run.sources[name]["path"] for name in asked)


def check_later_sources(run: Run) -> None:
    """Read what only a later stage trains on, so that what is wrong with it is told before the first one is trained.

    RAISES BionerError: As `mixed_corpus.read_source`.
    """
    late = [name for name in run.sources if name not in run.stages[0].sources]
    if late:
        config = read_training_config(run.config, run.overrides).interpolate()
        make_mixed_corpus(_source_settings(run, config, late), held_out=[str(path) for path in run.held_out]).check()


def _source_settings(run: Run, config: Config, names: Iterable[str]) -> Dict[str, Dict[str, Any]]:
    """Return sources as the config has them, with what the run says of them."""
    configured = config["corpora"]["train"].get("sources", {})
    return {name: {key: str(value) if key in _PATHS else value
                   for key, value in {**configured.get(name, {}), **run.sources[name]}.items()} for name in names}


def _finish(run: Run, output: Path, card: Dict[str, Any], curve: Sequence[Mapping[str, Any]],
            labels: List[str]) -> Dict[str, Any]:
    """Take the best state of the last stage, choose its thresholds, and write the card."""
    last = len(run.stages)
    best = kept_line([line for line in curve if line["stage"] == last])
    config = stage_config(run, run.stages[-1], output / f"stage{last}", previous=None, labels=labels, overlaps="any")
    component = find_component(config, ["bioner_spancat"])
    sources = {name: {**source, "records": count_records(run.sources[name]["path"]),
                      "annotators": describe_annotators(run.sources[name]["path"])}
               for name, source in card["sources"].items()}
    return ship_best(output / f"stage{last}" / "model-best", output, component=component, config=config, tune=run.tune,
                     description=f"Biomedical named entities, trained with strategy {run.strategy}.",
                     card={**card, "sources": sources, "labels": labels, "best": best})


def describe(run: Run) -> Dict[str, Any]:
    """Return all that the result depends on: settings, data by checksum, seed."""
    sources = {name: {**{key: value if key != "doubtful" else describe_file(value)
                         for key, value in source.items() if key != "path"},
                      **describe_file(source["path"])} for name, source in run.sources.items()}
    return {"strategy": run.strategy, "stages": [asdict(stage) for stage in run.stages], "sources": sources,
            "dev": describe_file(run.dev), "held_out": [describe_file(path) for path in run.held_out],
            "seed": run.seed, "evaluations": run.evaluations, "tune": run.tune,
            "config": run.config.describe(), "overrides": dict(run.overrides), **_check_starts(run)}


def _check_starts(run: Run) -> Dict[str, Any]:
    """Return what the card says of a head start, which may not have been trained on gold, dev or held-out texts."""
    gold = [run.sources[_GOLD]["path"]] if _GOLD in run.sources else []
    return check_starts(read_training_config(run.config, run.overrides), [*gold, run.dev, *run.held_out])


@contextmanager
def open_folder(output: Path, description: Mapping[str, Any], *, overwrite: bool) -> Iterator[None]:
    """Make the folder of a training; one that holds another training is an error, or is replaced.

    Whatever fails leaves the folder as if the training had never begun, unless a stage is done: so that the mended
    input is not taken for another training, and one that was to be replaced is lost only to one that gets on.

    output (Path): The folder.
    description (Mapping[str, Any]): What the result depends on.
    overwrite (bool): Whether another training is replaced.
    RAISES BionerError: E514, E551 where something else lies in the folder that has the name of a part of a training.
    """
    plan = output / "run.json"
    wanted = json.loads(json.dumps(description, default=str))
    if plan.is_file() and json.loads(plan.read_text(encoding="utf8")) != wanted:
        if not overwrite:
            raise BionerError(Errors.E514.format(path=output))
        _move(output, output / _REPLACED)
    elif not plan.is_file() and _parts(output):
        raise BionerError(Errors.E551.format(path=output, found=_parts(output)[0].name))
    write_json(plan, wanted)
    complete = False
    try:
        yield
        complete = True
    finally:
        if complete or list(output.glob(f"stage*/{_DONE}")):
            _remove(output / _REPLACED)
        else:
            for part in _parts(output):
                _remove(part)
            _move(output / _REPLACED, output)
            _remove(output / _REPLACED)
            if not any(output.iterdir()):
                output.rmdir()


def _parts(folder: Path) -> List[Path]:
    """Return what a training makes, as far as it is there."""
    return [part for pattern in ("run.json", "curve.jsonl", "model-best", ".model-best", "stage[0-9]*")
            for part in sorted(folder.glob(pattern))]


def _move(source: Path, target: Path) -> None:
    """Move the parts of a training from one folder to another, where those of an older one make way."""
    for part in _parts(source):
        target.mkdir(parents=True, exist_ok=True)
        _remove(target / part.name)
        part.rename(target / part.name)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def stage_config(run: Run, stage: Stage, folder: Path, *, previous: Optional[Path], labels: List[str],
                 overlaps: str) -> Config:
    """Make the training config of a stage.

    run (Run): The training.
    stage (Stage): The stage.
    folder (Path): Its folder.
    previous (Optional[Path]): The pipeline that it goes on from.
    labels (List[str]): The labels of the whole run.
    overlaps (str): For a component that would learn it, see `find_overlaps`.
    RETURNS (Config): A config as `spacy train` takes it.
    """
    total = sum(planned.updates for planned in run.stages)
    config = read_training_config(run.config, {
        **run.overrides, **warmup_overrides(run.config, run.overrides, stage.updates), "paths.dev": str(run.dev),
        "paths.curve": str(folder / "curve.jsonl"), "run.seed": run.seed, "run.updates": stage.updates,
        "run.evaluate_every": score_every(stage.updates, run.evaluations * stage.updates / total)})
    config["corpora"]["train"]["sources"] = _source_settings(run, config, stage.sources)
    config["corpora"]["train"]["held_out"] = [str(path) for path in run.held_out]
    name = find_component(config, _FACTORIES)
    if name and run.tune == "none" and config["components"][name]["factory"] == _FACTORIES[0]:
        score_in_use(config, config["components"][name])
    if previous is not None:
        # All of them go on: an encoder of its own, to which the others listen, as well.
        config["components"] = {pipe: {"source": str(previous)} for pipe in config["nlp"]["pipeline"]}
    elif name:
        config["initialize"].setdefault("components", {})[name] = {"labels": labels}
        component = config["components"][name]
        if component["factory"] == _FACTORIES[0] and component.get("overlaps", "learn") == "learn":
            component["overlaps"] = overlaps
    return config


def join_curves(stages: Sequence[Stage], output: Path) -> List[Dict[str, Any]]:
    """Return the learning curves of all stages as one, updates and seconds counted on."""
    lines, updates, seconds = [], 0, 0.0
    for number, stage in enumerate(stages, start=1):
        of_stage = [line for _, line in read_json_lines(output / f"stage{number}" / "curve.jsonl")]
        lines += [{"stage": number, **line, "updates": line["updates"] + updates,
                   "seconds": round(line["seconds"] + seconds, 1)} for line in of_stage]
        updates += stage.updates
        seconds += of_stage[-1]["seconds"] if of_stage else 0.0
    return lines
