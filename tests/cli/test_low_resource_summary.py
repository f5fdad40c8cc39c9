"""The end of low-resource: tables, plots and conclusions from recorded predictions."""

import json
import random
import shutil
from pathlib import Path
from xml.etree import ElementTree

import pytest

from spacy_bioner.annotation import Annotation, Mention
from spacy_bioner.cli._shared.systems import System
from spacy_bioner.cli.evaluate import evaluate
from spacy_bioner.cli.low_resource_summary import write_summary
from spacy_bioner.errors import BionerError
from spacy_bioner.files import write_json, write_json_lines

GOLD = [Annotation(f"gout in sentence {number} after aspirin", (Mention(0, 4, "DISEASE"),), id=str(number),
                   meta={"split": "test"}) for number in range(40)]


def record(folder, name, rates):
    """Write metrics of recorded predictions; each system finds a share of the mentions."""
    write_json_lines(folder / "test.jsonl", (gold.to_record() for gold in GOLD))
    systems = []
    for system, rate in rates.items():
        chance = random.Random(system)
        path = folder / name / f"{system}.jsonl"
        found = (gold if chance.random() < rate else gold.with_mentions(()) for gold in GOLD)
        write_json_lines(path, (each.to_record() for each in found))
        systems.append(System(system, path))
    output = folder / "metrics" / f"{name}.json"
    write_json(output, evaluate(folder / "test.jsonl", systems, predictions=folder / name, relative_to=output.parent,
                                resamples=50))


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """RETURNS (Path): An experiment with three sizes: better, worse, and the same with generated sentences."""
    tmp_path = tmp_path_factory.mktemp("experiment")
    for size, gold, made in ((5, 0.1, 0.9), (10, 0.9, 0.1), (15, 1.0, 1.0)):
        record(tmp_path, str(size), {f"{method}@{seed}": rate for method, rate in (
            ("gold", gold), ("genllm-simple", made)) for seed in (0, 1)})
    write_json(tmp_path / "facts.json", {
        "source": "Somebody", "measure": "F1", "claims": "generated is better",
        "curve": {"names": 10, "sentences": 1000, "crossing": [300, 400], "corpora": ["A", "B"]},
        "errors": {"corpus": "A", "sentences": 100, "missing": 54, "spurious": 2, "boundary": 12},
        "corpora": {"toy": {"sizes": [5, 10], "f1": {"gold": [1.25, 2.5], "genllm": [3.75, 4.5]},
                            "high_resource": {"gold": 81.5, "genllm": 82.25}}}})
    write_json(tmp_path / "5" / "genllm-simple.report.json", {
        "asked": 10, "accepted": 8, "untouched": 7, "rejected": {"near_duplicate": 2},
        "repaired": {"seed_untagged": 1}, "errors": {"missing": 3, "boundary": 1}, "seconds": 4.0, "cached": 0})
    write_json(tmp_path / "5" / "llm-da.report.json", {
        "gold": 3, "made": 5, "held_out_text": 1,
        "contexts": {"asked": 6, "untouched": 4, "rejected": {"truncated": 2}}})
    write_json(tmp_path / "5" / "lsms.report.json", {
        "gold": 3, "made": 12, "held_out_text": 1, "operations": {"token_replacement": 12}, "seed": 0})
    return tmp_path


@pytest.fixture
def folder(recorded, tmp_path):
    """RETURNS (Path): A copy of the experiment, to be changed."""
    return Path(shutil.copytree(recorded, tmp_path / "experiment"))


def test_every_size_has_a_conclusion_by_its_interval(folder):
    lines = write_summary(folder, corpus="toy", sizes=[5, 10, 15], resamples=200)
    assert [next(word for word in ("does not hold", "cannot be told", "holds") if word in line) for line in lines] == [
        "holds", "does not hold", "cannot be told"]
    assert lines[0].startswith("N = 5: ") and "2 seeds, 40 sentences" in lines[0]


def test_the_numbers_of_the_document_stand_beside_the_measured_ones(folder):
    write_summary(folder, corpus="toy", sizes=[5, 10], published=folder / "facts.json", resamples=50)
    table = (folder / "low-resource.md").read_text(encoding="utf8")
    row = next(line for line in table.splitlines() if line.startswith("| genllm-simple"))
    assert "(3.75)" in row and "(4.50)" in row and " ± " in row
    assert "The document claims: generated is better." in table
    found = json.loads((folder / "low-resource.json").read_text(encoding="utf8"))
    first = found["sizes"][0]
    assert first["methods"]["gold"]["mean"] == pytest.approx(sum(first["methods"]["gold"]["runs"].values()) / 2)
    assert found["published"]["source"] == "Somebody"


def test_kept_repaired_and_rejected_sentences_are_counted_with_their_errors(folder):
    reports = {f"5 {name}": folder / "5" / f"{name}.report.json" for name in ("genllm-simple", "llm-da", "lsms")}
    write_summary(folder, corpus="toy", sizes=[5], reports=reports, published=folder / "facts.json", resamples=50)
    table = (folder / "low-resource.md").read_text(encoding="utf8")
    assert "| 5 genllm-simple | 10 | 8 | 7 | 1 seed_untagged | 3 | 0 | 1 | 2.50 | 2 near_duplicate |" in table
    assert "| 5 lsms |  | 12 |  |  |  |  |  |  | 1 held_out_text |" in table
    assert "| 5 llm-da | 6 | 5 | 4 |  |  |  |  |  | 2 truncated, 1 held_out_text |" in table
    assert "54 missing, 2 spurious, 12 boundary" in table


def test_the_report_of_an_earlier_run_with_more_methods_is_not_shown(folder):
    reports = {"5 lsms": folder / "5" / "lsms.report.json", "5 never-made": folder / "5" / "never-made.report.json"}
    write_summary(folder, corpus="toy", sizes=[5], reports=reports, resamples=50)
    rows = [line for line in (folder / "low-resource.md").read_text(encoding="utf8").splitlines()
            if line.startswith("| 5 ")]
    assert len(rows) == 1 and rows[0].startswith("| 5 lsms |")


def test_every_method_is_compared_with_gold_alone(folder):
    record(folder, "7", {f"{method}@{seed}": rate for method, rate in (
        ("gold", 0.5), ("lsms", 0.95), ("genllm-a", 0.1), ("genllm-b", 0.2)) for seed in (0, 1)})
    write_summary(folder, corpus="toy", sizes=[7], resamples=100)
    found = json.loads((folder / "low-resource.json").read_text(encoding="utf8"))["sizes"][0]
    assert set(found["gains"]) == {"lsms", "genllm-a", "genllm-b"}
    assert found["gains"]["lsms"]["interval"][0] > 0 > found["gains"]["genllm-a"]["interval"][1]
    assert found["gain"] == found["gains"][found["variant"]]
    lines = (folder / "low-resource.md").read_text(encoding="utf8").splitlines()
    rows = [line for line in lines if line.startswith("| lsms") and " to " in line]
    assert len(rows) == 1 and "| +" in rows[0]


def test_the_whole_test_part_has_a_conclusion_of_its_own(folder):
    shutil.copy(folder / "metrics" / "5.json", folder / "metrics" / "5-whole-test.json")
    lines = write_summary(folder, corpus="toy", sizes=[5, 10], whole=[5], resamples=50)
    assert len(lines) == 3 and lines[-1].startswith("N = 5, whole test part: ") and "holds" in lines[-1]


def test_a_method_without_sentences_is_marked_and_has_no_score(folder):
    record(folder, "7", {"gold@0": 0.3, "lsms@0": 0.5, "llm-da@0": 0.9, "genllm-simple@0": 0.9})
    lines = write_summary(folder, corpus="toy", sizes=[7], failed={"7": ["llm-da", "genllm-simple"]}, resamples=50)
    assert lines == ["N = 7: cannot be told: no sentence was made (genllm-simple)."]
    found = json.loads((folder / "low-resource.json").read_text(encoding="utf8"))["sizes"][0]
    assert set(found["methods"]) == {"gold", "lsms"} == {"gold", *found["gains"]}
    assert found["verdict"] == "cannot be told"
    page = (folder / "low-resource.md").read_text(encoding="utf8")
    assert "| llm-da | no sentence was made |" in page and "| genllm-simple | no sentence was made |" in page
    assert "llm-da" not in (folder / "plots" / "sizes-1.svg").read_text(encoding="utf8")


def test_all_gold_has_a_table_with_the_numbers_of_the_document(folder):
    record(folder, "high-resource", {"gold@0": 0.5, "genllm-simple@0": 0.9})
    lines = write_summary(folder, corpus="toy", sizes=[5], high=True, published=folder / "facts.json", resamples=50)
    assert lines[-1].startswith("all of train: genllm-simple is +")
    page = (folder / "low-resource.md").read_text(encoding="utf8")
    section = page[page.index("With all gold"):]
    assert "(81.50)" in section and "(82.25)" in section
    assert json.loads((folder / "low-resource.json").read_text(encoding="utf8"))["high_resource"]["size"] == "all"


def test_plots_are_files_of_their_own(folder):
    write_summary(folder, corpus="toy", sizes=[5, 10], published=folder / "facts.json", resamples=50)
    plots = sorted((folder / "plots").glob("*.svg"))
    assert [plot.name for plot in plots] == ["sizes-1.svg", "sizes-2.svg"]
    assert all(ElementTree.parse(plot).getroot().tag.endswith("svg") for plot in plots)


def test_plots_of_an_earlier_run_are_removed_and_nothing_else(folder):
    (folder / "plots").mkdir()
    for name in ("curve-1.svg", "mine.svg", "mine.txt"):
        (folder / "plots" / name).write_text("old")
    write_summary(folder, corpus="toy", sizes=[5, 10], published=folder / "facts.json", resamples=50)
    assert {path.name for path in (folder / "plots").iterdir()} == {"mine.svg", "mine.txt", "sizes-1.svg",
                                                                    "sizes-2.svg"}


def test_the_curve_says_between_which_numbers_of_gold_sentences_generated_ones_lie(folder):
    record(folder, "curve", {"synthetic@0": 0.5, "gold-10@0": 0.1, "gold-200@0": 0.95})
    write_json(folder / "curve" / "synthetic.report.json", {
        "asked": 9, "accepted": 8, "untouched": 8, "rejected": {}, "seconds": 0.0, "cached": 9})
    write_summary(folder, corpus="toy", sizes=[5], curve=True, published=folder / "facts.json", resamples=50)
    found = json.loads((folder / "low-resource.json").read_text(encoding="utf8"))["curve"]
    assert found["crossing"] == [10, 200] and found["generated"]["sentences"] == 8
    page = (folder / "low-resource.md").read_text(encoding="utf8")
    assert "at least 10 gold sentences and less than 200" in page
    assert "Document on A and B: 1000 sentences generated from 10 names" in page and "300 to 400" in page
    assert (folder / "plots" / "curve-1.svg").is_file()


def test_the_curve_without_a_generated_sentence_has_no_level(folder):
    record(folder, "curve", {"gold-10@0": 0.1, "gold-200@0": 0.95})
    write_json(folder / "curve" / "synthetic.report.json", {"asked": 9, "accepted": 0, "rejected": {}})
    write_summary(folder, corpus="toy", sizes=[5], curve=True, failed={"curve": ["synthetic"]}, resamples=50)
    page = (folder / "low-resource.md").read_text(encoding="utf8")
    assert "Not compared: no sentence was made." in page and "| generated | no sentence was made |" in page


def test_predictions_that_have_changed_are_refused(folder):
    (folder / "5" / "gold@0.jsonl").write_text("{}\n")
    with pytest.raises(BionerError, match="has changed since"):
        write_summary(folder, corpus="toy", sizes=[5])
