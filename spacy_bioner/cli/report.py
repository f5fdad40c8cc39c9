"""`spacy-bioner report`: metrics files, documents, card and training logs into one HTML page, Markdown and JSON."""

import hashlib
from collections import Counter
from pathlib import Path
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence

import typer
from pydantic import BaseModel, Field, ValidationError

from ..errors import BionerError, Errors
from ..files import open_atomic, read_json_lines, write_json
from ..loading import parse_json
from ._shared.outputs import refuse_own_input
from ._shared.scores.metrics_shape import check_metrics
from ._shared.scores.score_table import format_scores


class _Card(BaseModel):
    system: str = Field(min_length=1)
    dev: Dict[str, float] = {}
    components: List[str] = []


class _Made(BaseModel):
    card: _Card


class _Meta(BaseModel):
    spacy_bioner: _Made


def report_cli(
    metrics: List[Path] = typer.Argument(..., help="Metrics files of `evaluate`, or folders that hold them."),
    output: Optional[Path] = typer.Option(None, "--output", "-o", help="HTML file to write; Markdown and JSON with the "
                                                                       "same figures are written beside it."),
    show: bool = typer.Option(False, "--show", help="Print the scores as a table."),
    wheels: Optional[Path] = typer.Option(None, metavar="DIR", help="Folder with the wheel of the pipeline: --show "
                                                                    "also prints where report and wheel are."),
    title: str = typer.Option("Evaluation", help="Heading of the report."),
    card: Optional[Path] = typer.Option(None, help="JSON object with facts on corpora, licences, seeds, versions, "
                                                   "hashes and times."),
    shipped: Optional[Path] = typer.Option(None, metavar="PIPELINE", help="Pipeline that `assemble` wrote: the report "
                                                                          "begins with how sure its lead is."),
    curves: List[Path] = typer.Option([], help="Training log (.jsonl, one object a step); may be repeated."),
    documents: bool = typer.Option(True, "--documents/--no-documents", help="Whether the documents are shown."),
    limit: Optional[int] = typer.Option(None, min=1, help="Show at most so many documents of each gold set."),
) -> None:
    """Write the report of one or more evaluations, or print their scores.

    The page needs no network. It shows documents unless --no-documents is given.

    Example: spacy-bioner report metrics/metrics.json -o metrics/report.html

    Writes an HTML page, and Markdown and JSON with the same figures.
    """
    if output is None and not show:
        raise typer.BadParameter("nothing to do: give --output, --show, or both")
    if output is not None and output.suffix != ".html":
        raise typer.BadParameter("--output names the HTML file: its name ends in .html")
    found = {path: check_metrics(path, read_metrics(path)) for path in find_metrics(metrics)}
    if show:
        names = _tell_apart(list(found), _short_name)
        typer.echo(format_scores({names[path]: content for path, content in found.items()}))
        if wheels is not None:
            typer.echo("\n".join(["", *list_results(list(found), wheels)]))
    if output is not None:
        written = write_report(found, output, title=title, card=card, curves=curves, shipped=shipped,
                               documents=documents, limit=limit)
        typer.echo(f"Written: {', '.join(str(path) for path in written)}")


def write_report(metrics: Mapping[Path, Mapping[str, Any]], output: Path, *, title: str = "Evaluation",
                 card: Optional[Path] = None, curves: Sequence[Path] = (), shipped: Optional[Path] = None,
                 documents: bool = True, limit: Optional[int] = None) -> List[Path]:
    """Write the report as HTML, Markdown and JSON.

    metrics (Mapping[Path, Mapping[str, Any]]): Metrics files with their contents.
    output (Path): The HTML file. Where it and the Markdown hold text of documents, only the user may read them.
    title (str): Heading.
    card (Optional[Path]): JSON object with facts on data and models.
    curves (Sequence[Path]): Training logs.
    shipped (Optional[Path]): Folder of the pipeline in the wheel, as `assemble` wrote it.
    documents (bool): Whether the documents are shown.
    limit (Optional[int]): How many documents of each gold set are shown.
    RETURNS (List[Path]): The files.
    RAISES BionerError: E610 where documents are missing or changed since they were measured, E611 for a bad card, E612
        for a pipeline without a model card, E726 where one of the files is read here.
    """
    from ..report.contents import Evaluated, build_page, collect_figures_of_report
    from ..report.curves import Curve
    from ..report.page import render_html, render_markdown

    parts = []
    names = _tell_apart(list(metrics), _short_name)
    for path, content in metrics.items():
        gold, found = read_documents(path, content) if documents else ([], {})
        parts.append(Evaluated(names[path], content, gold, found, limit))
    beside = [output, output.with_suffix(".md"), output.with_suffix(".json")]
    for path in beside:
        refuse_own_input(path, [*metrics, card, *curves])
    facts = read_card(card) if card else {}
    logs = [Curve.from_rows(name, (row for _, row in read_json_lines(path)))
            for path, name in _tell_apart(curves, _log_name).items()]
    said: Dict[str, Any] = {"title": title, "card": facts, "curves": logs,
                            "shipped": read_shipped(shipped) if shipped else None}
    page = build_page(parts, **said)
    for path, text in zip(beside, (render_html(page), render_markdown(page))):
        with open_atomic(path, private=documents) as file_:
            file_.write(text)
    write_json(beside[2], collect_figures_of_report(parts, **said))
    return beside


def list_results(metrics: Sequence[Path], wheels: Path) -> List[str]:
    """List what a workflow leaves for its user, and what to do next.

    metrics (Sequence[Path]): Metrics files; their reports lie beside them.
    wheels (Path): Folder with the wheel of the pipeline.
    RETURNS (List[str]): A line for each.
    """
    reports = [path.with_name("report.html") for path in metrics if path.with_name("report.html").is_file()]
    # Beside the wheel of a pipeline lies that of this package.
    found = [path for path in sorted(wheels.rglob("*.whl")) if not path.name.startswith("spacy_bioner-")]
    return [*(f"report:          {path}" for path in reports),
            *(f"wheel:           {path}" for path in found),
            *(f"install it:      pip install --find-links {path.parent} {path.name.split('-')[0]}" for path in found),
            "your own corpus: spacy-bioner init DIR --from FILES"]


def find_metrics(paths: Sequence[Path]) -> List[Path]:
    """List metrics files, those in a folder in alphabetical order.

    paths (Sequence[Path]): Files and folders; a JSON file in a folder that is no metrics file is passed over.
    RETURNS (List[Path]): The files.
    RAISES BionerError: E001 where there is no such path, E609 where a folder holds none.
    """
    found: List[Path] = []
    for path in paths:
        if path.is_dir():
            inside = [file_ for file_ in sorted(path.rglob("*.json")) if _is_metrics(_read_json(file_))]
            if not inside:
                raise BionerError(Errors.E609.format(path=path))
            found += inside
        elif path.is_file():
            found.append(path)
        else:
            raise BionerError(Errors.E001.format(path=path, wanted="metrics file or folder"))
    return found


def read_metrics(path: Path) -> Dict[str, Any]:
    """Read a metrics file.

    path (Path): As `evaluate` writes it.
    RETURNS (Dict[str, Any]): Its content.
    RAISES BionerError: E608 for anything else.
    """
    content = _read_json(path)
    if not _is_metrics(content):
        raise BionerError(Errors.E608.format(path=path, why="it has no systems and gold"))
    return content


def read_documents(path: Path, metrics: Mapping[str, Any]) -> Any:
    """Read the documents that a metrics file was made from.

    path (Path): The metrics file; paths in it are relative to its folder.
    metrics (Mapping[str, Any]): Its content.
    RETURNS (Tuple[List[Annotation], Dict[str, Dict[str, Annotation]]]): Gold, and by system and id what was found.
    RAISES BionerError: E610 where a file is missing or is not the one that was measured.
    """
    from ._shared.scores.systems import read_annotations

    def read(place: Mapping[str, str]) -> List[Any]:
        file_ = path.parent / place["path"]
        if not file_.is_file():
            raise BionerError(Errors.E610.format(path=file_, metrics=path, why="is not there any more"))
        if hashlib.sha256(file_.read_bytes()).hexdigest() != place["sha256"]:
            raise BionerError(Errors.E610.format(path=file_, metrics=path, why="has changed since"))
        return read_annotations(file_)

    gold = read(metrics["gold"]["documents"])
    found = {name: {annotation.id: annotation for annotation in read(system["documents"])}
             for name, system in metrics["systems"].items()}
    return gold, found


def read_card(path: Path) -> Dict[str, Any]:
    """Return the facts of a card; raises E611 where it is no JSON object."""
    content = _read_json(path, other=Errors.E611)
    if not isinstance(content, dict):
        raise BionerError(Errors.E611.format(path=path))
    return content


def read_shipped(path: Path) -> Any:
    """Read which system a shipped pipeline is, and why it was chosen.

    path (Path): Its folder.
    RETURNS (Shipped): What its model card says.
    RAISES BionerError: E001 where there is no such folder, E612 where it has no card that names a system.
    """
    from ..report.lead import Shipped

    if not (path / "meta.json").is_file():
        raise BionerError(Errors.E001.format(path=path, wanted="pipeline"))
    try:
        card = _Meta.model_validate(_read_json(path / "meta.json", other=Errors.E612)).spacy_bioner.card
    except ValidationError:
        raise BionerError(Errors.E612.format(path=path)) from None
    return Shipped(card.system, card.dev, card.components)


def _read_json(path: Path, *, other: str = Errors.E608) -> Any:
    """Return what a JSON file holds; raises E001 where there is none, `other` where it is not JSON."""
    if not path.is_file():
        raise BionerError(Errors.E001.format(path=path, wanted="JSON file"))
    try:
        return parse_json(path.read_text(encoding="utf8"))
    except ValueError as error:
        raise BionerError(other.format(path=path, why=error)) from None


def _is_metrics(content: Any) -> bool:
    return isinstance(content, dict) and "systems" in content and "gold" in content


def _tell_apart(paths: Sequence[Path], shorten: Callable[[Path], str]) -> Dict[Path, str]:
    """Return a name for each path: the short one, with as many of its folders as it takes that no other has it."""
    forms = {}
    for path in paths:
        parts = [*path.resolve().parent.parts[1:], path.stem]
        # Two files of a folder may differ in their endings alone.
        forms[path] = [shorten(path), *("/".join(parts[-count:]) for count in range(2, len(parts) + 1)), str(path)]
    names: Dict[Path, str] = {}
    for place in range(max(map(len, forms.values()), default=0)):
        level = {path: form[min(place, len(form) - 1)] for path, form in forms.items()}
        taken = Counter(level.values())
        names = {**{path: name for path, name in level.items() if taken[name] == 1}, **names}
    return {path: names[path] for path in forms}


def _short_name(path: Path) -> str:
    """Return the file's name without its end, its folder's where it is just `metrics`."""
    return path.resolve().parent.name if path.stem == "metrics" else path.stem


def _log_name(path: Path) -> str:
    return path.name.split(".")[0]
