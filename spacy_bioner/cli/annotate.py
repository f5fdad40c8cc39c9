"""The verb annotate: texts in, annotated records out, by a language model or a trained pipeline."""

import logging
import sys
from collections import Counter
from contextlib import ExitStack, closing
from enum import Enum
from functools import partial
from importlib.util import find_spec
from itertools import count as count_up
from itertools import islice
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Literal, Optional, Sequence

import typer

from ..annotation import Annotation
from ..config_files import find_config
from ..errors import BionerError, Errors
from ..files import open_atomic
from ..llm.settings import (
    AUTO,
    AnnotatorSettings,
    CausalLMSettings,
    RequestSettings,
    ServedModelSettings,
    ServerOptions,
)
from ..settings import Settings, setting
from ..taggers.opening import PipelineSettings
from ._shared.annotating.batches import read_batch_into_cache, write_batch
from ._shared.annotating.pipeline_annotation import (
    annotate_by_pipeline,
    make_pipeline_annotator,
    read_map,
    refuse_with_pipeline,
)
from ._shared.annotating.text_streams import count_texts, keep_annotated, read_texts, refuse_empty
from ._shared.outputs import refuse_own_cache, refuse_own_input, refuse_same_output
from ._shared.schema import Schema, read_schema
from ._shared.settings import CONFIG, PROFILE, add_options, load_settings, read_overrides

logger = logging.getLogger(__name__)


class Engine(str, Enum):
    """What runs the annotation."""

    local = "local"
    ray = "ray"


class RayOptions(Settings):
    """How `--engine ray` spreads the work, see `scale.ray_annotate`."""

    workers: int = setting(2, "Processes that hold the model.", ge=1)
    shard_size: int = setting(1000, "Records in a shard.", ge=1)
    kind: Literal["jsonl", "parquet"] = setting("jsonl", "What is written: jsonl or parquet.")


class AnnotateSettings(RequestSettings, CausalLMSettings):
    """The section [annotate]."""

    codec: Optional[str] = setting(
        None, "Format of the responses: bracket, html or json; null takes that of the adapter; without one bracket "
        "lines, from a server JSON.")
    codec_options: Dict[str, Any] = setting({}, "Options of the codec.")
    limit: Optional[int] = setting(None, "Most documents that are annotated; null for all.", ge=1)
    origin: str = setting("synthetic", "What the records that come out say of their origin.")
    replay: Optional[Path] = setting(None, "Recorded responses in place of a model.")
    server: ServerOptions = ServerOptions()
    pipeline: PipelineSettings = PipelineSettings()
    ray: RayOptions = RayOptions()


def annotate_cli(
    ctx: typer.Context,
    source: Path = typer.Argument(..., metavar="IN", help="Texts: .jsonl, .jsonl.gz, .spacy, a .txt file with a "
                                                          "document a line, or a folder with a .txt file a document."),
    output: Path = typer.Argument(..., metavar="OUT", help="File to write: .jsonl, .jsonl.gz or .spacy. What fails "
                                                           "goes to OUT with .failed.jsonl in place of its ending."),
    config: Optional[Path] = CONFIG,
    profile: Optional[str] = PROFILE,
    labels: Optional[Path] = typer.Option(None, help="Label schema (YAML): labels, corpus and language of the prompts. "
                                                     "Without it the adapter's, or the labels of the embedded "
                                                     "corpus."),
    engine: Engine = typer.Option(Engine.local, help="local: in this process. ray: by workers, also with --pipeline; "
                                                     "IN may then be .parquet or a folder of files, and OUT is a "
                                                     "folder of shards, of which finished ones are kept."),
    pipeline: Optional[str] = typer.Option(None, help="What annotates in place of a language model: folder or package "
                                                      "of a spaCy pipeline, folder or hub id of a token classifier or "
                                                      "a GLiNER model."),
    spans_key: Optional[str] = typer.Option(None, help="With --pipeline: key of the spans in its Docs, or ents. "
                                                       "Default: sc, else ents."),
    map_: List[str] = typer.Option([], "--map", metavar="OLD=NEW", help="With --pipeline: change a label of it; "
                                                                        "OLD= drops its mentions. Can be repeated."),
    seed: Optional[int] = typer.Option(None, min=0, help="Random seed of sampled responses; default: as the config "
                                                              "says."),
    allow_empty: bool = typer.Option(False, "--allow-empty", help="Write OUT empty where IN holds no text, in place of "
                                                                  "an error."),
    retry_truncated: bool = typer.Option(False, "--retry-truncated", help="Ask once more for cached responses that "
                                                                          "the token limit has cut."),
    write_batch_to: Optional[Path] = typer.Option(None, "--write-batch", help="File for the requests that the cache "
                                                  "does not answer yet, for a batch service in OpenAI's format; "
                                                  "nothing is asked, and OUT is not written."),
    read_batch_from: Optional[Path] = typer.Option(None, "--read-batch", help="Results of a batch service: they go to "
                                                   "the cache, and only what they lack is asked."),
    gpu_id: int = typer.Option(-1, "--gpu-id", "-g", min=-1, help="GPU ID or -1 for CPU; with --engine ray each worker "
                                                            "has a GPU of its own, whatever the ID."),
) -> None:
    """Annotate texts with a language model, or with a trained pipeline.

    Each response of a model is cached at once. After an interruption, the same command resumes. With --pipeline it does
    so only where --engine ray writes shards.

    Example: spacy-bioner annotate notes.jsonl annotated.jsonl --labels labels.yml

    Writes the file OUT; documents that failed go beside it, to .failed.jsonl.
    """
    named = {"annotate.pipeline.name": pipeline, "annotate.pipeline.spans_key": spans_key,
             "annotate.pipeline.map": read_map(map_) or None}
    overrides = add_options(read_overrides(ctx.args), {"annotate.seed": seed, **named})
    settings = load_settings(find_config("annotate", config, profile), "annotate", AnnotateSettings, overrides)
    inputs = [source, labels, config, settings.examples, settings.replay, read_batch_from]
    refuse_own_cache(settings.cache, [output, *inputs])
    refuse_two_teachers(settings)
    if engine is not Engine.ray:
        refuse_own_outputs(output, inputs)
        if write_batch_to is not None:
            refuse_own_input(write_batch_to, [settings.cache, *inputs])
            refuse_same_output(output, write_batch_to, "--write-batch")
        if allow_empty and next(read_texts(source), None) is None:
            write_nothing(source, output)
            return
    schema = read_schema(labels) if labels else None
    if settings.pipeline.name is not None:
        given = read_overrides(ctx.args) if pipeline is not None else {}
        refuse_with_pipeline({"--retry-truncated": retry_truncated, "--write-batch": write_batch_to,
                              "--read-batch": read_batch_from, **given}, by_ray=engine is Engine.ray)
    else:
        for option, value in (("--spans-key", spans_key), ("--map", map_)):
            if value:
                raise BionerError(Errors.E730.format(option=option, why="no --pipeline is given"))
    if engine is Engine.ray:
        for option, is_given in (("--write-batch", write_batch_to is not None),
                                 ("--read-batch", read_batch_from is not None), ("--allow-empty", allow_empty)):
            if is_given:
                raise BionerError(Errors.E730.format(option=option, why="--engine ray asks by itself"))
        summary = annotate_by_workers(source, output, settings, schema=schema, gpu_id=gpu_id,
                                      retry_truncated=retry_truncated)
    elif settings.pipeline.name is not None:
        summary = annotate_by_pipeline(
            source, output, settings.pipeline, limit=settings.limit, origin=settings.origin,
            schema=schema.labels if schema else None, device=settings.choose_device(gpu_id), gpu_id=gpu_id)
    else:
        annotator = make_annotator(settings, schema=schema, gpu_id=gpu_id, retry_truncated=retry_truncated)
        if read_batch_from is not None:
            read_batch_into_cache(read_batch_from, annotator, islice(read_texts(source), settings.limit))
        if write_batch_to is not None:
            count = write_batch(islice(read_texts(source), settings.limit), annotator, write_batch_to)
            print(f"{count} requests -> {write_batch_to}", file=sys.stderr)
            return
        summary = annotate(source, output, annotator, limit=settings.limit, origin=settings.origin)
    print(f"{summary} -> {output}", file=sys.stderr)


def refuse_two_teachers(settings: AnnotateSettings) -> None:
    """Refuse settings that name more than one annotator: which of them was meant would be a guess.

    settings (AnnotateSettings): The section [annotate].
    RAISES BionerError: E743.
    """
    named = {"replay": settings.replay, "server.base_url": settings.server.base_url,
             "pipeline.name": settings.pipeline.name}
    given = [f"annotate.{name} ({value})" for name, value in named.items() if value is not None]
    if len(given) > 1:
        raise BionerError(Errors.E743.format(given=" and ".join(given)))


def write_nothing(source: Path, output: Path) -> None:
    """Write an output without records, for an input without texts; what an earlier run has set aside goes."""
    from ..corpus.set_aside import set_aside_path
    from ..formats import write_annotations

    write_annotations(output, ())
    set_aside_path(output).unlink(missing_ok=True)
    print(f"note: {source} holds no text, so {output} is empty", file=sys.stderr)


def refuse_own_outputs(output: Path, inputs: Sequence[Optional[Path]]) -> None:
    """Refuse to write where something is read: the records, or what could not be annotated, whose old file goes too.

    output (Path): The file of records.
    inputs (Sequence[Optional[Path]]): What is read; None stands for what is not given.
    RAISES BionerError: E726 where one of them would be replaced, E727 where no file can stand, E013 for another ending.
    """
    from ..corpus.set_aside import set_aside_path
    from ..formats import guess_format

    refuse_own_input(output, inputs)
    guess_format(output)
    refuse_own_input(set_aside_path(output), inputs)


def make_annotator(settings: AnnotateSettings, *, schema: Optional[Schema] = None, gpu_id: int = -1,
                   retry_truncated: bool = False) -> Any:
    """Make the annotator that the settings describe.

    settings (AnnotateSettings): The section [annotate].
    schema (Optional[Schema]): Labels, corpus and language; settings go before it, and it before the adapter.
    gpu_id (int): GPU, or -1 for the CPU.
    retry_truncated (bool): Whether cached replies that the token limit has cut are asked for once more.
    RETURNS (Annotator): The annotator.
    """
    from ..corpus.sentences import find_sentences
    from ..llm.annotation import assembly as setup

    source = open_source(settings, gpu_id=gpu_id)
    annotator = setup.make_annotator(source, choose_settings(settings, schema), find_sentences=find_sentences)
    if retry_truncated:
        annotator.retry_truncated()
    return annotator


def choose_settings(settings: AnnotateSettings, schema: Optional[Schema]) -> Any:
    """Return how texts are asked for, see `make_annotator`."""
    from ..codecs import make_codec

    chosen = {**settings.shared_with(AnnotatorSettings),
              "codec": make_codec(settings.codec, **settings.codec_options) if settings.codec else None}
    if schema is not None:
        # Its definitions are those of its corpus: never asked in the name of the corpus that an adapter was trained on.
        chosen.update(labels=schema.labels, corpus=schema.corpus if settings.corpus is None else settings.corpus,
                      lang=settings.lang or schema.lang)
    return AnnotatorSettings(**chosen)


def open_source(settings: AnnotateSettings, *, gpu_id: int) -> Any:
    """Return what answers."""
    from ..llm.local.model_source import CausalLMSource
    from ..llm.replay import make_replay
    from ..llm.server.server_source import make_server

    if settings.replay is not None:
        return make_replay(settings.replay)
    if settings.server.base_url is not None:
        asked = {**settings.shared_with(ServedModelSettings), **settings.server.values()}
        return make_server(**{**asked, "adapter": settings.adapter if settings.adapter != AUTO else None})
    return CausalLMSource(**{**settings.shared_with(CausalLMSettings), "device": settings.choose_device(gpu_id)})


def annotate(source: Path, output: Path, annotator: Any, *, limit: Optional[int] = None,
             origin: str = "synthetic") -> str:
    """Annotate a file of texts, one document after the other.

    source (Path): The texts, see `read_texts`.
    output (Path): Records or Docs with what was found; documents that failed are not in it.
    annotator (Annotator): Asks the model.
    limit (Optional[int]): Annotate no more than so many documents.
    origin (str): Origin of the records that come out; whatever the texts were, a model has made their mentions.
    RETURNS (str): One line: what was done, what it cost, which issues were met.
    RAISES BionerError: E008 where there is no text, E735 where every document failed.
    """
    from ..corpus.set_aside import set_aside_path
    from ..formats import guess_format, write_annotations
    from ..formats.parsing.problems import Problems
    from ._shared.console.progress_bar import show_progress

    guess_format(output)
    texts = (text.with_meta(origin=origin) for text in islice(read_texts(source), limit))
    problems = Problems()
    with ExitStack() as stack:
        if annotator.cache is not None:
            stack.enter_context(closing(annotator.cache))
        failures = stack.enter_context(open_atomic(set_aside_path(output), private=True))
        advance = stack.enter_context(show_progress("Annotating", total=count_texts(source, limit)))
        reasons: Counter = Counter()
        replies = count_up(1)
        # Documents come out in their order, so the first may come with the last response of a whole window.
        annotator.usage.on_reply = lambda: advance(done=0, note=f"{next(replies):,} responses")
        kept = keep_annotated(annotator.annotate(texts), failures, reasons, lambda: advance(failed=reasons.total()))
        write_annotations(output, _refuse_unread(refuse_empty(kept, source, reasons), annotator), problems=problems)
    warning = annotator.shapes.warning()
    if warning is not None:
        logger.warning(warning)
    if not annotator.usage.failed:
        set_aside_path(output).unlink()
    lost = "".join(f"; {kind} {count}" for kind, count in problems.counts.items())
    return annotator.usage.summary() + lost


def annotate_by_workers(source: Path, output: Path, settings: AnnotateSettings, *, schema: Optional[Schema] = None,
                        gpu_id: int = -1, retry_truncated: bool = False) -> str:
    """Annotate a large input on Ray, see `scale.ray_annotate.annotate_on_ray`.

    source (Path): The records.
    output (Path): Folder of shards.
    settings (AnnotateSettings): The section [annotate].
    schema (Optional[Schema]): As in `make_annotator`.
    gpu_id (int): As in `make_annotator`; where a GPU is meant, each worker has one, and Ray says which.
    retry_truncated (bool): As in `make_annotator`; a pipeline has no replies.
    RETURNS (str): One line: what was done and which issues were met.
    RAISES BionerError: E706 without Ray, E730 for a limit, E240 where no response could be read, E226 and E227 for a
        folder with shards of another run.
    """
    if settings.limit is not None:
        raise BionerError(Errors.E730.format(option="--annotate.limit", why="--engine ray annotates all records of IN"))
    if find_spec("ray") is None:
        raise BionerError(Errors.E706.format(package="ray", extra="ray"))
    from ..llm.annotation.identity import identify
    from ..scale.ray_annotate import annotate_on_ray
    from ..taggers.tagger_annotator import identify_tagger
    from ._shared.console.progress_bar import show_progress

    is_local = settings.replay is None and settings.server.base_url is None
    on_gpu = is_local and settings.choose_device(gpu_id).startswith("cuda")
    if on_gpu:
        # Of all GPUs Ray shows a worker its own alone, which is then the first.
        settings = settings.changed(device="cuda")
    origin: Optional[str] = settings.origin
    if settings.pipeline.name is not None:
        known = schema.labels if schema else None
        build: Callable[[], Any] = partial(
            make_pipeline_annotator, settings.pipeline, origin=settings.origin, schema=known,
            device=settings.choose_device(-1), gpu_id=0 if on_gpu else -1)
        origin, identity = None, {"origin": settings.origin, **identify_tagger(settings.pipeline, known)}
    else:
        build = partial(make_annotator, settings, schema=schema, retry_truncated=retry_truncated)
        identity = identify(open_source(settings, gpu_id=-1), choose_settings(settings, schema))
    failures = 0
    with show_progress("Annotating") as advance:

        def count(good: int, failed: int) -> None:
            nonlocal failures
            failures += failed
            advance(done=good + failed, failed=failures)

        total = annotate_on_ray(
            source, output, build, origin=origin, settings=identity, advance=count, gpus=1 if on_gpu else 0,
            **settings.ray.values())
    issues = ", ".join(f"{kind} {number}" for kind, number in sorted(total["issues"].items())) or "none"
    lacking = (f" ({total['lacking']} of them with documents set aside: remove a shard's file to ask for it again)"
               if total["lacking"] else "")
    return (f"{total['done']} shards done, {total['done_before']} done before{lacking}; {total['good']} documents; "
            f"{total['failed']} set aside; issues: {issues}")


def _refuse_unread(annotated: Iterator[Annotation], annotator: Any) -> Iterator[Annotation]:
    """Let annotations through, if any response of the model could be read: else all would look like texts without
    mentions."""
    yield from annotated
    if annotator.shapes.is_useless:
        raise BionerError(Errors.E240.format(**annotator.shapes.facts()))
