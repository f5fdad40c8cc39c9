"""The commands of the results pages expand to the rows that the pages tell of."""

import re
import shlex
from functools import lru_cache
from itertools import product
from pathlib import Path

import pytest
from command_line import find_command
from places import DOCS, ROOT

from spacy_bioner.cli._shared.settings import read_overrides
from spacy_bioner.cli.experiment import find_experiment
from spacy_bioner.experiments.definition import read_experiment
from spacy_bioner.experiments.expansion import expand

RESULTS = DOCS / "results"
HEADS = ["bert-fast", "llm-fast", "llm-fast-10", "llm-fast-whole", "llm-cls", "llm-causal", "bert-marked",
         "bert-fast-recall", "llm-fast-recall", "llm-cls-recall", "llm-causal-recall", "bert-marked-recall"]
METHODS = ["gold", "lsms", "llm-da", "genllm-simple", "genllm-no_new_entity"]
FORMATS = ["bracket", "json", "html", "bracket-occurring"]

# Page to the rows of its tables.
TOLD = {
    "selector.md": {*(f"{corpus}: {head}, fresh" for corpus, head in product(["ncbi_disease", "genia"], HEADS)),
                    "ncbi_disease: no selector", "ncbi_disease: bert-fast-contrast, fresh",
                    "ncbi_disease: bert-fast-own-errors, fresh"},
    "few-gold-sentences.md": {*(f"sample, steps, N = {size}: {method}"
                                for size, method in product([5, 10, 15, 20, 50], METHODS)),
                              *(f"whole, steps, N = {size}: {method}" for size, method in product([5, 50], METHODS)),
                              *(f"sample, epochs, N = 5: {method}" for method in METHODS[:2]),
                              *(f"curve, steps: {count} gold" for count in (50, 100, 200, 300, 500)),
                              "curve, steps: generated"},
    "formats.md": {f"{corpus}: {format}, grounded" for corpus, format in product(["ncbi_disease", "bc5cdr"], FORMATS)},
    "strategies.md": {*(f"{gold}: {line}" for gold, line in product(["g100", "g500", "g500+dev-text"],
                                                                    ["gold only", "S1", "S2", "S3", "S4"])),
                      "all: gold only", "all: bc5cdr", "g500 in epochs: gold only", "g500 in epochs: S1",
                      "g500 in epochs: by-categorizer", "labels of raw text, g500 in epochs: by the LLM",
                      "labels of raw text, g500 in epochs: by the categorizer"},
}
# Page to what no row may be of: what was not measured, and takes hours.
NOT_TOLD = {"few-gold-sentences.md": ["relabel", "larger"], "formats.md": ["in epochs", "free", "genia", "cmeee"],
            "selector.md": ["fixed", "cmeee"]}


def read_commands(page):
    """Return the options of each experiment of a page: of command lines, and of files that a table names."""
    text = page.read_text(encoding="utf8")
    plain = re.sub(r"```\{image\}.*?```", "", text, flags=re.DOTALL)
    blocks = re.findall(r"^```\n(.*?)^```$", plain, re.DOTALL | re.MULTILINE)
    lines = [line for block in blocks for line in re.split(r"^(?=\S)", block, flags=re.MULTILINE)]
    running = re.findall(r"`([^`]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
    found = [line.replace("\\\n", " ") for line in [*lines, *running]]
    return [*(shlex.split(line, comments=True)[2:] for line in found if line.startswith("spacy-bioner experiment ")
              and "FILE OUT" not in line),
            *([words[0], "OUT", *words[1:]] for words in map(shlex.split, running)
              if page.name == "documents.md" and words[0].endswith(".yml"))]


def expand_command(words):
    context = find_command(["experiment"])[0].make_context("experiment", list(words))
    expanded = expand_whole(context.params["config"], tuple(context.args))
    return expanded.only(*context.params["only"]) if context.params["only"] else expanded


@lru_cache(maxsize=None)
def expand_whole(config, changes):
    experiment = read_experiment(find_experiment(config), overrides=read_overrides(list(changes)))
    return expand(experiment, data=Path("data"), out=Path("out"))


COMMANDS = [(page.name, tuple(words)) for page in sorted(RESULTS.glob("*.md")) for words in read_commands(page)]


@pytest.mark.parametrize("page, words", COMMANDS, ids=[f"{page} {place}" for place, (page, _) in enumerate(COMMANDS)])
def test_a_command_of_a_results_page_expands(page, words, monkeypatch):
    monkeypatch.chdir(ROOT)
    expanded = expand_command(words)
    assert expanded.rows
    # The page tells of a difference.
    assert expanded.compare or page != "documents.md"


@pytest.mark.parametrize("page", sorted(TOLD))
def test_the_commands_of_a_page_make_the_rows_of_its_tables(page, monkeypatch):
    monkeypatch.chdir(ROOT)
    rows = {name for one, words in COMMANDS if one == page and "zero_shot" not in words[0]
            for name in expand_command(words).rows}
    assert not TOLD[page] - rows
    assert not [name for name in rows if any(part in name for part in NOT_TOLD.get(page, []))]


def test_the_commands_of_the_selector_train_on_as_many_sentences_as_the_page_says(monkeypatch):
    monkeypatch.chdir(ROOT)
    steps = [step for page, words in COMMANDS if page == "selector.md" for step in expand_command(words).plan.steps]
    limits = {step.arguments[step.arguments.index("--gold-limit") + 1] for step in steps if step.kind == "prepare"}
    assert limits == {"1000"}
