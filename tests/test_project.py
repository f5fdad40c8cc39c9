"""The workflow: every declared output is made, a second run does nothing, and bad input is one clear line."""

import json
import os
import subprocess
import sys

import pytest
from smoke_project import LIMITS, ROOT, copy_project, outputs_of, run_workflow

# The smoke workflow is run here where no other test has run it yet.
pytestmark = pytest.mark.timeout(1800)


@pytest.fixture(scope="module")
def smoke(smoke_run):
    return smoke_run


def test_every_declared_output_is_there_and_not_empty(smoke):
    for command, paths in outputs_of(smoke, **LIMITS).items():
        assert paths, f"{command} declares what it makes"
        for path in paths:
            assert path.exists(), f"{command}: {path}"
            if path.is_dir():
                assert any(file_.stat().st_size for file_ in path.rglob("*") if file_.is_file()), path
            elif path.name != "synthetic.rejected.jsonl":
                assert path.stat().st_size, f"{command}: {path}"


def test_metrics_hold_the_three_systems(smoke):
    metrics = json.loads((smoke / "metrics/embedded-smoke-1/metrics.json").read_text(encoding="utf8"))
    assert set(metrics["systems"]) == {"llm", "gold", "synthetic+gold"}
    for system in metrics["systems"].values():
        assert {"precision", "recall", "f1", "tp", "fp", "fn"} <= set(system["micro"])


def test_nothing_is_left_half_written(smoke):
    assert not [path for path in smoke.rglob("*.tmp")]


def test_a_second_run_skips_every_command(smoke):
    output = run_workflow(smoke, **LIMITS).stdout
    assert output.count("nothing changed") == len(outputs_of(smoke, **LIMITS))


@pytest.mark.parametrize("variables, message", [
    pytest.param({"corpus": "nowhere"}, "nowhere", id="missing-corpus"),
    pytest.param({"lang": "zh"}, "is for texts in 'en'", id="other-language"),
    pytest.param({"leaks": "maybe"}, "--leaks is 'maybe'", id="unknown-choice"),
])
def test_bad_variables_are_one_clear_line(tmp_path, variables, message):
    done = run_workflow(copy_project(tmp_path), "prepare", **variables)
    assert done.returncode == 1
    assert message in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.parametrize("command, variables, wanted", [
    pytest.param("experiment-ifd", {}, "--full", id="full"),
    pytest.param("experiment-ifd", {"form": "quick"}, "--quick", id="quick"),
    pytest.param("experiment-low-resource", {"form": "quick"}, "--quick", id="low-resource"),
])
def test_the_form_of_an_experiment_reaches_its_verb(tmp_path, command, variables, wanted):
    done = run_workflow(copy_project(tmp_path), command, "--dry", **variables)
    assert done.returncode == 0, done.stderr
    assert wanted in done.stdout


EXPERIMENTS = ("ifd", "formats", "joint", "zero-shot", "selector", "strategies", "low-resource")


@pytest.mark.parametrize("command, variables", [
    *(pytest.param(f"experiment-{name}", {"form": "quick"}, id=f"{name}-form") for name in EXPERIMENTS),
    *(pytest.param(f"experiment-{name}", {"profile": "smoke"}, id=f"{name}-profile") for name in EXPERIMENTS),
    pytest.param("experiment-low-resource", {"corpus": "other"}, id="low-resource-corpus"),
    pytest.param("experiment-low-resource", {"seed": "2"}, id="low-resource-seed"),
])
def test_profiles_forms_and_seeds_do_not_share_results(command, variables):
    one, other = (outputs_of(ROOT, command, **chosen) for chosen in ({}, variables))
    assert one[command] and not set(one[command]) & set(other[command])


@pytest.mark.parametrize("command", [f"experiment-{name}" for name in EXPERIMENTS])
def test_an_experiment_declares_the_folder_that_it_is_told(command):
    from weasel.util.config import load_project_config

    config = load_project_config(ROOT, overrides={"vars.form": "quick"})
    found = next(each for each in config["commands"] if each["name"] == command)
    folder = found["script"][0].split()[5]
    assert folder.startswith("metrics/experiments/") and "-quick" in folder
    assert all(output.startswith(f"{folder}/") for output in found["outputs"])


def test_commands_that_read_definitions_run_again_where_one_has_changed():
    from weasel.util.config import load_project_config

    for command in load_project_config(ROOT)["commands"]:
        deps = command.get("deps", ())
        reads = any(" prepare " in line for line in command["script"]) or any(
            "assets/labels" in (ROOT / path).read_text(encoding="utf8") for path in deps
            if path.startswith("configs/experiments/"))
        assert reads == ("assets/labels" in deps), command["name"]


def corpus_with(tmp_path, **changes):
    """RETURNS (Path): A project whose embedded corpus has other lines in some files."""
    project = copy_project(tmp_path)
    for name, text in changes.items():
        (project / "assets" / "embedded" / f"{name}.jsonl").write_text(text, encoding="utf8")
    return project


@pytest.mark.parametrize("text, message", [
    pytest.param('{"id": "a", "text": "x", "spans": []}\n{"id": "b", \n', "line 2", id="malformed"),
    pytest.param('{"id": "a", "text": "gout", "spans": [{"start": 0, "end": 9, "label": "DISEASE"}]}\n',
                 "lies outside", id="span-outside"),
    pytest.param('{"id": "a", "text": "gout", "spans": [{"start": 0, "end": 4, "label": "ILLNESS"}]}\n',
                 "'ILLNESS'", id="unknown-label"),
    pytest.param("", "holds no record", id="empty-train"),
])
def test_bad_corpora_are_one_clear_line_and_leave_nothing(tmp_path, text, message):
    project = corpus_with(tmp_path, train=text)
    done = run_workflow(project, "prepare")
    assert done.returncode == 1
    assert message in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert not list((project / "corpus").rglob("*.jsonl")) if (project / "corpus").exists() else True


def test_a_dev_sentence_in_train_is_refused(tmp_path):
    project = copy_project(tmp_path)
    folder = project / "assets" / "embedded"
    first = (folder / "dev.jsonl").read_text(encoding="utf8").splitlines()[0].replace('"dev"', '"train"')
    with (folder / "train.jsonl").open("a", encoding="utf8") as file_:
        file_.write(first.replace("emb-dev", "emb-copy") + "\n")
    done = run_workflow(project, "prepare")
    assert done.returncode == 1
    assert "' also occurs in dev" in done.stdout + done.stderr


def test_a_model_that_cannot_be_had_is_one_clear_line(smoke, tmp_path):
    corpus = smoke / "corpus/embedded-smoke-1"
    done = subprocess.run(
        [sys.executable, "-m", "spacy_bioner", "train", "annotator", str(corpus / "selected.jsonl"),
         str(tmp_path / "adapter"), "--labels", str(corpus / "labels.yml"), "--config",
         str(smoke / "configs/smoke/finetune.cfg"), "--finetune.model", "nobody/no-such-model"],
        capture_output=True, text=True, env={**os.environ, "HF_HUB_OFFLINE": "1"})
    assert done.returncode == 1
    assert "no-such-model" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "adapter").exists()
