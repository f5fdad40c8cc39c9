"""What stands above the run of a workflow: the corpus and its sizes, the profile, and how long it will take."""

from pathlib import Path
from typing import Any, Callable, Dict, Iterable, List, Mapping, NamedTuple, Optional, Sequence

from ..config_files import find_config
from ..corpus.preparation import find_raw
from ..errors import BionerError, Errors
from ..formats import read_annotations
from ..formats.jsonl import find_jsonl
from ..formats.plain_text import count_plain_texts
from ..llm.settings import EMBEDDED_MODEL
from .project import read_number
from .side_by_side import Command, estimate_end

PARTS = ("train", "dev", "test", "raw")
# A sentence of an abstract, in characters, by which documents are counted as sentences.
_SENTENCE = 130
# Minutes that a command takes at least, to load libraries and models.
_LEAST = 0.2
# Of the sentences of the embedded corpus, the share with mentions.
_POSITIVE = 0.75


class Amounts(NamedTuple):
    """What the time of a run depends on.

    gold (float): Sentences of train.
    trained (float): Of these the ones that the language model is trained on.
    raw (float): Raw sentences.
    dev (float): Sentences of dev.
    test (float): Sentences of test.
    llm_epochs (float): Epochs of the language model.
    generated (float): Pairs that the generator is trained on, and sentences that it writes.
    selector_updates (float): Steps of the selector.
    epochs (float): Epochs of the span categorizer.
    """

    gold: float
    trained: float
    raw: float
    dev: float
    test: float
    llm_epochs: float
    generated: float
    selector_updates: float
    epochs: float


# Sentences that the language model annotates in a minute.
_ANNOTATED = 130
# Minutes of the commands in the quick run, two at once with one thread each, without AVX-512, and what they grow with:
# 80 gold sentences, 60 with mentions, 240 raw, 78 of dev, 213 of test, 2 and 40 epochs.
_MINUTES: Dict[str, Callable[[Amounts], float]] = {
    "select-records": lambda of: 1.2 * of.gold / 80,
    "train-annotator": lambda of: 3.5 * of.trained * of.llm_epochs / 120,
    "annotate": lambda of: of.raw / _ANNOTATED,
    "annotate-test": lambda of: of.test / _ANNOTATED,
    "train-generator": lambda of: 1 * of.generated / 52,
    "train-selector": lambda of: 1.2 * of.selector_updates / 60 + of.dev / _ANNOTATED,
    "train-gold": lambda of: 2.5 * of.gold * of.epochs / 3200,
    "train-spancat": lambda of: 2.8 * of.gold * of.epochs / 3200,
    "evaluate": lambda of: 0.4 * (of.dev + of.test) / 291,
}

# Commands that take no longer than that.
_SHORT = ("plan", "prepare", "generate-sentences", "select-spans", "package", "report", "show")


def describe_run(name: str, commands: Sequence[Command], variables: Mapping[str, Any], *, folder: Path,
                 at_once: int) -> List[str]:
    """Describe a run before it begins.

    name (str): The workflow.
    commands (Sequence[Command]): Its commands, as project.yml has them, variables filled in.
    variables (Mapping[str, Any]): All variables of the project, filled in.
    folder (Path): Folder of the project.
    at_once (int): How many commands may run at once.
    RETURNS (List[str]): Lines: what runs on what, sizes, estimated times, where the results will be.
    RAISES BionerError: E001 for a corpus that is not there, E731 for an unknown profile, E754 for what is no number.
    """
    corpus = folder / str(variables["data"]) / str(variables["corpus"])
    if not corpus.is_dir():
        raise BionerError(Errors.E001.format(path=corpus, wanted="corpus folder"))
    device = "the CPU" if read_number(variables, "gpu_id") < 0 else f"GPU {variables['gpu_id']}"
    files = {part: [find_jsonl(corpus / f"{part}.jsonl")] for part in ("train", "dev", "test")}
    files["raw"] = find_raw(folder / str(variables["data"]), str(variables["corpus"]), str(variables["raw"]),
                            str(variables["lang"]))
    files = {part: paths for part, paths in files.items() if paths and all(path.exists() for path in paths)}
    records = {part: sum(map(count_plain_texts, paths)) for part, paths in files.items()}
    sizes = ", ".join(f"{part} {records[part]}" if part in records else f"no {part}" for part in PARTS)
    limits = ", ".join(f"{name} {variables[name]}" for name in ("gold_limit", "raw_limit", "dev_limit", "test_limit")
                       if read_number(variables, name))
    return [f"{name}: corpus {variables['corpus']} ({variables['lang']}), profile {variables['profile']}, random seed "
            f"{variables['seed']}, on {device}",
            f"records: {sizes}" + (f"; sentences at most: {limits}" if limits else ""),
            *([] if "raw" in files else ["without raw text only dev and test are annotated, and train where gold_limit "
                                         "leaves some of it"]),
            _describe_times(commands, estimate_minutes([command["name"] for command in commands], variables, files,
                                                       folder=folder), at_once),
            f"results: {', '.join(_find_results(path for command in commands for path in command.get('outputs', [])))}"]


def _find_results(outputs: Iterable[str]) -> List[str]:
    """Return the folders below metrics and packages that outputs are in."""
    found = (Path(path).parts[:2] for path in outputs)
    return sorted({"/".join(parts) for parts in found if parts[0] in ("metrics", "packages")})


def estimate_minutes(steps: Sequence[str], variables: Mapping[str, Any], files: Mapping[str, List[Path]], *,
                     folder: Path) -> Optional[Dict[str, float]]:
    """Estimate how long each command takes on two cores of a CPU.

    steps (Sequence[str]): The commands.
    variables (Mapping[str, Any]): All variables of the project.
    files (Mapping[str, List[Path]]): The files of each part of the corpus.
    folder (Path): Folder of the project, with its configs.
    RETURNS (Optional[Dict[str, float]]): Command to minutes; None for a GPU, for other models
        than the embedded one and for other commands, which were not measured.
    """
    profile = f"{variables['profile']},{variables['lang']}"
    configs = {task: find_config(task, folder / "configs" / f"{task}.cfg", profile).read(interpolate=False)
               for task in ("select_data", "finetune", "generate", "selector", "spancat")}
    finetune = configs["finetune"]["finetune"]
    unknown = set(steps) - {*_MINUTES, *_SHORT}
    if unknown or read_number(variables, "gpu_id") >= 0 or finetune["model"] != EMBEDDED_MODEL:
        return None
    sentences = {part: sum(map(_count_sentences, files.get(part, ()))) for part in PARTS}
    gold = _limit(sentences["train"], variables, "gold_limit")
    raw = _limit(sentences["raw"] + sentences["train"] - gold, variables, "raw_limit")
    training, generator = finetune["training"], configs["generate"]["train"]
    llm_epochs = read_number(variables, "llm_epochs", whole=False) or float(training["max_epochs"])
    if int(training["max_steps"]):
        llm_epochs = min(llm_epochs, int(training["max_steps"]) * int(training["batch_size"]) / max(gold, 1))
    epochs = read_number(variables, "epochs", whole=False)
    updates = float(configs["spancat"]["run"]["updates"])
    amounts = Amounts(
        gold=gold, trained=gold * (1 if configs["select_data"]["select_data"]["negatives"] else _POSITIVE),
        raw=raw, dev=_limit(sentences["dev"], variables, "dev_limit"),
        test=_limit(sentences["test"], variables, "test_limit"), llm_epochs=llm_epochs,
        generated=sum(map(float, (generator["raw_pairs"], generator["gold_pairs"],
                                  configs["generate"]["synthesize"]["n"]))),
        selector_updates=float(configs["selector"]["run"]["updates"]),
        # A step sees about eight sentences.
        epochs=epochs or updates * 8 / max(gold, 1))
    return {step: max(_LEAST, _MINUTES[step](amounts) if step in _MINUTES else 0) for step in steps if step != "plan"}


def _describe_times(commands: Sequence[Command], minutes: Optional[Mapping[str, float]], at_once: int) -> str:
    if minutes is None:
        return "time: no estimate; there is one for the workflow all with the embedded model on a CPU"
    parts = [f"{step} {round(count)}" for step, count in minutes.items() if count >= 1]
    total = estimate_end(commands, minutes, at_once)
    each = f" ({', '.join(parts)})" if parts else ""
    how = f"{at_once} commands at once" if at_once > 1 else "one command after the other"
    return (f"time: about {max(1, round(total))} minutes{each}, {how}, estimated for two CPU cores without AVX-512; "
            "with its bfloat16 instructions a third of that was measured")


def _limit(count: float, variables: Mapping[str, Any], name: str) -> float:
    limit = read_number(variables, name)
    return min(count, limit) if limit else count


def _count_sentences(path: Path) -> float:
    """Count about how many sentences the texts of a file or folder have."""
    return sum(max(1.0, len(record.text) / _SENTENCE) for record in read_annotations(path, raw=True))
