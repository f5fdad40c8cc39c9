"""Codecs are made by name, and made again from their settings; other packages add theirs."""

from importlib.metadata import EntryPoint

import pytest
from doc_snippets import read_snippet

import spacy_bioner.codecs
from spacy_bioner.annotation import Annotation, Mention
from spacy_bioner.codecs import CODEC_NAMES, list_codecs, make_codec
from spacy_bioner.codecs.recorded import decode_record, encode_record
from spacy_bioner.errors import BionerError


@pytest.mark.parametrize("name", CODEC_NAMES)
def test_settings_make_the_same_codec_again(name):
    codec = make_codec(name)
    assert make_codec(**codec.settings()).settings() == codec.settings()
    assert codec.describe(["Disease"]) != codec.describe(["Disease"], lang="zh")


@pytest.mark.parametrize("name, options", [("yaml", {}), ("html", {"shape": "name"}), ("json", {"shape": "round"}),
                                           ("bracket", {"lines": "some"})])
def test_unknown_names_and_options_are_refused(name, options):
    with pytest.raises(BionerError):
        make_codec(name, **options)


def test_worked_example_of_the_page_reads_what_it_writes(tmp_path, monkeypatch):
    code = read_snippet("howto/add-a-codec.md", "class LinesCodec")
    (tmp_path / "lines_example.py").write_text(code, encoding="utf8")
    monkeypatch.syspath_prepend(str(tmp_path))
    point = EntryPoint("lines", "lines_example:LinesCodec", "spacy_bioner_codecs")
    monkeypatch.setattr(spacy_bioner.codecs, "entry_points", lambda group, name: [point] if name == "lines" else [])
    annotation = Annotation("Give aspirin for flu.").with_mentions([Mention(5, 12, "Chemical"), Mention(17, 20, "D")])
    codec = make_codec("lines")
    reading = codec.decode(annotation.text, ["Chemical", "D"], codec.encode(annotation, ["Chemical", "D"]))
    assert reading.mentions == annotation.mentions and not reading.issues
    assert codec.decode(annotation.text, ["D"], "none").mentions == ()


def test_a_codec_of_another_package_is_listed_and_decodes_what_it_encodes(tmp_path, monkeypatch):
    code = read_snippet("howto/add-a-codec.md", "class LinesCodec").replace('"lines"', '"listed"')
    (tmp_path / "listed_example.py").write_text(code, encoding="utf8")
    monkeypatch.syspath_prepend(str(tmp_path))
    point = EntryPoint("listed", "listed_example:LinesCodec", "spacy_bioner_codecs")
    monkeypatch.setattr(spacy_bioner.codecs, "entry_points",
                        lambda group, name="listed": [point] if name == "listed" else [])
    assert list_codecs() == [*CODEC_NAMES, "listed"]
    spans = [{"start": 5, "end": 12, "label": "Chemical"}]
    encoded = encode_record({"id": "a", "text": "Give aspirin.", "spans": spans}, ["Chemical"], make_codec("listed"))
    assert decode_record(encoded) == {"id": "a", "spans": spans, "issues": []}
    with pytest.raises(BionerError, match="Available: .*seed_tags, listed"):
        decode_record({**encoded, "format": "yaml"})
