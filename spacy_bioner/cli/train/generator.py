"""The verb train generator: a language model learns to write sentences from seeds."""

import logging
import sys
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable, Dict, List, Mapping, Optional, Sequence

import typer

from ...config_files import find_config
from ...errors import BionerError, Errors
from ...synthesis.settings import GeneratorSettings, PromptSettings
from .._shared.console.progress_bar import show_progress
from .._shared.schema import Schema, read_schema
from .._shared.settings import CONFIG, PROFILE, add_options, load_settings, read_overrides

if TYPE_CHECKING:
    from ...annotation import Annotation
    from ...corpus.leakage import KnownTexts

NO_RAW = Path("-")


def prompt_options(settings: PromptSettings, schema: Schema, raw: Sequence[str]) -> Dict[str, Any]:
    """Say how sentences of a schema are asked for.

    settings (PromptSettings): The section [prompt].
    schema (Schema): Labels, language and domain.
    raw (Sequence[str]): Raw sentences, of which the first show the style.
    RETURNS (Dict[str, Any]): Keys of `synthesis.writer_assembly.WriterSettings`.
    """
    return {**settings.values(), "labels": schema.labels, "lang": schema.lang,
            "domain": settings.domain or schema.domain, "style_examples": tuple(raw[:settings.style_examples])}


def train_generator_cli(
    ctx: typer.Context,
    raw: Path = typer.Argument(..., metavar="RAW", help="Raw sentences (.jsonl); their labels, if any, are not used. "
                                                        "A minus stands for none: gold alone is trained on."),
    output: Path = typer.Argument(..., metavar="OUT", help="Folder of the adapter."),
    labels: Path = typer.Option(..., help="Label schema (YAML)."),
    gold: Optional[Path] = typer.Option(None, help="Gold sentences of train, as further pairs."),
    held_out: List[Path] = typer.Option([], help="Records of dev and test: raw text that stands there is left out, and "
                                                 "must not be among gold."),
    any_split: bool = typer.Option(False, "--any-split", help="Take raw records of dev and test too."),
    config: Optional[Path] = CONFIG,
    profile: Optional[str] = PROFILE,
    seed: Optional[int] = typer.Option(None, min=0, help="Random seed of pairs, weights and order; default: as the "
                                                              "config says."),
    gpu_id: int = typer.Option(-1, "--gpu-id", "-g", min=-1, help="GPU, -1 for the CPU."),
    overwrite: bool = typer.Option(False, "--overwrite", help="Remove what OUT holds of another training."),
) -> None:
    """Fine-tune a language model, by LoRA, to write sentences that hold given entities in tags.

    It trains on raw and gold sentences; those of --held-out are left out.

    Example: spacy-bioner train generator raw.jsonl generator --gold train.jsonl --labels labels.yml

    Writes the folder OUT: weights, card and losses.
    """
    from ...corpus.leakage import KnownTexts, refuse_known
    from ...formats.jsonl import read_jsonl
    from ...synthesis.checking.language import read_stop_words
    from ...synthesis.generator_training import choose_pairs, train_generator
    from ...synthesis.held_out import refuse_other_splits

    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    overrides = add_options(read_overrides(ctx.args), {"train.seed": seed})
    files = find_config("generate", config, profile)
    settings = load_settings(files, "train", GeneratorSettings, overrides)
    schema = read_schema(labels)
    known = KnownTexts(held_out, read_jsonl)
    raw_sentences = read_raw(raw, known, any_split=any_split) if raw != NO_RAW else []
    gold_sentences = list(refuse_known(refuse_other_splits(read_jsonl(gold)), known)) if gold else []
    pairs = choose_pairs(raw_sentences, gold_sentences, raw_pairs=settings.raw_pairs, gold_pairs=settings.gold_pairs,
                         stop_words=read_stop_words(schema.lang), max_seeds=settings.max_seeds, seed=settings.seed)
    print(f"{len(pairs)} pairs of seeds and sentence", file=sys.stderr)
    prompt = make_prompt(load_settings(files, "prompt", PromptSettings, overrides), schema,
                         [sentence.text for sentence in raw_sentences or gold_sentences])
    with show_progress("steps") as advance:
        training = train_generator(pairs, prompt, lm=settings.load(gpu_id, for_training=True), output=output,
                                   lora=settings.lora, training=settings.training_settings(),
                                   versions=package_versions(), lang=schema.lang,
                                   progress=lambda row: show_update(advance, row),
                                   overwrite=overwrite)
    print(f"{training.updates} steps, {training.tokens / max(training.seconds, 1e-9):.0f} tokens/s -> {output}",
          file=sys.stderr)


def read_raw(path: Path, known: "KnownTexts", *, any_split: bool = False) -> List["Annotation"]:
    """Read raw text to train on.

    path (Path): Raw records.
    known (KnownTexts): The records that are held out; text that stands there is left out, and said how much.
    any_split (bool): Whether records of dev and test may be among them.
    RETURNS (List[Annotation]): The texts, without labels.
    RAISES BionerError: E418 for a record of dev or test.
    """
    from ...formats.jsonl import read_jsonl
    from ...synthesis.held_out import refuse_tested

    records = read_jsonl(path, raw=True)
    found = list(records if any_split else refuse_tested(records, unless=", or take it so with --any-split"))
    kept = [sentence.with_mentions(()) for sentence in found if known.find(sentence) is None]
    if len(kept) < len(found):
        print(f"{len(found) - len(kept)} of {len(found)} raw sentences left out: they stand in held-out text",
              file=sys.stderr)
    return kept


def show_update(advance: Callable[..., None], row: Mapping[str, float]) -> None:
    """Show an update on the bar, with the time that is left."""
    speed = row["tokens"] / max(row["seconds"], 1e-9)
    advance(completed=row["update"], total=row["planned"], note=f"loss {row['loss']:.3f}, {speed:.0f} tokens/s")


def make_prompt(settings: PromptSettings, schema: Schema, raw: List[str]) -> Any:
    """Return the prompt of the generator; style examples are the first raw sentences."""
    from ...synthesis.writer_assembly import WriterSettings, make_seed_prompt

    if settings.style_examples and not raw:
        raise BionerError(Errors.E417.format(count=settings.style_examples))
    return make_seed_prompt(None, WriterSettings(**prompt_options(settings, schema, raw)))


def package_versions() -> Dict[str, str]:
    """Return versions of the packages that a training depends on."""
    return {name: metadata.version(name) for name in ("spacy-bioner", "torch", "transformers", "peft")}
