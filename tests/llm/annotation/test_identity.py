"""What annotations depend on is told without a model: by content, wherever files lie, and by nothing else."""

from dataclasses import replace

import pytest

from spacy_bioner.annotation import Annotation, Mention
from spacy_bioner.codecs import make_codec
from spacy_bioner.formats.jsonl import write_jsonl
from spacy_bioner.llm.adapter import AdapterCard
from spacy_bioner.llm.annotation.identity import identify
from spacy_bioner.llm.local.model_source import CausalLMSource, OpenedSource
from spacy_bioner.llm.replay import Replay
from spacy_bioner.llm.server.client import ServerSettings
from spacy_bioner.llm.server.server_source import ServerSource
from spacy_bioner.llm.settings import AnnotatorSettings
from spacy_bioner.prompts.build import read_template

SETTINGS = AnnotatorSettings(labels={"DISEASE": "illnesses"})
GOLD = Annotation("No flu.", (Mention(3, 6, "DISEASE"),), id="a", meta={"split": "train"})


def write_adapter(folder, weights):
    folder.mkdir(parents=True)
    (folder / "adapter_model.safetensors").write_bytes(weights)
    source = read_template("annotate.en")
    AdapterCard(base_model="m", codec=make_codec("bracket").settings(), labels=SETTINGS.labels,
                template="annotate.en", template_source=source).write(folder)
    return CausalLMSource(model="m", adapter=str(folder))


def differing(first, second):
    return [key for key in first if first[key] != second[key]]


def test_an_adapter_is_told_by_its_weights_not_by_its_place(tmp_path):
    one, same, other = (write_adapter(tmp_path / name / "adapter", weights)
                        for name, weights in (("a", b"1"), ("b", b"1"), ("c", b"2")))
    assert identify(one, SETTINGS) == identify(same, SETTINGS)
    assert differing(identify(one, SETTINGS), identify(other, SETTINGS)) == ["adapter"]


@pytest.mark.parametrize("changes, key", [
    pytest.param({"labels": {"DISEASE": "ills"}}, "labels", id="definition"),
    pytest.param({"corpus": "Mine"}, "corpus", id="corpus"),
    pytest.param({"codec": make_codec("json")}, "codec", id="codec"),
    pytest.param({"overlap": 0}, "overlap", id="overlap"),
    pytest.param({"max_sentences": 1}, "max_sentences", id="sentences"),
])
def test_each_setting_that_counts_is_told(changes, key):
    source = CausalLMSource(model="m", adapter=None)
    assert differing(identify(source, SETTINGS), identify(source, SETTINGS.changed(**changes))) == [key]


@pytest.mark.parametrize("changes", [{"window": 3}, {"max_failures": 1}, {"cache": "elsewhere.sqlite"}])
def test_how_a_run_goes_does_not_count(changes):
    source = CausalLMSource(model="m", adapter=None)
    assert identify(source, SETTINGS) == identify(source.changed(device="cuda", pass_tokens=7),
                                                  SETTINGS.changed(**changes))


def test_a_template_and_examples_are_told_by_their_content(tmp_path):
    source = CausalLMSource(model="m", adapter=None)
    template, examples = tmp_path / "mine.jinja", tmp_path / "gold.jsonl"
    template.write_text(read_template("annotate.en"))
    write_jsonl(examples, [GOLD])
    settings = SETTINGS.changed(template=str(template), examples=examples)
    before = identify(source, settings)
    template.write_text(read_template("annotate.en") + " ")
    write_jsonl(examples, [GOLD, GOLD])
    assert differing(before, identify(source, settings)) == ["template", "examples"]


def test_replies_are_told_by_their_content_and_a_server_not_by_its_address():
    one, other = (OpenedSource(Replay([{"text": "a", "output": output}])) for output in "xy")
    assert differing(identify(one, SETTINGS), identify(other, SETTINGS)) == ["model"]
    here, there = (ServerSource(ServerSettings(model="m", base_url=f"http://{host}/v1")) for host in ("here", "there"))
    assert identify(here, SETTINGS) == identify(there, SETTINGS)
    hotter = replace(here, settings=here.settings.changed(temperature=1.0))
    assert differing(identify(here, SETTINGS), identify(hotter, SETTINGS)) == ["model"]
