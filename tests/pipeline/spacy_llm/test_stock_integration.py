"""Beside spacy-llm: our task in its component, its models in ours, and its known faults kept out of ours."""

import warnings

import pytest
import spacy

from spacy_bioner.annotation import Annotation, Mention
from spacy_bioner.codecs import make_codec
from spacy_bioner.errors import BionerError

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import spacy_llm  # noqa: F401  (its registries and its component)

LABELS = {"DISEASE": "illnesses", "DRUG": "medicines"}
NAMES = {"flu": "DISEASE", "aspirin": "DRUG", "1,2-dimethoxyethane": "DRUG"}


def answer(prompt, codec="bracket", labels=LABELS):
    """Return what a perfect model answers: all known names of the text in the prompt."""
    text = prompt.split("Text: ")[-1].removesuffix("\nAnswer:").removesuffix("Answer:").strip()
    found = [Mention(text.index(name), text.index(name) + len(name), label) for name, label in NAMES.items()
             if name in text and label in labels]
    return make_codec(codec).encode(Annotation(text).with_mentions(found), list(labels))


@pytest.fixture
def azure(start_server, monkeypatch):
    """Return starts a server and gives the config of a stock REST model that asks it."""
    monkeypatch.setenv("AZURE_OPENAI_KEY", "none")

    def start(fault=lambda prompt, tried: None, respond=answer):
        server = start_server(respond, fault)
        model = {"@llm_models": "spacy.Azure.v2", "base_url": server.url.removesuffix("/v1"), "deployment_name": "d",
                 "name": "m", "model_type": "chat", "max_tries": 1, "interval": 0.01, "context_length": 4000}
        return server, model

    return start


def make_nlp(model, **config):
    nlp = spacy.blank("en")
    nlp.add_pipe("llm_bioner", config={"labels": LABELS, "model": model, **config})
    return nlp


def names(doc):
    return [(span.text, span.label_) for span in doc.spans["sc"]]


def test_stock_rest_model_runs_in_our_component(azure):
    server, model = azure()
    docs = list(make_nlp(model).pipe(["No flu.", "Take aspirin."]))
    assert [names(doc) for doc in docs] == [[("flu", "DISEASE")], [("aspirin", "DRUG")]]
    assert docs[0].user_data["meta"]["model"] == "m"
    assert sum(server.answered.values()) == 3, "one to greet the server, one for each Doc"


@pytest.mark.parametrize("shards", [1, 3])
def test_our_task_runs_in_the_stock_component(azure, shards):
    server, model = azure()
    nlp = spacy.blank("en")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        task = {"@llm_tasks": "spacy-bioner.BioNER.v1", "labels": LABELS, "max_sentences": int(shards > 1)}
        component = nlp.add_pipe("llm", config={"task": task, "model": model})
    text = " ".join(["Has the flu.", "No fever here.", "Got aspirin."][:shards])
    [doc] = nlp.pipe([text])
    assert names(doc) == [("flu", "DISEASE"), ("aspirin", "DRUG")][:1 + (shards > 1)]
    assert doc.text == text and doc.user_data["meta"]["issues"] == {}
    assert sum(server.answered.values()) == shards + 1
    assert component.labels == ("DISEASE", "DRUG")
    assert (component.add_label("GENE", "genes"), component.labels[-1]) == (1, "GENE")
    data = component.to_bytes()
    component.clear()
    assert component.labels == () and component.from_bytes(data).labels == ("DISEASE", "DRUG", "GENE")


def test_our_models_run_in_the_stock_component(start_server):
    server = start_server(lambda prompt: answer(prompt))
    nlp = spacy.blank("en")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        nlp.add_pipe("llm", config={
            "task": {"@llm_tasks": "spacy-bioner.BioNER.v1", "labels": LABELS},
            "model": {"@llm_models": "spacy-bioner.Server.v1", "model": "m", "base_url": server.url}})
    docs = list(nlp.pipe(["No flu.", "Take aspirin."]))
    assert [names(doc) for doc in docs] == [[("flu", "DISEASE")], [("aspirin", "DRUG")]]


def test_doc_that_does_not_fit_the_stock_context_is_asked_for_in_parts(azure):
    server, model = azure()
    nlp = spacy.blank("en")
    nlp.add_pipe("llm", config={"task": {"@llm_tasks": "spacy-bioner.BioNER.v1", "labels": LABELS}, "model": model})
    docs = list(nlp.pipe(["No flu.", "flu " * 5000]))
    assert names(docs[0]) == [("flu", "DISEASE")]
    assert len(names(docs[1])) > 5 and "error" not in docs[1].user_data["meta"]  # the server finds one in a part


# The four known faults of the stock runner.

def test_one_failure_does_not_lose_its_batch(azure):
    server, model = azure(fault=lambda prompt, tried: "broken" if "fever" in prompt else None)
    docs = list(make_nlp(model).pipe(["No flu.", "A fever.", "Take aspirin."]))
    assert [names(doc) for doc in docs] == [[("flu", "DISEASE")], [], [("aspirin", "DRUG")]]
    assert docs[1].user_data["meta"]["error"] == "ValueError in the model"


def test_documents_that_a_stock_model_refuses_never_stop_the_run(azure):
    server, model = azure(fault=lambda prompt, tried: "refused" if "fever" in prompt else None)
    docs = list(make_nlp(model, max_failures=2).pipe([f"A fever {number}." for number in range(5)] + ["No flu."]))
    assert [doc.user_data["meta"].get("error") for doc in docs] == ["ValueError in the model"] * 5 + [None]


@pytest.mark.parametrize("fault, reason", [
    pytest.param("broken", "ValueError", id="500-and-no-json"),
    pytest.param(401, "ValueError", id="not-let-in"),
    pytest.param("unavailable", "ConnectionError", id="busy"),
    pytest.param("dropped", "ConnectionError", id="no-connection"),
])
def test_a_service_of_a_stock_model_that_fails_stops_the_run(azure, fault, reason):
    server, model = azure(fault=lambda prompt, tried: fault if "fever" in prompt else None)
    with pytest.raises(BionerError, match=f"2 failed requests in a row, the last one: {reason}"):
        list(make_nlp(model, max_failures=2).pipe([f"A fever {number}." for number in range(5)]))


@pytest.mark.parametrize("fault", ["cut_json", "html", "no_choices"])
def test_unreadable_answers_of_a_stock_model_never_stop_the_run(azure, fault):
    server, model = azure(fault=lambda prompt, tried: fault if "fever" in prompt else None)
    docs = list(make_nlp(model, max_failures=2).pipe([f"A fever {number}." for number in range(5)]))
    assert all(doc.user_data["meta"]["error"].endswith("Error in the model") for doc in docs)


def test_changed_labels_are_not_answered_from_the_cache(azure, tmp_path):
    cache = str(tmp_path / "cache.sqlite")
    server, model = azure()
    assert names(make_nlp(model, cache=cache)("flu aspirin")) == [("flu", "DISEASE"), ("aspirin", "DRUG")]
    less = {"DISEASE": LABELS["DISEASE"]}
    server.answer = lambda prompt: answer(prompt, labels=less)
    assert names(make_nlp(model, cache=cache, labels=less)("flu aspirin")) == [("flu", "DISEASE")]


def test_word_order_counts_in_the_cache(azure, tmp_path):
    server, model = azure()
    nlp = make_nlp(model, cache=str(tmp_path / "cache.sqlite"))
    for text in ("flu before aspirin", "aspirin before flu", "flu before aspirin"):
        doc = nlp(text)
        assert [span.text for span in doc.spans["sc"]] == [word for word in text.split() if word in NAMES]
    assert sum(server.answered.values()) == 3, "one greeting, two texts, and one from the cache"


@pytest.mark.parametrize("codec", ["JsonCodec", "HtmlCodec", "BracketCodec"])
def test_commas_stay_inside_names(azure, codec):
    word = codec.removesuffix("Codec").lower()
    server, model = azure(respond=lambda prompt: answer(prompt, codec=word))
    doc = make_nlp(model, codec={"@misc": f"spacy-bioner.{codec}.v1"})("Dissolved in 1,2-dimethoxyethane, then dried.")
    assert [(doc.text[span.start_char:span.end_char], span.label_) for span in doc.spans["sc"]] == [
        ("1,2-dimethoxyethane", "DRUG")]
