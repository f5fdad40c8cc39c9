"""Trains a selector through spaCy's own training and chooses its threshold on the dev part."""

import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Tuple

from ...config_files import ConfigFiles
from ...errors import BionerError, Errors, Warnings
from ...files import read_json_lines, write_json
from ...formats.jsonl import read_jsonl
from ..head_start_check import check_starts
from ..spacy_training import (
    collect_labels,
    count_records,
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
from ..stages import open_folder
from .negatives import pair_predictions

logger = logging.getLogger(__name__)

_READER = "spacy-bioner.SelectorCorpus.v1"
# Right ones and wrong ones among the annotator's candidates of dev: with fewer a threshold says nothing.
LEAST_OF_EACH = 10


@dataclass(frozen=True)
class SelectorRun:
    """A training of a selector.

    config (ConfigFiles): spaCy training config with the sections [paths] and [run].
    gold (Path): Gold records, split train.
    dev (Path): Gold records of the dev part.
    predicted (Optional[Path]): What the annotator found in the gold texts, trained on other folds.
    dev_predicted (Optional[Path]): What it found in the dev texts: then the threshold fits its mistakes, where there
        are enough of them; else candidates made from dev stand beside them, as they do in training.
    seed (int): Seed of weights, candidates and order.
    updates (int): Updates of the weights.
    evaluations (int): How often the dev part is scored, about.
    tune (str): Thresholds chosen on dev: "labels", "all" (one for all labels) or "none".
    overrides (Mapping[str, Any]): Further settings of the config, by dotted key.
    recall_loss (Optional[float]): Points of recall that thresholds may cost on dev; None for the best F1.
    labels (Tuple[str, ...]): Labels that candidates may have beside those of gold and dev.
    definitions (Mapping[str, str]): Label to definition, for a model that reads them and has none in its config.
    held_out (Tuple[Path, ...]): Records of dev and test parts that gold may not share a sentence with.
    """

    config: ConfigFiles
    gold: Path
    dev: Path
    predicted: Optional[Path]
    dev_predicted: Optional[Path]
    seed: int
    updates: int
    evaluations: int
    tune: str
    overrides: Mapping[str, Any]
    recall_loss: Optional[float] = None
    labels: Tuple[str, ...] = ()
    definitions: Mapping[str, str] = field(default_factory=dict)
    held_out: Tuple[Path, ...] = ()


def run_selector(run: SelectorRun, output: Path, *, gpu_id: int = -1, overwrite: bool = False) -> Dict[str, Any]:
    """Train a selector; one that is there already, from the same data and settings, is taken as it is.

    run (SelectorRun): What is trained on what.
    output (Path): Folder for `curve.jsonl`, `run.json` and the pipeline `model-best`.
    gpu_id (int): The GPU, -1 for the CPU.
    overwrite (bool): Whether what the folder holds of another training is removed.
    RETURNS (Dict[str, Any]): The model card of the pipeline.
    RAISES BionerError: E009 for gold of another split, E514, E515, E518 where there is nothing to learn, E535 for
        recorded candidates of an unknown label, E572 for a head start that was trained on these texts.
    """
    files = {name: path for name, path in (("gold", run.gold), ("dev", run.dev), ("predicted", run.predicted),
                                           ("dev_predicted", run.dev_predicted)) if path is not None}
    card = {**{name: describe_file(path) for name, path in files.items()}, "seed": run.seed, "updates": run.updates,
            "evaluations": run.evaluations, "tune": run.tune, "overrides": dict(run.overrides),
            "labels": list(run.labels), "definitions": dict(run.definitions),
            "held_out": [describe_file(path) for path in run.held_out],
            "config": run.config.describe(),
            **({} if run.recall_loss is None else {"recall_loss": run.recall_loss}),
            **check_starts(read_training_config(run.config, run.overrides), [run.gold, run.dev, *run.held_out])}
    only_predicted = _suffices(run)
    with open_folder(output, card, overwrite=overwrite):
        config = read_training_config(run.config, {
            **run.overrides, **warmup_overrides(run.config, run.overrides, run.updates),
            **{f"paths.{name}": str(path) for name, path in files.items()},
            "paths.curve": str(output / "curve.jsonl"), "run.seed": run.seed, "run.updates": run.updates,
            "run.evaluate_every": score_every(run.updates, run.evaluations),
            "run.only_predicted": only_predicted})
        name = find_component(config, ["span_selector"])
        if name is None:
            raise BionerError(Errors.E515.format(path=run.config, why="its pipeline has no span_selector"))
        labels = _find_labels(run)
        config["initialize"].setdefault("components", {})[name] = {"labels": labels}
        config["corpora"]["train"]["held_out"] = [str(path) for path in run.held_out]
        for reader in (config["corpora"]["train"], config["corpora"]["dev"]):
            # A label that gold happens to lack is trained on as a wrong one of its mentions.
            if reader.get("@readers") == _READER and not reader.get("labels"):
                reader["labels"] = labels
        model = config["components"][name].get("model", {})
        if run.definitions and model.get("definitions") == {}:
            # In a config a label such as umls:DISO cannot be a key.
            model["definitions"] = [list(pair) for pair in run.definitions.items()]
        if run.tune == "none":
            score_in_use(config, config["components"][name])
        stage = output / "stage1"
        if not (stage / "done.json").is_file():
            run_training(config, stage, source=run.config, gpu_id=gpu_id)
            write_json(stage / "done.json", {"updates": run.updates})
        return _finish(run, output, {**card, "dev_candidates": "annotator" if only_predicted else "made"}, config, name)


def _suffices(run: SelectorRun) -> bool:
    """Return whether what the annotator found in dev can be all that thresholds are fitted to."""
    if run.dev_predicted is None:
        return False
    predicted = {record.id: record for record in read_jsonl(run.dev_predicted)}
    right = wrong = 0
    for annotation, found in pair_predictions(read_jsonl(run.dev), predicted):
        hits = len({mention.key for mention in annotation.mentions} & {mention.key for mention in found})
        right, wrong = right + hits, wrong + len(found) - hits
    if min(right, wrong) < LEAST_OF_EACH:
        logger.warning(Warnings.W501.format(path=run.dev_predicted, right=right, wrong=wrong, least=LEAST_OF_EACH))
    return min(right, wrong) >= LEAST_OF_EACH


def _find_labels(run: SelectorRun) -> List[str]:
    """Return the labels of gold and dev, and of the schema: a label that gold happens to lack may come up
    among the candidates all the same. RAISES BionerError: E535 for recorded candidates with yet another label."""
    labels = sorted({*collect_labels([run.gold, run.dev]), *run.labels})
    for path in filter(None, (run.predicted, run.dev_predicted)):
        unknown = sorted(set(collect_labels([path])) - set(labels))
        if unknown:
            raise BionerError(Errors.E535.format(path=path, label=unknown[0], known=", ".join(labels)))
    return labels


def _finish(run: SelectorRun, output: Path, card: Dict[str, Any], config: Any, name: str) -> Dict[str, Any]:
    best = kept_line([line for _, line in read_json_lines(output / "curve.jsonl")])
    return ship_best(output / "stage1" / "model-best", output, component=name, config=config, tune=run.tune,
                     description="Keeps the candidates of an annotator that are likely right.",
                     card={**card, "gold": {**card["gold"], "records": count_records(run.gold)}, "best": best},
                     recall_loss=run.recall_loss)
