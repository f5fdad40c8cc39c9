"""The wheel of a pipeline, and beside it that of this package, without which it cannot be installed."""

import base64
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from importlib.metadata import Distribution, distribution
from pathlib import Path, PurePosixPath
from typing import Any, List, NamedTuple, Sequence, Tuple

from packaging.version import InvalidVersion, Version

from ..errors import BionerError, Errors
from ..project_files import project_folder

_OWN = "spacy-bioner"
# What the wheel of this package is built from, in a checkout.
_SOURCES = ("setup.py", "setup.cfg", "pyproject.toml", "README.md", "LICENSE", "project.yml", "configs", "assets",
            "spacy_bioner")
# What an installer writes for itself.
_OF_INSTALLER = ("INSTALLER", "REQUESTED", "RECORD", "direct_url.json")
# Wheels of the same content are the same file.
_DATE = (1980, 1, 1, 0, 0, 0)


class Wheels(NamedTuple):
    """What was packaged.

    name (str): Name of the package, as `spacy.load` takes it.
    pipeline (Path): Its wheel.
    own (Path): The wheel of this package.
    """

    name: str
    pipeline: Path
    own: Path

    @property
    def install(self) -> str:
        """Return the command that installs both."""
        return f"pip install --find-links {self.pipeline.parent} {self.name}"


def package_pipeline(pipeline: Path, folder: Path, *, name: str, version: str) -> Wheels:
    """Write the wheel of a pipeline and the wheel of this package into one folder; older ones of both are replaced.

    pipeline (Path): The pipeline, as `assemble` writes it.
    folder (Path): Where the wheels go.
    name (str): Name of the package; the language goes before it.
    version (str): Its version.
    RETURNS (Wheels): The wheels.
    RAISES BionerError: E001 where there is no pipeline, E564 for a name or version that no package can have, E565 where
        a wheel cannot be built, E566 where this package was changed since it was installed.
    """
    if not (pipeline / "meta.json").is_file():
        raise BionerError(Errors.E001.format(path=pipeline, wanted="pipeline"))
    _check_name(name, version)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="spacy-bioner-") as work:
        package, wheel = _build_pipeline(pipeline, Path(work), name, version)
        built = [wheel, write_own_wheel(Path(work) / "own")]
        for path in built:
            for older in folder.glob(f"{path.name.split('-')[0]}-*.whl"):
                older.unlink()
        moved = [Path(shutil.move(path, folder / path.name)) for path in built]
    return Wheels(package, *moved)


def write_own_wheel(folder: Path) -> Path:
    """Write the wheel of this package: built from the checkout, or put together again from what is installed.

    folder (Path): Where the wheel goes.
    RETURNS (Path): The wheel.
    RAISES BionerError: E565 where it cannot be built, E566 where a file was changed since it was installed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    root = project_folder()
    if not (root / "setup.cfg").is_file():
        return repack(distribution(_OWN), folder)
    with tempfile.TemporaryDirectory(prefix="spacy-bioner-") as work:
        # Of a copy, since setuptools leaves files behind, and takes what an earlier build has left.
        for name in _SOURCES:
            source = root / name
            if source.is_dir():
                shutil.copytree(source, Path(work) / name, ignore=shutil.ignore_patterns("__pycache__", "source"))
            elif source.is_file():
                shutil.copyfile(source, Path(work) / name)
        code = "import sys; from setuptools import build_meta; build_meta.build_wheel(sys.argv[1])"
        return _build([sys.executable, "-c", code, str(folder.resolve())], Path(work), folder)


def repack(installed: Distribution, folder: Path) -> Path:
    """Put the wheel of an installed distribution together again, from the list of its files.

    installed (Distribution): The distribution, which was installed from a wheel.
    folder (Path): Where the wheel goes.
    RETURNS (Path): The wheel.
    RAISES BionerError: E565 without a list of files, E566 for a file that is missing or was changed.
    """
    metadata = installed.read_text("WHEEL") or ""
    tags = re.findall(r"(?m)^Tag: (\S+)$", metadata)
    if not installed.files or not tags:
        raise BionerError(Errors.E565.format(name=installed.name, why="it was not installed from a wheel"))
    wheel = folder / f"{re.sub(r'[-_.]+', '_', installed.name)}-{installed.version}-{tags[0]}.whl"
    rows: List[str] = []
    record = ""
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        for file_ in sorted(installed.files, key=str):
            name = PurePosixPath(str(file_).replace(os.sep, "/"))
            if name.name == "RECORD" and name.parent.suffix == ".dist-info":
                record = str(name)
            # Scripts lie outside, and an installer writes them anew; so it does with compiled files.
            if ".." in name.parts or name.suffix == ".pyc" or name.parent.suffix == ".dist-info" and (
                    name.name in _OF_INSTALLER):
                continue
            content = _read_unchanged(file_)
            _add(archive, str(name), content)
            rows.append(f"{name},sha256={_digest(content)},{len(content)}")
        _add(archive, record, "\n".join([*rows, f"{record},,", ""]).encode("utf8"))
    return wheel


def _read_unchanged(file_: Any) -> bytes:
    """Return the content of an installed file; raises BionerError E566 where it is not what was installed."""
    path = Path(str(file_.locate()))
    content = path.read_bytes() if path.is_file() else b""
    if not path.is_file() or file_.hash is not None and _digest(content) != file_.hash.value:
        raise BionerError(Errors.E566.format(path=path))
    return content


def _digest(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode("ascii").rstrip("=")


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    entry = zipfile.ZipInfo(name, _DATE)
    entry.external_attr = 0o644 << 16
    archive.writestr(entry, content, zipfile.ZIP_DEFLATED)


def _build_pipeline(pipeline: Path, work: Path, name: str, version: str) -> Tuple[str, Path]:
    """Return the name of the package, and its wheel."""
    from spacy.cli.package import package

    package(pipeline, work, name=name, version=version, create_sdist=False, create_wheel=False, require_parent=True,
            silent=True)
    [folder] = (path for path in work.iterdir() if path.is_dir())
    target = work / "wheel"
    wheel = _build([sys.executable, "setup.py", "--quiet", "bdist_wheel", "--dist-dir", str(target)], folder, target)
    # The name of the wheel's file is in lower case, that of the module as it was given.
    return folder.name.partition("-")[0], wheel


def _build(command: Sequence[str], source: Path, target: Path) -> Path:
    """Run a build and return the wheel that it left in a folder."""
    # The folder of a checkout on the path would stand before the copy that is built.
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(command, cwd=source, capture_output=True, text=True, env=environment)
    built = list(target.glob("*.whl")) if target.is_dir() else []
    if done.returncode or len(built) != 1:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise BionerError(Errors.E565.format(name=source.name, why=said[-1] if said else "no wheel was written"))
    return built[0]


def _check_name(name: str, version: str) -> None:
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*(?<!_)", name):
        raise BionerError(Errors.E564.format(what="name", found=name, wanted="letters, digits and underscores"))
    try:
        Version(version)
    except InvalidVersion:
        raise BionerError(Errors.E564.format(what="version", found=version, wanted="a version such as 0.1.0")) from None
