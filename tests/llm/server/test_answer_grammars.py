"""Grammars for servers: the language of local grounded decoding, checked by an independent matcher."""

import json
import random
from functools import lru_cache
from importlib.metadata import EntryPoint
from types import SimpleNamespace

import pytest
from doc_snippets import read_snippet

from spacy_bioner.codecs import make_codec
from spacy_bioner.llm.decoding.grammars.bracket_grammar import BracketGrammar
from spacy_bioner.llm.decoding.grammars.html_grammar import HtmlGrammar
from spacy_bioner.llm.decoding.grammars.json_grammar import JsonGrammar
from spacy_bioner.llm.decoding.grammars.source_tokens import SourceTokens
from spacy_bioner.llm.server.answer_grammars import rules_registry
from spacy_bioner.llm.server.answer_grammars.bracket_rules import TextPieces, bracket_rules
from spacy_bioner.llm.server.answer_grammars.grammar_rules import Ref
from spacy_bioner.llm.server.answer_grammars.html_rules import html_rules
from spacy_bioner.llm.server.answer_grammars.json_rules import json_rules
from spacy_bioner.llm.server.answer_grammars.rules_registry import RulesContext
from spacy_bioner.tokens import find_units

llguidance = pytest.importorskip("llguidance", reason="the independent matcher is part of the dev extra")

TEXTS = [
    pytest.param("Gout came back.", id="plain"),
    pytest.param("Loss of [3H]dopamine (see [1, 2]) in cells] was [not] seen.", id="brackets_of_the_source"),
    pytest.param('He said "no": a\\b \'c\' <d> {e}.', id="quotes_and_backslashes"),
    pytest.param("患者出现发热，【咳嗽】等症状。", id="chinese"),
    pytest.param("e\u0301tude of \U0001f9ec and \u03b1-synuclein\u200b,\u00a0wide\ttabs\nlines.", id="odd_characters"),
    pytest.param("a a a a", id="repeated"),
    pytest.param(" x ", id="white_space_at_the_edges"),
]
SIGNS = ["gout", "IL-2", " ", " ", "  ", "\n", "[", "]", "(", ")",
         '"', "'", "\\", "<", ">", "</", "{", "}", ":", "患者", "发热", "，",
         "\U0001f9ec", "e\u0301", "\u03b1", "\u200d", "0.5", "none"]


def random_text(seed):
    chance = random.Random(seed)
    return "".join(chance.choices(SIGNS, k=8))


TEXTS += [pytest.param(random_text(seed), id=f"random_{seed}") for seed in range(4)]
LABELS = ["DISEASE", "CELL TYPE"]


def accepts(gbnf, text):
    """Return whether the independent matcher takes the text as a whole answer."""
    tokenizer = llguidance.LLTokenizer("byte")
    grammar = _read_gbnf(gbnf)
    matcher = llguidance.LLMatcher(tokenizer, grammar)
    assert not matcher.is_error(), matcher.get_error()
    data = text.encode()
    return matcher.try_consume_tokens(list(data)) == len(data) and matcher.is_accepting()


@lru_cache(maxsize=1)
def _read_gbnf(gbnf):
    from llguidance.gbnf_to_lark import gbnf_to_lark

    return llguidance.grammar_from("lark", gbnf_to_lark(gbnf))


def local_html(text, *, max_depth):
    pieces = TextPieces()
    return HtmlGrammar(SourceTokens(text, pieces), LABELS, pieces, max_depth=max_depth)


def local_grammar(text, *, lines, max_depth):
    pieces = TextPieces()
    return BracketGrammar(SourceTokens(text, pieces), LABELS, pieces, lines=lines, end_token=0, max_depth=max_depth)


def local_json(text):
    pieces = TextPieces()
    return JsonGrammar(SourceTokens(text, pieces), LABELS, pieces)


def write_locally(grammar, chance):
    """Return an answer of the local grammar by random choices."""
    state, answer = grammar.start(), ""
    while choices := grammar.choices(state):
        choice = chance.choice(choices)
        answer, state = answer + choice.text, choice.build(())
    return answer


def forget_earlier(state):
    """Return the state with the last mention only; what may follow does not depend on others."""
    return state._replace(found=state.found and state.found._replace(before=None))


def is_local(grammar, answer):
    """Return whether the local grammar can write the answer."""
    waiting, seen = [(grammar.start(), 0)], set()
    while waiting:
        state, at = waiting.pop()
        choices = grammar.choices(state)
        if not choices and at == len(answer):
            return True
        for choice in choices:
            if answer.startswith(choice.text, at):
                after = forget_earlier(choice.build(()))
                if (after, at + len(choice.text)) not in seen:
                    seen.add((after, at + len(choice.text)))
                    waiting.append((after, at + len(choice.text)))
    return False


def write_by_rules(rules, chance):
    """Return an answer of exported rules by random choices."""
    table, answer, waiting = dict(rules.items()), "", [Ref("root")]
    while waiting:
        item = waiting.pop()
        if isinstance(item, Ref):
            waiting.extend(reversed(chance.choice(table[item.name])))
        else:
            answer += item
    return answer


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("lines", ["all", "occurring"])
@pytest.mark.parametrize("max_depth", [1, 2, 3])
def test_bracket_rules_are_the_language_of_local_decoding(text, lines, max_depth):
    chance = random.Random(5)
    local = local_grammar(text, lines=lines, max_depth=max_depth)
    rules = bracket_rules(text, LABELS, lines=lines, max_depth=max_depth)
    gbnf = rules.to_gbnf()
    for _ in range(4):
        answer = write_locally(local, chance)
        assert accepts(gbnf, answer), answer
    for _ in range(30):
        answer = write_by_rules(rules, chance)
        assert is_local(local, answer), answer
    assert not accepts(gbnf, write_locally(local, chance) + "x")


def crosses(state):
    """Return whether mentions of a finished answer cross."""
    found, spans = state.found, []
    while found is not None:
        spans.append((found.start, found.end))
        found = found.before
    return any(one[0] < other[0] < one[1] < other[1] for one in spans for other in spans)


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("max_depth", [1, 2, 3])
def test_html_rules_are_the_language_of_local_decoding_without_crossing(text, max_depth):
    chance = random.Random(5)
    local = local_html(text, max_depth=max_depth)
    rules = html_rules(text, LABELS, max_depth=max_depth, max_units=100)
    gbnf = rules.to_gbnf()
    for _ in range(20):
        answer = write_by_rules(rules, chance)
        assert is_local(local, answer), answer
    for _ in range(8):
        state, answer = local.start(), ""
        while choices := local.choices(state):
            choice = chance.choice(choices)
            answer, state = answer + choice.text, choice.build(())
        assert accepts(gbnf, answer) is not crosses(state), answer


def can_be_in_order(text, answer):
    """Return whether the names of an answer have places in strict text order, tried one by one."""
    units = find_units(text)
    spans = [(start, -end) for first, (start, _) in enumerate(units) for _, end in units[first:]]
    reached = {(-1, 0, "")}
    for item in json.loads(answer):
        places = [(start, end, item["type"]) for start, end in spans if text[start:-end] == item["name"]]
        reached = {place for place in places if any(place > last for last in reached)}
    return bool(reached)


@pytest.mark.parametrize("text", TEXTS)
def test_json_rules_write_runs_of_the_source_in_text_order(text):
    chance = random.Random(5)
    words = [text[start:end] for start, end in find_units(text)]
    local = local_json(text)
    rules = json_rules(text, LABELS, max_exact=100)
    gbnf = rules.to_gbnf()
    for _ in range(8):
        answer = write_locally(local, chance)
        assert accepts(gbnf, answer), answer
    for _ in range(30):
        answer = write_by_rules(rules, chance)
        assert can_be_in_order(text, answer), answer
        # Where a name has one place alone, the local decoder has no choice of places either.
        assert len(set(words)) < len(words) or is_local(local, answer), answer
    assert accepts(gbnf, answer) and accepts(gbnf, "[]")
    assert not accepts(gbnf, '[{"type":"DISEASE","name":"cholera"}]')


def all_local(grammar):
    """Return each answer of the local grammar."""
    answers, waiting = set(), [(grammar.start(), "")]
    while waiting:
        state, answer = waiting.pop()
        choices = grammar.choices(state)
        waiting.extend((choice.build(()), answer + choice.text) for choice in choices)
        if not choices:
            answers.add(answer)
    return answers


def all_by_rules(rules):
    """Return each answer of exported rules."""
    table, answers, waiting = dict(rules.items()), set(), [("", (Ref("root"),))]
    while waiting:
        answer, items = waiting.pop()
        if not items:
            answers.add(answer)
        elif isinstance(items[0], Ref):
            waiting.extend((answer, (*alternative, *items[1:])) for alternative in table[items[0].name])
        else:
            waiting.append((answer + items[0], items[1:]))
    return answers


@pytest.mark.parametrize("text", [pytest.param("alpha beta", id="two"), pytest.param("(x", id="no_space"),
                                  pytest.param("one", id="one"), pytest.param("", id="empty")])
def test_json_rules_have_exactly_the_answers_of_local_decoding(text):
    assert all_by_rules(json_rules(text, LABELS)) == all_local(local_json(text))


def test_json_rules_let_a_repeated_name_take_any_of_its_places():
    answers, local = all_by_rules(json_rules("a a", LABELS)), all_local(local_json("a a"))
    assert local <= answers and all(can_be_in_order("a a", answer) for answer in answers)


def test_json_rules_with_a_limit_of_exact_lengths_write_local_answers_only():
    text = "one two three four"
    chance = random.Random(5)
    local, rules = local_json(text), json_rules(text, LABELS, max_exact=2)
    answers = [write_by_rules(rules, chance) for _ in range(100)]
    assert all(is_local(local, answer) for answer in answers)
    assert any(text in answer for answer in answers)


def test_json_rules_name_no_place_twice():
    gbnf = json_rules("gout or gout", ["DISEASE"]).to_gbnf()
    item = '{"type":"DISEASE","name":"gout"}'
    assert accepts(gbnf, f"[{item},{item}]")
    assert not accepts(gbnf, f"[{item},{item},{item}]")


@pytest.mark.parametrize("make", [
    pytest.param(lambda text: bracket_rules(text, LABELS), id="bracket"),
    pytest.param(lambda text: json_rules(text, LABELS), id="json"),
    pytest.param(lambda text: html_rules(text, LABELS), id="html"),
])
def test_size_is_linear_in_the_text(make):
    words = [f"word{number}" for number in range(400)]
    sizes = [len(make(" ".join(words[:count])).to_gbnf()) for count in (100, 200, 400)]
    assert sizes[2] - sizes[1] < 2.2 * (sizes[1] - sizes[0])


@pytest.mark.parametrize("text", TEXTS)
def test_rules_of_another_package_are_the_language_of_its_local_decoding(text, tmp_path, monkeypatch):
    for module, name in (("lines_grammar", "class LinesGrammar"), ("lines_rules", "def write_lines_rules")):
        (tmp_path / f"{module}.py").write_text(read_snippet("howto/add-a-codec.md", name), encoding="utf8")
    monkeypatch.syspath_prepend(str(tmp_path))
    point = EntryPoint("lines", "lines_rules:make_lines_rules", rules_registry.ENTRY_POINT_GROUP)
    monkeypatch.setattr(rules_registry, "entry_points", lambda group, name: [point] if name == "lines" else [])
    from lines_grammar import LinesGrammar

    pieces, chance = TextPieces(), random.Random(3)
    local = LinesGrammar(SourceTokens(text, pieces), SimpleNamespace(labels=LABELS, pieces=pieces, end_token=0))
    codec = SimpleNamespace(name="lines")
    gbnf = rules_registry.make_grammar_writer(RulesContext(codec, tuple(LABELS)))(text)
    for _ in range(10):
        answer = write_locally(local, chance)
        assert accepts(gbnf, answer), answer
        assert not accepts(gbnf, answer + "x")


def test_codec_without_rules_asks_servers_without_a_grammar():
    assert rules_registry.make_grammar_writer(RulesContext(make_codec("json", shape="offsets"), ("A",))) is None
    assert rules_registry.make_grammar_writer(RulesContext(SimpleNamespace(name="unheard"), ("A",))) is None
