"""The verb teach-generator: a language model learns to write sentences from seeds."""

import sys
from importlib import metadata
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence

import typer
from pydantic import Field

from ..errors import BionerError, Errors
from .local_model import LocalModelSettings
from .schema import Schema, read_schema
from .settings import Settings, load_settings, read_overrides

DEFAULT_CONFIG = Path("configs/embedded/synthesize.cfg")
DEFAULT_DOMAIN = "biomedicine"


class PromptSettings(Settings):
    """Section [prompt]; `configs/embedded/synthesize.cfg` says what each key means."""

    template: Optional[str] = None
    variant: str = "simple"
    domain: Optional[str] = None
    genre: str = "an abstract"
    style_examples: int = 0

    def options(self, schema: Schema, raw: Sequence[str]) -> Dict[str, Any]:
        """Say how sentences of a schema are asked for.

        schema (Schema): Labels, language and domain.
        raw (Sequence[str]): Raw sentences, of which the first show the style.
        RETURNS (Dict[str, Any]): Keys of `synthesis.setup.WriterSettings`.
        """
        return {"labels": schema.labels, "lang": schema.lang, "template": self.template, "variant": self.variant,
                "domain": self.choose_domain(schema), "genre": self.genre,
                "style_examples": tuple(raw[:self.style_examples])}

    def choose_domain(self, schema: Schema) -> str:
        """RETURNS (str): The domain of the config, else that of the schema, else biomedicine."""
        return self.domain or schema.domain or DEFAULT_DOMAIN


class TeachSettings(LocalModelSettings):
    """Section [teach]."""

    raw_pairs: int = Field(600, ge=0)
    gold_pairs: int = Field(600, ge=0)
    max_seeds: int = Field(3, ge=1)
    seed: int = 0
    lora: Dict[str, Any] = {}
    training: Dict[str, Any] = {}


def teach_generator_cli(
    ctx: typer.Context,
    raw: Path = typer.Argument(..., help="Raw sentences (.jsonl); their labels, if any, are not used."),
    output: Path = typer.Argument(..., metavar="OUT", help="Folder of the adapter."),
    labels: Path = typer.Option(..., help="Label schema (YAML)."),
    gold: Optional[Path] = typer.Option(None, help="Gold sentences of train, as further pairs."),
    held_out: List[Path] = typer.Option([], help="Records of dev and test; raw text that stands there is left out."),
    config: Path = typer.Option(DEFAULT_CONFIG, help="Config with [prompt] and [teach]; --teach.key value."),
    gpu_id: int = typer.Option(-1, "--gpu-id", "-g", help="GPU, -1 for the CPU."),
) -> None:
    """Teach a model, by LoRA, to write sentences that hold given entities in tags."""
    from ..finetuning.settings import LoraSettings, TrainingSettings
    from ..formats.jsonl import read_jsonl
    from ..formats.leaks import KnownTexts
    from ..synthesis.generator import choose_pairs, teach_generator
    from ..synthesis.language import read_stop_words

    overrides = read_overrides(ctx.args)
    settings = load_settings(config, "teach", TeachSettings, overrides)
    schema = read_schema(labels)
    known = KnownTexts(held_out, read_jsonl)
    raw_sentences = [sentence.with_mentions(()) for sentence in read_jsonl(raw) if known.find(sentence) is None]
    gold_sentences = list(read_jsonl(gold)) if gold else []
    for sentence in gold_sentences:
        if sentence.meta.get("split", "train") != "train":
            raise BionerError(Errors.E009.format(id=sentence.id, found=sentence.meta["split"], wanted="train"))
    pairs = choose_pairs(raw_sentences, gold_sentences, raw_pairs=settings.raw_pairs, gold_pairs=settings.gold_pairs,
                         stop_words=read_stop_words(schema.lang), max_seeds=settings.max_seeds, seed=settings.seed)
    print(f"{len(pairs)} pairs of seeds and sentence", file=sys.stderr)
    prompt = make_prompt(load_settings(config, "prompt", PromptSettings, overrides), schema,
                         [sentence.text for sentence in raw_sentences])
    training = teach_generator(
        pairs, prompt, lm=settings.load(gpu_id), output=output,
        lora=LoraSettings(**settings.lora), training=TrainingSettings(**{"seed": settings.seed, **settings.training}),
        versions=package_versions(), lang=schema.lang, progress=print_progress)
    print(f"{training.updates} updates, {training.tokens / max(training.seconds, 1e-9):.0f} tokens/s -> {output}",
          file=sys.stderr)


def make_prompt(settings: PromptSettings, schema: Schema, raw: List[str]) -> Any:
    """RETURNS (SeedPrompt): The prompt of the generator; style examples are the first raw sentences."""
    from ..synthesis.setup import WriterSettings, make_seed_prompt

    return make_seed_prompt(None, WriterSettings(**settings.options(schema, raw)))


def package_versions() -> Dict[str, str]:
    """RETURNS (Dict[str, str]): Versions of the packages that a training depends on."""
    return {name: metadata.version(name) for name in ("spacy-bioner", "torch", "transformers", "peft")}


def print_progress(figures: Any) -> None:
    """Print a line every tenth update."""
    if figures["update"] % 10 == 0 or figures["update"] == figures["planned"]:
        print(f"update {figures['update']}/{figures['planned']} loss {figures['loss']:.3f} "
              f"{figures['tokens'] / max(figures['seconds'], 1e-9):.0f} tokens/s", file=sys.stderr, flush=True)
