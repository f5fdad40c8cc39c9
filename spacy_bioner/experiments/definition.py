"""What an experiment is: a YAML file with values, templates of steps, and the rows of its table."""

import shlex
from pathlib import Path
from typing import Annotated, Any, Dict, List, Mapping, Optional, Union

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PrivateAttr, ValidationError
from pydantic_core import PydanticCustomError

from ..errors import BionerError, Errors


# Checks by hand: of a union, pydantic would tell of its first kind only, as if the others were not wanted.
def _check_value(value: Any) -> Any:
    """Return a value as it is; refuses what is neither text nor a number."""
    if not isinstance(value, (str, int, float)):
        raise PydanticCustomError("value", "Input should be a number or text")
    return value


def _check_items(items: Any) -> Any:
    """Return a list as it is; refuses an empty one, with which steps and rows would vanish unseen."""
    if items == []:
        raise PydanticCustomError("items", "The list is empty; give it an item")
    return items


def _check_item(item: Any) -> Any:
    """Return an item of a list as it is; refuses a mapping without a name or with another kind of `only`."""
    if not isinstance(item, (dict, str, int, float)):
        raise PydanticCustomError("item", "Input should be a number, text or a mapping")
    if isinstance(item, dict):
        if not all(isinstance(key, str) for key in item):
            raise PydanticCustomError("item", "The keys of an item should be text; put others in quotes")
        if "name" not in item:
            raise PydanticCustomError("item", "An item that is a mapping has no name; write name: beside its keys")
        only = item.get("only", {})
        if not isinstance(only, dict) or not all(isinstance(names, list) for names in only.values()):
            raise PydanticCustomError("item", "Its key only should map lists to names: only: {LIST: [NAME]}")
    return item


def _check_command(run: str) -> str:
    """Return a command line as it is; refuses one that cannot be taken apart or that is empty."""
    try:
        words = shlex.split(run)
    except ValueError as error:  # a quote that is not closed
        raise PydanticCustomError("command", "{why}", {"why": str(error)}) from None
    if not words:
        raise PydanticCustomError("command", "There is no verb in it")
    return run


Value = Annotated[Union[str, int, float], BeforeValidator(_check_value)]
Item = Annotated[Union[Dict[str, Any], str, int, float], BeforeValidator(_check_item)]
Items = Annotated[List[Item], BeforeValidator(_check_items)]
Command = Annotated[str, AfterValidator(_check_command)]


class Part(BaseModel):
    """Base of the parts of an experiment: typed, with unknown keys refused."""

    model_config = ConfigDict(extra="forbid")


class StepTemplate(Part):
    """A step, once for each combination of what `foreach` names.

    name (str): Unique among the steps.
    foreach (List[str]): Names of lists.
    run (str): The verb and its arguments as a command line.
    output (str): The file or folder that is made, below {out}.
    inputs (List[str]): Files and folders that are read and that the command line does not name as files.
    beside (List[str]): What is made beside the output and not in it, such as a report.
    made (str): `FILE#key.key`: how much was made, a number in a report of the step. Where it is 0 the step may fail:
        what needs it is left out, and the tables say so.
    """

    name: str
    foreach: List[str] = []
    run: Command
    output: str
    inputs: List[str] = []
    beside: List[str] = []
    made: str = ""


class RowTemplate(Part):
    """A row of the table, or one for each combination of what `foreach` names.

    name (str): How it is called.
    foreach (List[str]): Names of lists.
    over (str): List of the repetitions of a row, over which means and ranges are taken; empty for one run.
    gold (str): Records of the test part.
    predicted (str): Records with what was found.
    dev (str): `FILE#key.key`: the figure of the dev part in a JSON file, by which rows are chosen.
    x (str): Number along the horizontal axis of the plot; empty for a row that is not in it.
    line (str): The line of the plot that it belongs to.
    rejected (str): Records with what a selector dropped; then its calibration is measured.
    selector (str): The pipeline of the selector.
    """

    name: str
    foreach: List[str] = []
    over: str = ""
    gold: str
    predicted: str
    dev: str = ""
    x: str = ""
    line: str = ""
    rejected: str = ""
    selector: str = ""


class Comparison(Part):
    """Rows that are compared: the difference is that of `after`, less that of `before`.

    foreach (List[str]): Names of lists.
    before (str): Name of a row, or of a choice, which stands for the row that is chosen.
    after (str): The same.
    claim (str): A claim that `after` is better, which the interval of the difference decides; empty for none.
    """

    foreach: List[str] = []
    before: str
    after: str
    claim: str = ""


class TableTemplate(Part):
    """A table of F1 with a line for each item of one list and a column for each item of another.

    title (str): Its heading.
    foreach (List[str]): Names of lists; a table for each combination.
    rows (str): Name of the list of lines.
    columns (str): Name of the list of columns.
    cell (str): Name of the row, or of the choice, that a cell shows.
    heading (str): What a column is called; by default as its item.
    against (str): Name of the row, or choice, that a cell is compared with: then a second table has the differences.
    published (str): `FILE#key.key`: the number in percent that a publication gives for a cell, where it gives one.
    axis (str): What the columns are, numbers then, along the horizontal axis of a plot; empty for no plot.
    note (str): Stands below the table.
    """

    title: str
    foreach: List[str] = []
    rows: str
    columns: str
    cell: str
    heading: str = ""
    against: str = ""
    published: str = ""
    axis: str = ""
    note: str = ""


class ReportTemplate(Part):
    """A table of the reports that steps write, a line for each combination of what `foreach` names.

    title (str): Its heading.
    foreach (List[str]): Names of lists.
    name (str): What a line is called.
    file (str): The report (JSON); a line without one is left out.
    columns (Dict[str, str]): Heading of a column to the key in the report, such as `contexts.asked`.
    note (str): Stands below the table.
    """

    title: str
    foreach: List[str] = []
    name: str
    file: str
    columns: Dict[str, str] = Field(min_length=1)
    note: str = ""


class Choice(Part):
    """Rows among which the best on dev is chosen."""

    name: str
    foreach: List[str] = []
    among: List[str] = Field(min_length=1)


class Values(Part):
    """Values that stand in the place of others, see `Experiment.quick`."""

    vars: Dict[str, Value] = {}
    lists: Dict[str, Items] = {}


class Profile(Values):
    """Values for a profile.

    quick (Optional[Values]): What --quick puts in the place of these, in place of the quick values of the experiment.
    """

    quick: Optional[Values] = None


class Experiment(Part):
    """An experiment.

    title (str): Heading of its report.
    question (str): What it answers, and what the publications report.
    vars (Dict[str, Value]): Values for {placeholders}.
    lists (Dict[str, Items]): What `foreach` goes over: plain values, or mappings with a name, whose keys are
        {list.key}; `only` of a mapping names the items of other lists that it goes with.
    quick (Values): What --quick puts in the place of these; items with names are chosen by them.
    profiles (Dict[str, Profile]): Name of a profile, a value of `vars.profile`, to what it puts in the place of these.
    axis (str): What x is in the plot.
    steps (List[StepTemplate]): What may be run; those that rows need are.
    rows (List[RowTemplate]): What is measured.
    compare (List[Comparison]): Which rows are compared.
    choose (List[Choice]): What is chosen on dev.
    tables (List[TableTemplate]): Further tables of the rows.
    reports (List[ReportTemplate]): Tables of what steps report.
    """

    title: str
    question: str
    vars: Dict[str, Value] = {}
    lists: Dict[str, Items] = {}
    quick: Values = Values()
    profiles: Dict[str, Profile] = {}
    axis: str = ""
    steps: List[StepTemplate] = Field(min_length=1)
    rows: List[RowTemplate] = Field(min_length=1)
    compare: List[Comparison] = []
    choose: List[Choice] = []
    tables: List[TableTemplate] = []
    reports: List[ReportTemplate] = []
    # Lists with the items of all forms of the file, where other values stand in their place.
    _written: Dict[str, List[Item]] = PrivateAttr(default_factory=dict)

    @property
    def all_lists(self) -> Dict[str, List[Item]]:
        """Return the lists, with the items too that quick values and overrides leave out."""
        written = {name: self._written.get(name, []) for name in self.lists}
        return {name: [*items, *(item for item in written[name] if item not in items)]
                for name, items in self.lists.items()}


def read_experiment(path: Path, *, quick: bool = False, overrides: Optional[Mapping[str, Any]] = None) -> Experiment:
    """Read an experiment.

    Values of its profile go before those of the file, quick values before these, and overrides before all.

    path (Path): The YAML file.
    quick (bool): Whether its quick values are taken.
    overrides (Optional[Mapping[str, Any]]): `vars.NAME` or `lists.NAME` to a value.
    RETURNS (Experiment): The experiment.
    RAISES BionerError: E001, E711 with what is wrong.
    """
    import srsly
    from srsly.ruamel_yaml.error import YAMLError

    if not Path(path).is_file():
        raise BionerError(Errors.E001.format(path=path, wanted="experiment (YAML)"))
    try:
        written = srsly.read_yaml(path)
        if not isinstance(written, dict):
            raise ValueError(_say_kind(written))
        experiment = Experiment.model_validate(written)
        values = _sort_overrides(overrides or {})
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"]))
        raise BionerError(Errors.E711.format(path=path, why=f"{key}: {first['msg']}")) from None
    except (YAMLError, ValueError) as error:
        raise BionerError(Errors.E711.format(path=path, why=" ".join(str(error).split()))) from None
    profile = experiment.profiles.get(str(values.vars.get("profile", experiment.vars.get("profile"))), Profile())
    forms = [profile, *([profile.quick or experiment.quick] if quick else []), values]
    known = experiment.model_copy(update={"lists": _collect_items(experiment)})
    for form in forms:
        experiment = put(experiment, form, known=known, path=path)
    return experiment


def put(experiment: Experiment, values: Values, *, known: Experiment, path: Path) -> Experiment:
    """Put values in the place of others.

    experiment (Experiment): The experiment.
    values (Values): The values.
    known (Experiment): Has all items of the lists, of which values may choose by name.
    path (Path): Its file, for errors.
    RETURNS (Experiment): With these values.
    RAISES BionerError: E711 for a value or an item that there is not.
    """
    for kind in ("vars", "lists"):
        for name in getattr(values, kind):
            names = getattr(known, kind)
            if name not in names:
                raise BionerError(Errors.E711.format(path=path, why=f"no {kind}.{name}; there are {', '.join(names)}"))
    lists = {name: [_pick(item, known.lists[name], f"lists.{name}", path) for item in items]
             for name, items in values.lists.items()}
    changed = experiment.model_copy(update={"vars": {**experiment.vars, **values.vars},
                                            "lists": {**experiment.lists, **lists}})
    changed._written = known.lists
    return changed


def name_of(item: Item) -> str:
    """Return the name of an item of a list; a plain value is its own."""
    return str(item["name"]) if isinstance(item, dict) else str(item)


def _collect_items(experiment: Experiment) -> Dict[str, List[Item]]:
    """Return the lists, with the items that only a profile or its quick form has."""
    forms = [form for profile in experiment.profiles.values() for form in (profile, profile.quick) if form is not None]
    lists = {name: list(items) for name, items in experiment.lists.items()}
    for form in (experiment.quick, *forms):
        for name in lists.keys() & form.lists.keys():
            names = set(map(name_of, lists[name]))
            # In a list of mappings a plain value is the name of one, so it adds none.
            named = any(isinstance(item, dict) for item in lists[name])
            lists[name] += [item for item in form.lists[name]
                            if name_of(item) not in names and (isinstance(item, dict) or not named)]
    return lists


def _say_kind(written: Any) -> str:
    """Return what a file holds that is no mapping, and what is wanted."""
    kinds = {list: "a list", str: "text", int: "a number", float: "a number"}
    found = "empty" if written is None else kinds.get(type(written), "a single value")
    return f"it is {found}, wanted title:, question:, steps: and rows:"


def _pick(item: Item, known: List[Item], place: str, path: Path) -> Item:
    """Return the item; of a list of mappings the one of that name."""
    if isinstance(item, dict) or not any(isinstance(other, dict) for other in known):
        return item
    found = next((other for other in known if name_of(other) == str(item)), None)
    if found is None:
        names = ", ".join(map(name_of, known))
        raise BionerError(Errors.E711.format(path=path, why=f"{place} has no item '{item}'; there are {names}"))
    return found


def _sort_overrides(overrides: Mapping[str, Any]) -> Values:
    """Return overrides as values; raises ValueError for a key of another kind."""
    values: Dict[str, Dict[str, Any]] = {"vars": {}, "lists": {}}
    for key, value in overrides.items():
        kind, _, name = key.partition(".")
        if kind not in values:
            raise ValueError(f"'{key}' is neither vars.NAME nor lists.NAME")
        values[kind][name] = value
    return Values.model_validate(values)
