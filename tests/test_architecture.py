"""What holds for the whole package: sizes, layers, light imports, names that resolve, configs that load."""

import ast
import configparser
import importlib
import resource
import subprocess
import sys

import pytest
from packaging.requirements import Requirement
from packaging.version import Version
from places import ROOT

PACKAGE = ROOT / "spacy_bioner"
MODULES = sorted(PACKAGE.rglob("*.py"))
# What the oldest versions that are allowed must have, by name: the least version, and what asks for it.
LEAST = {
    "torch": "2.6",  # torch.compiler.set_stance, in finetuning/lora/compiled_layers.py
    "transformers": "4.51",  # AttentionInterface, in llm/decoding/packed/packed_model.py
}
HEAVY = ("spacy", "thinc", "torch", "transformers", "peft")


def read_setup():
    parser = configparser.ConfigParser(delimiters=("=",))
    parser.optionxform = str
    parser.read(ROOT / "setup.cfg", encoding="utf8")
    return parser


def read_entry_points():
    parser = read_setup()
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
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    output = subprocess.run([sys.executable, "-c", report], capture_output=True, text=True, check=True).stdout
    assert output.strip().endswith("[]")
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before < 2  # of processor time: others may be busy


@pytest.mark.parametrize("group, name, target", ENTRY_POINTS)
def test_registered_names_resolve(group, name, target):
    module, _, attribute = target.partition(":")
    value = importlib.import_module(module)
    for part in attribute.split("."):
        value = getattr(value, part)
    assert callable(value)


@pytest.mark.parametrize("name", LEAST)
def test_the_oldest_version_that_is_allowed_has_what_is_called(name):
    parser = read_setup()
    lines = [parser["options"]["install_requires"], *parser["options.extras_require"].values()]
    wanted = [Requirement(line) for line in "\n".join(lines).splitlines() if line]
    lowest = [Version(each.version) for one in wanted if one.name == name for each in one.specifier
              if each.operator == ">="]
    assert lowest and min(lowest) >= Version(LEAST[name])


def test_no_module_catches_everything():
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf8"))):
            if isinstance(node, ast.ExceptHandler):
                caught = getattr(node.type, "id", None)
                assert node.type is not None and caught not in ("Exception", "BaseException"), f"{path}:{node.lineno}"
