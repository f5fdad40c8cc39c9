"""The smoke workflow, run once for all tests that look at what it made."""

import shutil
import subprocess
import sys
from pathlib import Path

from places import ROOT

LIMITS = {"profile": "smoke", "gold_limit": "32", "raw_limit": "24", "dev_limit": "16", "test_limit": "16",
          "epochs": "0"}


def copy_project(folder: Path) -> Path:
    """Return a copy of what the workflow needs, without anything that was made by an earlier run."""
    project = folder / "project"
    project.mkdir(parents=True)
    shutil.copy(ROOT / "project.yml", project)
    for name in ("configs", "assets"):
        shutil.copytree(ROOT / name, project / name, symlinks=True)
    return project


def run_workflow(project: Path, name: str = "all", *flags: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    """Return the workflow, run by Weasel, each command in a new process; flags are those of the run.

    `spacy project` is the same program behind several seconds of imports.
    """
    options = [part for key, value in variables.items() for part in (f"--vars.{key}", value)]
    return subprocess.run([sys.executable, "-m", "weasel", "run", name, str(project), *flags, *options],
                          capture_output=True, text=True)


def outputs_of(project: Path, *names: str, **variables: str) -> "dict[str, list[Path]]":
    """Return command of these names, or of the workflow `all`, to the outputs it declares."""
    from weasel.util.config import load_project_config

    config = load_project_config(project, overrides={f"vars.{key}": value for key, value in variables.items()})
    wanted = names or config["workflows"]["all"]
    return {command["name"]: [project / path for path in command["outputs"]]
            for command in config["commands"] if command["name"] in wanted and "outputs" in command}
