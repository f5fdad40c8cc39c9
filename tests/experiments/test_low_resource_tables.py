"""What a low-resource experiment says: the variant is chosen on dev, the claim by its interval."""

import pytest

from spacy_bioner.experiments.low_resource_figures import ALL, choose_variant, find_published, judge, summarise_curve

TOLD = {"sizes": [5, 10], "f1": {"gold": [1.0, 2.0], "genllm": [3.0, 4.0], "genllm-simple": [2.5, 4.0]},
        "high_resource": {"gold": 8.0, "genllm": 9.0}}


@pytest.mark.parametrize("interval, verdict", [
    pytest.param([0.01, 0.2], "holds", id="above"),
    pytest.param([-0.2, -0.01], "does not hold", id="below"),
    pytest.param([-0.1, 0.1], "cannot be told", id="round-zero"),
    pytest.param([0.0, 0.1], "cannot be told", id="from-zero"),
])
def test_the_claim_is_judged_by_the_interval(interval, verdict):
    assert judge(interval) == verdict


@pytest.mark.parametrize("dev, chosen", [
    pytest.param({"gold": [0.9], "genllm-a": [0.2, 0.4], "genllm-b": [0.5, 0.3]}, "genllm-b", id="the-mean-counts"),
    pytest.param({"genllm-a": [], "genllm-b": []}, "genllm-a", id="nothing-is-known"),
    pytest.param({"gold": [0.9]}, "", id="none"),
])
def test_the_variant_is_chosen_on_dev(dev, chosen):
    assert choose_variant(dev) == chosen


@pytest.mark.parametrize("method, size, number", [
    pytest.param("gold", 10, 2.0, id="method"),
    pytest.param("genllm-simple", 5, 2.5, id="variant-of-its-own"),
    pytest.param("genllm-other", 5, 3.0, id="variant-without-that-was-chosen"),
    pytest.param("gold", 50, None, id="size-without"),
    pytest.param("magic", 5, None, id="unknown"),
    pytest.param("gold", ALL, 8.0, id="all-of-train"),
    pytest.param("genllm-simple", ALL, 9.0, id="variant-on-all-of-train"),
    pytest.param("magic", ALL, None, id="unknown-on-all-of-train"),
])
def test_published_numbers_are_found_by_method_and_size(method, size, number):
    assert find_published(TOLD, method, size, chosen=True) == number


def test_a_variant_that_the_document_does_not_list_has_no_number_unless_it_is_the_chosen_one():
    assert find_published(TOLD, "genllm-other", 5) is None
    assert find_published(TOLD, "genllm-simple", 5) == 2.5


def test_generated_sentences_below_all_gold_cross_nowhere():
    systems = {f"{name}@{seed}": {"micro": {"f1": score}} for name, score in
               (("synthetic", 0.1), ("gold-50", 0.2), ("gold-100", 0.3)) for seed in (0, 1)}
    found = summarise_curve({"systems": systems, "gold": {"count": 9}}, generated="synthetic", sentences=7)
    assert found["crossing"] == [0, 50] and list(found["gold"]) == [50, 100]
