"""The end of low-resource: tables, plots and conclusions from recorded predictions."""

import json
import random
import shutil
from pathlib import Path
from xml.etree import ElementTree

import pytest

from spacy_bioner.annotation import Annotation, Mention
from spacy_bioner.cli.evaluate import evaluate
from spacy_bioner.cli.low_resource_summary import write_summary
from spacy_bioner.cli.systems import System
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
    write_json(tmp_path / "facts.json", {"source": "Somebody", "measure": "F1", "corpora": {"toy": {
        "sizes": [5, 10], "f1": {"gold": [1.25, 2.5], "genllm": [3.75, 4.5]}}}})
    write_json(tmp_path / "5" / "genllm-simple.report.json", {
        "asked": 10, "accepted": 8, "untouched": 7, "rejected": {"near_duplicate": 2}, "seconds": 4.0, "cached": 0})
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
    assert "| 5 genllm-simple | 10 | 8 | 7 | 2.50 | 2 near_duplicate |" in table
    found = json.loads((folder / "low-resource.json").read_text(encoding="utf8"))
    first = found["sizes"][0]
    assert first["methods"]["gold"]["mean"] == pytest.approx(sum(first["methods"]["gold"]["runs"].values()) / 2)
    assert found["published"]["source"] == "Somebody"


def test_plots_are_files_of_their_own(folder):
    write_summary(folder, corpus="toy", sizes=[5, 10], published=folder / "facts.json", resamples=50)
    plots = sorted((folder / "plots").glob("*.svg"))
    assert [plot.name for plot in plots] == ["sizes-1.svg", "sizes-2.svg"]
    assert all(ElementTree.parse(plot).getroot().tag.endswith("svg") for plot in plots)


def test_the_curve_says_between_which_numbers_of_gold_sentences_generated_ones_lie(folder):
    record(folder, "curve", {"synthetic@0": 0.5, "gold-10@0": 0.1, "gold-200@0": 0.95})
    write_json(folder / "curve" / "synthetic.report.json", {
        "asked": 9, "accepted": 8, "untouched": 8, "rejected": {}, "seconds": 0.0, "cached": 9})
    write_summary(folder, corpus="toy", sizes=[5], curve=True, resamples=50)
    found = json.loads((folder / "low-resource.json").read_text(encoding="utf8"))["curve"]
    assert found["crossing"] == [10, 200] and found["generated"]["sentences"] == 8
    assert "at least 10 gold sentences and less than 200" in (folder / "low-resource.md").read_text(encoding="utf8")
    assert (folder / "plots" / "curve-1.svg").is_file()


def test_predictions_that_have_changed_are_refused(folder):
    (folder / "5" / "gold@0.jsonl").write_text("{}\n")
    with pytest.raises(BionerError, match="has changed since"):
        write_summary(folder, corpus="toy", sizes=[5])
