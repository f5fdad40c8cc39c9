"""The verb generate sentences: seeds in, annotated sentences out."""

import sys
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, Iterator, List, Mapping, Optional, Sequence

import typer

from ...annotation import Annotation
from ...config_files import find_config
from ...errors import BionerError, Errors
from ...files import read_json_lines, refuse_unwritable, write_json, write_json_lines
from ...llm.settings import AnnotatorSettings, CausalLMSettings, LocalModelSettings, ServedModelSettings
from ...synthesis.checking.check_settings import SentenceBounds
from ...synthesis.settings import PromptSettings, SynthesizeSettings, WritingSettings
from .._shared.outputs import refuse_other_ending, refuse_own_cache, refuse_own_input, refuse_same_output
from .._shared.settings import CONFIG, PROFILE, add_options, load_settings, read_overrides
from ..annotate import AnnotateSettings
from ..train.generator import prompt_options, read_raw
from .seeds import note_marked_up

# What the names of reasons do not say by themselves.
_EXPLAINED = {"over_context": " (the seeds leave no room in the model's context; leave out long names: "
                              "--seeds.max_length of `generate seeds`)",
              "other_language": " (by its letters or its function words; wanted is the language of the label schema)",
              "off_boundary": " (a tag begins or ends inside a word)",
              "no_reply": " (the model or server failed; see the examples in the report)",
              "relabel_failed": " (the annotator could not label it; see the examples in the report)",
              "truncated": " (the length limit came before the end; raise --synthesize.max_new_tokens)",
              "held_out_text": " (the sentence stands in dev or test)",
              "near_held_out": " (nearly the same as a sentence of dev or test)"}


def generate_sentences_cli(
    ctx: typer.Context,
    seeds: Path = typer.Argument(..., metavar="SEEDS", help="Seeds, as `generate seeds` writes them."),
    output: Path = typer.Argument(..., metavar="OUT", help="Annotated sentences as records; the plan lies beside it."),
    labels: Path = typer.Option(..., help="Label schema (YAML)."),
    generator: Optional[Path] = typer.Option(None, help="Adapter, as `train generator` makes it; without "
                                                                "it the base model."),
    annotator: Optional[Path] = typer.Option(None, help="For the mode relabel: adapter of `train annotator`, "
                                                                "which labels the other entities of a sentence."),
    held_out: List[Path] = typer.Option([], help="Records of dev and test; sentences that stand there are dropped."),
    report: Optional[Path] = typer.Option(None, help="Where to write what was rejected and repaired, as JSON."),
    style: Optional[Path] = typer.Option(None, help="Raw records whose first sentences show the style."),
    overwrite: bool = typer.Option(False, "--overwrite", help="Begin anew where OUT has a plan of other seeds."),
    n: Optional[int] = typer.Option(None, "--n", min=0, help="Sentences to ask for; a larger run begins as a smaller. "
                                                             "0 writes an empty OUT."),
    teacher: Optional[Path] = typer.Option(None, help="Config of the annotator, as `annotate` takes it: its model or "
                                                      "server writes the sentences, without an adapter."),
    config: Optional[Path] = CONFIG,
    profile: Optional[str] = PROFILE,
    seed: Optional[int] = typer.Option(None, min=0, help="Random seed of plan and samples; default: as the config "
                                                              "says."),
    gpu_id: int = typer.Option(-1, "--gpu-id", "-g", min=-1, help="GPU, -1 for the CPU."),
) -> None:
    """Write sentences that hold one to three seed entities each, check them, and count what was wrong.

    Each response is cached at once. After an interruption, the same command resumes.

    Example: spacy-bioner generate sentences seeds.jsonl generated.jsonl --labels labels.yml

    Writes the file OUT and its plan, and with --report what was rejected and repaired.
    """
    from spacy.vocab import Vocab

    from ...pipeline.seed_generator import SeedGenerator
    from ...synthesis.plan import plan_sentences
    from ...synthesis.seeds import check_labels, read_seeds
    from ...synthesis.writer import SynthesisReport
    from .._shared.schema import read_schema

    refuse_unwritable(output)
    for path in (output, plan_path(output), report):
        if path is not None:
            refuse_own_input(path, [seeds, labels, style, *held_out])
    if report is not None:
        for path in (output, plan_path(output)):
            refuse_same_output(path, report, "--report")
    refuse_other_ending(output)
    overrides = add_options(read_overrides(ctx.args), {"synthesize.seed": seed})
    files = find_config("generate", config, profile)
    settings = load_settings(files, "synthesize", SynthesizeSettings, overrides)
    facts = {"seed": settings.seed, "generator": str(generator) if generator else None}
    if n == 0:
        for path in (output, plan_path(output)):
            write_json_lines(path, ())
        if report is not None:
            write_json(report, {**SynthesisReport().to_json(), "seconds": 0.0, "cached": 0, "written": 0, "model": {},
                                **facts})
        print(f"0 sentences asked for -> {output}", file=sys.stderr)
        return
    if teacher is not None:
        settings = take_teacher(settings, teacher)
    refuse_own_cache(settings.cache, [seeds, labels, style, output, plan_path(output), report, config, *held_out])
    schema = read_schema(labels)
    listed = read_seeds(seeds)
    found = listed.seeds
    note_marked_up(listed.marked_up)
    check_labels(found, schema.labels, path=seeds)
    plan = plan_sentences(found, n=n or settings.n, seed=settings.seed, max_seeds=settings.max_seeds)
    write_plan(plan_path(output), plan, overwrite=overwrite)
    parts = find_parts(settings, load_settings(files, "prompt", PromptSettings, overrides),
                       load_settings(files, "checks", SentenceBounds, overrides), schema, generator=generator,
                       annotator=annotator, style=read_style(style, held_out), gpu_id=gpu_id)
    component = SeedGenerator(Vocab(), **parts, held_out=held_out)
    count = write_sentences(component, plan, output, report=report, facts=facts)
    print_summary(summarise(component.writer, facts), count, output)


def take_teacher(settings: SynthesizeSettings, path: Path) -> SynthesizeSettings:
    """Let the language model write that annotates.

    settings (SynthesizeSettings): How sentences are written.
    path (Path): Config of the annotator.
    RETURNS (SynthesizeSettings): The same settings with its model, server and device. From a server a sentence may have
        as many tokens as an annotation where that is more: it may reason before both.
    RAISES BionerError: E432 where it is no language model.
    """
    annotator = load_settings(find_config("annotate", path), "annotate", AnnotateSettings, {})
    if annotator.replay is not None:
        raise BionerError(Errors.E432.format(path=path))
    most = (max(settings.max_new_tokens, annotator.max_new_tokens) if annotator.server.base_url is not None
            else settings.max_new_tokens)
    return settings.changed(**annotator.shared_with(LocalModelSettings), server=annotator.server, max_new_tokens=most)


def write_sentences(component: Any, plan: Sequence[Any], output: Path, *, report: Optional[Path],
                    facts: Mapping[str, Any]) -> int:
    """Write the sentences of a plan, and what became of them, also where an error ends the run.

    component (SeedGenerator): Writes and checks them.
    plan (Sequence[PlannedSentence]): What is asked for.
    output (Path): Where the sentences go.
    report (Optional[Path]): Where the report goes.
    facts (Mapping[str, Any]): Put into the report.
    RETURNS (int): How many were accepted.
    """
    writer = component.writer
    ended: Dict[str, str] = {}
    try:
        return write_json_lines(output, keep_written(component, plan))
    except BionerError as error:
        ended["error"] = str(error)
        raise
    finally:
        if writer.runner.cache is not None:
            writer.runner.cache.close()
        if report is not None:
            write_json(report, {**summarise(writer, facts), **ended})


def summarise(writer: Any, facts: Mapping[str, Any]) -> Dict[str, Any]:
    """Return the report of a run; seconds, speed and what "model" says of tokens and cost are those of the model, not
    of its cache."""
    usage = writer.runner.usage
    return {**writer.report.to_json(), "seconds": round(usage.seconds, 3), "cached": usage.cached,
            "written": usage.asked, "model": dict(usage.model), **facts}


def plan_path(output: Path) -> Path:
    """Return where the plan of a run is written."""
    name = output.name.removesuffix(".gz")
    return output.with_name(f"{Path(name).stem}.plan.jsonl")


def write_plan(path: Path, plan: Sequence[Any], *, overwrite: bool = False) -> None:
    """Write the plan of a run, unless another one is there.

    path (Path): Where the plan is written.
    plan (Sequence[PlannedSentence]): The plan.
    overwrite (bool): Whether it may take the place of any other.
    RAISES BionerError: E415 where the plan that is there neither begins as this one nor goes on from it.
    """
    rows = [{"id": planned.id, "seeds": [[seed.text, seed.label] for seed in planned.seeds]} for planned in plan]
    if path.is_file() and not overwrite:
        before = [row for _, row in read_json_lines(path)]
        if any(old != new for old, new in zip(before, rows)):
            raise BionerError(Errors.E415.format(path=path))
    write_json_lines(path, rows)


def read_style(path: Optional[Path], held_out: Sequence[Path]) -> Optional[List[str]]:
    """Return texts of raw records, none of them of dev or test; None without a file."""
    from ...corpus.leakage import KnownTexts
    from ...formats.jsonl import read_jsonl

    if path is None:
        return None
    return [sentence.text for sentence in read_raw(path, KnownTexts(held_out, read_jsonl))]


def keep_written(component: Any, plan: Sequence[Any]) -> Iterator[dict]:
    """Yield the records of the accepted sentences, behind a bar."""
    from ...pipeline.seed_generator import find_sentence, seed_doc
    from .._shared.console.progress_bar import show_progress

    docs = (seed_doc(component.vocab, [(seed.text, seed.label) for seed in planned.seeds], id=planned.id)
            for planned in plan)
    with show_progress("Writing", total=len(plan)) as advance:
        for doc in component.pipe(docs):
            advance(failed=component.writer.report.rejected.total())
            sentence = find_sentence(doc)
            if sentence is not None:
                yield sentence.to_record()


def find_parts(settings: SynthesizeSettings, prompt: PromptSettings, checks: SentenceBounds, schema: Any, *,
               generator: Optional[Path] = None, annotator: Optional[Path] = None,
               style: Optional[Sequence[str]] = None, gpu_id: int = -1) -> Dict[str, Any]:
    """Find the parts of a writer, or of the component, that the settings describe.

    settings (SynthesizeSettings): The section [synthesize].
    prompt (PromptSettings): The section [prompt].
    checks (SentenceBounds): The section [checks].
    schema (Schema): Labels, corpus and language.
    generator (Optional[Path]): Adapter, as `train generator` makes it.
    annotator (Optional[Path]): Adapter that labels what stands beside the seeds.
    style (Optional[Sequence[str]]): Raw sentences, the first of which show the style.
    gpu_id (int): GPU, or -1 for the CPU.
    RETURNS (Dict[str, Any]): The model as "source", "settings" (WriterSettings) and "relabel".
    RAISES BionerError: E411 or E422 where an annotator is missing or not used, E416 or E417 where examples of the style
        are given and not asked for, or the reverse.
    """
    from ...synthesis.writer_assembly import WriterSettings

    if settings.mode == "relabel" and annotator is None:
        raise BionerError(Errors.E411)
    if settings.mode != "relabel" and annotator is not None:
        raise BionerError(Errors.E422.format(mode=settings.mode))
    if style is not None and not prompt.style_examples:
        raise BionerError(Errors.E416)
    if not style and prompt.style_examples:
        raise BionerError(Errors.E417.format(count=prompt.style_examples))
    if prompt.variant == "chain_of_thought":
        settings = settings.changed(max_new_tokens=settings.max_new_tokens + settings.max_thought_tokens)
    chosen = WriterSettings(corpus=schema.corpus, checks=checks.values(), **prompt_options(prompt, schema, style or ()),
                            **settings.shared_with(WritingSettings))
    relabel = make_relabel(settings, annotator, schema, gpu_id=gpu_id) if annotator is not None else None
    return {"source": open_source(settings, generator, gpu_id=gpu_id), "settings": chosen, "relabel": relabel}


def open_source(settings: SynthesizeSettings, adapter: Optional[Path], *, gpu_id: int) -> Any:
    """Return what writes: recorded replies, a server, or a local model."""
    from ...llm.local.model_source import CausalLMSource
    from ...llm.replay import make_replay
    from ...llm.server.server_source import make_server

    if settings.replay is not None:
        return make_replay(settings.replay)
    folder = str(adapter) if adapter is not None else None
    if settings.server.base_url is not None:
        asked = {**settings.shared_with(ServedModelSettings), **settings.server.values()}
        return make_server(**{**asked, "adapter": folder})
    return CausalLMSource(**{**settings.shared_with(CausalLMSettings), "adapter": folder,
                             "device": settings.choose_device(gpu_id)})


def make_relabel(settings: SynthesizeSettings, adapter: Path, schema: Any,
                 *, gpu_id: int) -> Callable[[Sequence[Annotation]], Iterable[Annotation]]:
    """Return a function that annotates sentences with the model and an adapter of `train annotator`."""
    from ...corpus.sentences import find_sentences
    from ...llm.annotation.assembly import make_annotator
    from ...llm.local.model_source import CausalLMSource

    source = CausalLMSource(**{**settings.shared_with(LocalModelSettings), "adapter": str(adapter),
                               "device": settings.choose_device(gpu_id)})
    return make_annotator(source, AnnotatorSettings(labels=schema.labels, corpus=schema.corpus, lang=schema.lang,
                                                    cache=settings.cache),
                          find_sentences=find_sentences).annotate


def print_summary(summary: dict, count: int, output: Path) -> None:
    """Print what became of the sentences to standard error."""
    # Recorded replies may take less than the thousandth of a second that the report counts in.
    speed = summary["written"] / max(summary["seconds"], 0.001)
    rate = f"{speed:.1f} sentences/s" if summary["written"] else "none anew"
    cached = f", {summary['cached']} from the cache" if summary["cached"] else ""
    cost = summary.get("model", {}).get("cost")
    paid = f", cost {cost:,.4f}" if cost is not None else ""
    print(f"{count} of {summary['asked']} sentences accepted, {summary['untouched']} without repair, "
          f"{rate}{cached}{paid} -> {output}", file=sys.stderr)
    for kind in ("rejected", "repaired", "unrepaired"):
        for reason, number in summary[kind].items():
            print(f"  {kind}: {number} {reason}{_EXPLAINED.get(reason, '')}", file=sys.stderr)
    if not count:
        print("note: no sentence was accepted; the reasons stand above, examples in the report", file=sys.stderr)
