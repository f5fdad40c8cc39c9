"""What can be said of the wheel of a pipeline before it is installed: licence, versions, code, calls of its config."""

import configparser
import re
from dataclasses import dataclass
from importlib import metadata
from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence

from confection import Config, ConfigValidationError
from packaging.requirements import InvalidRequirement, Requirement
from spacy.cli.package import TEMPLATE_INIT

from ..annotation import Annotation
from ..errors import BionerError, Errors
from ..training.training_texts import FILE, TrainingTexts
from .wheel_file import WheelFile

# Registered functions of spaCy, of what comes with it, and of this package; thinc's have no name before their own.
_KNOWN = re.compile(r"(spacy|spacy-bioner|spacy-legacy|spacy-loggers|spacy-transformers|srsly)\.[\w.-]+|\w+\.v\d+")


# A figure with the ends of its confidence interval.
Figures = Sequence[float]


@dataclass(frozen=True)
class Check:
    """What was found.

    name (str): What was looked at.
    failed (bool): Whether it is not as it should be.
    said (str): A sentence.
    """

    name: str
    failed: bool
    said: str


def check_hashes(wheel: WheelFile) -> Check:
    """Say whether all files are those of RECORD."""
    if not wheel.faults:
        return Check("hashes", False, f"{len(wheel.names)} files are as RECORD states")
    return Check("hashes", True, f"{wheel.faults[0]} ({len(wheel.faults)} faults); nothing else was looked at")


def check_licence(wheel: WheelFile, meta: Mapping[str, Any]) -> Check:
    """Say under which terms the package and its sources are."""
    package = wheel.metadata()
    licence = package.get("License-Expression") or package.get("License") or meta.get("license") or ""
    sources = [f"{each.get('name')}: {each.get('license')}" for each in meta.get("sources") or () if
               isinstance(each, dict)]
    said = "; ".join(dict.fromkeys([" ".join(str(licence).split()), *sources])).strip("; ")
    return Check("licence", not licence, said or "none is stated")


def check_versions(wheel: WheelFile) -> Check:
    """Say whether what the package needs is installed."""
    missing: List[str] = []
    fitting: List[str] = []
    for stated in wheel.metadata().get_all("Requires-Dist") or ():
        try:
            wanted = Requirement(stated)
        except InvalidRequirement:
            missing.append(f"{stated[:60]} cannot be read")
            continue
        if wanted.marker is not None and not wanted.marker.evaluate({"extra": ""}):
            continue
        if wanted.url is not None:
            missing.append(f"{wanted.name} would be taken from {wanted.url[:80]}")
            continue
        try:
            found = metadata.version(wanted.name)
        except metadata.PackageNotFoundError:
            missing.append(f"{wanted} is not installed")
            continue
        fits = wanted.specifier.contains(found, prereleases=True)
        (fitting if fits else missing).append(f"{wanted} ({found} is installed)")
    return Check("versions", bool(missing), "; ".join(missing or fitting) or "no requirement is stated")


def check_code(wheel: WheelFile) -> Check:
    """Say whether the package has other code than the template of `spacy package`."""
    code = [name for name in wheel.names if name.endswith((".py", ".pyc", ".so", ".pyd", ".pth"))]
    other = [name for name in code if not name.endswith("/__init__.py") or name.count("/") != 1
             or wheel.read(name).decode("utf8", "replace").split() != TEMPLATE_INIT.format(imports="").split()]
    return Check("code", bool(other), f"code of its own, read it before you install: {', '.join(other[:5])}" if other
                 else "none but the template of `spacy package`")


def check_calls(config: Mapping[str, Any]) -> Check:
    """Say which registered functions a config calls, and which of them are neither spaCy's nor of this package."""
    calls = sorted(set(_find_calls(config)))
    strange = [name for name in calls if not _KNOWN.fullmatch(name.partition(":")[2])]
    said = f"calls functions of others: {', '.join(strange)}" if strange else \
        "calls functions of spaCy and spacy-bioner: " + ", ".join(calls)
    return Check("config", bool(strange), said)


def read_config(wheel: WheelFile) -> Dict[str, Any]:
    """Read the config of the pipeline; nothing that it names is resolved. RAISES BionerError: E811."""
    path = str(wheel.pipeline() / "config.cfg")
    try:
        return dict(Config().from_str(wheel.read(path).decode("utf8"), interpolate=False))
    except (ConfigValidationError, configparser.Error, ValueError) as error:
        raise BionerError(Errors.E811.format(path=path, why=" ".join(str(error).split())[:200])) from None


def _find_calls(node: Any, registry: str = "") -> Iterator[str]:
    """Yield `registry:name` for each registered function that a config names."""
    if isinstance(node, Mapping):
        for key, value in node.items():
            if str(key).startswith("@"):
                yield f"{str(key)[1:]}:{value}"
            else:
                yield from _find_calls(value)
    elif isinstance(node, (list, tuple)):
        for value in node:
            yield from _find_calls(value)


def check_texts(wheel: WheelFile, test: Optional[Sequence[Annotation]]) -> Check:
    """Say whether texts of a test set were trained or tuned on.

    wheel (WheelFile): The wheel.
    test (Optional[Sequence[Annotation]]): The test set, where one is given.
    RETURNS (Check): Failed where one was.
    RAISES BionerError: E011 for hashes that cannot be read.
    """
    path = str(wheel.pipeline() / FILE)
    held = wheel.read_json(path)
    if held is None:
        return Check("training texts", False, "not stated; nobody can tell whether a text was among them")
    texts = TrainingTexts.from_json(held, path=path)
    if test is None:
        return Check("training texts", False, f"hashes of {len(texts)} sentences; give a test set to compare")
    seen = [one.id for one in test if texts.holds(one)]
    said = f"{len(seen)} of {len(test)} test texts were trained or tuned on, first '{seen[0]}'" if seen else \
        f"none of {len(test)} test texts is among them"
    return Check("training texts", bool(seen), said)


def check_scores(card: Mapping[str, Any], f1: Figures, recall: Mapping[str, Figures]) -> Check:
    """Compare the scores on a test set with the card.

    card (Mapping[str, Any]): The card in the pipeline's meta.
    f1 (Figures): F1 and its interval, from 0 to 1.
    recall (Mapping[str, Figures]): The same of the recall of each label, counted as the promise counts it.
    RETURNS (Check): Failed where the whole interval of F1 is below that of the card; of a pipeline that promises
        recall, whose F1 is another one, where that of the recall of a label with a promise is below it.
    """
    promise = card.get("promise")
    if promise:
        wanted = 1 - promise["missed"]
        promised = [label for label, one in promise["labels"].items() if one["holds"] and label in recall]
        said = "; ".join(f"{label} {_write(recall[label])}" for label in promised) or "no label with a promise"
        return Check("recall", any(recall[label][2] < wanted for label in promised),
                     f"{said} on the test set, promised {100 * wanted:g}")
    stated = ((card.get("scores") or {}).get("micro") or {}).get("f1")
    if not stated:
        return Check("F1", False, f"{_write(f1)} on the test set; the card states none")
    below, above = f1[2] < stated[1], f1[1] > stated[2]
    word = "below" if below else "above" if above else "in agreement with"
    return Check("F1", below, f"{_write(f1)} on the test set, {word} {_write(stated)} on the card")


def _write(figures: Figures) -> str:
    value, low, high = (f"{100 * figure:.1f}" for figure in figures)
    return f"{value} ({low} to {high})"


def list_checks(wheel: WheelFile, meta: Mapping[str, Any], test: Optional[Sequence[Annotation]]) -> List[Check]:
    """Make all checks that run nothing of the pipeline, for a wheel whose hashes are right."""
    return [check_licence(wheel, meta), check_versions(wheel), check_code(wheel), check_calls(read_config(wheel)),
            check_texts(wheel, test)]
