"""The verb augment: gold sentences in, changed sentences out; the baselines of generated sentences."""

import sys
from collections import Counter
from pathlib import Path
from typing import Any, Iterator, List, Optional, Sequence

import typer
from pydantic import Field

from ..annotation import Annotation
from ..errors import BionerError, Errors
from ..files import write_json, write_json_lines
from .settings import Settings, load_settings, read_overrides
from .synthesize import ChecksSettings, SynthesizeSettings, make_writer, open_source
from .teach_generator import DEFAULT_CONFIG, PromptSettings

METHODS = ("lsms", "llm-da")


class AugmentSettings(Settings):
    """Section [augment]; `configs/embedded/synthesize.cfg` says what each key means."""

    operations: List[str] = ["mention_replacement", "token_replacement", "shuffle_within_segments",
                             "synonym_replacement"]
    copies: int = Field(4, ge=1)
    share: float = Field(0.3, gt=0, le=1)
    synonyms: Optional[Path] = None
    levels: List[str] = ["context", "entity"]
    noise: bool = False
    rounds: int = Field(4, ge=1)
    shown: int = Field(8, ge=1)
    seed: int = 0


def augment_cli(
    ctx: typer.Context,
    gold: Path = typer.Argument(..., help="Gold sentences of train as records."),
    output: Path = typer.Argument(..., metavar="OUT", help="Changed sentences as records."),
    labels: Path = typer.Option(..., help="Label schema (YAML)."),
    method: str = typer.Option("lsms", help="lsms: by simple changes; llm-da: by a language model."),
    generator: Optional[Path] = typer.Option(None, help="For llm-da: adapter of teach-generator."),
    held_out: List[Path] = typer.Option([], help="Records of dev and test; sentences that stand there are dropped."),
    report: Optional[Path] = typer.Option(None, help="Where to write the counts, as JSON."),
    config: Path = typer.Option(DEFAULT_CONFIG, help="Config with [augment]; override with --augment.key value."),
    gpu_id: int = typer.Option(-1, "--gpu-id", "-g", help="GPU, -1 for the CPU."),
) -> None:
    """Make further training sentences from gold ones, with exact offsets."""
    from ..formats.jsonl import read_jsonl
    from ..formats.leaks import KnownTexts
    from .schema import read_schema

    overrides = read_overrides(ctx.args)
    settings = load_settings(config, "augment", AugmentSettings, overrides)
    if method not in METHODS:
        raise BionerError(Errors.E708.format(option="--method", found=method, wanted=" or ".join(METHODS)))
    sentences = list(read_jsonl(gold))
    schema = read_schema(labels)
    if method == "lsms":
        made = change_sentences(sentences, settings)
    else:
        made = rewrite_sentences(sentences, settings, schema, config=config, overrides=overrides, gpu_id=gpu_id,
                                 generator=generator)
    known = KnownTexts(held_out, read_jsonl)
    counts: Counter = Counter()
    count = write_json_lines(output, (sentence.to_record() for sentence in _keep_new(made, known, counts)))
    summary = {"gold": len(sentences), "made": count, "held_out_text": counts.pop("held_out_text", 0),
               "operations": dict(sorted(counts.items())), "seed": settings.seed}
    if report is not None:
        write_json(report, summary)
    shown = ", ".join(f"{number} {name}" for name, number in summary["operations"].items())
    print(f"{count} sentences from {len(sentences)} ({shown or 'none'}), {summary['held_out_text']} left out that "
          f"stand in held-out text -> {output}", file=sys.stderr)


def _keep_new(made: Iterator[Annotation], known: Any, counts: Counter) -> Iterator[Annotation]:
    for sentence in made:
        held_out = known.find(sentence, headings=True) is not None
        counts["held_out_text" if held_out else sentence.meta["operation"]] += 1
        if not held_out:
            yield sentence


def change_sentences(sentences: Sequence[Annotation], settings: AugmentSettings) -> Iterator[Annotation]:
    """RETURNS (Iterator[Annotation]): Sentences changed by the operations of the settings."""
    from ..synthesis.augmentation import augment, make_operations
    from ..synthesis.material import collect_material, read_synonyms

    synonyms = read_synonyms(settings.synonyms) if settings.synonyms is not None else None
    names = [*settings.operations, *(["noise"] if settings.noise else [])]
    operations = make_operations(names, collect_material(sentences), share=settings.share, synonyms=synonyms)
    return augment(sentences, operations, copies=settings.copies, seed=settings.seed)


def rewrite_sentences(sentences: Sequence[Annotation], settings: AugmentSettings, schema: Any, *, config: Path,
                      overrides: dict, generator: Optional[Path] = None, gpu_id: int = -1) -> Iterator[Annotation]:
    """Let a language model write other contexts and other mentions, and misspell words where that is set.

    sentences (Sequence[Annotation]): Gold sentences of train.
    settings (AugmentSettings): The section [augment].
    schema (Schema): Labels, corpus and language.
    config (Path): Config with [synthesize], [prompt] and [checks], which say how the model is asked.
    overrides (dict): Overrides of the config.
    generator (Optional[Path]): Adapter of teach-generator, for contexts.
    gpu_id (int): GPU, or -1 for the CPU.
    YIELDS (Annotation): The new sentences.
    """
    from ..synthesis.augmentation import augment, make_operations
    from ..synthesis.material import Material, collect_material
    from ..synthesis.rewriting import NamePrompt, propose_names, rewrite_contexts

    material = collect_material(sentences)
    asked = load_settings(config, "synthesize", SynthesizeSettings, overrides)
    prompt = load_settings(config, "prompt", PromptSettings, overrides)
    if "context" in settings.levels:
        checks = load_settings(config, "checks", ChecksSettings, overrides)
        writer = make_writer(asked, prompt, checks, schema, generator=generator, gpu_id=gpu_id)
        yield from rewrite_contexts(sentences, writer, copies=settings.copies, max_seeds=asked.max_seeds,
                                    seed=settings.seed)
    if "entity" in settings.levels:
        names = NamePrompt(schema.labels, template=f"names.{'zh' if schema.lang == 'zh' else 'en'}",
                           domain=prompt.choose_domain(schema), genre=prompt.genre)
        found = propose_names(material, _open_free(asked, gpu_id), names, rounds=settings.rounds,
                              shown=settings.shown, seed=settings.seed)
        operations = {"entity_replacement": make_operations(["mention_replacement"], found, share=settings.share)
                      ["mention_replacement"]}
        yield from augment(sentences, operations, copies=settings.copies, seed=settings.seed)
    if settings.noise:
        operations = make_operations(["noise"], Material({}, {}), share=settings.share)
        yield from augment(sentences, operations, copies=1, seed=settings.seed)


def _open_free(settings: SynthesizeSettings, gpu_id: int) -> Any:
    """RETURNS (Runner): Asks the plain model for lists of names; a taught generator writes nothing but sentences."""
    from ..llm.cache import ReplyCache
    from ..llm.runner import Runner

    source = open_source(settings.model_copy(update={"decoding": "free"}), None, gpu_id=gpu_id)
    model = source.open_generator(top_p=settings.top_p, attempts=1, batch_size=settings.batch_size)
    return Runner(model, cache=None if settings.cache is None else ReplyCache(settings.cache))
