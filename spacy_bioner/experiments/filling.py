"""Puts values into the places of templates: one step, row or table for each combination of the lists that they name."""

import math
import re
import shlex
from itertools import product
from pathlib import Path
from typing import Any, Iterable, Iterator, List, Mapping, Optional, Sequence

from ..errors import BionerError, Errors
from .definition import Experiment, Item, ReportTemplate, RowTemplate, StepTemplate, TableTemplate, name_of
from .rows import ONCE, Cell, Reports, Row, Run, Table
from .steps import Step

_PLACE = re.compile(r"\{([a-z_]\w*(?:\.[a-z_]\w*)*)\}")
# A word with such a place is there once for each item of a list.
_EACH = re.compile(r"\{([a-z_]\w*)\*\}")
# Values may hold placeholders themselves, but not without end.
_DEEPEST = 8
Scope = Mapping[str, Any]


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
        """Yield values for each combination of the items of lists that go with each other."""
        base = self._values if base is None else base
        for name in foreach:
            if name not in self._lists:
                raise BionerError(Errors.E714.format(name=name, known=", ".join(self._lists)))
        for items in product(*(self._lists[name] for name in foreach)):
            scope = {**base, **dict(zip(foreach, items))}
            if _go_together(scope, self._lists):
                yield scope

    def steps(self, template: StepTemplate, out: Path) -> Iterator[Step]:
        """Yield the steps of a template; raises BionerError E715 for an output outside of OUT."""
        for scope in self.scopes(template.foreach):
            words = [word for token in shlex.split(template.run) for word in self._fill_word(token, scope)]
            output = Path(self.fill(template.output, scope))
            if out not in output.parents or ".." in output.parts[len(out.parts):]:
                raise BionerError(Errors.E715.format(name=template.name, output=output, folder=out))
            name = "-".join([template.name, *(name_of(scope[each]) for each in template.foreach)])
            yield Step(re.sub(r"[^\w.@+-]+", "_", name), tuple(words), output, kind=template.name,
                       inputs=tuple(Path(self.fill(path, scope)) for path in template.inputs),
                       beside=tuple(Path(self.fill(path, scope)) for path in template.beside),
                       made=self.fill(template.made, scope))

    def rows(self, template: RowTemplate) -> Iterator[Row]:
        """Yield the rows of a template; one without a repetition is left out."""
        for scope in self.scopes(template.foreach):
            repeated = list(self.scopes([template.over] if template.over else [], scope))
            runs = {name_of(inner[template.over]) if template.over else ONCE: self._run(template, inner)
                    for inner in repeated}
            if runs:
                name = self.fill(template.name, scope)
                x = _read_x(self.fill(template.x, scope), f"x of row '{name}'")
                yield Row(name, runs, x, self.fill(template.line, scope))

    def tables(self, template: TableTemplate) -> Iterator[Table]:
        """Yield the tables of a template, with cells for rows that there are not too."""
        for scope in self.scopes(template.foreach):
            lines, columns = ({self.fill(name_of(one[each]), one): one for one in self.scopes([each], scope)}
                              for each in (template.rows, template.columns))
            cells = {line: [self._cell(template, {**of_line, template.columns: of_column[template.columns]})
                            for of_column in columns.values()] for line, of_line in lines.items()}
            title = self.fill(template.title, scope)
            for column in columns if template.axis else ():
                _read_x(column, f"A column of table '{title}', which has an axis,")
            yield Table(template, title,
                        {column: self.fill(template.heading, one) or column for column, one in columns.items()}, cells)

    def reports(self, template: ReportTemplate) -> Reports:
        """Return the reports of a template by the names of their lines."""
        return Reports(template, {self.fill(template.name, scope): Path(self.fill(template.file, scope))
                                  for scope in self.scopes(template.foreach)})

    def _cell(self, template: TableTemplate, scope: Scope) -> Cell:
        return Cell(*(self.fill(text, scope) for text in (template.cell, template.against, template.published)))

    def names_left_out(self, templates: Iterable[Any]) -> Iterator[str]:
        """Name the rows that an experiment might have, so that a row left out can be told from a mistake.

        templates (Iterable[Union[RowTemplate, Choice]]): The templates of its rows or choices.
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
        """Return the word filled in; a place that is a whole word and holds a list gives several."""
        each = _EACH.search(word)
        if each:
            items = [scope[each[1]] for scope in self.scopes([each[1]], scope)]
            return [part for item in items
                    for part in self._fill_word(word.replace(each[0], self.fill(name_of(item), scope)), scope, depth)]
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


def _read_x(text: str, option: str) -> Optional[float]:
    """Return a place in a plot, None for an empty text; raises BionerError E737 for what is no
    number."""
    try:
        x = float(text) if text else 0.0
    except ValueError:
        x = math.nan
    if not math.isfinite(x):
        raise BionerError(Errors.E737.format(option=option, found=text, wanted="a number, or nothing"))
    return x if text else None


def _go_together(scope: Scope, lists: Mapping[str, List[Item]]) -> bool:
    """Return whether no item of the scope is for other items of another list only."""
    for name in lists:
        item = scope.get(name)
        wanted = item.get("only", {}) if isinstance(item, dict) else {}
        for other, allowed in wanted.items():
            if other in lists and other in scope and name_of(scope[other]) not in map(str, allowed):
                return False
    return True
