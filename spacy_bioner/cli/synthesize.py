"""The verb synthesize: seeds in, annotated sentences out."""

import sys
import time
from pathlib import Path
from typing import Any, List, Optional

import typer
from pydantic import Field

from ..files import read_json_lines, write_json, write_json_lines
from .settings import Settings, load_settings, read_overrides
from .teach_generator import DEFAULT_CONFIG, PromptSettings, make_prompt


class SynthesizeSettings(Settings):
    """Section [synthesize]; `configs/embedded/synthesize.cfg` says what each key means."""

    model: str
    decoding: str = "grounded"
    n: int = Field(200, ge=1)
    max_seeds: int = Field(3, ge=1)
    temperature: float = Field(0.8, ge=0)
    top_p: float = Field(0.95, gt=0, le=1)
    max_new_tokens: int = Field(128, ge=8)
    attempts: int = Field(3, ge=1)
    batch_size: int = Field(32, ge=1)
    mode: str = "repair"
    max_failures: int = Field(50, ge=0)
    cache: Optional[Path] = None
    device: str = "auto"
    dtype: str = "auto"
    seed: int = 0


class ChecksSettings(Settings):
    """Section [checks]."""

    min_units: int = 5
    max_units: int = 100
    max_repeats: int = 2
    similarity: float = Field(0.7, gt=0, le=1)


def synthesize_cli(
    ctx: typer.Context,
    seeds: Path = typer.Argument(..., help="Seeds, as the verb seeds writes them."),
    output: Path = typer.Argument(..., metavar="OUT", help="Annotated sentences as records; the plan lies beside it."),
    labels: Path = typer.Option(..., help="Label schema (YAML)."),
    generator: Optional[Path] = typer.Option(None, help="Adapter of teach-generator; without it the plain model."),
    held_out: List[Path] = typer.Option([], help="Records of dev and test; sentences that stand there are dropped."),
    report: Optional[Path] = typer.Option(None, help="Where to write what was rejected and repaired, as JSON."),
    style: Optional[Path] = typer.Option(None, help="Raw records whose first sentences show the style."),
    n: Optional[int] = typer.Option(None, "--n", min=1, help="Sentences to ask for; a larger run begins as a smaller."),
    config: Path = typer.Option(DEFAULT_CONFIG, help="Config with [prompt], [synthesize] and [checks]."),
    gpu_id: int = typer.Option(-1, "--gpu-id", "-g", help="GPU, -1 for the CPU."),
) -> None:
    """Write sentences that hold one to three seeds each, check them, and count what was wrong."""
    from ..formats.jsonl import read_jsonl
    from ..synthesis.checks import CheckSettings, SentenceChecks
    from ..synthesis.plan import plan_sentences
    from ..synthesis.seeds import check_labels, read_seeds
    from ..synthesis.sentences import SentenceWriter
    from .schema import read_schema

    overrides = read_overrides(ctx.args)
    settings = load_settings(config, "synthesize", SynthesizeSettings, overrides)
    schema = read_schema(labels)
    found = read_seeds(seeds).seeds
    check_labels(found, schema.labels, path=seeds)
    plan = plan_sentences(found, n=n or settings.n, seed=settings.seed, max_seeds=settings.max_seeds)
    write_json_lines(output.with_suffix(".plan.jsonl"), (
        {"id": planned.id, "seeds": [[seed.text, seed.label] for seed in planned.seeds]} for planned in plan))
    raw = [str(record.get("text", "")) for _, record in read_json_lines(style)] if style else []
    prompt = make_prompt(load_settings(config, "prompt", PromptSettings, overrides), schema.labels, raw)
    checks = load_settings(config, "checks", ChecksSettings, overrides)
    texts = [sentence.text for path in held_out for sentence in read_jsonl(path)]
    writer = SentenceWriter(
        make_runner(settings, generator, gpu_id=gpu_id), prompt,
        SentenceChecks(CheckSettings(lang=schema.lang, **checks.model_dump()), held_out=texts), mode=settings.mode,
        max_failures=settings.max_failures,
        meta={"corpus": schema.corpus, "lang": schema.lang, "model": settings.model, "variant": prompt.variant,
              "temperature": settings.temperature, "top_p": settings.top_p, "seed": settings.seed})
    started = time.perf_counter()
    count = write_json_lines(output, (sentence.to_record() for sentence in writer.write(plan)))
    seconds = time.perf_counter() - started
    summary = {**writer.report.to_json(), "seconds": round(seconds, 1), "seed": settings.seed,
               "generator": str(generator) if generator else None}
    if report is not None:
        write_json(report, summary)
    print_summary(summary, count, output)


def make_runner(settings: SynthesizeSettings, generator: Optional[Path], *, gpu_id: int) -> Any:
    """RETURNS (Runner): Asks the model, grounded or free, its replies kept in the cache."""
    from ..llm.cache import ReplyCache
    from ..llm.causal_lm import load_causal_lm
    from ..llm.free_decoding import FreeDecoder
    from ..llm.grounded_generation import GroundedGenerator
    from ..llm.runner import Runner

    device = f"cuda:{gpu_id}" if gpu_id >= 0 else settings.device
    lm = load_causal_lm(settings.model, adapter=generator, device=device, dtype=settings.dtype)
    options = {"temperature": settings.temperature, "top_p": settings.top_p, "seed": settings.seed,
               "max_new_tokens": settings.max_new_tokens}
    model: Any = FreeDecoder(lm, **options) if settings.decoding == "free" else GroundedGenerator(
        lm, attempts=settings.attempts, batch_size=settings.batch_size, **options)
    return Runner(model, cache=ReplyCache(settings.cache) if settings.cache else None)


def print_summary(summary: dict, count: int, output: Path) -> None:
    """Print what became of the sentences to standard error."""
    rate = summary["asked"] / max(summary["seconds"], 1e-9)
    print(f"{count} of {summary['asked']} sentences accepted, {summary['untouched']} without repair, "
          f"{rate:.1f} sentences/s -> {output}", file=sys.stderr)
    for kind in ("rejected", "repaired"):
        for reason, number in summary[kind].items():
            print(f"  {kind}: {number} {reason}", file=sys.stderr)
    if not count:
        print("note: no sentence was accepted; the reasons stand above, examples in the report", file=sys.stderr)
