"""Odd labels and definitions: a pipeline that holds them is saved and loaded, or they are refused by name."""

import pytest
import spacy
from odd_labels import ODD_LABELS
from span_examples import grid_config, make_nlp, selector_config

from spacy_bioner.errors import BionerError
from spacy_bioner.pipeline.config_labels import check_config_labels
from spacy_bioner.training.spacy_training import collect_labels

VARIABLES = [label for label in ODD_LABELS if "${" in label]
NO_KEYS = [":a", "@misc"]
# Of each two of these spaCy's config sees one key.
TWICE = ["[b]", "a]", "a:", "a:b:c", "a=b", "a  b", " lead"]
PLAIN = [label for label in ODD_LABELS if label not in (*VARIABLES, *NO_KEYS, *TWICE)]


@pytest.fixture
def replay(tmp_path):
    (tmp_path / "replay.jsonl").write_text("")
    return {"@llm_models": "spacy-bioner.Replay.v1", "path": str(tmp_path / "replay.jsonl")}


@pytest.mark.issue(21)
@pytest.mark.parametrize("factory", ["llm_bioner", "seed_generator"])
@pytest.mark.parametrize("labels", [
    pytest.param({label: f"Definition {number}: \"quoted\" = {label}" for number, label in enumerate(PLAIN)}, id="all"),
    *(pytest.param({label: ""}, id=ascii(label)[:20]) for label in ("UMLS:T047", 'q"uote', "#Tag", "1.5", *TWICE)),
])
def test_a_language_model_component_keeps_odd_labels_on_disk(factory, labels, replay, tmp_path):
    nlp = spacy.blank("en")
    nlp.add_pipe(factory, config={"labels": labels, "model": replay})
    nlp.to_disk(tmp_path / "pipeline")
    assert spacy.load(tmp_path / "pipeline").get_pipe(factory).settings.labels == labels


@pytest.mark.issue(20)
def test_a_package_of_a_language_model_component_requires_its_extra(replay, tmp_path):
    nlp = spacy.blank("en")
    for factory in ("llm_bioner", "seed_generator"):
        nlp.add_pipe(factory, config={"labels": {"A": ""}, "model": replay})
    nlp.to_disk(tmp_path / "pipeline")
    [required] = spacy.load(tmp_path / "pipeline").meta["requirements"]
    assert required.startswith("spacy-bioner[llm]>=")


@pytest.mark.issue(21)
@pytest.mark.parametrize("factory, config", [("bioner_spancat", grid_config), ("span_selector", selector_config)])
def test_a_trained_component_keeps_odd_labels_on_disk(factory, config, tmp_path):
    nlp = make_nlp()
    component = nlp.add_pipe(factory, config=config())
    for label in ODD_LABELS:
        component.add_label(label)
    component.model.get_ref("output_layer").set_dim("nO", len(ODD_LABELS))
    nlp.to_disk(tmp_path / "pipeline")
    assert spacy.load(tmp_path / "pipeline").get_pipe(factory).labels == tuple(ODD_LABELS)


@pytest.mark.issue(21)
@pytest.mark.parametrize("factory", ["llm_bioner", "seed_generator"])
@pytest.mark.parametrize("labels", [{"${x}": ""}, {"A": "as ${paths.train} says"}])
def test_a_variable_in_a_label_or_definition_is_refused_in_one_line(factory, labels, replay):
    with pytest.raises(BionerError, match="read as a variable. Write the label"):
        spacy.blank("en").add_pipe(factory, config={"labels": labels, "model": replay})


@pytest.mark.issue(21)
@pytest.mark.parametrize("labels", [*(["Disease", label] for label in NO_KEYS), ["UMLS:T047", "UMLS:T048"]])
def test_a_label_that_is_no_key_of_a_config_is_refused_by_name(labels):
    with pytest.raises(BionerError, match=f"The label '{labels[-1]}' cannot be a key"):
        check_config_labels({"labels": dict.fromkeys(labels, "")})


@pytest.mark.issue(20)
@pytest.mark.parametrize("factory", ["llm_bioner", "seed_generator"])
def test_labels_in_a_list_may_be_what_no_key_of_a_config_can(factory, replay, tmp_path):
    odd = [label for label in ODD_LABELS if label not in VARIABLES]
    nlp = spacy.blank("en")
    nlp.add_pipe(factory, config={"labels": [[label, f"as {label} = said"] for label in odd], "model": replay})
    nlp.to_disk(tmp_path / "pipeline")
    loaded = spacy.load(tmp_path / "pipeline").get_pipe(factory)
    assert loaded.settings.labels == {label: f"as {label} = said" for label in odd}


@pytest.mark.issue(20)
def test_a_list_may_hold_labels_without_definitions(replay):
    component = spacy.blank("en").add_pipe("llm_bioner", config={"labels": ["UMLS:T047", ["UMLS:T048", "disorders"]],
                                                                 "model": replay})
    assert component.label_definitions == {"UMLS:T047": "", "UMLS:T048": "disorders"}


@pytest.mark.issue(20)
@pytest.mark.parametrize("labels, told", [
    pytest.param([["A", "x"], "A"], "'A' comes twice", id="twice"),
    pytest.param([["A", "x", "y"]], "neither a label nor a pair", id="three"),
])
def test_a_list_of_other_items_is_refused_in_one_line(labels, told, replay):
    with pytest.raises(BionerError, match=told):
        spacy.blank("en").add_pipe("llm_bioner", config={"labels": labels, "model": replay})


@pytest.mark.issue(20)
def test_a_variable_in_a_list_of_labels_is_refused(replay):
    with pytest.raises(BionerError, match="read as a variable"):
        spacy.blank("en").add_pipe("llm_bioner", config={"labels": [["A", "${x}"]], "model": replay})


@pytest.mark.issue(21)
def test_a_label_that_is_no_key_of_a_config_can_be_added_afterwards(replay, tmp_path):
    nlp = spacy.blank("en")
    component = nlp.add_pipe("llm_bioner", config={"labels": {"UMLS:T047": "diseases"}, "model": replay})
    component.add_label("UMLS:T048", "as ${x} says")
    nlp.to_disk(tmp_path / "pipeline")
    assert spacy.load(tmp_path / "pipeline").get_pipe("llm_bioner").labels == ("UMLS:T047", "UMLS:T048")


@pytest.mark.issue(21)
def test_a_variable_among_the_labels_of_records_is_refused_before_training(tmp_path):
    (tmp_path / "gold.jsonl").write_text('{"id": "a", "text": "Gout.", "spans": [{"start": 0, "end": 4, '
                                         '"label": "${x}"}], "meta": {"split": "train"}}\n')
    with pytest.raises(BionerError, match="read as a variable"):
        collect_labels([tmp_path / "gold.jsonl"])
