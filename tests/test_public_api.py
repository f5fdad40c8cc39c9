"""The public names of the package: imported when used, light to import, described by a page whose code runs."""

import resource
import subprocess
import sys

import pytest
from doc_snippets import read_snippets

import spacy_bioner
from spacy_bioner import Annotation, Mention, evaluate
from spacy_bioner.evaluation.metrics import Sampling
from spacy_bioner.evaluation.pairing import pair_documents


@pytest.mark.parametrize("name", spacy_bioner.__all__)
def test_public_name_resolves(name):
    assert getattr(spacy_bioner, name) is not None and name in dir(spacy_bioner)


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no_such_name"):
        getattr(spacy_bioner, "no_such_name")  # noqa: B009


def cpu_seconds(code):
    """Return processor time of a fresh interpreter that runs some code; the least of three."""
    seconds = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-c", code], check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(seconds)


def test_importing_the_package_takes_less_than_a_fifth_of_a_second():
    assert cpu_seconds("import spacy_bioner") - cpu_seconds("pass") < 0.2


@pytest.mark.parametrize("name", ["Annotation", "make_codec", "read_annotations", "evaluate", "Annotator"])
def test_public_names_load_neither_spacy_nor_torch(name):
    code = f"from spacy_bioner import {name}\nimport sys\nassert not {{'spacy', 'torch'}} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_snippets_of_the_page_run_one_after_another(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code = "\n".join(read_snippets("reference/python-api.md"))
    names = {}
    exec(compile(code, "docs/reference/python-api.md", "exec"), names)
    assert set(spacy_bioner.__all__) - {"__version__"} <= set(names)


def test_evaluate_gives_the_scores_of_the_command_line():
    from spacy_bioner.evaluation.metrics import measure_system

    gold = [Annotation("ab", (Mention(0, 1, "A"), Mention(1, 2, "B")), id="1"), Annotation("a", id="2")]
    predicted = [Annotation("a", (Mention(0, 1, "A"),), id="2"), Annotation("ab", (Mention(0, 1, "A"),), id="1")]
    scores = evaluate(gold, predicted, sampling=Sampling(resamples=200))
    pairs, _ = pair_documents(gold, predicted, system="predicted")
    measured = measure_system(pairs, sampling=Sampling(resamples=200))
    assert scores == {key: measured[key] for key in ("micro", "macro", "labels")}
    assert (scores["micro"]["tp"], scores["micro"]["fp"], scores["micro"]["fn"]) == (1, 1, 1)
