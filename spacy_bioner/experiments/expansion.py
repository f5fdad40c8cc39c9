"""Templates become steps and rows, as far as the rows need them."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Dict, Iterable, List, Mapping, Sequence, Set, Tuple, TypeVar

from ..errors import BionerError, Errors
from ..formats.jsonl import find_jsonl
from .definition import Experiment
from .filling import Filler
from .rows import Reports, Row, Table
from .steps import Plan, Step

Named = TypeVar("Named")


@dataclass(frozen=True)
class Expanded:
    """An experiment with the steps that its rows need.

    plan (Plan): The steps, in order.
    rows (Dict[str, Row]): Name to row.
    compare (List[Tuple[str, str]]): Names of two rows or choices, the one before first.
    choose (Dict[str, List[str]]): Name of a choice to the names of its rows.
    claims (Dict[Tuple[str, str], str]): Names that are compared to the claim that their difference decides.
    tables (List[Table]): Tables of rows and choices.
    reports (List[Reports]): Tables of reports.
    not_made (List[str]): Rows and choices that there are not, since a step has made nothing.
    """

    plan: Plan
    rows: Dict[str, Row]
    compare: List[Tuple[str, str]]
    choose: Dict[str, List[str]]
    claims: Dict[Tuple[str, str], str] = field(default_factory=dict)
    tables: List[Table] = field(default_factory=list)
    reports: List[Reports] = field(default_factory=list)
    not_made: List[str] = field(default_factory=list)

    def only(self, *parts: str) -> "Expanded":
        """Return the rows whose name holds one of the parts, and what they need; raises BionerError E712
        for a part that no name holds."""
        for part in parts:
            if not any(part.casefold() in name.casefold() for name in self.rows):
                raise BionerError(Errors.E712.format(part=part, known=", ".join(self.rows)))
        rows = {name: row for name, row in self.rows.items()
                if any(part.casefold() in name.casefold() for part in parts)}
        choose = {name: among for name, among in self.choose.items() if set(among) <= set(rows)}
        known = {*rows, *choose}
        return replace(self, plan=self.plan.reduced_to(_paths_of(rows)), rows=rows, choose=choose,
                       compare=[pair for pair in self.compare if set(pair) <= known],
                       claims={pair: claim for pair, claim in self.claims.items() if set(pair) <= known})

    def without(self, steps: Iterable[Step]) -> "Expanded":
        """Leave out the rows of which a run cannot be measured.

        steps (Iterable[Step]): Steps that have made nothing or were not run.
        RETURNS (Expanded): The other rows, with the choices and the comparisons that are left; claims all stay.
        """
        unmade = set(steps)
        rows = {name: row for name, row in self.rows.items()
                if unmade.isdisjoint(map(self.plan.maker, _paths_of({name: row})))}
        choose = {name: [row for row in among if row in rows] for name, among in self.choose.items()}
        choose = {name: among for name, among in choose.items() if among}
        not_made = [name for name in (*self.rows, *self.choose) if name not in {*rows, *choose}]
        return replace(self, rows=rows, choose=choose, not_made=not_made,
                       compare=[pair for pair in self.compare if set(pair) <= {*rows, *choose}])

    def refuse_missing(self, out: Path) -> None:
        """Find files that will not be there when the rows are measured.

        out (Path): Folder of the experiment. What a step names in it counts as made, since a step may make files
            that its template does not tell.
        RAISES BionerError: E001 for a file of a row that is not there and that no step makes.
        """
        named = {path for step in self.plan.steps for path in step.named_paths() if out in path.parents}
        for name, row in self.rows.items():
            for path in (path for run in row.runs.values() for path in run.paths()):
                if self.plan.maker(path) is None and path not in named and not find_jsonl(path).exists():
                    wanted = f"file for row '{name}', and no step that makes one,"
                    raise BionerError(Errors.E001.format(path=path, wanted=wanted))


def expand(experiment: Experiment, *, data: Path, out: Path, gpu_id: int = -1) -> Expanded:
    """Fill in the templates of an experiment.

    experiment (Experiment): The experiment.
    data (Path): Folder of the corpora, {data} in templates.
    out (Path): Folder of the experiment, {out}.
    gpu_id (int): GPU, or -1 for the CPU, {gpu_id}.
    RETURNS (Expanded): The steps that rows need, rows, comparisons, choices and tables.
    RAISES BionerError: E737 for an x that is no number, E708, E709 and E721 for steps that do not fit together, E713
        for an unknown name, E714 for a list that there is not, E715 for an output outside of OUT, E716 for a
        comparison or a choice with a row that no form of the experiment has, E717 for compared rows of other test
        parts, E718 for a row without a figure of dev in a choice, E720 for a name that two rows or two choices have.
    """
    filler = Filler(experiment, {"data": str(data), "out": str(out), "gpu_id": gpu_id})
    plan = Plan([step for template in experiment.steps for step in filler.steps(template, out)], cache=out / "cache")
    rows = _name_each("rows", ((row.name, row) for template in experiment.rows for row in filler.rows(template)))
    choose = _name_each("choices", ((filler.fill(choice.name, scope),
                                     [filler.fill(name, scope) for name in choice.among])
                                    for choice in experiment.choose for scope in filler.scopes(choice.foreach)))
    _name_each("rows or choices", [*rows.items(), *choose.items()])
    tables = [table for template in experiment.tables for table in filler.tables(template)]
    left_out = set(filler.names_left_out(experiment.rows)) - set(rows)
    for name, among in choose.items():
        _refuse_unknown("choice", name, among, rows, left_out)
    chosen = {name: [row for row in among if row in rows] for name, among in choose.items()}
    chosen = {name: among for name, among in chosen.items() if among}
    left_out.update(filler.names_left_out(experiment.choose), choose)
    claims = {(filler.fill(pair.before, scope), filler.fill(pair.after, scope)): filler.fill(pair.claim, scope)
              for pair in experiment.compare for scope in filler.scopes(pair.foreach)}
    for before, after in claims:
        _refuse_unknown("comparison", f"{before} / {after}", (before, after), rows, left_out)
    from_tables = [(cell.against, cell.row) for table in tables for cells in table.lines.values() for cell in cells]
    for table in tables:
        names = (name for cells in table.lines.values() for cell in cells for name in (cell.row, cell.against) if name)
        _refuse_unknown("table", table.title, names, rows, left_out)
    known = {*rows, *chosen}
    pairs = [pair for pair in claims if pair[0] != pair[1] and set(pair) <= known]
    _refuse_unmeasurable([*pairs, *(pair for pair in from_tables if set(pair) <= known)], rows, chosen)
    return Expanded(plan.reduced_to(_paths_of(rows)), rows, pairs, chosen, tables=tables,
                    claims={pair: claims[pair] for pair in pairs if claims[pair]},
                    reports=[filler.reports(template) for template in experiment.reports])


def _refuse_unmeasurable(pairs: Iterable[Tuple[str, str]], rows: Mapping[str, Row],
                         choose: Mapping[str, Sequence[str]]) -> None:
    """Raise BionerError E717 or E718, which measuring would find too, but only after all steps have run."""
    for pair in pairs:
        first, *others = (row for name in pair for row in choose.get(name, [name]))
        for other in others:
            if rows[first].gold != rows[other].gold:
                raise BionerError(Errors.E717.format(first=first, second=other))
    for name in (name for among in choose.values() for name in among):
        if not any(run.dev for run in rows[name].runs.values()):
            raise BionerError(Errors.E718.format(name=name))


def _paths_of(rows: Mapping[str, Row]) -> List[Path]:
    """Return all files that rows are measured from."""
    return [path for row in rows.values() for run in row.runs.values() for path in run.paths()]


def _name_each(kind: str, pairs: Iterable[Tuple[str, Named]]) -> Dict[str, Named]:
    """Return the name to what is called so; raises BionerError E720 for a name that comes twice."""
    named: Dict[str, Named] = {}
    for name, one in pairs:
        if name in named:
            raise BionerError(Errors.E720.format(kind=kind, name=name))
        named[name] = one
    return named


def _refuse_unknown(kind: str, name: str, among: Iterable[str], rows: Iterable[str], left_out: Set[str]) -> None:
    """Raise BionerError E716 for a row that there is not, unless it is one that this form leaves out."""
    unknown = [row for row in among if row not in rows and row not in left_out]
    if unknown:
        raise BionerError(Errors.E716.format(kind=kind, name=name, unknown=", ".join(unknown),
                                             known=", ".join(rows)))
