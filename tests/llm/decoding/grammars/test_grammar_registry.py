"""A codec of another package brings its grammar; the worked example of the page decodes with a model."""

from importlib.metadata import EntryPoint

import pytest
from doc_snippets import read_snippet
from step_by_step import write_answer
from tiny_models import tiny_lm

import spacy_bioner.codecs
from spacy_bioner.codecs import make_codec
from spacy_bioner.errors import BionerError
from spacy_bioner.llm.decoding.grammars import registry
from spacy_bioner.llm.decoding.grammars.source_tokens import SourceTokens
from spacy_bioner.llm.decoding.grounded import GroundedDecoder
from spacy_bioner.llm.local.tokenization import encode_prompt
from spacy_bioner.llm.protocol import Request
from spacy_bioner.prompts.build import PromptBuilder

LABELS = {"Chemical": "drugs", "Disease": ""}
TEXTS = ["Give aspirin for flu.", "Copper toxicosis in some\nfamilies", "铜 中毒", "flu flu", "", " "]


@pytest.fixture
def lines_codec(tmp_path, monkeypatch):
    for module, name in (("lines_example", "class LinesCodec"), ("lines_grammar", "class LinesGrammar")):
        (tmp_path / f"{module}.py").write_text(read_snippet("howto/add-a-codec.md", name), encoding="utf8")
    monkeypatch.syspath_prepend(str(tmp_path))
    points = {"spacy_bioner_codecs": "lines_example:LinesCodec", "spacy_bioner_grammars": "lines_grammar:ground_lines"}

    def entry_points(group, name):
        return [EntryPoint(name, points[group], group)] if name == "lines" and group in points else []

    monkeypatch.setattr(spacy_bioner.codecs, "entry_points", entry_points)
    monkeypatch.setattr(registry, "entry_points", entry_points)
    return make_codec("lines"), points


def test_worked_example_decodes_what_its_codec_reads(lines_codec):
    codec, _ = lines_codec
    builder = PromptBuilder(template="annotate.en", labels=LABELS, codec=codec)
    decoder = GroundedDecoder(tiny_lm(3), codec=codec, labels=LABELS)
    requests = [Request(builder.render(text), text=text) for text in TEXTS]
    replies = dict(decoder.generate(requests))
    assert any(reply.mentions for reply in replies.values())
    for index, request in enumerate(requests):
        prompt = encode_prompt(decoder.lm.tokenizer, request.prompt)
        grammar = decoder._make_grammar(SourceTokens(request.text, decoder._pieces))
        _, found = write_answer(decoder.lm, grammar, prompt)
        assert [mention.score for mention in replies[index].mentions] == pytest.approx(
            [score for *_, score in found], abs=1e-4)
        reading = codec.decode(request.text, list(LABELS), replies[index].text)
        labelled = [(mention.label, request.text[mention.start:mention.end]) for mention in replies[index].mentions]
        assert labelled == [(mention.label, request.text[mention.start:mention.end]) for mention in reading.mentions]
        assert not {issue.kind for issue in reading.issues} & {"bad_item", "unknown_label", "not_found"}


def test_codec_without_a_grammar_cannot_be_grounded(lines_codec):
    codec, points = lines_codec
    del points["spacy_bioner_grammars"]
    with pytest.raises(BionerError, match="format 'lines'.*spacy_bioner_grammars"):
        GroundedDecoder(tiny_lm(), codec=codec, labels=LABELS)
