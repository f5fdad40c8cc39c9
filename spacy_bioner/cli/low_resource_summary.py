"""The end of the verb low-resource: its tables, plots and conclusions, from the metrics of its parts."""

from pathlib import Path
from types import MappingProxyType
from typing import Any, Dict, List, Mapping, Optional, Sequence

from ..files import open_atomic, write_json
from .report import read_card, read_documents, read_metrics

CURVE = "curve"
HIGH = "high-resource"
SYNTHETIC = "synthetic"
WHOLE = "-whole-test"


def write_summary(output: Path, *, corpus: str, sizes: Sequence[int], whole: Sequence[int] = (), high: bool = False,
                  curve: bool = False, failed: Optional[Mapping[str, Sequence[str]]] = None,
                  reports: Mapping[str, Path] = MappingProxyType({}), published: Optional[Path] = None,
                  resamples: int = 10_000) -> List[str]:
    """Write `low-resource.html`, `.md` and `.json`, and the plots below `plots`.

    output (Path): Folder of the experiment, with `metrics`.
    corpus (str): Name of the corpus.
    sizes (Sequence[int]): Names of each label.
    whole (Sequence[int]): Sizes that were measured on the whole test part too.
    high (bool): Whether all of train as gold was measured.
    curve (bool): Whether the curve of gold sentences was measured.
    failed (Optional[Mapping[str, Sequence[str]]]): Name of a part to the rows for which no sentence was made; they have
        no score, whatever the metrics say.
    reports (Mapping[str, Path]): Part and row to the report of the sentences that were made for it.
    published (Optional[Path]): The document's own numbers (JSON).
    resamples (int): Of documents and seeds, for intervals.
    RETURNS (List[str]): A conclusion for each size, on the test sample, then on the whole test part.
    RAISES BionerError: E001, E608 and E610 for metrics that are missing or do not fit their documents.
    """
    from ..experiments.low_resource_figures import ALL, say_size, say_verdict, summarise_curve
    from ..experiments.low_resource_tables import build_page, say_high
    from ..report.page import render_html, render_markdown

    facts = read_card(published) if published is not None else None
    without = failed or {}

    def summarise(name: str, size: Any) -> Dict[str, Any]:
        return _summarise(output, name, size, resamples, without.get(name, ()))

    found = {"sizes": [summarise(f"{size}", size) for size in sizes],
             "whole": [summarise(f"{size}{WHOLE}", size) for size in whole]}
    all_gold = summarise(HIGH, ALL) if high else None
    levels = None
    if curve:
        made = read_card(output / CURVE / f"{SYNTHETIC}.report.json")
        measured = _read_without(output / "metrics" / f"{CURVE}.json", without.get(CURVE, ()))
        levels = summarise_curve(measured, generated=SYNTHETIC, sentences=made["accepted"])
    page = build_page(corpus, found["sizes"], whole=found["whole"], high=all_gold, curve=levels, published=facts,
                      written={name: read_card(path) for name, path in reports.items() if path.is_file()})
    for ending, text in (("html", render_html(page)), ("md", render_markdown(page))):
        with open_atomic(output / f"low-resource.{ending}") as file_:
            file_.write(text)
    write_json(output / "low-resource.json", {"corpus": corpus, **found, "high_resource": all_gold, "curve": levels,
                                              "resamples": resamples, "published": facts})
    _write_plots(page, output / "plots")
    return [*(f"{say_size(each)}: {say_verdict(each)}" for each in found["sizes"]),
            *(f"{say_size(each)}, whole test part: {say_verdict(each)}" for each in found["whole"]),
            *([f"{say_size(all_gold)}: {say_high(all_gold)}"] if all_gold else [])]


def _summarise(output: Path, name: str, size: Any, resamples: int, failed: Sequence[str]) -> Dict[str, Any]:
    """RETURNS (Dict[str, Any]): See `experiments.low_resource_figures.summarise_size`."""
    from ..experiments.low_resource_figures import group_runs, summarise_size

    path = output / "metrics" / f"{name}.json"
    metrics = _read_without(path, failed)
    dev = {method: read_dev_scores(path, metrics, names.values())
           for method, names in group_runs(metrics["systems"]).items()}
    return summarise_size(size, metrics, dev, measure_gains(path, metrics, resamples=resamples), failed)


def measure_gains(path: Path, metrics: Mapping[str, Any], *, resamples: int) -> Dict[str, Dict[str, Any]]:
    """Compare every method with gold alone, on the same sentences and with the seeds that both have.

    path (Path): The metrics file; paths in it are relative to its folder.
    metrics (Mapping[str, Any]): Its content.
    resamples (int): Of documents, for the intervals.
    RETURNS (Dict[str, Dict[str, Any]]): Method to `difference` of mean F1, `interval` and number of `runs`.
    """
    from ..evaluation.metrics import Sampling
    from ..evaluation.pairing import Pair
    from ..evaluation.runs import compare_runs, score_runs
    from ..experiments.low_resource_figures import GOLD, group_runs

    runs = group_runs(metrics["systems"])
    shared = {method: [seed for seed in runs.get(GOLD, {}) if seed in names]
              for method, names in runs.items() if method != GOLD}
    if not any(shared.values()):
        return {}
    gold, answers = read_documents(path, metrics)

    def score(method: str, seeds: Sequence[str]) -> Any:
        return score_runs([[Pair(each, answers[runs[method][seed]][each.id]) for each in gold] for seed in seeds],
                          sampling=Sampling(resamples=resamples))

    before = {tuple(seeds): score(GOLD, seeds) for seeds in shared.values() if seeds}
    return {method: {**compare_runs(before[tuple(seeds)], score(method, seeds))["f1"], "runs": len(seeds)}
            for method, seeds in shared.items() if seeds}


def _read_without(path: Path, failed: Sequence[str]) -> Dict[str, Any]:
    """RETURNS (Dict[str, Any]): The content of a metrics file, without the runs of some methods."""
    metrics = read_metrics(path)
    kept = {name: system for name, system in metrics["systems"].items() if name.rpartition("@")[0] not in failed}
    return {**metrics, "systems": kept}


def read_dev_scores(path: Path, metrics: Dict[str, Any], names: Any) -> List[float]:
    """Read what the trained pipelines say of their F1 on dev.

    path (Path): The metrics file; paths in it are relative to its folder.
    metrics (Dict[str, Any]): Its content.
    names (Iterable[str]): Names of the runs.
    RETURNS (List[float]): F1 of each run that is a pipeline.
    """
    cards = [path.parent / metrics["systems"][name]["source"] / "meta.json" for name in names]
    return [read_card(card)["spacy_bioner"]["best"]["dev_f"] for card in cards if card.is_file()]


def _write_plots(page: Any, folder: Path) -> None:
    """Write each plot as a file, named by its section and its place there; those of an earlier run are removed."""
    from ..report.page import Plot
    from ..report.plots import make_picture

    written = set()
    for chapter in page.chapters:
        for section in chapter.sections:
            plots = [block for block in section.blocks if isinstance(block, Plot)]
            for number, plot in enumerate(plots, start=1):
                path = folder / f"{section.id}-{number}.svg"
                with open_atomic(path) as file_:
                    file_.write(make_picture(plot.svg))
                written.add(path)
    for path in set(folder.glob("*-[0-9]*.svg")) - written:
        path.unlink()
