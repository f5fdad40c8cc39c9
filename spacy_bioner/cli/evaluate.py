"""`spacy-bioner evaluate`: gold against systems, scores with intervals into a metrics file."""

import hashlib
import json
import os
from collections import Counter
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence, Set

import typer

from ..errors import Warnings
from ..files import open_atomic, refuse_unwritable, write_json
from ._shared.outputs import refuse_own_input, say_next
from ._shared.scores.score_table import format_scores
from ._shared.scores.systems import System, file_name, parse_systems, read_annotations, read_answers

# File of the documents of gold, where they are no records yet.
_GOLD = "gold.jsonl"


def evaluate_cli(
    gold: Path = typer.Argument(..., help="Gold documents: .jsonl, .jsonl.gz or .spacy."),
    predicted: List[str] = typer.Argument(..., help="Systems, each PATH or NAME=PATH: records, a .spacy file, or the "
                                                    "folder of a pipeline, which is run on the texts of gold. Runs of "
                                                    "one system with several seeds: NAME@1=PATH NAME@2=PATH."),
    output: Path = typer.Option(..., "--output", "-o", help="Metrics file to write (.json)."),
    train: Optional[Path] = typer.Option(None, help="Training documents, to score seen and unseen mentions apart."),
    predictions: Optional[Path] = typer.Option(None, help="Folder for the documents that `report` shows, as records. "
                                                          "Default: beside the metrics file."),
    spans_key: str = typer.Option("sc", help="Key of the spans in Docs."),
    resamples: int = typer.Option(10_000, min=1, help="Resamples of the documents for intervals and tests."),
    seed: int = typer.Option(0, min=0, help="Seed of the resamples."),
    gpu_id: int = typer.Option(-1, "--gpu-id", "-g", min=-1, help="GPU for pipelines, -1 for the CPU."),
) -> None:
    """Score systems against gold, with 95% confidence intervals.

    Scores are strict, by boundary, overlap and string, by label, depth, length and familiarity.

    Example: spacy-bioner evaluate test.jsonl gold=training/gold/model-best -o metrics/metrics.json

    Writes the metrics file and, beside it, the predictions; scores are printed. Where a model annotated GOLD, the
    sentences to check first are written beside it too, as a queue for `review serve`.
    """
    refuse_unwritable(output)
    folder = predictions or output.with_suffix(".predictions")
    systems = parse_systems(predicted)
    refuse_own_input(output, [gold, train, *(system.path for system in systems)])
    metrics = evaluate(gold, systems, train=train, predictions=folder, spans_key=spans_key,
                       resamples=resamples, seed=seed, gpu_id=gpu_id, relative_to=output.parent)
    write_json(output, metrics)
    typer.echo(format_scores({output.stem: metrics}))
    for name, system in metrics["systems"].items():
        if extra := system["extra_documents"]:
            typer.echo(f"{name}: left out, since gold does not have them: {extra} documents", err=True)
    if silver := metrics["gold"]["silver"]:
        typer.echo(Warnings.W602.format(count=silver["documents"], total=metrics["gold"]["count"], path=gold),
                   err=True)
        queue = output.with_suffix(".check_first.jsonl")
        texts = {document.id: document for document in read_annotations(gold, spans_key=spans_key)}
        _write_records(queue, [texts[name] for name in silver["check_first"]],
                       read=[gold, train, *(system.path for system in systems)])
        typer.echo(f"The sentences to check first, for `review serve`: {queue}", err=True)
    # Of the report, the figures are written beside the page: as report.json.
    page = output.with_name("report.report.html" if output.stem == "report" else "report.html")
    say_next(f"report {output} -o {page}")


def evaluate(gold_path: Path, systems: Sequence[System], *, predictions: Path, relative_to: Path,
             train: Optional[Path] = None, spans_key: str = "sc", resamples: int = 10_000, seed: int = 0,
             gpu_id: int = -1) -> Dict[str, Any]:
    """Measure systems on the same documents.

    gold_path (Path): Gold documents.
    systems (Sequence[System]): What is measured.
    predictions (Path): Folder for the documents that are not records yet, so that a report can show them.
    relative_to (Path): Folder of the metrics file; paths in it are relative to this.
    train (Optional[Path]): Training documents, for seen and unseen mentions.
    spans_key (str): Key of the spans in Docs.
    resamples (int): Resamples for intervals and tests.
    seed (int): Seed of the resamples.
    gpu_id (int): GPU for pipelines.
    RETURNS (Dict[str, Any]): The metrics file: `gold`, `settings`, `systems` by name, `comparisons` of each two, and
        `runs` with several seeds.
    RAISES BionerError: E601 to E607 where documents do not match or cannot be read, E726 where documents would be
        written over what is read.
    """
    from .. import __version__
    from ..evaluation.comparison import compare_systems, summarise_runs
    from ..evaluation.metrics import Sampling, measure_system
    from ..evaluation.pairing import pair_documents
    from ..evaluation.silver_reference import describe_silver
    from ..evaluation.slices import SliceByFamiliarity

    gold = read_annotations(gold_path, spans_key=spans_key)
    familiarity = None
    labels = Counter(mention.label for annotation in gold for mention in annotation.mentions)
    if train is not None:
        training = read_annotations(train, spans_key=spans_key)
        familiarity = SliceByFamiliarity.from_training(training)
        labels.update({mention.label: 0 for annotation in training for mention in annotation.mentions})
    read = [gold_path, train, *(system.path for system in systems)]
    sampling = Sampling(resamples=resamples, seed=seed)
    measured: Dict[str, Any] = {}
    documents: Dict[str, Any] = {}
    writes_gold = gold_path.suffix.lower() == ".spacy"
    used = {_GOLD.lower()} if writes_gold else set()
    for system in systems:
        answers = read_answers(system, gold, spans_key=spans_key, gpu_id=gpu_id)
        if len(systems) > 1 and _is_the_reference(answers.annotations, gold):
            typer.echo(f"{system.name}: left out, since it made what is measured against", err=True)
            continue
        labels.update(dict.fromkeys(answers.labels, 0))
        pairs, extra = pair_documents(gold, answers.annotations, system=system.name)
        documents[system.name], shown = pairs, system.path
        if answers.about["kind"] != "records" or answers.about["set_aside"]:
            shown = _write_records(predictions / _unused(f"{file_name(system.name)}.jsonl", used),
                                   [pair.predicted for pair in pairs], read=read)
        measured[system.name] = {**measure_system(pairs, familiarity=familiarity, sampling=sampling),
                                 "extra_documents": extra, "source": str(_relative(system.path, relative_to)),
                                 "documents": _locate(shown, relative_to), **answers.about}
    shown_gold = gold_path
    if writes_gold:
        shown_gold = _write_records(predictions / _GOLD, gold, read=read)
    return {
        "version": __version__,
        "gold": {"source": str(_relative(gold_path, relative_to)), "documents": _locate(shown_gold, relative_to),
                 "count": len(gold), "characters": sum(len(annotation.text) for annotation in gold),
                 "mentions": sum(len(annotation.mentions) for annotation in gold),
                 "labels": dict(sorted(labels.items())),
                 "silver": describe_silver(gold, [{pair.predicted.id: pair.predicted for pair in pairs}
                                                  for pairs in documents.values()])},
        "settings": {"resamples": resamples, "seed": seed, "level": sampling.level, "spans_key": spans_key,
                     "train": str(_relative(train, relative_to)) if train else None},
        "systems": measured,
        "comparisons": compare_systems(documents, sampling),
        "runs": summarise_runs(measured),
    }


def _is_the_reference(found: Sequence[Any], gold: Sequence[Any]) -> bool:
    """Return whether documents are those of the reference, which a model made: it would agree with itself."""
    return list(found) == list(gold) and any(document.meta.get("origin") == "synthetic" for document in gold)


def _unused(name: str, used: Set[str]) -> str:
    """Return the name of a file with a number if it is used, and note it; some disks see no difference of case."""
    stem, number = name.removesuffix(".jsonl"), 1
    while name.lower() in used:
        number += 1
        name = f"{stem}-{number}.jsonl"
    used.add(name.lower())
    return name


def _write_records(path: Path, annotations: Sequence[Any], *, read: Sequence[Optional[Path]]) -> Path:
    """Write documents as records that only the user may read, never over what was read, and return the path."""
    refuse_own_input(path, read)
    with open_atomic(path, private=True) as file_:
        for annotation in annotations:
            file_.write(json.dumps(annotation.to_record(), ensure_ascii=False) + "\n")
    return path


def _locate(path: Path, folder: Path) -> Dict[str, str]:
    """Return where documents are, seen from the metrics file, and the hash of the file."""
    from ..formats.jsonl import find_jsonl

    path = find_jsonl(path)
    return {"path": str(_relative(path, folder)), "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}


def _relative(path: Path, folder: Path) -> str:
    return Path(os.path.relpath(path, folder)).as_posix()
