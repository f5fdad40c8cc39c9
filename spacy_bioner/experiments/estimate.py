"""What an experiment will take on a GPU: memory and hours, estimated from its configs, models and corpora.

Calibrated on one H200 (docs/results/gpu.md): LoRA and QLoRA training of the shape of Qwen3-8B, scoring and annotation
with SmolLM2. Other models and verbs were not compared; on another GPU the time scales with its speed in bfloat16.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, Iterable, List, Optional

from ..config_files import find_config
from ..llm.local.passes.batch_sizes import batch_sizes
from .amounts import Amount, Amounts, CommandLine
from .model_shapes import Shape, find_shape
from .steps import Plan, Step

# Measured: floating-point operations a second, and seconds of a decoding step of a full batch.
_OPERATIONS = 1.5e14
_DECODING_STEP = 0.04
_DECODED_TOGETHER = 128
# Seconds until a process has loaded its libraries and a billion weights.
_START, _LOAD = 20.0, 4.0
# Tokens of an instruction, and of a response.
_PROMPT, _RESPONSE = 120, 40
_WORDS_TO_TOKENS = 1.4
_GIB = 2**30
_CHECKPOINTED, _KEPT = 2, 34  # bytes of activations of a layer for each unit of its width
_FORWARD, _TRAINED, _TRAINED_TWICE = 2, 6, 8  # operations for each weight and token
# The task whose config names the model of a verb, and the keys that lead to it.
_MODELS = {
    "train annotator": ("finetune", ("finetune", "model")), "train generator": ("generate", ("train", "model")),
    "select records": ("select_data", ("select_data", "model")), "annotate": ("annotate", ("annotate", "model")),
    "generate sentences": ("generate", ("synthesize", "model")),
    "generate variants": ("generate", ("synthesize", "model")),
    "train spancat": ("spancat", ("components", "bioner_spancat", "model", "tok2vec", "name")),
    "train selector": ("selector", ("components", "span_selector", "model")),
}


@dataclass(frozen=True)
class Cost:
    """What a step takes.

    seconds (float): Its time.
    memory (float): Most bytes on the GPU at a time.
    """

    seconds: float
    memory: float


@dataclass(frozen=True)
class Estimate:
    """What a plan takes.

    hours (float): All steps, one after the other.
    gibibytes (float): Of the step that needs most memory.
    largest (str): Name of that step.
    by_kind (Dict[str, float]): Kind of step to hours.
    unknown (List[str]): Steps of which nothing can be told: their model or their records are not known.
    """

    hours: float
    gibibytes: float
    largest: str
    by_kind: Dict[str, float]
    unknown: List[str]


def estimate_plan(plan: Plan, *, left: Optional[Iterable[Step]] = None) -> Estimate:
    """Estimate memory and time of the steps of a plan.

    plan (Plan): The steps.
    left (Optional[Iterable[Step]]): Those that are still to be run; None for all.
    RETURNS (Estimate): The estimate.
    """
    amounts, costs, unknown = Amounts(plan), {}, []
    for step in plan.steps if left is None else left:
        cost = estimate_step(step, plan, amounts)
        if cost is None:
            unknown.append(step.name)
        else:
            costs[step] = cost
    by_kind: Dict[str, float] = {}
    for step, cost in costs.items():
        by_kind[step.kind or step.verb] = by_kind.get(step.kind or step.verb, 0.0) + cost.seconds / 3600
    largest = max(costs, key=lambda step: costs[step].memory, default=None)
    return Estimate(sum(by_kind.values()), costs[largest].memory / _GIB if largest else 0.0,
                    largest.name if largest else "", by_kind, unknown)


def estimate_step(step: Step, plan: Plan, amounts: Amounts) -> Optional[Cost]:
    """Estimate a step.

    step (Step): The step.
    plan (Plan): Says what makes its files.
    amounts (Amounts): Says what they hold.
    RETURNS (Optional[Cost]): None where its model or its records are not known.
    """
    command = CommandLine(step)
    pipeline = command.options.get("pipeline") or command.options.get("selector")
    if command.verb not in _MODELS and pipeline is None or "lsms" in command.options.get("method", ""):
        return Cost(_START, 0)
    if pipeline is not None:
        trained = plan.maker(Path(pipeline))
        shape = find_model(CommandLine(trained)) if trained is not None else find_shape(pipeline)
        read = amounts.of(Path(command.files[0]))
        if shape is None or read is None:
            return None
        work = _FORWARD * shape.parameters * read.tokens * _WORDS_TO_TOKENS / _OPERATIONS
        return Cost(_START + work, 4 * shape.parameters + 2 * _GIB)
    made_with = command.options.get("annotate.adapter") or command.options.get("generator")
    trained = plan.maker(Path(made_with)) if made_with else None
    shape = find_model(CommandLine(trained)) if trained is not None else find_model(command)
    if shape is None:
        return None
    if command.verb in ("train spancat", "train selector"):
        return _train_encoder(command, shape, amounts)
    if command.verb.startswith("train"):
        return _train_lora(command, shape, amounts)
    return _run_model(command, shape, amounts)


def read_settings(command: CommandLine) -> Any:
    """Read the config of a step: base, profiles and overrides."""
    task, _ = _MODELS[command.verb]
    given = command.options.get("config")
    files = find_config(task, Path(given) if given else None, command.options.get("profile"))
    known = files.read(interpolate=False)
    # The command line overrides parts of other tasks too, and those of single sources.
    overrides = {key: value for key, value in command.settings().items()
                 if key.split(".")[0] in known and not key.startswith("corpora.train.sources")}
    return files.read(overrides, interpolate=False)


def find_model(command: CommandLine) -> Optional[Shape]:
    """Return the size of the model that a verb trains or asks."""
    if command.verb not in _MODELS:
        return None
    found = read_settings(command)
    for key in _MODELS[command.verb][1]:
        found = found.get(key, {}) if isinstance(found, dict) else {}
    if isinstance(found, dict):  # a selector: of the encoder of texts, or the model itself
        found = found.get("name") or found.get("tok2vec", {}).get("name", "")
    return find_shape(str(found))


def weight_bytes(shape: Shape, quantize: Optional[str]) -> float:
    """Return the bytes of frozen weights: in bfloat16, or layers in four bits and embeddings in bfloat16."""
    embeddings = min(shape.parameters, 2.0 * shape.vocabulary * shape.hidden)
    return 2 * shape.parameters if not quantize else 0.55 * (shape.parameters - embeddings) + 2 * embeddings


def _train_lora(command: CommandLine, shape: Shape, amounts: Amounts) -> Optional[Cost]:
    content = read_settings(command)
    settings = content["finetune"] if command.verb == "train annotator" else content["train"]
    training, lora = settings["training"], settings["lora"]
    if command.verb == "train generator":
        count = settings["raw_pairs"] + settings["gold_pairs"]
        pairs: Optional[Amount] = Amount(count, _RESPONSE * count)
    else:
        pairs = amounts.total([command.files[0], *command.added])
    if pairs is None or not pairs.records:
        return None
    used = pairs.times(float(command.options.get("epochs") or training["max_epochs"]))
    used = used.at_most(training["max_steps"] * training["batch_size"])
    tokens = used.tokens + used.records * (_PROMPT + _RESPONSE)
    twice = bool(training["gradient_checkpointing"])
    seconds = (_TRAINED_TWICE if twice else _TRAINED) * shape.parameters * tokens / _OPERATIONS
    held = training["max_batch_tokens"] or batch_sizes("cuda").training_pass
    trained = 18 * shape.hidden * shape.layers * lora["r"]
    activations = held * shape.layers * shape.hidden * (_CHECKPOINTED if twice else _KEPT)
    return Cost(_start(shape) + seconds, weight_bytes(shape, settings["quantize"]) + 16 * trained + activations
                + 10.0 * held * shape.vocabulary)


def _train_encoder(command: CommandLine, shape: Shape, amounts: Amounts) -> Optional[Cost]:
    content = read_settings(command)
    batch = content["training"]["batcher"].get("size", 1000)
    epochs = command.options.get("stage-epochs") or command.options.get("epochs")
    if epochs:
        files = [path for path in (command.files[0], command.options.get("synthetic")) if path and path != "-"]
        read = amounts.total(files)
        if read is None:
            return None
        words = sum(map(float, epochs.split(","))) * read.tokens
    else:
        words = (command.number("updates") or content["run"]["updates"]) * batch
    trained = shape.parameters if not content["components"].get("span_selector", {}).get("model", {}).get(
        "lora_rank") else 0.01 * shape.parameters
    seconds = _TRAINED * shape.parameters * words * _WORDS_TO_TOKENS / (_OPERATIONS / 4)
    activations = batch * _WORDS_TO_TOKENS * shape.layers * shape.hidden * _KEPT
    return Cost(_start(shape) + seconds, 4 * shape.parameters + 12 * trained + activations + 2 * _GIB)


def _run_model(command: CommandLine, shape: Shape, amounts: Amounts) -> Optional[Cost]:
    content = read_settings(command)
    task, (section, _) = _MODELS[command.verb][0], _MODELS[command.verb][1]
    settings = content[section]
    if command.verb == "generate sentences":
        count = command.number("n") or settings["n"]
        asked: Optional[Amount] = Amount(count, 0)
    else:
        asked = amounts.of(Path(command.files[0]))
    if asked is None:
        return None
    if command.verb == "generate variants":
        asked = asked.times(command.number("augment.copies", content["augment"]["copies"]))
    tokens = asked.tokens + asked.records * _PROMPT
    scored = task == "select_data"
    seconds = (2 if scored else 1) * _FORWARD * shape.parameters * tokens / _OPERATIONS
    if not scored:
        seconds += asked.records * _RESPONSE * _DECODING_STEP / _DECODED_TOGETHER
    sizes = batch_sizes("cuda")
    held = settings.get("max_batch_tokens") or (sizes.training_pass if scored else sizes.batch)
    kept = held * shape.layers * shape.hidden if not scored else 10.0 * held * shape.vocabulary
    return Cost(_start(shape) + seconds, weight_bytes(shape, settings.get("quantize")) + kept)


def _start(shape: Shape) -> float:
    return _START + _LOAD * shape.parameters / 1e9
