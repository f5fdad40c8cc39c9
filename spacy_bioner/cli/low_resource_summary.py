"""The end of the verb low-resource: its tables, plots and conclusions, from the metrics of its parts."""

import re
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence

from ..files import open_atomic, write_json
from .report import read_card, read_documents, read_metrics

CURVE = "curve"
SYNTHETIC = "synthetic"


def write_summary(output: Path, *, corpus: str, sizes: Sequence[int], whole: Sequence[int] = (), curve: bool = False,
                  published: Optional[Path] = None, resamples: int = 10_000) -> List[str]:
    """Write `low-resource.html`, `.md` and `.json`, and the plots below `plots`.

    output (Path): Folder of the experiment, with `metrics`.
    corpus (str): Name of the corpus.
    sizes (Sequence[int]): Names of each label.
    whole (Sequence[int]): Sizes that were measured on the whole test part too.
    curve (bool): Whether the curve of gold sentences was measured.
    published (Optional[Path]): The document's own numbers (JSON).
    resamples (int): Of documents and seeds, for intervals.
    RETURNS (List[str]): A conclusion for each size.
    RAISES BionerError: E001, E608 and E610 for metrics that are missing or do not fit their documents.
    """
    from ..evaluation.low_resource_tables import build_page, say_verdict, summarise_curve
    from ..evaluation.page import render_html, render_markdown

    facts = read_card(published) if published is not None else None
    found = {"sizes": [_summarise(output, f"{size}", size, resamples) for size in sizes],
             "whole": [_summarise(output, f"{size}-whole-test", size, resamples) for size in whole]}
    levels = None
    if curve:
        made = read_card(output / CURVE / f"{SYNTHETIC}.report.json")
        levels = summarise_curve(read_metrics(output / "metrics" / f"{CURVE}.json"), generated=SYNTHETIC,
                                 sentences=made["accepted"])
    page = build_page(corpus, found["sizes"], whole=found["whole"], curve=levels, published=facts,
                      written=_read_reports(output))
    for ending, text in (("html", render_html(page)), ("md", render_markdown(page))):
        with open_atomic(output / f"low-resource.{ending}") as file_:
            file_.write(text)
    write_json(output / "low-resource.json", {"corpus": corpus, **found, "curve": levels, "resamples": resamples,
                                              "published": facts})
    _write_plots(page, output / "plots")
    return [f"N = {each['size']}: {say_verdict(each)}" for each in found["sizes"]]


def _summarise(output: Path, name: str, size: int, resamples: int) -> Dict[str, Any]:
    """RETURNS (Dict[str, Any]): See `evaluation.low_resource_tables.summarise_size`."""
    from ..evaluation.low_resource_tables import GOLD, choose_variant, group_runs, summarise_size
    from ..evaluation.metrics import Sampling
    from ..evaluation.pairing import Pair
    from ..evaluation.runs import compare_runs, score_runs

    path = output / "metrics" / f"{name}.json"
    metrics = read_metrics(path)
    runs = group_runs(metrics["systems"])
    dev = {method: read_dev_scores(path, metrics, names.values()) for method, names in runs.items()}
    variant, gain = choose_variant(dev), None
    seeds = [seed for seed in runs.get(GOLD, {}) if seed in runs.get(variant, {})]
    if seeds:
        gold, answers = read_documents(path, metrics)
        before, after = (score_runs([[Pair(each, answers[runs[method][seed]][each.id]) for each in gold]
                                     for seed in seeds], sampling=Sampling(resamples=resamples))
                         for method in (GOLD, variant))
        gain = {**compare_runs(before, after)["f1"], "runs": len(seeds)}
    return summarise_size(size, metrics, dev, gain)


def read_dev_scores(path: Path, metrics: Dict[str, Any], names: Any) -> List[float]:
    """Read what the trained pipelines say of their F1 on dev.

    path (Path): The metrics file; paths in it are relative to its folder.
    metrics (Dict[str, Any]): Its content.
    names (Iterable[str]): Names of the runs.
    RETURNS (List[float]): F1 of each run that is a pipeline.
    """
    cards = [path.parent / metrics["systems"][name]["source"] / "meta.json" for name in names]
    return [read_card(card)["spacy_bioner"]["best"]["dev_f"] for card in cards if card.is_file()]


def _read_reports(output: Path) -> Dict[str, Any]:
    """RETURNS (Dict[str, Any]): Name of a part to the report of `synthesize`; that of `augment` has other counts."""
    reports = {f"{path.parent.name} {path.name.split('.')[0]}": read_card(path)
               for path in sorted(output.glob("*/*.report.json"), key=_by_number)}
    return {name: report for name, report in reports.items() if "asked" in report}


def _by_number(path: Path) -> Any:
    digits = re.sub(r"\D", "", path.parent.name)
    return (int(digits) if digits else 10**9, path.name)


def _write_plots(page: Any, folder: Path) -> None:
    """Write each plot as a file, named by its section and its place there."""
    from ..evaluation.page import Plot
    from ..evaluation.plots import make_picture

    for chapter in page.chapters:
        for section in chapter.sections:
            plots = [block for block in section.blocks if isinstance(block, Plot)]
            for number, plot in enumerate(plots, start=1):
                with open_atomic(folder / f"{section.id}-{number}.svg") as file_:
                    file_.write(make_picture(plot.svg))
