"""Settings declared once: a model whose fields have type, default, meaning and bounds, and what is derived from it.

The command line, the config files, the factories and the registered functions all read these declarations.
"""

import difflib
import inspect
import json
import re
import textwrap
from copy import deepcopy
from functools import wraps
from typing import (
    Any,
    Callable,
    Dict,
    Iterable,
    Iterator,
    List,
    Literal,
    Mapping,
    NamedTuple,
    Optional,
    Tuple,
    Type,
    TypeVar,
    get_origin,
)

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic.fields import FieldInfo

from .errors import BionerError, Errors, first_fault

_LINE = 120


class Settings(BaseModel):
    """Base of all declarations: typed, frozen, with unknown keys refused.

    A group of settings inside others, of which only some keys are given, keeps its other defaults.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=(), arbitrary_types_allowed=True,
                              allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _complete_groups(cls, values: Any) -> Any:
        if not isinstance(values, Mapping):
            return values
        given = dict(values)
        for name, field in cls.model_fields.items():
            if isinstance(field.default, Settings) and isinstance(given.get(name), Mapping):
                given[name] = {**field.default.values(), **given[name]}
        return given

    def values(self) -> Dict[str, Any]:
        """Return the values by name, groups as settings."""
        return {name: getattr(self, name) for name in type(self).model_fields}

    def changed(self: "SettingsType", **changes: Any) -> "SettingsType":
        """Return the same settings with other values, checked."""
        return type(self)(**{**self.values(), **changes})

    def shared_with(self, schema: Type["Settings"]) -> Dict[str, Any]:
        """Return by name the values of the settings that another declaration has too."""
        return {name: value for name, value in self.values().items() if name in schema.model_fields}


SettingsType = TypeVar("SettingsType", bound=Settings)
Made = TypeVar("Made")


class Accepts(NamedTuple):
    """Metadata of a declared type: what a registered function takes where a validator makes the declared type of it.

    type (Any): The type of the argument.
    """

    type: Any


class Setting(NamedTuple):
    """A row of the reference.

    section (str): Where it stands in a config.
    name (str): Key.
    type (str): Type with its bounds, in words.
    default (str): As a config writes it; empty where a value is required.
    meaning (str): What it does.
    """

    section: str
    name: str
    type: str
    default: str
    meaning: str


def setting(default: Any, meaning: str, **bounds: Any) -> Any:
    """Declare a setting.

    default (Any): Its default; `...` where a value is required.
    meaning (str): What it does, in a sentence.
    **bounds (Any): Bounds, as pydantic's `Field` takes them: ge, gt, le, lt, min_length, pattern.
    RETURNS (Any): The declaration, for a field of `Settings`.
    """
    return Field(deepcopy(default), description=meaning, **bounds)


def other_default(schema: Type[Settings], name: str, default: Any) -> Any:
    """Declare an inherited setting with another default.

    schema (Type[Settings]): The declaration that is inherited from.
    name (str): The setting.
    default (Any): Its default here.
    RETURNS (Any): The declaration, with the meaning and the bounds of the other.
    """
    copied = deepcopy(schema.model_fields[name])
    copied.default = default
    return copied


def build_settings(schema: Type[SettingsType], values: Mapping[str, Any], *, place: str) -> SettingsType:
    """Check values and make settings of them.

    schema (Type[SettingsType]): The declaration.
    values (Mapping[str, Any]): Name to value.
    place (str): Where the values are from, for the error.
    RETURNS (SettingsType): The settings.
    RAISES BionerError: E229 for the first value that does not fit.
    """
    try:
        return schema(**values)
    except ValidationError as error:
        key, why = first_fault(error)
        known = known_keys(schema, error.errors()[0]["loc"][:-1])
        hint = suggest(key.rpartition(".")[2], known) if error.errors()[0]["type"] == "extra_forbidden" else ""
        raise BionerError(Errors.E229.format(key=key, found=error.errors()[0]["input"], place=place, why=why,
                                             hint=hint)) from None


def takes_settings(schema: Type[Settings], *, place: str, check: Optional[Callable[[Mapping[str, Any]], None]] = None,
                   ) -> Callable[[Callable[..., Made]], Callable[..., Made]]:
    """Give a function, in place of its argument `settings`, an argument for each setting of a declaration.

    schema (Type[Settings]): The declaration.
    place (str): Name under which the function is registered, for errors.
    check (Optional[Callable]): Refuses checked values by how they were written; it is given name to value.
    RETURNS (Callable): The decorator. Types and defaults are those of the declaration.
    """
    def decorate(make: Callable[..., Made]) -> Callable[..., Made]:
        own = inspect.signature(make)
        given = [parameter for parameter in own.parameters.values() if parameter.name != "settings"]
        parameters = [*given, *_parameters(schema)]
        # A stable sort: what is required goes first.
        parameters.sort(key=lambda one: one.default is not inspect.Parameter.empty)
        signature = own.replace(parameters=parameters)

        @wraps(make)
        def made(*args: Any, **kwargs: Any) -> Any:
            bound = signature.bind(*args, **kwargs).arguments
            values = {name: bound.pop(name) for name in schema.model_fields if name in bound}
            settings = build_settings(schema, values, place=place)
            if check is not None:
                check(values)
            return make(**bound, settings=settings)

        del made.__wrapped__
        made.__signature__ = signature  # type: ignore[attr-defined]
        made.__annotations__ = {name: one.annotation for name, one in signature.parameters.items()}
        made.__annotations__["return"] = signature.return_annotation
        return made

    return decorate


def _parameters(schema: Type[Settings]) -> Iterator[inspect.Parameter]:
    for name, field in schema.model_fields.items():
        default = inspect.Parameter.empty if field.is_required() else field.get_default(call_default_factory=True)
        yield inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=_plain(default),
                                annotation=_accepted(field))


def _accepted(field: FieldInfo) -> Any:
    """Return what the function accepts: a choice as str, a group as dict; these are checked later."""
    for one in field.metadata:
        if isinstance(one, Accepts):
            return one.type
    if get_origin(field.annotation) is Literal:
        return str
    return Dict[str, Any] if group_of(field) is not None else field.annotation


def default_values(schema: Type[Settings]) -> Dict[str, Any]:
    """Return the defaults by name, as a config holds them; what is required is left out."""
    return {name: _plain(field.get_default(call_default_factory=True)) for name, field in schema.model_fields.items()
            if not field.is_required()}


def _plain(value: Any) -> Any:
    if isinstance(value, Settings):
        return value.model_dump(mode="json")
    return list(value) if isinstance(value, tuple) else deepcopy(value)


def write_section(section: str, schema: Type[Settings], values: Optional[Mapping[str, Any]] = None) -> str:
    """Write a section of a config, each key under its meaning.

    section (str): Name of the section.
    schema (Type[Settings]): The declaration.
    values (Optional[Mapping[str, Any]]): Name to value; by default the defaults. What the declaration does not have, as
        the name of a registered function, is written first.
    RETURNS (str): The lines of the section and of the groups inside it.
    """
    values = {**default_values(schema), **(values or {})}
    lines = [f"[{section}]", *(f"{name} = {write_value(value)}" for name, value in values.items()
                               if name not in schema.model_fields)]
    groups = []
    for name, field in schema.model_fields.items():
        group = group_of(field)
        if group is not None:
            groups.append(write_section(f"{section}.{name}", group, values.get(name)))
            continue
        lines += textwrap.wrap(field.description or "", _LINE, initial_indent="# ", subsequent_indent="# ")
        lines.append(f"{name} = {write_value(values.get(name))}")
    return "\n\n".join(["\n".join(lines), *groups])


def write_value(value: Any) -> str:
    """Return a value as a config has it."""
    if isinstance(value, str) and value.startswith("${"):
        return value
    return json.dumps(value, ensure_ascii=False, default=str)


def group_of(field: FieldInfo) -> Optional[Type[Settings]]:
    """Return the declaration of a group inside a declaration; None for a plain setting."""
    kind = field.annotation
    return kind if isinstance(kind, type) and issubclass(kind, Settings) else None


def list_settings(section: str, schema: Type[Settings]) -> List[Setting]:
    """List the settings of a section for the reference.

    section (str): Name of the section.
    schema (Type[Settings]): The declaration.
    RETURNS (List[Setting]): A row for each setting, those of groups after the others.
    """
    rows: List[Setting] = []
    groups: List[Setting] = []
    for name, field in schema.model_fields.items():
        group = group_of(field)
        if group is not None:
            groups += list_settings(f"{section}.{name}", group)
            continue
        default = "" if field.is_required() else write_value(_plain(field.get_default(call_default_factory=True)))
        rows.append(Setting(section, name, _name_type(field), default, field.description or ""))
    return rows + groups


_BOUNDS = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below", "min_length": "items at least"}


def _name_type(field: FieldInfo) -> str:
    kind = inspect.formatannotation(field.annotation).replace("typing.", "").replace("pathlib.", "")
    bounds = [f"{words} {getattr(one, bound)}" for one in field.metadata for bound, words in _BOUNDS.items()
              if getattr(one, bound, None) is not None]
    return ", ".join([kind, *bounds])


_MADE_WITH = "made_with"


def store_values(values: Mapping[str, Any], made_with: Mapping[str, Any]) -> Dict[str, Any]:
    """Return the settings of a component as they are stored: with those that it was made with, for `take_stored`.

    Of what a config does not give back as it is, such as a label with a colon, nothing is compared later.
    """
    return {**values, _MADE_WITH: {name: value for name, value in made_with.items() if _survives_config(value)}}


def _survives_config(value: Any) -> bool:
    if isinstance(value, Mapping):
        return all(re.fullmatch(r"[\w-]+", key) and _survives_config(inner) for key, inner in value.items())
    return "$" not in str(value)


def take_stored(stored: Mapping[str, Any], made_with: Mapping[str, Any]) -> Dict[str, Any]:
    """Return the stored settings of a component that hold: where its config says something else now, that holds.

    stored (Mapping[str, Any]): What `store_values` gave.
    made_with (Mapping[str, Any]): What the component was made with now: the config that is stored beside the settings,
        and what was overridden as it was loaded.
    """
    before = stored.get(_MADE_WITH, {})
    return {name: value for name, value in stored.items()
            if name != _MADE_WITH and (name not in before or before[name] == made_with.get(name))}


def known_keys(schema: Type[BaseModel], place: Iterable[Any]) -> List[str]:
    """Return the keys of the settings at a place inside others."""
    for key in place:
        field = schema.model_fields.get(str(key))
        inner = field.annotation if field is not None else None
        if not (isinstance(inner, type) and issubclass(inner, BaseModel)):
            break
        schema = inner
    return list(schema.model_fields)


def suggest(name: str, known: Iterable[str]) -> str:
    """Return a sentence with the nearest of the known names, empty where none is near."""
    near: Tuple[str, ...] = tuple(difflib.get_close_matches(name, list(known), n=1))
    return f" Did you mean '{near[0]}'?" if near else ""
