"""What a low-resource experiment found: F1 by size of the dictionary, and whether the claim of its source holds here.

A method is one way to train; it has a run for each seed, named `method@seed` in the metrics. The source claims that
generated sentences, and then gold, are above gold alone at every size.
"""

from collections import defaultdict
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from .intervals import mean_and_deviation
from .page import Block, Cell, Chapter, Definitions, Page, Plot, Section, Table
from .plots import plot_lines

GOLD, GENERATED = "gold", "genllm"
HOLDS, FAILS, OPEN = "holds", "does not hold", "cannot be told"

Published = Mapping[str, Any]


def group_runs(systems: Mapping[str, Any]) -> Dict[str, Dict[str, str]]:
    """RETURNS (Dict[str, Dict[str, str]]): Method to seed to the name of the run, from names like `gold@0`."""
    groups: Dict[str, Dict[str, str]] = defaultdict(dict)
    for name in systems:
        method, _, seed = name.rpartition("@")
        groups[method or name][seed if method else ""] = name
    return dict(groups)


def choose_variant(dev: Mapping[str, Sequence[float]]) -> str:
    """Choose the prompt variant of the generated sentences by F1 on dev; test has no say.

    dev (Mapping[str, Sequence[float]]): Method to F1 on dev of each run.
    RETURNS (str): The method of generated sentences with the highest mean, the first of equals; empty without any.
    """
    generated = [method for method in dev if method.startswith(GENERATED)]
    return max(generated, key=lambda method: mean_and_deviation(dev[method])[0] if dev[method] else 0.0, default="")


def judge(interval: Sequence[float]) -> str:
    """RETURNS (str): Whether the claim holds, by an interval of the difference (generated less gold alone)."""
    low, high = interval
    return HOLDS if low > 0 else FAILS if high < 0 else OPEN


def summarise_size(size: int, metrics: Mapping[str, Any], dev: Mapping[str, Sequence[float]],
                   gain: Optional[Mapping[str, Any]] = None) -> Dict[str, Any]:
    """Bring together what was measured for a size of the dictionary.

    size (int): Names of each label.
    metrics (Mapping[str, Any]): The metrics file of this size.
    dev (Mapping[str, Sequence[float]]): Method to F1 on dev of each run.
    gain (Optional[Mapping[str, Any]]): `difference` of mean F1, `interval` and
        number of `runs`, the chosen variant against gold alone on the same sentences.
    RETURNS (Dict[str, Any]): `size`, `sentences` of test, `methods` with mean, deviation and runs, `variant`, `gain`
        and `verdict`; the last three are None where gold alone or generated sentences were not trained on.
    """
    methods = {}
    for method, runs in group_runs(metrics["systems"]).items():
        scores = {seed: metrics["systems"][name]["micro"]["f1"] for seed, name in runs.items()}
        mean, deviation = mean_and_deviation(list(scores.values()))
        methods[method] = {"mean": mean, "deviation": deviation, "runs": scores, "dev": list(dev.get(method, ()))}
    return {"size": size, "sentences": metrics["gold"]["count"], "methods": methods,
            "variant": choose_variant(dev) or None if gain else None, "gain": dict(gain) if gain else None,
            "verdict": judge(gain["interval"]) if gain else None}


def say_verdict(summary: Mapping[str, Any]) -> str:
    """RETURNS (str): The conclusion for a size in one line."""
    gain = summary["gain"]
    if gain is None:
        return "not compared: gold alone and generated sentences are both needed."
    low, high = (_points(end) for end in gain["interval"])
    return (f"the document claims generated sentences above gold alone at every size; here it {summary['verdict']}: "
            f"{summary['variant']} {_points(gain['difference'])} points (95% interval over sentences {low} to {high}, "
            f"{_count(gain['runs'], 'seed')}, {summary['sentences']} sentences).")


def build_page(corpus: str, sizes: Sequence[Mapping[str, Any]], *, whole: Sequence[Mapping[str, Any]] = (),
               curve: Optional[Mapping[str, Any]] = None, published: Optional[Published] = None,
               written: Optional[Mapping[str, Mapping[str, Any]]] = None) -> Page:
    """Lay out the tables, plots and conclusions.

    corpus (str): Name of the corpus.
    sizes (Sequence[Mapping[str, Any]]): Summaries on the test sample, by size.
    whole (Sequence[Mapping[str, Any]]): Summaries on the whole test part.
    curve (Optional[Mapping[str, Any]]): Of `summarise_curve`.
    published (Optional[Published]): The document's own numbers.
    written (Optional[Mapping[str, Mapping[str, Any]]]): Name of a part to the report of its generated sentences.
    RETURNS (Page): The page.
    """
    told = (published or {}).get("corpora", {}).get(corpus)
    sections = [Section("claim", "Does the claim hold here?", "", [Definitions(
        [(f"N = {each['size']}", say_verdict(each)) for each in sizes]
        + [(f"N = {each['size']}, whole test part", say_verdict(each)) for each in whole])])]
    if sizes:
        note = f"Document: {published['measure']}. {published['source']}." if told and published else ""
        sections.append(Section("sizes", "F1 by size of the dictionary", note,
                                [table_sizes(sizes, told), *_plot_sizes(sizes, told)]))
    if whole:
        sections.append(Section("whole", "On the whole test part", "", [table_sizes(whole, told)]))
    if curve is not None:
        sections.append(Section("curve", "Generated sentences alone against gold sentences", _say_crossing(curve), [
            table_curve(curve), _plot_curve(curve)]))
    if written:
        sections.append(Section("written", "The generated sentences", "", [table_written(written)]))
    counted = ", ".join(f"{_count(sum(each['verdict'] == verdict for each in sizes), 'size')} where it {verdict}"
                        for verdict in (HOLDS, FAILS, OPEN))
    return Page(f"Low-resource experiment on {corpus}",
                f"The claim that generated sentences help at every size: {counted}.", [Chapter("", sections)])


def table_sizes(sizes: Sequence[Mapping[str, Any]], told: Optional[Mapping[str, Any]] = None) -> Table:
    """RETURNS (Table): A row a method, a column a size: mean and deviation, and below it the document's number."""
    methods = list(dict.fromkeys(method for each in sizes for method in each["methods"]))
    rows: List[List[Any]] = []
    for method in methods:
        row: List[Any] = [method]
        for each in sizes:
            found = each["methods"].get(method)
            best = max(cell["mean"] for cell in each["methods"].values())
            row.append("" if found is None else Cell(
                f"{_percent(found['mean'])} ± {_percent(found['deviation'])}", strong=found["mean"] == best,
                detail=_told_text(told, method, each["size"])))
        rows.append(row)
    return Table("Strict F1, mean and deviation over seeds, in percent",
                 ["Method", *(f"N = {each['size']}" for each in sizes)], rows,
                 note="In brackets: the document's number." if told else "")


def summarise_curve(metrics: Mapping[str, Any], *, generated: str, sentences: int) -> Dict[str, Any]:
    """Bring together the curve of gold sentences and the level of generated ones.

    metrics (Mapping[str, Any]): The metrics file; the methods are `gold-<sentences>` and the generated one.
    generated (str): Name of the method trained on generated sentences alone.
    sentences (int): How many of them were trained on.
    RETURNS (Dict[str, Any]): `gold` (number of sentences to mean and deviation), `generated`, and `crossing`: the
        largest number of gold sentences that generated ones are not below, 0 where there is none, and the next.
    """
    means: Dict[str, Tuple[float, float]] = {}
    for method, runs in group_runs(metrics["systems"]).items():
        means[method] = mean_and_deviation([metrics["systems"][name]["micro"]["f1"] for name in runs.values()])
    level, deviation = means.pop(generated)
    gold = {int(method.rpartition("-")[2]): pair for method, pair in means.items()}
    below = max((count for count, (mean, _) in gold.items() if level >= mean), default=0)
    above = min((count for count, (mean, _) in gold.items() if count > below), default=None)
    return {"gold": {count: {"mean": mean, "deviation": spread} for count, (mean, spread) in sorted(gold.items())},
            "generated": {"sentences": sentences, "mean": level, "deviation": deviation},
            "crossing": [below, above], "test_sentences": metrics["gold"]["count"]}


def table_curve(curve: Mapping[str, Any]) -> Table:
    """RETURNS (Table): A row for each number of gold sentences, and one for the generated ones."""
    rows = [[f"{count} gold", _percent(each["mean"]), _percent(each["deviation"])]
            for count, each in curve["gold"].items()]
    made = curve["generated"]
    rows.append([f"{made['sentences']} generated", _percent(made["mean"]), _percent(made["deviation"])])
    return Table("Strict F1 by sentences trained on, in percent", ["Sentences", "F1", "Deviation over seeds"], rows)


def table_written(reports: Mapping[str, Mapping[str, Any]]) -> Table:
    """RETURNS (Table): A row for each part that was generated: what was kept, how fast, and why the rest was not."""
    rows = []
    for name, report in reports.items():
        rate = report["asked"] / report["seconds"] if report["seconds"] and not report["cached"] else None
        reasons = ", ".join(f"{number} {reason}" for reason, number in report["rejected"].items())
        rows.append([name, str(report["asked"]), str(report["accepted"]), str(report["untouched"]),
                     "" if rate is None else f"{rate:.2f}", reasons or "none"])
    return Table("Generated sentences", ["Part", "Asked", "Accepted", "Without repair", "Sentences/s", "Rejected"],
                 rows, note="Sentences a second only where no reply came from the cache.", words=True)


def _plot_curve(curve: Mapping[str, Any]) -> Plot:
    counts = list(curve["gold"])
    made = curve["generated"]
    lines = {"gold": (counts, [100 * each["mean"] for each in curve["gold"].values()]),
             f"{made['sentences']} generated": (counts, [100 * made["mean"]] * len(counts))}
    return Plot("F1 by gold sentences, and the level of generated ones",
                plot_lines(lines, axis="F1, %", across="gold sentences"), _say_crossing(curve))


def _say_crossing(curve: Mapping[str, Any]) -> str:
    below, above = curve["crossing"]
    if not below:
        return "By their means, generated sentences alone stay below the smallest number of gold sentences."
    until = f" and less than {above}" if above is not None else ", the largest number tried"
    return f"By their means, generated sentences alone are worth at least {below} gold sentences{until}."


def _plot_sizes(sizes: Sequence[Mapping[str, Any]], told: Optional[Mapping[str, Any]]) -> List[Block]:
    measured: Dict[str, Tuple[List[float], List[float]]] = {}
    for each in sizes:
        for method, found in each["methods"].items():
            line = measured.setdefault(method, ([], []))
            line[0].append(each["size"])
            line[1].append(100 * found["mean"])
    plots: List[Block] = [Plot("Measured here", plot_lines(measured, axis="F1, %", across="names of each label"),
                               _describe(measured))]
    if told:
        lines = {method: (told["sizes"], scores) for method, scores in told["f1"].items()}
        plots.append(Plot("In the document", plot_lines(lines, axis="F1, %", across="names of each label"),
                          _describe(lines)))
    return plots


def _describe(lines: Mapping[str, Tuple[Sequence[float], Sequence[float]]]) -> str:
    return "; ".join(f"{name}: " + ", ".join(f"{size:g}: {score:.2f}" for size, score in zip(*line))
                     for name, line in lines.items())


def find_published(told: Optional[Mapping[str, Any]], method: str, size: int) -> Optional[float]:
    """RETURNS (Optional[float]): The document's F1 of a method in percent; a variant without its own has GENLLM's."""
    if not told or size not in told["sizes"]:
        return None
    scores = told["f1"].get(method) or told["f1"].get(GENERATED if method.startswith(GENERATED) else method)
    return scores[told["sizes"].index(size)] if scores else None


def _told_text(told: Optional[Mapping[str, Any]], method: str, size: int) -> str:
    number = find_published(told, method, size)
    return "" if number is None else f"({number:.2f})"


def _percent(value: float) -> str:
    return f"{100 * value:.2f}"


def _points(value: float) -> str:
    return f"{100 * value:+.2f}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
