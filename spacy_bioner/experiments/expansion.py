"""Templates become steps and rows: one for each combination of the lists that they name."""

import math
import re
import shlex
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, List, Mapping, Optional, Sequence, Set, Tuple, TypeVar

from ..errors import BionerError, Errors
from ..formats.jsonl import find_jsonl
from .definition import Experiment, Item, RowTemplate, StepTemplate, name_of
from .steps import Plan, Step

_PLACE = re.compile(r"\{([a-z_]\w*(?:\.[a-z_]\w*)*)\}")
# The repetition of a row that has only one, whatever the seeds of others are.
ONCE = ""
# Values may hold placeholders themselves, but not without end.
_DEEPEST = 8
Scope = Mapping[str, Any]
Named = TypeVar("Named")


@dataclass(frozen=True)
class Run:
    """One repetition of a row.

    gold (Path): Records of the test part.
    predicted (Path): Records with what was found.
    dev (str): `FILE#key.key` of the dev figure, or empty.
    rejected (Optional[Path]): Records with what a selector dropped.
    selector (Optional[Path]): The pipeline of the selector.
    """

    gold: Path
    predicted: Path
    dev: str = ""
    rejected: Optional[Path] = None
    selector: Optional[Path] = None

    def paths(self) -> List[Path]:
        """RETURNS (List[Path]): What has to be there before it can be measured."""
        given = [self.gold, self.predicted, self.rejected, self.selector]
        return [path for path in (*given, Path(self.dev.split("#")[0]) if self.dev else None) if path is not None]


@dataclass(frozen=True)
class Row:
    """A row of the table.

    name (str): How it is called.
    runs (Dict[str, Run]): Repetition (such as a seed, or `ONCE`) to what is measured.
    x (Optional[float]): Place in the plot.
    line (str): Line of the plot.
    """

    name: str
    runs: Dict[str, Run]
    x: Optional[float] = None
    line: str = ""

    @property
    def gold(self) -> Path:
        """RETURNS (Path): Records of the test part."""
        return next(iter(self.runs.values())).gold


@dataclass(frozen=True)
class Expanded:
    """An experiment with all its steps and rows.

    plan (Plan): The steps, in order.
    rows (Dict[str, Row]): Name to row.
    compare (List[Tuple[str, str]]): Names of two rows, the one before first.
    choose (Dict[str, List[str]]): Name of a choice to the names of its rows.
    """

    plan: Plan
    rows: Dict[str, Row]
    compare: List[Tuple[str, str]]
    choose: Dict[str, List[str]]

    def only(self, *parts: str) -> "Expanded":
        """RETURNS (Expanded): The rows whose name holds one of the parts, and what they need; raises BionerError E712
        for a part that no name holds."""
        for part in parts:
            if not any(part.casefold() in name.casefold() for name in self.rows):
                raise BionerError(Errors.E712.format(part=part, known=", ".join(self.rows)))
        rows = {name: row for name, row in self.rows.items()
                if any(part.casefold() in name.casefold() for part in parts)}
        paths = [path for row in rows.values() for run in row.runs.values() for path in run.paths()]
        return Expanded(self.plan.reduced_to(paths), rows,
                        [pair for pair in self.compare if set(pair) <= set(rows)],
                        {name: among for name, among in self.choose.items() if set(among) <= set(rows)})

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
                    wanted = f"file for row '{name}', or of one that a step makes"
                    raise BionerError(Errors.E001.format(path=path, wanted=wanted))


def expand(experiment: Experiment, *, data: Path, out: Path, gpu_id: int = -1) -> Expanded:
    """Fill in the templates of an experiment.

    experiment (Experiment): The experiment.
    data (Path): Folder of the corpora, {data} in templates.
    out (Path): Folder of the experiment, {out}.
    gpu_id (int): GPU, or -1 for the CPU, {gpu_id}.
    RETURNS (Expanded): Steps, rows, comparisons and choices.
    RAISES BionerError: E737 for an x that is no number, E708, E709 and E721 for steps that do not fit together, E713
        for an unknown name, E714 for a list that there is not, E715 for an output outside of OUT, E716 for a
        comparison or a choice with a row that no form of the experiment has, E717 for compared rows of other test
        parts, E718 for a row without a figure of dev in a choice, E720 for a name that two rows or two choices have.
    """
    filler = Filler(experiment, {"data": str(data), "out": str(out), "gpu_id": gpu_id})
    steps = [step for template in experiment.steps for step in filler.steps(template, out)]
    rows = _name_each("rows", ((row.name, row) for template in experiment.rows for row in filler.rows(template)))
    compare = [(filler.fill(pair.before, scope), filler.fill(pair.after, scope))
               for pair in experiment.compare for scope in filler.scopes(pair.foreach)]
    choose = _name_each("choices", ((filler.fill(choice.name, scope),
                                     [filler.fill(name, scope) for name in choice.among])
                                    for choice in experiment.choose for scope in filler.scopes(choice.foreach)))
    left_out = set(filler.names_left_out(experiment.rows)) - set(rows)
    for before, after in compare:
        _refuse_unknown("comparison", f"{before} / {after}", (before, after), rows, left_out)
    for name, among in choose.items():
        _refuse_unknown("choice", name, among, rows, left_out)
    pairs = list(dict.fromkeys(pair for pair in compare if pair[0] != pair[1] and set(pair) <= set(rows)))
    chosen = {name: [row for row in among if row in rows] for name, among in choose.items()}
    # Measuring would find these too, but only after all steps have run.
    for before, after in pairs:
        if rows[before].gold != rows[after].gold:
            raise BionerError(Errors.E717.format(first=before, second=after))
    for name in (name for among in chosen.values() for name in among):
        if not any(run.dev for run in rows[name].runs.values()):
            raise BionerError(Errors.E718.format(name=name))
    return Expanded(Plan(steps, cache=out / "cache"), rows, pairs,
                    {name: among for name, among in chosen.items() if among})


def _name_each(kind: str, pairs: Iterable[Tuple[str, Named]]) -> Dict[str, Named]:
    """RETURNS (Dict[str, Named]): Name to what is called so; raises BionerError E720 for a name that comes twice."""
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


class Filler:
    """Puts values into the places of templates.

    experiment (Experiment): Its vars and lists.
    given (Mapping[str, Any]): Further values.
    """

    def __init__(self, experiment: Experiment, given: Mapping[str, Any]) -> None:
        self._lists = experiment.lists
        self._all_lists = experiment.all_lists
        self._values = {**experiment.vars, **given}

    def scopes(self, foreach: Sequence[str], base: Optional[Scope] = None) -> Iterator[Scope]:
        """YIELDS (Scope): Values for each combination of the items of lists that go with each other."""
        base = self._values if base is None else base
        for name in foreach:
            if name not in self._lists:
                raise BionerError(Errors.E714.format(name=name, known=", ".join(self._lists)))
        for items in product(*(self._lists[name] for name in foreach)):
            scope = {**base, **dict(zip(foreach, items))}
            if _go_together(scope, self._lists):
                yield scope

    def steps(self, template: StepTemplate, out: Path) -> Iterator[Step]:
        """YIELDS (Step): The steps of a template; raises BionerError E715 for an output outside of OUT."""
        for scope in self.scopes(template.foreach):
            words = [word for token in shlex.split(template.run) for word in self._fill_word(token, scope)]
            output = Path(self.fill(template.output, scope))
            if out not in output.parents or ".." in output.parts[len(out.parts):]:
                raise BionerError(Errors.E715.format(name=template.name, output=output, folder=out))
            name = "-".join([template.name, *(name_of(scope[each]) for each in template.foreach)])
            yield Step(re.sub(r"[^\w.@+-]+", "_", name), tuple(words), output, kind=template.name,
                       inputs=tuple(Path(self.fill(path, scope)) for path in template.inputs),
                       beside=tuple(Path(self.fill(path, scope)) for path in template.beside))

    def rows(self, template: RowTemplate) -> Iterator[Row]:
        """YIELDS (Row): The rows of a template; one without a repetition is left out."""
        for scope in self.scopes(template.foreach):
            repeated = list(self.scopes([template.over] if template.over else [], scope))
            runs = {name_of(inner[template.over]) if template.over else ONCE: self._run(template, inner)
                    for inner in repeated}
            if runs:
                name = self.fill(template.name, scope)
                yield Row(name, runs, _read_x(self.fill(template.x, scope), name), self.fill(template.line, scope))

    def names_left_out(self, templates: Iterable[RowTemplate]) -> Iterator[str]:
        """Name the rows that an experiment might have, so that a row left out can be told from a mistake.

        templates (Iterable[RowTemplate]): The templates of its rows.
        YIELDS (str): A name for each combination of all items, those that quick values, overrides and `only` leave
            out too.
        """
        for template in templates:
            for items in product(*(self._all_lists[name] for name in template.foreach)):
                try:
                    name = self.fill(template.name, {**self._values, **dict(zip(template.foreach, items))})
                except BionerError:  # items that do not go together may lack a value
                    continue
                yield name

    def fill(self, text: str, scope: Scope, depth: int = 0) -> str:
        """Fill the places of a text.

        text (str): With {name} or {name.key}; a list item that is a mapping stands for its name.
        scope (Scope): The values.
        depth (int): How many values this text was found in.
        RETURNS (str): The text without places.
        RAISES BionerError: E713 for a name that is not known, or that leads to itself.
        """
        def value(match: "re.Match[str]") -> str:
            found = self._find(match[1], scope, depth)
            return self.fill(name_of(found), scope, depth + 1)

        return _PLACE.sub(value, text)

    def _run(self, template: RowTemplate, scope: Scope) -> Run:
        filled = {key: self.fill(getattr(template, key), scope)
                  for key in ("gold", "predicted", "dev", "rejected", "selector")}
        return Run(Path(filled["gold"]), Path(filled["predicted"]), filled["dev"],
                   *(Path(filled[key]) if filled[key] else None for key in ("rejected", "selector")))

    def _fill_word(self, word: str, scope: Scope, depth: int = 0) -> List[str]:
        """RETURNS (List[str]): The word filled in; a place that is a whole word and holds a list gives several."""
        whole = _PLACE.fullmatch(word)
        found = self._find(whole[1], scope, depth) if whole else None
        if isinstance(found, list):
            return [part for one in found for part in self._fill_word(str(one), scope, depth + 1)]
        return [self.fill(word, scope, depth)]

    def _find(self, dotted: str, scope: Scope, depth: int) -> Any:
        name, *keys = dotted.split(".")
        found: Any = scope.get(name)
        for key in keys:
            found = found.get(key) if isinstance(found, dict) else None
        if found is None or depth > _DEEPEST:
            raise BionerError(Errors.E713.format(name=dotted, known=", ".join(sorted(scope))))
        return found


def _read_x(text: str, row: str) -> Optional[float]:
    """RETURNS (Optional[float]): The place of a row in the plot, None for an empty text; raises BionerError E737 for
    what is no number."""
    try:
        x = float(text) if text else 0.0
    except ValueError:
        x = math.nan
    if not math.isfinite(x):
        raise BionerError(Errors.E737.format(option=f"x of row '{row}'", found=text, wanted="a number, or nothing"))
    return x if text else None


def _go_together(scope: Scope, lists: Mapping[str, List[Item]]) -> bool:
    """RETURNS (bool): Whether no item of the scope is for other items of another list only."""
    for name in lists:
        item = scope.get(name)
        wanted = item.get("only", {}) if isinstance(item, dict) else {}
        for other, allowed in wanted.items():
            if other in lists and other in scope and name_of(scope[other]) not in map(str, allowed):
                return False
    return True
