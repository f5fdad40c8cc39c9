"""The header of a model card is YAML that the Hugging Face hub reads, with the scores of the metrics file."""

from copy import deepcopy

import pytest
import srsly

from spacy_bioner.packaging.model_card import collect_facts, read_scores, render_card

COMPONENTS = {"bioner_spancat": {"model": {"tok2vec": {
    "@architectures": "spacy-bioner.TransformerEncoder.v1", "name": "all-minilm-l6-v2"}}}}
CORPUS = {"corpus": "mini", "name": "Mini", "license": "CC0-1.0", "lang": "en", "dataset": "someone/mini"}
ODD_LABELS = ["DISEASE: \"rare\"", "it's", "- no", "a|b", "{x}", "#1", "null", "疾病", "---", "C" * 300]


def figures(share):
    return {figure: share + place / 1000 for place, figure in enumerate(("precision", "recall", "f1"))} | {
        "intervals": {figure: [share - 0.1, share + 0.1] for figure in ("precision", "recall", "f1")}}


def make_metrics(labels=("DISEASE",)):
    return {"gold": {"count": 200, "mentions": 350}, "settings": {"level": 0.95}, "systems": {"ours": {
        "micro": figures(0.812345), "labels": {label: figures(0.5 + place / 100) for place, label in enumerate(labels)},
        "components": ["bioner_spancat"]}}}


def render(metrics=None, corpus=CORPUS, components=COMPONENTS):
    scores = read_scores(metrics, "ours", path="metrics.json") if metrics else None
    facts = collect_facts({"lang": "en", "labels": {"bioner_spancat": list(metrics["systems"]["ours"]["labels"])}}
                          if metrics else {"lang": "en"}, components, thresholds={}, corpus=corpus, scores=scores)
    return render_card(facts, title="Mini")


def header_of(card):
    assert card.startswith("---\n")
    return srsly.yaml_loads(card[4:].partition("\n---\n")[0])


def test_header_names_language_library_licence_tags_and_dataset():
    header = header_of(render(make_metrics()))
    assert (header["language"], header["library_name"], header["license"]) == (["en"], "spacy", "apache-2.0")
    assert {"spacy", "token-classification"} <= set(header["tags"])
    assert header["datasets"] == ["someone/mini"]
    assert header["base_model"] == ["sentence-transformers/all-MiniLM-L6-v2"]


def test_scores_of_the_header_equal_the_metrics_file():
    metrics = make_metrics(["DISEASE", "GENE"])
    system = metrics["systems"]["ours"]
    result, = header_of(render(metrics))["model-index"][0]["results"]
    assert result["task"]["type"] == "token-classification"
    assert result["dataset"] == {"name": "Mini", "type": "someone/mini", "split": "test"}
    assert [(each["type"], each["value"]) for each in result["metrics"]] == [
        ("precision", system["micro"]["precision"]), ("recall", system["micro"]["recall"]),
        ("f1", system["micro"]["f1"]), ("f1", system["labels"]["DISEASE"]["f1"]),
        ("f1", system["labels"]["GENE"]["f1"])]


def test_the_hub_library_reads_the_same_scores():
    hub = pytest.importorskip("huggingface_hub")
    metrics = make_metrics(ODD_LABELS)
    data = hub.ModelCard(render(metrics)).data
    assert [each.metric_value for each in data.eval_results][3:] == [
        each["f1"] for each in metrics["systems"]["ours"]["labels"].values()]
    assert data.library_name == "spacy" and data.datasets == ["someone/mini"]


@pytest.mark.parametrize("label", ODD_LABELS)
def test_labels_are_escaped(label):
    card = render(make_metrics([label]))
    assert header_of(card)["model-index"][0]["results"][0]["metrics"][-1]["name"] == f"F1 of {label}"
    row = next(line for line in card.splitlines() if line.startswith("| F1, `"))
    assert row.replace("\\|", "").count("|") == 4


@pytest.mark.parametrize("name", ["a: b", "\"quoted\"", "it's", "--- end", "NO"])
def test_corpus_names_are_escaped(name):
    header = header_of(render(make_metrics(), corpus={**CORPUS, "name": name}))
    assert header["model-index"][0]["results"][0]["dataset"]["name"] == name


@pytest.mark.parametrize("corpus, encoder, licence", [
    pytest.param("CC0-1.0", "all-minilm-l6-v2", "apache-2.0", id="only the encoder binds"),
    pytest.param("Apache-2.0", "all-minilm-l6-v2", "apache-2.0", id="the same"),
    pytest.param("CC-BY-4.0", "all-minilm-l6-v2", "other", id="two that bind"),
    pytest.param("", "all-minilm-l6-v2", "other", id="unknown corpus terms"),
    pytest.param("CC0-1.0", "some/encoder", "other", id="unknown encoder terms"),
])
def test_the_licence_is_named_only_where_one_covers_all(corpus, encoder, licence):
    components = deepcopy(COMPONENTS)
    components["bioner_spancat"]["model"]["tok2vec"]["name"] = encoder
    header = header_of(render(corpus={**CORPUS, "license": corpus}, components=components))
    assert header["license"] == licence
    assert ("license_link" in header) == (licence == "other")


def test_what_is_not_known_is_left_out():
    header = header_of(render(corpus=None, components={}))
    assert set(header) == {"language", "license", "license_name", "license_link", "library_name", "pipeline_tag",
                           "tags"}
