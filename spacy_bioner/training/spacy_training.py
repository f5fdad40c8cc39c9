"""One training by spaCy's own loop, what it was made from, and the card that says so."""

import hashlib
import json
import shutil
import sys
from collections import Counter
from importlib import metadata
from pathlib import Path
from typing import Any, Dict, Iterable, List, Mapping, Optional, Sequence

from catalogue import RegistryError
from spacy.language import Language
from spacy.training.initialize import init_nlp
from spacy.training.loop import train
from spacy.util import CONFIG_SECTION_ORDER, load_meta, load_model, registry
from thinc.api import Config, ConfigValidationError, fix_random_seed

from ..config_files import ConfigFiles, refuse_variables
from ..errors import BionerError, Errors
from ..files import write_json
from ..formats import read_annotations
from ..formats.jsonl import find_jsonl
from ..ml.listeners import encode_for
from ..settings import suggest
from .config import find_setting

_SECTIONS = ("paths", "run", "nlp.pipeline", "components", "corpora.train", "corpora.dev", "training")
_PACKAGES = ("spacy-bioner", "spacy", "thinc", "torch", "transformers")


def read_training_config(files: ConfigFiles, overrides: Mapping[str, Any]) -> Config:
    """Read a spaCy training config, variables not yet filled in.

    files (ConfigFiles): The config.
    overrides (Mapping[str, Any]): Dotted key to value.
    RETURNS (Config): The config, with a section [initialize] for the labels.
    RAISES BionerError: E001, E707 where it cannot be read or an override fits nothing, E541 where it is no training
        config, E515 for a dropout that is none, E702 for an override of [run] or [paths] that nothing reads.
    """
    plain = files.read(interpolate=False)
    for key in _SECTIONS:
        find_setting(plain, key, path=files)
    for key in overrides:
        section, _, name = key.partition(".")
        if section in ("run", "paths") and name not in plain[section]:
            known = list(plain[section])
            raise BionerError(Errors.E702.format(key=name, section=section, path=files, known=", ".join(known),
                                                 hint=suggest(name, known)))
    # In the order of spaCy, which writes such a config with the pipeline.
    config = Config(files.read(overrides, interpolate=False), section_order=CONFIG_SECTION_ORDER)
    config.setdefault("initialize", {})
    dropout = config["training"].get("dropout", 0)
    # spaCy takes any number.
    if isinstance(dropout, (int, float)) and not 0 <= dropout < 1:
        raise BionerError(Errors.E515.format(path=files, why=f"training.dropout is {dropout}, wanted: at least 0 and "
                                             "below 1"))
    return config


def warmup_overrides(files: ConfigFiles, overrides: Mapping[str, Any], updates: int) -> Dict[str, int]:
    """Say how long a training of so many updates warms up: the part of them that it is in the config.

    files (ConfigFiles): The config; its [run] has `warmup` beside `updates`, or this says nothing.
    overrides (Mapping[str, Any]): Settings of the user, who may have set it.
    updates (int): Updates of the training, or of a stage.
    RETURNS (Dict[str, int]): The override of `run.warmup`; its peak is reached within the updates.
    """
    run = find_setting(read_training_config(files, {}), "run", path=files)
    if "warmup" not in run or "run.warmup" in overrides:
        return {}
    return {"run.warmup": min(updates - 1, max(1, round(updates * run["warmup"] / run["updates"])))}


def score_every(updates: int, evaluations: float) -> int:
    """Say how many updates lie between two scorings of dev, so that the state at the end is scored too.

    A state that is not scored is never kept: the end of a training would be computed for nothing.

    updates (int): Updates of the training, or of a stage.
    evaluations (float): How often to score, about.
    RETURNS (int): The updates; a whole number of them makes the training, or nearly so where it has no such parts.
    """
    wanted = max(1, round(evaluations))
    counts = range(max(1, wanted - 1), min(wanted + 2, updates) + 1) or [updates]
    count = min(counts, key=lambda count: (updates % count, abs(count - wanted)))
    return updates // count


def run_training(config: Config, folder: Path, *, source: ConfigFiles, gpu_id: int = -1) -> None:
    """Train and write `model-best` and `model-last`.

    config (Config): A config as `spacy train` takes it.
    folder (Path): Where the two pipelines go.
    source (ConfigFiles): Where the config is from, for the error.
    gpu_id (int): The GPU, -1 for the CPU.
    RAISES BionerError: E515 where the config does not fit, or names what is not registered.
    """
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
        nlp = init_nlp(config, use_gpu=gpu_id)
        train(nlp, folder, use_gpu=gpu_id, stdout=sys.stdout, stderr=sys.stderr)
    except ValueError as error:
        # What spaCy itself finds wrong, such as an unknown factory, is a plain ValueError with a code of its own.
        if isinstance(error, (ConfigValidationError, RegistryError)) or str(error).startswith("[E"):
            raise BionerError(Errors.E515.format(path=source, why=" ".join(str(error).split()))) from None
        raise


def calibrate(folder: Path, component: str, config: Config, *, by_label: bool, **options: Any) -> Dict[str, Any]:
    """Choose temperature and thresholds of a trained component on the dev part of its config, and write them.

    folder (Path): The pipeline.
    component (str): Name of the component.
    config (Config): The training config; its `corpora.dev` is read.
    by_label (bool): Whether labels with enough mentions get a threshold of their own.
    **options (Any): Further arguments of the component's `calibrate`.
    RETURNS (Dict[str, Any]): What was chosen, and what it changed.
    """
    nlp = load_model(folder)
    fix_random_seed(0)
    reader = registry.resolve({"dev": config.interpolate()["corpora"]["dev"]})["dev"]
    examples = list(reader(nlp))
    encode_for(nlp, component, [example.predicted for example in examples])
    trained: Any = nlp.get_pipe(component)
    chosen = trained.calibrate(examples, by_label=by_label, **options)
    configured = nlp.get_pipe_config(component)
    configured.update({key: value for key, value in trained.cfg.items() if key in configured})
    # Thresholds of single labels stand in the component's `cfg` alone, which is read after the config: in that a label
    # such as umls:DISO cannot be a key.
    configured["threshold"] = chosen["threshold"]["*"]
    nlp.to_disk(folder)
    return chosen


def score_in_use(config: Config, component: Dict[str, Any]) -> None:
    """Have states compared at the thresholds in use, where no better ones are chosen for them afterwards.

    config (Config): The training config.
    component (Dict[str, Any]): The section of the component that is scored.
    """
    best, used = (f"spans_{component.get('spans_key', 'sc')}_{name}" for name in ("best_f", "f"))
    # spaCy takes the factory's own weight for one that is not there.
    weights = config["training"].setdefault("score_weights", {})
    # An instance knows the factories of all installed packages, the class only those that are imported already.
    usual = Language().get_factory_meta(component["factory"]).default_score_weights or {}
    weights[used] = weights.get(used, usual.get(used, 0.0)) + weights.get(best, usual.get(best, 0.0))
    weights[best] = 0.0
    if "doubtful_key" in component:
        component["doubtful_key"] = ""


def checksum(path: Path) -> str:
    """Return the SHA-256 of a file."""
    path = find_jsonl(path)
    if not path.is_file():
        raise BionerError(Errors.E001.format(path=path, wanted="file"))
    return hashlib.sha256(path.read_bytes()).hexdigest()


def describe_file(path: Path) -> Dict[str, str]:
    """Return the name and checksum of a file, without the folder that it happens to be in."""
    return {"file": Path(path).name, "sha256": checksum(path)}


def count_records(path: Path) -> int:
    """Return how many records a file holds, for the model card."""
    return sum(1 for _ in read_annotations(path))


def describe_annotators(path: Path) -> List[Dict[str, Any]]:
    """Say which language models labelled or wrote the records of a file.

    path (Path): Records.
    RETURNS (List[Dict[str, Any]]): model (of a folder its name), adapter (its fingerprint, None without one) and
        records of each; nothing where the records say nothing.
    """
    counts: Counter = Counter()
    for annotation in read_annotations(path):
        if annotation.meta.get("model"):
            name, adapter = str(annotation.meta["model"]), annotation.meta.get("adapter")
            counts[Path(name).name if Path(name).is_absolute() else name, adapter and str(adapter)] += 1
    return [{"model": name, "adapter": adapter, "records": count} for (name, adapter), count in counts.most_common()]


def collect_labels(paths: Iterable[Path]) -> List[str]:
    """Return the labels of all files; spaCy would look at the first hundred examples only.

    paths (Iterable[Path]): Files of records.
    RETURNS (List[str]): The labels, sorted.
    RAISES BionerError: E556 for one that the training config would take for a variable.
    """
    labels = sorted({mention.label for path in paths for annotation in read_annotations(path)
                     for mention in annotation.mentions})
    refuse_variables(labels)
    return labels


def collect_overlaps(paths: Iterable[Path]) -> str:
    """Return "flat" where no two mentions of these files overlap, else "any": what a component keeps."""
    for path in paths:
        for annotation in read_annotations(path):
            reached = -1
            for mention in sorted(annotation.mentions, key=lambda mention: mention.start):
                if mention.start < reached:
                    return "any"
                reached = max(reached, mention.end)
    return "flat"


def find_component(config: Config, factories: Iterable[str]) -> Optional[str]:
    """Return the name of the first component in the pipeline that one of these factories makes."""
    return next((name for name in config["nlp"]["pipeline"]
                 if config["components"].get(name, {}).get("factory") in factories), None)


def kept_line(curve: Sequence[Mapping[str, Any]]) -> Dict[str, Any]:
    """Return the line of a learning curve whose state spaCy keeps: of equal scores the last."""
    return dict([line for line in curve if line["best"]][-1])


def ship_best(trained: Path, output: Path, *, component: Optional[str], config: Config, tune: str, description: str,
              card: Mapping[str, Any], **options: Any) -> Dict[str, Any]:
    """Choose the thresholds of a trained pipeline, write its card, and put it in its place, whole or not at all.

    trained (Path): The best state of the training.
    output (Path): Where `model-best` goes; an older one stays until the new one is complete.
    component (Optional[str]): The component whose thresholds are chosen; None for none.
    config (Config): The training config; its dev part is read.
    tune (str): "labels", "all" (one threshold for all labels) or "none".
    description (str): One line for people.
    card (Mapping[str, Any]): Data, settings, seed and scores.
    **options (Any): Further arguments of the component's `calibrate`.
    RETURNS (Dict[str, Any]): The card, with the versions and what was chosen.
    """
    fresh, target = output / ".model-best", output / "model-best"
    _remove(fresh)
    shutil.copytree(trained, fresh)
    tuned = {}
    if component and tune != "none":
        tuned = calibrate(fresh, component, config, by_label=tune == "labels", **options)
    result = write_card(fresh, description, {**card, "tuned": tuned})
    _remove(target)
    fresh.rename(target)
    return result


def _remove(folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)


def write_card(folder: Path, description: str, card: Mapping[str, Any]) -> Dict[str, Any]:
    """Write what a pipeline was made of into its `meta.json`, where `nlp.meta` has it.

    folder (Path): A pipeline.
    description (str): One line for people.
    card (Mapping[str, Any]): Data, settings, seed and scores.
    RETURNS (Dict[str, Any]): The card, with the versions.
    """
    meta = load_meta(folder / "meta.json")
    installed = {name: metadata.version(name) for name in _PACKAGES}
    meta["spacy_bioner"] = json.loads(json.dumps({**card, "versions": installed}, default=str))
    meta["description"] = description
    write_json(folder / "meta.json", meta)
    forget_paths(folder / "config.cfg")
    return meta["spacy_bioner"]


def forget_paths(path: Path) -> None:
    """Empty the paths in the config of a pipeline: only training reads them, and they name its machine.

    path (Path): `config.cfg` of a pipeline.
    """
    config = Config().from_disk(path, interpolate=False)
    config["paths"] = dict.fromkeys(config.get("paths", {}))
    # A source stands under its name with its path; a pipeline that is used reads none.
    train = config.get("corpora", {}).get("train", {})
    for source in train.get("sources", {}).values():
        source.update({key: None for key in ("path", "doubtful") if key in source})
    if "held_out" in train:
        train["held_out"] = []
    config.to_disk(path)
