"""The report begins with the pipeline in the wheel, and with how sure its lead is."""

import pytest

from spacy_bioner.annotation import Annotation, Mention
from spacy_bioner.evaluation.comparison import compare_systems, summarise_runs
from spacy_bioner.evaluation.metrics import Sampling, measure_system
from spacy_bioner.evaluation.pairing import Pair
from spacy_bioner.report.lead import Shipped, find_difference, write_lead

BOTH, GOLD, LLM = "trained on silver and gold", "trained on gold alone", "LLM annotator"
DEV = {BOTH: 81.2, GOLD: 78.94}
DOCUMENTS = [Annotation("IL-2 binds", (Mention(0, 4, "protein"),), id=str(number)) for number in range(60)]


def make_metrics(**missed):
    """Return metrics of systems, each of which misses the mention in so many documents, from the given one on."""
    systems = {name.replace("_", " "): [
        Pair(document, document.with_mentions(() if first <= number < first + count else document.mentions))
        for number, document in enumerate(DOCUMENTS)] for name, (first, count) in missed.items()}
    sampling = Sampling(resamples=200)
    measured = {name: measure_system(pairs, sampling=sampling) for name, pairs in systems.items()}
    return {"gold": {"mentions": len(DOCUMENTS), "labels": {"protein": len(DOCUMENTS)}}, "settings": {"level": 0.95},
            "systems": measured, "comparisons": compare_systems(systems, sampling), "runs": summarise_runs(measured)}


def lead(shipped, **missed):
    return write_lead(make_metrics(**missed), shipped)


def test_a_pipeline_that_outperforms_gold_alone_is_said_to_with_points_and_interval():
    metrics = make_metrics(trained_on_gold_alone=(0, 30), trained_on_silver_and_gold=(0, 3), LLM_annotator=(0, 20))
    first, more = write_lead(metrics, Shipped(BOTH, DEV))
    difference, low, high, _ = find_difference(metrics, BOTH, GOLD)
    assert low > 0
    assert first == (f'The shipped pipeline, "{BOTH}", outperforms "{GOLD}" by {100 * difference:.2f} points of F1 '
                     f"(95% confidence interval {100 * low:.2f} to {100 * high:.2f}).")
    assert f'It was chosen by F1 on the development set: 81.20, against 78.94 of "{GOLD}".' in more


def test_no_significant_difference_is_said_in_the_first_sentence():
    first, _ = lead(Shipped(BOTH, DEV), trained_on_gold_alone=(0, 10), trained_on_silver_and_gold=(30, 9))
    assert first.startswith(f'The shipped pipeline, "{BOTH}", shows no significant difference from "{GOLD}" (+')
    assert "95% confidence interval -" in first


def test_a_lead_on_few_documents_is_no_significant_one(monkeypatch):
    """All or nothing in each of four documents: the interval has no width, but one swap in eight is as large."""
    monkeypatch.setattr(f"{__name__}.DOCUMENTS", DOCUMENTS[:4])
    metrics = make_metrics(a=(0, 4), b=(0, 0))
    assert find_difference(metrics, "b", "a")[1] > 0
    assert write_lead(metrics, None)[0].startswith('"b" shows no significant difference from "a" (+100.00 points')


def test_runs_of_a_system_are_no_rivals_and_their_means_are_compared():
    metrics = make_metrics(**{"gold@1": (0, 20), "gold@2": (0, 21), "gold@3": (0, 22), "silver@1": (0, 4),
                              "silver@2": (0, 2), "silver@3": (0, 3)})
    assert [(each["before"], each["after"]) for each in metrics["comparisons"]] == [("gold", "silver")]
    first, more = write_lead(metrics, None)
    assert first.startswith('"silver" outperforms "gold" by ') and "(mean of 3 runs)" in more
    assert write_lead(metrics, Shipped("silver@2"))[0].startswith('The shipped pipeline, "silver", outperforms "gold"')


def test_systems_that_tie_show_no_significant_difference():
    first, _ = lead(Shipped(BOTH, DEV), trained_on_gold_alone=(0, 10), trained_on_silver_and_gold=(0, 10))
    assert "no significant difference" in first and "+0.00 points" in first


def test_a_shipped_pipeline_that_is_worse_on_test_is_said_to_be_worse():
    first, _ = lead(Shipped(BOTH, DEV), trained_on_gold_alone=(0, 3), trained_on_silver_and_gold=(0, 30))
    assert first.startswith(f'The shipped pipeline, "{BOTH}", is worse than "{GOLD}" by ')


@pytest.mark.parametrize("order", [(BOTH, GOLD, LLM), (LLM, GOLD, BOTH), (GOLD, LLM, BOTH)])
def test_the_first_system_named_is_the_shipped_one_whatever_scores_higher(order):
    missed = {BOTH: (0, 30), GOLD: (0, 20), LLM: (0, 1)}
    first, more = lead(Shipped(GOLD, DEV), **{name.replace(" ", "_"): missed[name] for name in order})
    assert first.startswith(f'The shipped pipeline, "{GOLD}", ') and LLM not in first
    assert f'"{LLM}" has a higher F1' in more and "is not shipped" in more


def test_a_shipped_pipeline_that_was_not_evaluated_is_said_to_be_so():
    first, _ = lead(Shipped("another"), trained_on_gold_alone=(0, 3))
    assert first == f'The shipped pipeline, "another", was not evaluated here. "{GOLD}" was evaluated alone.'


def test_without_a_shipped_pipeline_the_best_is_compared_with_the_next():
    first, more = lead(None, a=(0, 30), b=(0, 2))
    assert first.startswith('"b" outperforms "a" by ') and "shipped" not in first + more


def test_a_pipeline_evaluated_alone_is_said_to_be_so():
    first, more = lead(Shipped(BOTH), trained_on_silver_and_gold=(0, 30))
    assert first == f'The shipped pipeline, "{BOTH}", was evaluated alone.' and "It finds 50.00% of 60" in more


def test_a_component_that_was_not_evaluated_is_named():
    metrics = make_metrics(trained_on_silver_and_gold=(0, 3))
    metrics["systems"][BOTH]["components"] = ["bioner_spancat"]
    _, more = write_lead(metrics, Shipped(BOTH, {}, ["bioner_spancat", "span_selector"]))
    assert "The shipped pipeline also has span_selector, without which it was evaluated." in more
