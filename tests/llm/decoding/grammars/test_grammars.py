"""The grammars allow exactly the answers that the codecs write, spelt with the same tokens."""

from itertools import combinations, product

import pytest
from tiny_models import tiny_tokenizer

from spacy_bioner.annotation import Annotation, Mention, in_text_order
from spacy_bioner.codecs import make_codec
from spacy_bioner.llm.decoding.grammars.bracket_grammar import BracketGrammar, pair_brackets
from spacy_bioner.llm.decoding.grammars.html_grammar import HtmlGrammar
from spacy_bioner.llm.decoding.grammars.json_grammar import JsonGrammar
from spacy_bioner.llm.decoding.grammars.source_tokens import PieceTokens, SourceTokens
from spacy_bioner.llm.local.tokenization import encode_pieces, end_id

PIECES = PieceTokens(tiny_tokenizer())
END = end_id(tiny_tokenizer())


def make_grammar(name, text, labels, lines="all"):
    source = SourceTokens(text, PIECES)
    if name == "bracket":
        return BracketGrammar(source, labels, PIECES, lines=lines, end_token=END)
    return (HtmlGrammar if name == "html" else JsonGrammar)(source, labels, PIECES)


def all_answers(grammar):
    """Yield tokens, text and mentions of each answer that the grammar allows."""
    pending = [(grammar.start(), (), "")]
    while pending:
        state, tokens, text = pending.pop()
        choices = grammar.choices(state)
        if not choices:
            units, found, mentions = grammar.source.units, state.found, []
            while found is not None:
                mentions.append((units[found.start].start, units[found.end - 1].end, found.label))
                found = found.before
            yield tokens, text, tuple(sorted(mentions))
        pending += [(choice.build(()), tokens + choice.tokens, text + choice.text) for choice in choices]


def all_annotations(text, labels, *, crossing):
    """Yield each set of mentions that begin and end at units."""
    units = SourceTokens(text, PIECES).units
    spans = [Mention(first.start, last.end, label) for number, first in enumerate(units) for last in units[number:]
             for label in labels]
    for size in range(len(spans) + 1):
        for chosen in combinations(spans, size):
            if crossing or not any(one.crosses(other) for one, other in combinations(chosen, 2)
                                   if one.label == other.label):
                yield Annotation(text, in_text_order(chosen))


@pytest.mark.parametrize("name, options, labels, text", [
    pytest.param("bracket", {"lines": "all"}, ["A"], "one two  three\n", id="bracket"),
    pytest.param("bracket", {"lines": "all"}, ["A", "B"], "铜 two", id="bracket-labels"),
    pytest.param("html", {}, ["A", "B"], "one two", id="html-labels"),
    pytest.param("html", {}, ["A"], " one (2) ", id="html"),
    pytest.param("json", {}, ["A"], 'one "two', id="json"),
    pytest.param("json", {}, ["A", "B"], "one two", id="json-labels"),
])
def test_what_can_be_written_is_what_the_codec_writes(name, options, labels, text):
    codec = make_codec(name, **options)
    grammar = make_grammar(name, text, labels)
    grammar.max_depth = 99
    written = {mentions: (tokens, answer) for tokens, answer, mentions in all_answers(grammar)}
    wanted = {}
    for annotation in all_annotations(text, labels, crossing=name != "bracket"):
        pieces = codec.pieces(annotation, labels)
        key = tuple(sorted(mention.key for mention in annotation.mentions))
        wanted[key] = (tuple(encode_pieces(PIECES.tokenizer, pieces)), "".join(piece.text for piece in pieces))
    assert written == wanted


def test_lines_of_labels_that_occur_end_with_the_end_token():
    codec = make_codec("bracket", lines="occurring")
    grammar = make_grammar("bracket", "one two", ["A", "B"], lines="occurring")
    answers = {text: (tokens, mentions) for tokens, text, mentions in all_answers(grammar)}
    assert answers["none"] == (PIECES.of("none"), ())
    annotation = Annotation("one two", (Mention(4, 7, "B"),))
    pieces = codec.pieces(annotation, ["A", "B"])
    assert answers[codec.encode(annotation, ["A", "B"])][0] == tuple(encode_pieces(PIECES.tokenizer, pieces))
    first = answers["A:  [one] two"][0]
    assert first[-1] == END


@pytest.mark.parametrize("text", ["see [one]", "[1] one", "x [3H]one", "one ] two", "[ one", "] [", "a[b]c"])
def test_brackets_of_the_source_never_misplace_a_mention(text):
    codec = make_codec("bracket")
    for _, answer, mentions in all_answers(make_grammar("bracket", text, ["A"])):
        assert answer.replace("[", "").replace("]", "") == "A:  " + text.replace("[", "").replace("]", "")
        for start, end, _ in mentions:
            assert text[start:end] == text[start:end].strip() != ""
            inside = text[start:end]
            partners = pair_brackets(list(text))
            assert all(start <= partners[place] < end for place in range(start, end)
                       if text[place] in "[]" and partners[place] >= 0), inside
        if not mentions:
            assert codec.decode(text, ["A"], answer).mentions == ()


@pytest.mark.parametrize("text, answer, found", [
    pytest.param("[3H]one is", "A:  [[3H]one] is", (0, 7), id="glued-bracket-belongs-to-the-word"),
    pytest.param("[see one]", "A:  [see [one]]", (5, 8), id="bracket-behind-stays-outside"),
    pytest.param("a [b] c", "A:  a [[b]] c", (3, 4), id="bracket-round-stays-outside"),
])
def test_readings_of_a_mark_beside_a_bracket(text, answer, found):
    readings = [mentions for _, written, mentions in all_answers(make_grammar("bracket", text, ["A"]))
                if written == answer]
    assert readings == [((*found, "A"),)]


@pytest.mark.parametrize("name, depth", list(product(["bracket", "html"], [1, 2])))
def test_nesting_is_limited(name, depth):
    grammar = make_grammar(name, "one two three", ["A"])
    grammar.max_depth = depth
    for _, _, mentions in all_answers(grammar):
        units = [0, 4, 8]
        assert max((sum(start <= unit < end for start, end, _ in mentions) for unit in units), default=0) <= depth
