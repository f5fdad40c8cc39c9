"""What holds for the whole package: sizes, layers, light imports, names that resolve, configs that load."""

import ast
import configparser
import importlib
import resource
import subprocess
import sys
from collections import Counter

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


# Few files in a folder, so that it is about one subject. The verbs of the command line, a file each, are 13.
MOST_FILES = 13
CROWDED = {
    "cli": "one file a verb",
}
# Settings are declared beside what they are for.
IN_MANY_FOLDERS = ("settings",)
SHORT = {
    "cli/_shared/gpu.py": "shared by all verbs that set up a GPU for spaCy",
    "cli/_shared/named_paths.py": "shared by two verbs",
    "cli/_shared/scores/score_table.py": "shared by two verbs",
    "cli/_shared/skipped_lines.py": "shared by two verbs",
    "cli/_shared/verb_command.py": "the help of all verbs",
    "cli/decode.py": "a verb",
    "cli/package.py": "a verb",
    "corpus/set_aside.py": "shared by six modules of four packages",
    "errors/codec_errors.py": "messages of an area",
    "errors/evaluation_errors.py": "messages of an area",
    "errors/shipping_errors.py": "messages of an area",
    "errors/finetuning_errors.py": "messages of an area",
    "errors/review_errors.py": "messages of an area",
    "evaluation/ruler.py": "shared by error types and slices",
    "experiments/json_values.py": "shared by the engine and a verb",
    "extras.py": "below all layers, so that each can use it",
    "formats/parsing/folders.py": "shared by two formats",
    "llm/local/numbers/freed_memory.py": "shared by training, serving and 8-bit weights",
    "grounding/words.py": "shared by eight modules of five packages",
    "llm/local/passes/head_shape.py": "shared by fine-tuning and packed decoding",
    "ml/selector/selector_loss.py": "the loss, beside the models that it is for",
    "pipeline/doc_annotation.py": "shared by three components",
    "pipeline/spacy_llm/llm_registry.py": "makes a registry when it is imported",
    "project_files.py": "below all layers, so that each can use it",
    "synthesis/checking/check_settings.py": "declared settings",
    "synthesis/held_out.py": "shared by a verb, seeds and augmentation",
    "tokens.py": "below all layers, so that each can use it",
}
NAMED = [path for path in MODULES if path.name not in ("__init__.py", "__main__.py")]


def inside(path):
    return path.relative_to(PACKAGE).as_posix()


@pytest.mark.issue(20)
def test_a_folder_holds_few_files():
    counts = Counter(inside(path.parent) for path in NAMED)
    assert {name for name, count in counts.items() if count > MOST_FILES} == set(CROWDED)


@pytest.mark.issue(20)
def test_a_file_name_is_used_once_or_names_a_verb():
    verbs = {path.stem for path in NAMED if inside(path).startswith("cli/") and "_shared" not in inside(path)}
    counts = Counter(path.stem for path in NAMED if not inside(path).startswith("cli/") or path.stem not in verbs)
    assert sorted(name for name, count in counts.items() if count > 1 and name not in IN_MANY_FOLDERS) == []


@pytest.mark.issue(20)
def test_a_short_module_has_a_reason():
    short = {inside(path) for path in NAMED if len(path.read_text(encoding="utf8").splitlines()) < 40}
    assert short - set(SHORT) == set(), "merge it into the module of its user"
    assert set(SHORT) - short == set(), "no longer short: leave it out here"
