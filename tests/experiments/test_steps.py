"""Plans: order, what depends on what, and what a change changes."""

from pathlib import Path

import pytest

from spacy_bioner.errors import BionerError
from spacy_bioner.experiments.steps import Plan, Step, hash_path


def step(name, *arguments, output=None, inputs=()):
    return Step(name, ("verb", *map(str, arguments)), Path(output or f"out/{name}"), inputs=tuple(inputs))


def names(plan):
    return [each.name for each in plan.steps]


def test_steps_come_after_those_they_name_else_as_given():
    plan = Plan([step("d", "GOLD=out/b/train.jsonl"), step("a"), step("c"), step("b", "out/a")])
    assert names(plan) == ["a", "b", "d", "c"]


def test_the_nearest_output_makes_a_path():
    plan = Plan([step("a", output="out/x"), step("b", output="out/x/y")])
    assert plan.maker(Path("out/x/y/z")).name == "b"
    assert plan.maker(Path("out/x/z")).name == "a"
    assert plan.maker(Path("elsewhere")) is None


def test_only_what_is_needed_is_left():
    plan = Plan([step("a"), step("b", "out/a"), step("c"), step("d", "out/c")])
    assert names(plan.reduced_to([Path("out/b/found.jsonl")])) == ["a", "b"]


@pytest.mark.parametrize("steps, message", [
    pytest.param([step("a", "1", output="x"), step("b", "2", output="x")], "a and b both make x", id="same-output"),
    pytest.param([step("a", "out/b"), step("b", "out/a")], "a, b, a depend on each other", id="circle"),
    pytest.param([step("a", output="x"), step("a", output="y")], "make x and y are both called a", id="same-name"),
])
def test_steps_that_do_not_fit_are_refused(steps, message):
    with pytest.raises(BionerError, match=message):
        Plan(steps)


def test_a_step_given_twice_counts_once():
    assert names(Plan([step("a"), step("again", output="out/a")])) == ["a"]


def test_a_cache_is_no_input_and_declared_folders_are(tmp_path):
    cache, data = tmp_path / "cache" / "replies", tmp_path / "data"
    for path in (cache, data / "train.jsonl"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("1")

    def fingerprint():
        one = step("a", cache, inputs=[data])
        return Plan([one], cache=tmp_path / "cache").fingerprint(one)

    first = fingerprint()
    cache.write_text("2")
    assert fingerprint() == first
    (data / "train.jsonl").write_text("2")
    assert fingerprint() != first


def test_what_a_step_makes_beside_its_output_is_no_input_of_it(tmp_path):
    report = tmp_path / "report.json"
    one = Step("a", ("verb", "--report", str(report)), tmp_path / "a", beside=(report,))
    other = step("b", report, output=tmp_path / "b")
    before = Plan([one]).fingerprint(one)
    report.write_text("1")
    assert Plan([one]).fingerprint(one) == before
    assert names(Plan([other, one])) == ["a", "b"]


def test_folders_that_arguments_name_count_too(tmp_path):
    adapter, data, out = (tmp_path / name for name in ("adapter", "data", "out"))
    files = [adapter / "weights", data / "mine" / "train.jsonl", data / "other" / "train.jsonl", out / "logs" / "a.log"]
    for path in files:
        path.parent.mkdir(parents=True, exist_ok=True)

    def change(*changed):
        """Return whether the step is another one when these files change."""
        found = []
        for number in range(2):
            for path in files:
                path.write_text(f"{number if path in changed else ''}")
            one = step("a", "--adapter", adapter, "--of", f"x={data}", "--beside", out, "--empty", "",
                       output=out / "a", inputs=[data / "mine"])
            found.append(Plan([one]).fingerprint(one))
        return found[0] != found[1]

    assert change(files[0])
    assert change(files[1]), "what it reads of a folder is declared"
    assert not change(files[2]), "then the rest of the folder does not matter"
    assert not change(files[3]), "nor does the folder in which it is made"


def test_a_folder_is_hashed_by_names_and_contents(tmp_path):
    (tmp_path / "f").mkdir()
    empty = hash_path(tmp_path / "f")
    (tmp_path / "f" / "a").write_text("1")
    one = hash_path(tmp_path / "f")
    (tmp_path / "f" / "a").rename(tmp_path / "f" / "b")
    assert len({empty, one, hash_path(tmp_path / "f"), hash_path(tmp_path / "none")}) == 4
