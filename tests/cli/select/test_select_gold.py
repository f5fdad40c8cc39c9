"""The verb select gold: a dictionary and gold sentences by published mention counts, or by a rule."""

import json

import pytest

from spacy_bioner.annotation import Annotation, Mention
from spacy_bioner.files import write_json, write_json_lines
from spacy_bioner.formats.jsonl import read_jsonl


@pytest.fixture
def train(tmp_path):
    """Return sentences with a drug each."""
    texts = [f"drug{number % 4} in sentence {number}" for number in range(20)]
    write_json_lines(tmp_path / "train.jsonl", (
        Annotation(text, (Mention(0, 5, "DRUG"),), id=str(number), meta={"split": "train"}).to_record()
        for number, text in enumerate(texts)))
    write_json(tmp_path / "counts.json", {"toy": {"2": {"DRUG": 3}, "3": {"DRUG": 6}}, "odd": {"2": 3}})
    return tmp_path / "train.jsonl"


@pytest.fixture
def select(verb, train, tmp_path):
    """Return a function that runs the verb with further arguments, gives its card."""
    def run(*arguments, output="out"):
        code, out, err = verb("select", "gold", train, tmp_path / output, *arguments)
        assert code == 0, out + err
        return json.loads((tmp_path / output / "card.json").read_text())
    return run


def test_published_counts_go_before_the_rule(select, tmp_path):
    mentions = ["--mentions", f"{tmp_path / 'counts.json'}#toy", "--mentions-per-name", 2]
    card = select("--size", 2, *mentions)
    assert (card["wanted"], card["mentions"], card["sentences"]) == ({"DRUG": 3}, {"DRUG": 3}, 3)
    assert len(list((tmp_path / "out" / "seeds.jsonl").open())) == 2
    assert select("--size", 4, *mentions)["wanted"] == {"DRUG": 8}, "a size without counts"
    mentions[1] = f"{tmp_path / 'counts.json'}#other"
    assert select("--size", 2, *mentions)["wanted"] == {"DRUG": 4}, "a corpus without counts"


def test_a_label_with_fewer_names_than_asked_for_has_mentions_by_its_names(select):
    assert select("--size", 100, "--mentions-per-name", 2)["wanted"] == {"DRUG": 2 * 4}


def test_subsets_are_nested_whichever_sizes_are_asked_for(select, tmp_path):
    counts = ["--mentions-per-name", 1, "--nested", "1,2,3"]
    small = select("--size", 1, *counts, output="small")
    select("--size", 3, *counts, output="large")
    few, more = ([record.id for record in read_jsonl(tmp_path / name / "gold.jsonl")] for name in ("small", "large"))
    assert small["sentences"] == len(few) and more[:len(few)] == few and len(more) > len(few)


@pytest.mark.parametrize("arguments, message", [
    pytest.param(["--size", "2"], "No mention counts for dictionaries of 2 names", id="no-counts"),
    pytest.param(["--size", "2", "--mentions", "COUNTS#odd"], "COUNTS#odd for 2 names are 3", id="no-labels"),
    pytest.param(["--size", "2", "--mentions", "none.json#x"], "There is no file.*none.json", id="no-file"),
    pytest.param(["--size", "2", "--nested", "5;10"], "--nested is '5;10'", id="no-numbers"),
    pytest.param(["--size", "2", "--mentions-per-name", "0.1"], "No sentence of .* fits", id="nothing-fits"),
])
def test_what_cannot_be_is_one_clear_line(refused, train, tmp_path, arguments, message):
    import re

    counts = str(tmp_path / "counts.json")
    line = refused("select", "gold", train, tmp_path / "out", *(each.replace("COUNTS", counts) for each in arguments))
    assert re.search(message.replace("COUNTS", re.escape(counts)), line), line
    assert not (tmp_path / "out" / "gold.jsonl").exists()
