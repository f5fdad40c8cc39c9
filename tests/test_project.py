"""The workflow: every declared output is made, a second run does nothing, and bad input is one clear line."""

import json
import os
import shlex
import shutil
import subprocess
import sys

import pytest
from command_line import find_command
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
    assert set(metrics["systems"]) == {"LLM annotator", "trained on gold alone", "trained on silver and gold"}
    for system in metrics["systems"].values():
        assert {"precision", "recall", "f1", "tp", "fp", "fn"} <= set(system["micro"])


def test_nothing_is_left_half_written(smoke):
    assert not [path for path in smoke.rglob("*.tmp")]


def test_a_second_run_skips_every_command(smoke):
    output = run_workflow(smoke, **LIMITS).stdout
    assert output.count("nothing changed") == len(outputs_of(smoke, **LIMITS))


@pytest.mark.issue(22)
def test_the_end_names_scores_report_wheel_and_the_way_to_a_corpus_of_ones_own(smoke):
    output = run_workflow(smoke, "show", **LIMITS).stdout
    wheel = next((smoke / "packages").rglob("en_*.whl")).name
    for part in ("silver and gold", "metrics/embedded-smoke-1/report.html", wheel,
                 "spacy-bioner init DIR --from FILES"):
        assert part in output


@pytest.mark.parametrize("variables, message", [
    pytest.param({"corpus": "nowhere"}, "nowhere", id="missing-corpus"),
    pytest.param({"lang": "zh"}, "is for texts in 'en'", id="other-language"),
    pytest.param({"leaks": "maybe"}, "'maybe' is not one of", id="unknown-choice"),
])
def test_bad_variables_are_one_clear_line(tmp_path, variables, message):
    done = run_workflow(copy_project(tmp_path), "prepare", **variables)
    assert done.returncode in (1, 2)
    assert message in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


EXPERIMENTS = [{"experiment": path.stem} for path in sorted((ROOT / "configs" / "experiments").glob("*.yml"))]


def read_project(**variables):
    """Return the workflow, with variables changed."""
    from weasel.util.config import load_project_config

    return load_project_config(ROOT, overrides={f"vars.{name}": value for name, value in variables.items()})


def find_script(project, name):
    """Return the command lines of a command."""
    return next(each["script"] for each in project["commands"] if each["name"] == name)


@pytest.mark.parametrize("variables", [{}, {"profile": "gpu"}, {"lang": "zh", "corpus": "embedded_zh"}],
                         ids=["default", "profile-gpu", "zh"])
def test_every_command_line_is_accepted_by_its_verb(variables, monkeypatch):
    monkeypatch.chdir(ROOT)
    lines = [line for command in read_project(**variables)["commands"] for line in command["script"]]
    lines = [line for line in lines if line.startswith("python -m spacy_bioner ")]
    assert len(lines) >= 18
    for line in lines:
        command, rest = find_command(shlex.split(line)[3:])
        with command.make_context(command.name, rest) as context:
            config = context.params.get("config")
            assert config is None or config.is_file(), line


def test_the_run_is_named_by_corpus_profile_and_seed():
    project = read_project(corpus="mine", profile="smoke", seed="3")
    assert project["vars"]["run"] == "mine-smoke-3"
    assert "corpus/mine-smoke-3" in find_script(project, "prepare")[0]


@pytest.mark.parametrize("form", ["full", "quick"])
def test_the_form_of_an_experiment_reaches_its_verb(form):
    assert f"--{form}" in find_script(read_project(form=form), "experiment")[0].split()


@pytest.mark.parametrize("before, after", [
    *(pytest.param(each, {**each, "form": "quick"}, id=f"{each['experiment']}-form") for each in EXPERIMENTS),
    *(pytest.param(each, {**each, "profile": "smoke"}, id=f"{each['experiment']}-profile") for each in EXPERIMENTS),
    pytest.param(EXPERIMENTS[0], EXPERIMENTS[1], id="other-experiment"),
])
def test_profiles_and_forms_do_not_share_results(before, after):
    one, other = (outputs_of(ROOT, "experiment", **chosen) for chosen in (before, after))
    assert one["experiment"] and not set(one["experiment"]) & set(other["experiment"])


def test_an_experiment_declares_the_folder_that_it_is_told():
    found = next(each for each in read_project(form="quick")["commands"] if each["name"] == "experiment")
    folder = found["script"][0].split()[5]
    assert folder.startswith("metrics/experiments/") and "-quick" in folder
    assert all(output.startswith(f"{folder}/") for output in found["outputs"])


def test_every_dependency_and_output_is_one_path():
    """Two items of a list become one where the first ends with a variable and the second begins with one."""
    for command in read_project()["commands"]:
        for path in (*command.get("deps", ()), *command.get("outputs", ())):
            assert not set(path) & set(", $"), f"{command['name']}: {path}"


def test_commands_that_read_definitions_run_again_where_one_has_changed():
    for command in read_project()["commands"]:
        deps = command.get("deps", ())
        reads = any(" prepare " in line or " experiment " in line for line in command["script"])
        assert reads == bool({"assets", "assets/labels"} & set(deps)), command["name"]


def corpus_with(tmp_path, **changes):
    """Return a project whose embedded corpus has other lines in some files."""
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
         str(tmp_path / "adapter"), "--labels", str(corpus / "labels.yml"), "--profile", "smoke",
         "--finetune.model", "nobody/no-such-model"],
        capture_output=True, text=True, env={**os.environ, "HF_HUB_OFFLINE": "1"})
    assert done.returncode == 1
    assert "no-such-model" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "adapter").exists()


@pytest.mark.slow
@pytest.mark.parametrize("splits", [(), ("dev", "test"), ("train", "dev", "test")], ids=["no-gold", "test", "gold"])
def test_a_teacher_is_distilled_with_whatever_gold_there_is(tmp_path, splits):
    project = copy_project(tmp_path)
    corpora = project / "assets" / "corpora"
    (corpora / "mine").mkdir()
    for name in ("raw.jsonl", "labels.yml", *(f"{split}.jsonl" for split in splits)):
        shutil.copy(corpora / "embedded" / name, corpora / "mine")
    limits = {**LIMITS, "corpus": "mine", "raw_limit": "60", "gold_limit": "16", "generate": "2"}
    done = run_workflow(project, "distil", **limits)
    assert done.returncode == 0, done.stdout + done.stderr
    metrics = json.loads((project / "metrics/distil-mine-smoke-1/metrics.json").read_text(encoding="utf8"))
    assert set(metrics["systems"]) == ({"student", "teacher"} if "test" in splits else {"student"})
    assert bool(metrics["gold"]["silver"]) == ("test" not in splits)
    assert next((project / "packages").rglob("en_*.whl"))
    assert run_workflow(project, "distil", **limits).stdout.count("nothing changed") == 3


@pytest.mark.slow
def test_the_smoke_workflow_runs_on_a_project_of_own_brat_files(tmp_path):
    diseases = ("gout", "asthma", "migraine", "psoriasis", "cystic fibrosis")
    drugs = ("aspirin", "ibuprofen", "colchicine")
    (tmp_path / "brat").mkdir()
    for number in range(60):
        disease, drug = diseases[number % 5], drugs[number % 3]
        text = f"Patient {number} with {disease} was given {drug}."
        spans = [(label, text.index(name), text.index(name) + len(name), name)
                 for label, name in (("DISEASE", disease), ("CHEMICAL", drug))]
        (tmp_path / "brat" / f"note-{number}.txt").write_text(text)
        (tmp_path / "brat" / f"note-{number}.ann").write_text("".join(
            f"T{place}\t{label} {start} {end}\t{name}\n" for place, (label, start, end, name) in enumerate(spans, 1)))
    (tmp_path / "labels.yml").write_text("labels: {DISEASE: diseases and syndromes, CHEMICAL: drugs and chemicals}\n")
    project = tmp_path / "notes"
    for folder, arguments in ((tmp_path, ["init", str(project), "--from", "brat", "--labels", "labels.yml"]),
                              (project, ["run", "smoke"])):
        done = subprocess.run([sys.executable, "-m", "spacy_bioner", *arguments], cwd=folder, capture_output=True,
                              text=True)
        assert done.returncode == 0, done.stdout + done.stderr
    metrics, = (project / "metrics").rglob("metrics.json")
    assert set(json.loads(metrics.read_text(encoding="utf8"))["gold"]["labels"]) == {"CHEMICAL", "DISEASE"}
    assert next((project / "packages").rglob("en_*.whl"))
