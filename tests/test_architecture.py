"""What holds for the whole package: sizes, layers, light imports, names that resolve, configs that load."""

import ast
import configparser
import importlib
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "spacy_bioner"
MODULES = sorted(PACKAGE.rglob("*.py"))
HEAVY = ("spacy", "thinc", "torch", "transformers", "peft")


def read_entry_points():
    parser = configparser.ConfigParser(delimiters=("=",))
    parser.optionxform = str
    parser.read(ROOT / "setup.cfg", encoding="utf8")
    for group, lines in parser["options.entry_points"].items():
        for line in filter(None, lines.splitlines()):
            name, _, target = (part.strip() for part in line.partition("="))
            yield pytest.param(group, name, target, id=f"{group}:{name}")


ENTRY_POINTS = list(read_entry_points())


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_modules_are_short_and_say_what_they_are(path):
    source = path.read_text(encoding="utf8")
    assert len(source.splitlines()) <= 400
    if source:
        assert ast.get_docstring(ast.parse(source)), "a module begins with what it is"


@pytest.mark.parametrize("command", [
    pytest.param("import spacy_bioner", id="import"),
    pytest.param("import sys; sys.argv = ['spacy-bioner', '--help']; import spacy_bioner.cli.main as m\n"
                 "try: m.main()\nexcept SystemExit: pass", id="help"),
])
def test_import_and_help_load_nothing_heavy(command):
    report = f"{command}\nimport sys; print([name for name in {HEAVY!r} if name in sys.modules])"
    started = time.perf_counter()
    output = subprocess.run([sys.executable, "-c", report], capture_output=True, text=True, check=True).stdout
    assert output.strip().endswith("[]")
    assert time.perf_counter() - started < 5  # well under a second on a quiet machine


@pytest.mark.parametrize("group, name, target", ENTRY_POINTS)
def test_registered_names_resolve(group, name, target):
    module, _, attribute = target.partition(":")
    value = importlib.import_module(module)
    for part in attribute.split("."):
        value = getattr(value, part)
    assert callable(value)


CONFIGS = sorted((ROOT / "configs").rglob("*.cfg"))


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: str(path.relative_to(ROOT)))
def test_configs_load(path):
    from confection import Config

    assert Config().from_disk(path, interpolate=False)


def test_profiles_hold_the_same_configs():
    profiles = {folder.name: {path.name for path in folder.glob("*.cfg")} for folder in (ROOT / "configs").iterdir()}
    assert profiles["embedded"] == profiles["smoke"] == profiles["gpu"]


def test_no_module_catches_everything():
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf8"))):
            if isinstance(node, ast.ExceptHandler):
                caught = getattr(node.type, "id", None)
                assert node.type is not None and caught not in ("Exception", "BaseException"), f"{path}:{node.lineno}"
