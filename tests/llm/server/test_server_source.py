"""A server as a source of models: its adapter counts in the cache and in the records, as a local model's does."""

import pytest
import torch
from safetensors.torch import save_file

from spacy_bioner.annotation import Annotation
from spacy_bioner.codecs import make_codec
from spacy_bioner.llm.adapter import AdapterCard
from spacy_bioner.llm.annotation.assembly import make_annotator, make_builder
from spacy_bioner.llm.local.fingerprint import adapter_fingerprint
from spacy_bioner.llm.protocol import Request
from spacy_bioner.llm.server.server_source import make_server
from spacy_bioner.llm.settings import AnnotatorSettings
from spacy_bioner.prompts.build import Prompt, PromptBuilder

LABELS = {"DISEASE": "illnesses"}


def write_adapter(folder, *, weight=None, data_hash=""):
    """Write the card of an adapter, and one weight where it is given."""
    folder.mkdir(exist_ok=True)
    source = PromptBuilder(template="annotate.en", labels=LABELS, codec=make_codec("bracket")).settings()["source"]
    AdapterCard(base_model="base", codec=make_codec("bracket").settings(), labels=LABELS, template="annotate.en",
                template_source=source, data_hash=data_hash).write(folder)
    if weight is not None:
        save_file({"lora_A": torch.tensor([weight])}, folder / "adapter_model.safetensors")
    return folder


def identity(adapter, url="http://localhost:1"):
    source = make_server("m", base_url=url, adapter=adapter and str(adapter))
    opened = source.open(make_builder(source.card(), AnnotatorSettings(labels=LABELS))).identity()
    assert source.open_generator(top_p=1.0, attempts=1, batch_size=1).identity()["adapter"] == opened["adapter"]
    return opened


def test_adapter_of_a_server_is_known_by_its_weights_as_that_of_a_local_model(tmp_path):
    first, second = (write_adapter(tmp_path / str(weight), weight=weight) for weight in (1.0, 2.0))
    assert identity(None)["adapter"] is None
    assert identity(first)["adapter"] == adapter_fingerprint(first)
    assert identity(first) != identity(second)
    assert identity(first) == identity(write_adapter(tmp_path / "copy", weight=1.0)), "wherever the folder lies"


def test_adapter_whose_weights_are_on_the_server_only_is_known_by_its_card(tmp_path):
    first, second = (write_adapter(tmp_path / data, data_hash=data) for data in ("a", "b"))
    assert identity(first) != identity(second)
    assert identity(first) == identity(write_adapter(tmp_path / "copy", data_hash="a"))


@pytest.mark.parametrize("adapter", [
    pytest.param({"weight": 2.0}, id="weights"),
    pytest.param({"data_hash": "more"}, id="card-alone"),
])
def test_retrained_adapter_of_the_same_name_is_asked_anew(start_server, tmp_path, adapter):
    server = start_server()
    before = {key: type(value)() for key, value in adapter.items()}
    found = []
    for settings in (before, before, adapter):
        folder = write_adapter(tmp_path / "adapter", **settings)
        annotator = make_annotator(make_server("m", base_url=server.url, adapter=str(folder)),
                                   AnnotatorSettings(cache=tmp_path / "cache.sqlite"),
                                   find_sentences=lambda text, lang: [(0, len(text))])
        [record] = annotator.annotate([Annotation("No flu.")])
        found.append((len(server.bodies), record.meta["adapter"]))
    assert [asked for asked, _ in found] == [1, 1, 2], "once in each state"
    assert found[0] == found[1] and None not in {name for _, name in found} and found[0][1] != found[2][1]


def test_sentences_are_written_by_a_server_that_refuses_top_p(start_server):
    server = start_server(lambda prompt: "Gout was seen.")
    server.refuses = ("top_p",)
    writer = make_server("m", base_url=server.url).open_generator(top_p=0.9, attempts=1, batch_size=1)
    [(_, reply)] = writer.generate([Request(Prompt("", "p"))])
    assert reply.text == "Gout was seen."
    assert [body.get("top_p") for body in server.bodies] == [0.9, None]


def test_top_p_of_the_settings_goes_before_that_of_a_generator(start_server):
    server = start_server()
    writer = make_server("m", base_url=server.url, extra_body={"top_p": 0.5}).open_generator(
        top_p=0.9, attempts=1, batch_size=1)
    list(writer.generate([Request(Prompt("", "p"))]))
    assert server.bodies[0]["top_p"] == 0.5


def test_top_p_is_part_of_the_key_of_the_cache_where_it_is_sent():
    source = make_server("m", base_url="http://localhost:1")
    by_default = source.open(make_builder(None, AnnotatorSettings(labels=LABELS))).identity()
    first, second = (source.open_generator(top_p=top_p, attempts=1, batch_size=1).identity() for top_p in (0.8, 0.9))
    assert first != second and "top_p" not in str(by_default)
    assert first["extra_body"] == {"top_p": 0.8}, "the keys of earlier versions"
