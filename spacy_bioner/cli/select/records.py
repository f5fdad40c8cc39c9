"""The verb select records: gold records in, those that are worth training on out."""

import sys
from pathlib import Path
from typing import Any, Optional

import typer

from ...config_files import find_config
from ...files import refuse_unwritable
from ...finetuning.settings import SelectDataSettings
from .._shared.outputs import refuse_other_ending, refuse_own_input, refuse_same_output
from .._shared.schema import Schema, read_schema
from .._shared.settings import CONFIG, PROFILE, add_options, load_settings, read_overrides

# What `finetuning.selection.record_selection` writes beside the records.
_RESULTS = ("selection.json", "dropped.jsonl", "ifd.svg")


def select_records_cli(
    ctx: typer.Context,
    gold: Path = typer.Argument(..., metavar="IN", help="Gold records of the train split (.jsonl, .jsonl.gz)."),
    output: Path = typer.Argument(..., metavar="OUT", help="Records to write (.jsonl), with their IFD in meta; a "
                                                           "table, a plot and the reasons of the dropped go beside."),
    config: Optional[Path] = CONFIG,
    profile: Optional[str] = PROFILE,
    labels: Path = typer.Option(..., help="Label schema (YAML)."),
    scores: Optional[Path] = typer.Option(None, help="File that keeps the scores (.jsonl), so that another selection "
                                                     "scores nothing anew. Default: beside OUT."),
    seed: Optional[int] = typer.Option(None, min=0, help="Random seed of random choices; default: as the config says."),
    gpu_id: int = typer.Option(-1, "--gpu-id", "-g", min=-1, help="GPU ID or -1 for CPU."),
) -> None:
    """Select the gold records that are worth training on, by IFD (instruction-following difficulty) of a small model.

    Each score is stored at once. After an interruption, the same command resumes.

    Example: spacy-bioner select records train.jsonl chosen.jsonl --labels labels.yml

    Writes the file OUT and, beside it, scores, dropped records, a report and a plot.
    """
    refuse_unwritable(output)
    kept = scores_path(output, scores)
    results = [output, *(_beside(output, ending) for ending in _RESULTS)]
    for path in results:
        refuse_same_output(path, kept, "--scores")
    for path in (*results, kept):
        refuse_own_input(path, [gold, labels])
    refuse_other_ending(output)
    settings = load_settings(find_config("select_data", config, profile), "select_data", SelectDataSettings,
                             add_options(read_overrides(ctx.args), {"select_data.seed": seed}))
    selected = select(gold, output, settings, schema=read_schema(labels), scores=scores, gpu_id=gpu_id)
    for name, fates in selected.table.items():
        print(f"{name}: " + ", ".join(f"{fate} {count}" for fate, count in fates.items()))
    if selected.unscored.unwritable:
        print(selected.unscored, file=sys.stderr)
    print(f"{selected.chosen} of {selected.total} records -> {output}", file=sys.stderr)


def select(gold: Path, output: Path, settings: SelectDataSettings, *, schema: Schema, scores: Optional[Path] = None,
           gpu_id: int = -1) -> Any:
    """Score gold records and write the chosen ones.

    gold (Path): Gold records of the train split.
    output (Path): Records to write.
    settings (SelectDataSettings): The section [select_data].
    schema (Schema): Labels, corpus and language.
    scores (Optional[Path]): File of scores; None for one beside the output.
    gpu_id (int): GPU, or -1 for the CPU.
    RETURNS (Selected): What was chosen.
    """
    from ...finetuning.records import Losses, read_corpus
    from ...finetuning.selection.record_selection import Scoring, score_corpus, select_data
    from ...finetuning.selection.score_file import ScoreFile
    from ...finetuning.selection.superfiltering import check_diversity, ranks_negatives
    from .._shared.console.progress_bar import show_progress

    if settings.diversity:
        check_diversity(settings.strategy)
    corpus = read_corpus(gold, labels=schema.labels, name=schema.corpus, lang=schema.lang, unit=settings.unit)
    keys = ("template", "chat", "tokens", "ratio", "max_length", "max_batch_tokens")
    scoring = Scoring(codec=settings.make_codec(len(schema.labels)), **{key: getattr(settings, key) for key in keys})
    lm = settings.load(gpu_id)
    unscored = Losses()
    count = len(corpus.annotations)
    with ScoreFile(scores_path(output, scores)) as file_, show_progress("IFD", total=count) as advance:
        found = score_corpus(corpus, lm, scoring, file_, unscored=unscored,
                             negatives=ranks_negatives(settings.strategy), step=lambda: advance())
    return select_data(corpus, output, scores=found, ratio=settings.ratio, settings=settings.model_dump(),
                       unscored=unscored, diversify=_make_diversify(corpus, settings), pool=settings.diversity_pool,
                       strategy=settings.strategy, keep_ratio=settings.keep_ratio, max_ifd=settings.max_ifd,
                       negatives=settings.negatives, seed=settings.seed)


def scores_path(output: Path, scores: Optional[Path] = None) -> Path:
    """Return the file of scores that is given, or else the one beside the output."""
    return scores or _beside(output, "scores.jsonl")


def _beside(output: Path, ending: str) -> Path:
    return output.with_name(f"{output.name.split('.jsonl')[0]}.{ending}")


def _make_diversify(corpus: Any, settings: SelectDataSettings) -> Any:
    """Return the diversity step, where it is wanted."""
    if not settings.diversity:
        return None
    from ...finetuning.selection.diversity import choose_diverse, embed_sentences

    vectors = embed_sentences([annotation.text for annotation in corpus.annotations], encoder=settings.encoder)
    return lambda candidates, count: choose_diverse(vectors, candidates, count)
