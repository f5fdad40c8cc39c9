"""The verb train annotator: gold records in, a LoRA adapter with its card out."""

import logging
import sys
from pathlib import Path
from typing import Any, List, Mapping, Optional, Sequence, Tuple

import typer

from ...config_files import find_config
from ...errors import BionerError, Errors
from ...finetuning.settings import FinetuneSettings
from ...llm.local.model_source import LABEL_SETS_ADAPTER, find_adapter
from ...llm.settings import EMBEDDED_MODEL
from .._shared.outputs import say_next
from .._shared.schema import Schema, read_schema
from .._shared.settings import CONFIG, PROFILE, add_options, load_settings, read_overrides

# Names the adapter that comes with this package.
PACKAGED = "packaged"


def train_annotator_cli(
    ctx: typer.Context,
    gold: Path = typer.Argument(..., metavar="GOLD", help="Gold records of the train split (.jsonl, .jsonl.gz)."),
    output: Path = typer.Argument(..., metavar="OUT", help="Folder of the adapter: weights, bioner.json (what it was "
                                                           "trained for), losses.jsonl, loss.svg, training.json."),
    config: Optional[Path] = CONFIG,
    profile: Optional[str] = PROFILE,
    labels: Path = typer.Option(..., help="Label schema (YAML)."),
    dev: Optional[Path] = typer.Option(None, help="Gold records of dev: their F1 chooses the weights that are kept."),
    held_out: List[Path] = typer.Option([], help="Further records whose sentences may not be used: test. "
                                                 "Can be repeated."),
    add: List[str] = typer.Option([], help="Another corpus to train on jointly, as GOLD=SCHEMA; can be repeated."),
    epochs: int = typer.Option(0, min=0, help="Times that each record is seen; 0 takes the number in the config."),
    seed: Optional[int] = typer.Option(None, min=0, help="Random seed of weights and order; default: as the config "
                                                              "says."),
    gpu_id: int = typer.Option(-1, "--gpu-id", "-g", min=-1, help="GPU ID or -1 for CPU."),
    overwrite: bool = typer.Option(False, "--overwrite", help="Remove what OUT holds of another training."),
) -> None:
    """Fine-tune a language model to annotate, by a LoRA adapter.

    Checkpoints are kept beside OUT until it is done. After an interruption, the same command resumes.

    Example: spacy-bioner train annotator train.jsonl adapter --labels labels.yml --dev dev.jsonl

    Writes the folder OUT: weights, card, losses and settings.
    """
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    overrides = add_options(read_overrides(ctx.args), {"finetune.training.max_epochs": epochs or None,
                                                       "finetune.training.seed": seed})
    settings = load_settings(find_config("finetune", config, profile), "finetune", FinetuneSettings, overrides)
    result = finetune(gold, output, settings, schema=read_schema(labels), dev=dev, held_out=held_out,
                      added=[parse_corpus(value) for value in add], gpu_id=gpu_id, overwrite=overwrite)
    scored = "" if result.score is None else f", F1 {result.score:.4f} on dev after step {result.best_updates}"
    held = "" if result.gpu_gib is None else f", {result.gpu_gib:.1f} GiB of GPU memory at most"
    print(f"{result.updates} steps, {result.tokens} tokens in {result.seconds:.0f} s ({result.speed:.0f} tokens/s "
          f"without dev){held}{scored} -> {output}", file=sys.stderr)
    say_next(f"annotate TEXTS OUT --annotate.adapter {output}")


def parse_corpus(value: str) -> Tuple[Path, Path]:
    """Return records and schema of GOLD=SCHEMA; raises BionerError E307 for anything else."""
    gold, _, schema = value.partition("=")
    if not gold or not schema:
        raise BionerError(Errors.E307.format(value=value))
    return Path(gold), Path(schema)


def finetune(gold: Path, output: Path, settings: FinetuneSettings, *, schema: Schema, dev: Optional[Path] = None,
             held_out: Sequence[Path] = (), added: Sequence[Tuple[Path, Path]] = (), gpu_id: int = -1,
             overwrite: bool = False) -> Any:
    """Fine-tune a model and write its adapter.

    gold (Path): Gold records of the train split.
    output (Path): Folder of the adapter.
    settings (FinetuneSettings): The section [finetune].
    schema (Schema): Labels, corpus and language.
    dev (Optional[Path]): Gold records of dev.
    held_out (Sequence[Path]): Further records whose sentences may not be trained on.
    added (Sequence[Tuple[Path, Path]]): Records and schema of corpora that are trained on jointly.
    gpu_id (int): GPU, or -1 for the CPU.
    overwrite (bool): Whether the adapter of another training is replaced.
    RETURNS (Training): How it went.
    """
    from ...finetuning import annotator_training
    from ...finetuning.lora.checkpoints import check_output
    from ...finetuning.lora.processes import Processes
    from ...finetuning.records import read_corpus, read_dev
    from ...llm.adapter import AdapterCard
    from ...training.training_texts import TrainingTexts
    from .._shared.console.progress_bar import show_progress

    check_output(output)
    start = find_start(settings)
    # An adapter of one's own may be trained on with the gold that it has seen.
    apart = [*([gold] if settings.start_from == PACKAGED else []), *([dev] if dev else []), *held_out]
    seen = check_adapter(start, apart) if start else None
    scored = read_dev(dev, labels=schema.labels, lang=schema.lang, unit=settings.unit) if dev else []
    corpora = [read_corpus(path, labels=item.labels, name=item.corpus, lang=item.lang, unit=settings.unit,
                           held_out=[*([dev] if dev else []), *held_out])
               for path, item in [(gold, schema), *((path, read_schema(other)) for path, other in added)]]
    keys = ("template", "instruction", "chat", "loss")
    asked = 1 if settings.instruction == "each" else max(len(corpus.labels) for corpus in corpora)
    begun = AdapterCard.read(start).codec if start else None
    task = annotator_training.Task(codec=settings.make_codec(asked, begun=begun),
                                   **{key: getattr(settings, key) for key in keys})
    # Only then the model, whose loading takes long: a setting that cannot be is told before.
    processes = Processes()
    lm = settings.load(gpu_id, device=None if processes.count == 1 else processes.device,
                       for_training=True)
    with show_progress("steps") as advance:
        result = annotator_training.finetune(
            corpora, output, lm=lm, task=task, lora=settings.lora, training=settings.training, dev=scored,
            dev_limit=settings.dev_limit, dev_batch_tokens=settings.dev_batch_tokens,
            progress=lambda row: _show(advance, row), processes=processes, start=start, overwrite=overwrite)
    if processes.is_main:
        TrainingTexts.read([gold, *(path for path, _ in added)], more=seen).write(result.folder)
    return result


def check_adapter(folder: Path, files: Sequence[Path]) -> Any:
    """Return the hashes of the texts that an adapter was trained on, None where it tells of none.

    folder (Path): The adapter.
    files (Sequence[Path]): Records that may not be among them.
    RETURNS (Optional[TrainingTexts]): The hashes.
    RAISES BionerError: E572 for a file with a text of its training.
    """
    from ...training.head_start_check import read_texts, refuse_seen
    from ...training.training_texts import FILE

    if not (folder / FILE).is_file():
        return None
    texts = read_texts(folder)
    for path in files:
        refuse_seen(path, texts, folder)
    return texts


def find_start(settings: FinetuneSettings) -> Optional[Path]:
    """Return the folder of the adapter that training begins with; None for fresh weights. RAISES
    BionerError: E221 where there is none, E312 where this package has none for the model."""
    if settings.start_from is None:
        return None
    if settings.start_from != PACKAGED:
        return find_adapter(settings.model, settings.start_from)
    if settings.model != EMBEDDED_MODEL:
        raise BionerError(Errors.E312.format(model=settings.model, wanted=EMBEDDED_MODEL))
    return LABEL_SETS_ADAPTER


def _show(advance: Any, row: Mapping[str, float]) -> None:
    speed = row["tokens"] / max(row["seconds"], 1e-9)
    advance(completed=row["update"], total=row["planned"], note=f"loss {row['loss']:.3f}, {speed:.0f} tokens/s")
