"""The verb generate variants: gold sentences in, changed sentences out; the baselines of generated sentences."""

import sys
from collections import Counter
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional, Sequence

import typer

from ...annotation import Annotation
from ...config_files import ConfigFiles, find_config
from ...errors import BionerError, Errors
from ...files import write_json, write_json_lines
from ...synthesis.checking.check_settings import SentenceBounds
from ...synthesis.settings import AugmentSettings, PromptSettings, SynthesizeSettings
from .._shared.outputs import refuse_other_ending, refuse_own_cache, refuse_own_input, refuse_same_output
from .._shared.settings import CONFIG, PROFILE, add_options, load_settings, read_overrides
from .sentences import find_parts, open_source


class Method(str, Enum):
    """How sentences are changed."""

    lsms = "lsms"
    llm_da = "llm-da"


def generate_variants_cli(
    ctx: typer.Context,
    gold: Path = typer.Argument(..., metavar="GOLD", help="Gold sentences of train as records."),
    output: Path = typer.Argument(..., metavar="OUT", help="Changed sentences as records."),
    labels: Path = typer.Option(..., help="Label schema (YAML)."),
    method: Method = typer.Option(Method.lsms, help="lsms: by simple changes; llm-da: by a language model."),
    generator: Optional[Path] = typer.Option(None, help="For llm-da: adapter of `train generator`."),
    held_out: List[Path] = typer.Option([], help="Records of dev and test; sentences that stand there are dropped."),
    report: Optional[Path] = typer.Option(None, help="Where to write the counts, as JSON."),
    config: Optional[Path] = CONFIG,
    profile: Optional[str] = PROFILE,
    seed: Optional[int] = typer.Option(None, min=0, help="Random seed of the changes; default: as the config says."),
    gpu_id: int = typer.Option(-1, "--gpu-id", "-g", min=-1, help="GPU, -1 for the CPU."),
) -> None:
    """Make further training sentences from gold ones, with exact offsets.

    Sentences are changed by rules, or rewritten by a language model.

    Example: spacy-bioner generate variants gold.jsonl variants.jsonl --labels labels.yml

    Writes the file OUT, and with --report the counts.
    """
    from ...corpus.leakage import KnownTexts, refuse_known
    from ...formats.jsonl import read_jsonl
    from .._shared.schema import read_schema

    for path in (output, report):
        if path is not None:
            refuse_own_input(path, [gold, labels, *held_out])
    if report is not None:
        refuse_same_output(output, report, "--report")
    refuse_other_ending(output)
    overrides = add_options(read_overrides(ctx.args), {"augment.seed": seed})
    files = find_config("generate", config, profile)
    settings = load_settings(files, "augment", AugmentSettings, overrides)
    known = KnownTexts(held_out, read_jsonl)
    sentences = list(refuse_known(read_jsonl(gold), known))
    schema = read_schema(labels)
    counts = AugmentCounts()
    if method is Method.lsms:
        made = change_sentences(sentences, settings)
    else:
        asked = load_settings(files, "synthesize", SynthesizeSettings, overrides)
        refuse_own_cache(asked.cache, [gold, labels, output, report, config, *held_out])
        made = rewrite_sentences(sentences, settings, schema, config=files, overrides=overrides, gpu_id=gpu_id,
                                 generator=generator, counts=counts)
    count, ended = 0, {}
    try:
        count = write_json_lines(output, (sentence.to_record() for sentence in _keep_new(made, known, counts)))
    except BionerError as error:
        ended["error"] = str(error)
        raise
    finally:
        if report is not None:
            write_json(report, {"gold": len(sentences), "made": count, **counts.to_json(), "seed": settings.seed,
                                **ended})
    shown = ", ".join(f"{number} {name}" for name, number in sorted(counts.operations.items()))
    print(f"{count} sentences from {len(sentences)} ({shown or 'none'}), {counts.held_out} left out that "
          f"stand in held-out text -> {output}", file=sys.stderr)
    counts.print_failures()


@dataclass
class AugmentCounts:
    """What became of the sentences and requests of a run.

    operations (Counter): Operation to sentences made.
    held_out (int): Sentences left out since they stand in held-out text.
    writer (Any): With llm-da, the writer of other contexts: it counts what it was asked and rejected.
    names (Any): With llm-da, the counts of the requests for names.
    """

    operations: Counter = field(default_factory=Counter)
    held_out: int = 0
    writer: Any = None
    names: Any = None

    def to_json(self) -> Dict[str, Any]:
        """Return the counts, those of a language model where one was asked."""
        asked = {"contexts": self.writer and self.writer.report.to_json(), "names": self.names and self.names.to_json()}
        return {"held_out_text": self.held_out, "operations": dict(sorted(self.operations.items())),
                **{key: value for key, value in asked.items() if value}}

    def refuse(self) -> None:
        """Refuse a run of a language model that made nothing; raises BionerError E414 with the commonest reason."""
        reasons: Counter = Counter()
        asked = 0
        if self.writer is not None:
            reasons.update(self.writer.report.rejected)
            asked += self.writer.report.asked
        if self.names is not None:
            reasons.update({f"no names ({why})": number for why, number in self.names.failed.items()})
            reasons.update(no_new_name=self.names.asked - self.names.failed.total())
            asked += self.names.asked
        reasons.update(held_out_text=self.held_out)
        raise BionerError(Errors.E414.format(asked=asked, reason=reasons.most_common(1)[0][0]))

    def print_failures(self) -> None:
        """Print what a language model was asked in vain."""
        if self.writer is not None:
            for reason, number in self.writer.report.rejected.most_common():
                print(f"  contexts rejected: {number} {reason}", file=sys.stderr)
        if self.names is not None:
            for reason, number in self.names.failed.most_common():
                print(f"  requests for names failed: {number} ({reason})", file=sys.stderr)


def _keep_new(made: Iterator[Annotation], known: Any, counts: AugmentCounts) -> Iterator[Annotation]:
    """Yield the sentences that are not held out; none at all of a language model is an error."""
    for sentence in made:
        if known.find(sentence, headings=True) is not None:
            counts.held_out += 1
        else:
            counts.operations[sentence.meta["operation"]] += 1
            yield sentence
    asked_model = counts.writer is not None or counts.names is not None
    if asked_model and not counts.operations.total() - counts.operations["noise"]:
        counts.refuse()


def change_sentences(sentences: Sequence[Annotation], settings: AugmentSettings) -> Iterator[Annotation]:
    """Return sentences changed by the operations of the settings."""
    from ...synthesis.augmentation.lsms import augment, make_operations
    from ...synthesis.augmentation.material import collect_material, read_synonyms

    synonyms = read_synonyms(settings.synonyms) if settings.synonyms is not None else None
    names = [*settings.operations, *(["noise"] if settings.noise else [])]
    operations = make_operations(names, collect_material(sentences), share=settings.share, synonyms=synonyms)
    return augment(sentences, operations, copies=settings.copies, seed=settings.seed)


def rewrite_sentences(sentences: Sequence[Annotation], settings: AugmentSettings, schema: Any, *, config: ConfigFiles,
                      overrides: dict, counts: AugmentCounts, generator: Optional[Path] = None,
                      gpu_id: int = -1) -> Iterator[Annotation]:
    """Let a language model write other contexts and other mentions, and misspell words where that is set.

    sentences (Sequence[Annotation]): Gold sentences of train.
    settings (AugmentSettings): The section [augment].
    schema (Schema): Labels, corpus and language.
    config (ConfigFiles): Config with [synthesize], [prompt] and [checks], which say how the model is asked.
    overrides (dict): Overrides of the config.
    counts (AugmentCounts): Takes note of what the model was asked.
    generator (Optional[Path]): Adapter of `train generator`, for contexts.
    gpu_id (int): GPU, or -1 for the CPU.
    YIELDS (Annotation): The new sentences.
    """
    from ...synthesis.augmentation.llm_da import NameCounts, NamePrompt, propose_names, rewrite_contexts
    from ...synthesis.augmentation.lsms import augment, make_operations
    from ...synthesis.augmentation.material import Material, collect_material
    from ...synthesis.writer_assembly import make_writer

    material = collect_material(sentences)
    asked = load_settings(config, "synthesize", SynthesizeSettings, overrides)
    prompt = load_settings(config, "prompt", PromptSettings, overrides)
    if "context" in settings.levels:
        checks = load_settings(config, "checks", SentenceBounds, overrides)
        style = [sentence.text for sentence in sentences] if prompt.style_examples else None
        counts.writer = make_writer(**find_parts(asked, prompt, checks, schema, generator=generator, gpu_id=gpu_id,
                                                 style=style))
        yield from rewrite_contexts(sentences, counts.writer, copies=settings.copies, max_seeds=asked.max_seeds,
                                    seed=settings.seed)
    if "entity" in settings.levels:
        names = NamePrompt(schema.labels, template=f"names.{'zh' if schema.lang == 'zh' else 'en'}",
                           domain=prompt.domain or schema.domain, genre=prompt.genre or "")
        counts.names, runner = NameCounts(), _open_free(asked, gpu_id)
        found = propose_names(material, runner, names, rounds=settings.rounds, shown=settings.shown,
                              seed=settings.seed, counts=counts.names)
        operations = {"entity_replacement": make_operations(["mention_replacement"], found, share=settings.share)
                      ["mention_replacement"]}
        identity = runner.model.identity()
        origin = {key: identity.get(key) for key in ("model", "temperature")}
        for sentence in augment(sentences, operations, copies=settings.copies, seed=settings.seed):
            yield sentence.with_meta(**origin, top_p=asked.top_p, prompt_hash=names.hash)
    if settings.noise:
        operations = make_operations(["noise"], Material({}, {}), share=settings.share)
        yield from augment(sentences, operations, copies=1, seed=settings.seed)


def _open_free(settings: SynthesizeSettings, gpu_id: int) -> Any:
    """Return what asks the base model for lists of names; a fine-tuned generator writes nothing but sentences."""
    from ...llm.annotation.cache import ReplyCache
    from ...llm.annotation.request_runner import Runner

    source = open_source(settings.changed(decoding="free"), None, gpu_id=gpu_id)
    model = source.open_generator(top_p=settings.top_p, attempts=1, batch_size=settings.batch_size)
    return Runner(model, cache=None if settings.cache is None else ReplyCache(settings.cache))
