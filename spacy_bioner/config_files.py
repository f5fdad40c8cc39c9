"""The config of a task: a base file, profiles that override parts of it, and overrides of single settings.

A profile is a config too. Its sections begin with the name of the task: [spancat.training], [annotate.server].
"""

import configparser
import hashlib
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any, Dict, Iterable, Iterator, List, Mapping, Optional, Sequence, Tuple

from .errors import BionerError, Errors
from .project_files import find_project_file, project_folder
from .settings import suggest

if TYPE_CHECKING:
    from confection import Config

# What the base configs are already: these names override nothing.
BASE_PROFILES = ("default", "en")
# With this a variable begins, in any text of a config.
_VARIABLE = "${"


def configs_folder() -> Path:
    """Return the folder of the shipped configs."""
    return project_folder() / "configs"


@dataclass(frozen=True)
class ConfigFiles:
    """Where the settings of a task are read from.

    task (str): Name of the task, with which the sections of profiles begin.
    path (Path): The base config.
    profiles (Tuple[Path, ...]): Profiles; a later one goes before an earlier one.
    """

    task: str
    path: Path
    profiles: Tuple[Path, ...] = ()

    def __str__(self) -> str:
        return " with ".join(map(str, (self.path, *self.profiles)))

    def read(self, overrides: Optional[Mapping[str, Any]] = None, *, interpolate: bool = True) -> "Config":
        """Read the base config, with profiles and overrides.

        overrides (Optional[Mapping[str, Any]]): Dotted key to value; they go before all profiles.
        interpolate (bool): Whether variables are filled in.
        RETURNS (Config): Section to settings.
        RAISES BionerError: E001 where a file is missing, E704 for an override of a section that there is not, E707
            where a file cannot be read or an override fits nothing, E741 for a setting of a profile that there is not.
        """
        from confection import Config, ConfigValidationError

        text = _read(self.path)
        try:
            if self.profiles:
                config = Config().from_str(text, interpolate=False)
                for profile in self.profiles:
                    self._apply(profile, config)
                text = config.to_str(interpolate=False)
            if overrides:
                self._refuse_unknown_sections(overrides, Config().from_str(text, interpolate=False))
            return Config().from_str(text, overrides=dict(overrides or {}), interpolate=interpolate)
        except BionerError:
            raise
        except (ConfigValidationError, configparser.Error, ValueError) as error:
            raise BionerError(Errors.E707.format(path=self, why=" ".join(str(error).split()))) from None

    def _refuse_unknown_sections(self, overrides: Mapping[str, Any], config: Mapping[str, Any]) -> None:
        for key in overrides:
            *section, _ = key.split(".")
            for end in range(1, len(section) + 1):
                parent = _find(config, tuple(section[:end - 1]))
                if parent is not None and section[end - 1] not in parent:
                    raise missing_section(self, section[:end], parent)

    def describe(self) -> Dict[str, Any]:
        """Return the name and checksum of each file, without the folder that it happens to be in."""
        base, *profiles = ({"file": path.name, "sha256": hashlib.sha256(_read(path).encode("utf8")).hexdigest()}
                           for path in (self.path, *self.profiles))
        return {**base, "profiles": profiles} if profiles else base

    def _apply(self, profile: Path, config: "Config") -> None:
        """Write the sections of a profile for this task into its config."""
        shipped = self._shipped()
        new: List[Tuple[str, ...]] = []
        for task, section, values in read_profile(profile):
            if task != self.task:
                continue
            place = (task, *section) if list(config) == [task] else section
            free = any(place[:len(start)] == start for start in new)
            node, known = _find(config, place), _find(shipped, place) or {}
            if node is None or _is_other_function(node, values):
                if node is None and not free and not known and not _is_open(config, place):
                    raise self._unknown(profile, (task, *section), "", _names(config, shipped, place[:-1]), place[-1])
                new.append(place)
                node, free = _put(config, place), True
            for key in values:
                if not free and key not in node and key not in known:
                    raise self._unknown(profile, (task, *section), f" {key}", [*node, *known], key)
            node.update(values)

    def _shipped(self) -> Mapping[str, Any]:
        from confection import Config

        path = configs_folder() / f"{self.task}.cfg"
        return Config().from_str(_read(path), interpolate=False) if path.is_file() and path != self.path else {}

    def _unknown(self, profile: Path, section: Tuple[str, ...], key: str, known: List[str], name: str) -> BionerError:
        return BionerError(Errors.E741.format(path=profile, section=".".join(section), key=key, config=self.path,
                                              hint=suggest(name, known)))


def find_config(task: str, path: Optional[Path] = None, profile: Optional[str] = None) -> ConfigFiles:
    """Find the files that the settings of a task are read from.

    task (str): Name of the task.
    path (Optional[Path]): The base config, in the working folder or among the shipped files; None for the shipped one.
    profile (Optional[str]): Names of profiles, which are shipped or lie in the folder "profiles" beside the config, or
        paths of others (.cfg), with commas between them. Where two that are given have a profile "first+second"
        together, that is applied after them.
    RETURNS (ConfigFiles): The files.
    RAISES BionerError: E731 for a profile that there is not.
    """
    names = [name.strip() for name in (profile or "").split(",") if name.strip() not in ("", *BASE_PROFILES)]
    base = find_project_file(path) if path is not None else configs_folder() / f"{task}.cfg"
    # A project has profiles of its own beside its configs.
    found = {file.stem: file for folder in (configs_folder(), base.parent)
             for file in sorted((folder / "profiles").glob("*.cfg"))}
    unknown = next((name for name in names if name not in found and not name.endswith(".cfg")), None)
    if unknown is not None:
        known = [*BASE_PROFILES, *sorted(name for name in found if "+" not in name)]
        raise BionerError(Errors.E731.format(name=unknown, known=", ".join(known), hint=suggest(unknown, known)))
    both = [found[f"{first}+{second}"] for one, other in combinations(names, 2)
            for first, second in ((one, other), (other, one)) if f"{first}+{second}" in found]
    return ConfigFiles(task, base, (*(found.get(name, Path(name)) for name in names), *both))


def missing_section(config: ConfigFiles, section: Sequence[str], parent: Mapping[str, Any]) -> BionerError:
    """Return the error E704 for a section that a config does not have, with those there are.

    config (ConfigFiles): The config.
    section (Sequence[str]): Parts of its name.
    parent (Mapping[str, Any]): What holds it: the config, or the section above.
    """
    known = [name for name, value in parent.items() if isinstance(value, Mapping)]
    return BionerError(Errors.E704.format(section=".".join(section), path=config, known=", ".join(known) or "none",
                                          hint=suggest(section[-1], known)))


def refuse_variables(texts: Iterable[str]) -> None:
    """Refuse labels and definitions that a config would take for variables.

    texts (Iterable[str]): The labels and definitions.
    RAISES BionerError: E556 for the first of them that holds a variable.
    """
    for text in texts:
        if _VARIABLE in text:
            raise BionerError(Errors.E556.format(text=text))


def read_profile(path: Path) -> Iterator[Tuple[str, Tuple[str, ...], Dict[str, Any]]]:
    """Read a profile.

    path (Path): The profile.
    YIELDS (Tuple[str, Tuple[str, ...], Dict[str, Any]]): Of each section the task, its place in the config of the task,
        and its settings.
    RAISES BionerError: E001, E707 where it cannot be read, E741 for a task that there is not.
    """
    from confection import try_load_json

    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    try:
        parser.read_string(_read(path))
    except configparser.Error as error:
        raise BionerError(Errors.E707.format(path=path, why=" ".join(str(error).split()))) from None
    tasks = [found.stem for found in configs_folder().glob("*.cfg")]
    for name in parser.sections():
        task, *section = name.split(".")
        if task not in tasks:
            raise BionerError(Errors.E741.format(path=path, section=name, key="", config=configs_folder(),
                                                 hint=suggest(task, tasks)))
        yield task, tuple(section), {key: try_load_json(value) for key, value in parser[name].items()}


def _read(path: Path) -> str:
    if not Path(path).is_file():
        raise BionerError(Errors.E001.format(path=path, wanted="config file"))
    try:
        return Path(path).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise BionerError(Errors.E707.format(path=path, why=str(error))) from None


def _find(config: Mapping[str, Any], place: Tuple[str, ...]) -> Optional[Dict[str, Any]]:
    node: Any = config
    for part in place:
        node = node.get(part) if isinstance(node, Mapping) else None
    return node if isinstance(node, dict) else None


def _put(config: Dict[str, Any], place: Tuple[str, ...]) -> Dict[str, Any]:
    """Return a new section in that place."""
    node = config
    for part in place[:-1]:
        if not isinstance(node.get(part), dict):
            node[part] = {}
        node = node[part]
    node[place[-1]] = {}
    return node[place[-1]]


def _is_open(config: Mapping[str, Any], place: Tuple[str, ...]) -> bool:
    """Return whether the config has null in the place of the section."""
    parent = _find(config, place[:-1])
    return parent is not None and place[-1] in parent


def _is_other_function(node: Mapping[str, Any], values: Mapping[str, Any]) -> bool:
    """Return whether the values name another registered function, so that none of the old ones fits it."""
    return any(key.startswith("@") and node.get(key) != value for key, value in values.items())


def _names(config: Mapping[str, Any], shipped: Mapping[str, Any], place: Tuple[str, ...]) -> List[str]:
    return [*(_find(config, place) or {}), *(_find(shipped, place) or {})]
