"""Span scores from log-probabilities: the rule of local grounded decoding, over the tokens that a server lists."""

import math
import random

import pytest
from step_by_step import Written, read_token

from spacy_bioner.annotation import Annotation, Mention
from spacy_bioner.codecs import make_codec
from spacy_bioner.llm.decoding.grammars.grammar import GrammarContext
from spacy_bioner.llm.decoding.grammars.registry import choose_grammar
from spacy_bioner.llm.decoding.grammars.source_tokens import SourceTokens
from spacy_bioner.llm.server.span_scores import BytePieces, make_span_scorer
from spacy_bioner.llm.server.token_logprobs import TokenLogprobs

LABELS = ("DISEASE", "CHEMICAL")
TEXT = "No flu or gout."
FLU = (3, 6, "DISEASE")


def say(pieces):
    """Return an answer and its tokens, from tokens and pairs of a token and the probabilities listed with it."""
    tokens = []
    for piece in pieces:
        text, listed = piece if isinstance(piece, tuple) else (piece, {piece: 0.9, "~": 0.1})
        listed = {text: 1e-6, **listed}
        pairs = tuple((other.encode(), math.log(value)) for other, value in listed.items())
        tokens.append(TokenLogprobs(text.encode(), math.log(listed[text]), pairs))
    return b"".join(token.data for token in tokens).decode(), tokens


def score(codec, pieces, *, text=TEXT, max_depth=2, **options):
    scored = make_span_scorer(make_codec(codec, **options), LABELS, max_depth=max_depth)(text, *say(pieces))
    return {mention.key: mention.score for mention in scored}


# The mark against the copied text, 0.6 to 0.2, and its end against the copy, 0.3 to 0.1; "x" is no legal token.
OPENED = (" [", {" [": 0.6, " flu": 0.1, " fl": 0.1, "x": 0.2})
CLOSED = ("]", {"]": 0.3, " or": 0.1, " nor": 0.5})


@pytest.mark.parametrize("codec, pieces", [
    pytest.param("bracket", ["DISEASE", ":", "  No", OPENED, "flu", CLOSED, " or gout.\nCHEMICAL:  No flu or gout."],
                 id="bracket"),
    pytest.param("html", ["No", (" <", {" <": 0.6, " flu": 0.2, "x": 0.2}), "DISEASE:", "flu",
                          (">", {">": 0.3, " or": 0.1, " nor": 0.5}), "flu</DISEASE:flu> or gout."], id="html"),
    pytest.param("json", ['[{"type":"', "DISEASE", '","name":"', ("flu", {"flu": 0.6, "or": 0.1, "No": 0.1, "~": 0.2}),
                          ('"}', {'"}': 0.3, " or": 0.1}), "]"], id="json"),
])
def test_score_is_the_product_of_the_decisions_among_legal_tokens(codec, pieces):
    found = score(codec, pieces)
    assert list(found) == [FLU]
    expected = 0.6 / 0.8 * 0.3 / 0.4
    # Of the label, of "[{" and of the names of JSON not all that is legal is listed: one token more counts, 0.1.
    unlisted = {"bracket": 1.0, "html": 0.9, "json": 0.9 * 0.9 * 0.8 / 0.9}[codec]
    assert found[FLU] == pytest.approx(expected * unlisted)


@pytest.mark.parametrize("listed, expected", [
    pytest.param({" [": 0.5, " flu": 0.5}, 0.5, id="copy"),
    pytest.param({" [": 0.5, " [f": 0.25, " flu": 0.25}, 0.75, id="two-ways-to-write-the-mark"),
    pytest.param({" [": 0.4, "\n": 0.5, " [gout": 0.1}, 0.8, id="nothing-else-is-listed"),
    pytest.param({" [": 0.5, " ": 0.3, " flu": 0.2}, 0.5, id="ends-before-the-decision"),
    pytest.param({" flu": 0.8, "x": 0.1}, 1e-6 / (0.8 + 1e-6), id="not-listed-itself"),
    pytest.param({" [": 0.5, " flu": 1e-300}, 1.0, id="hardly-possible"),
])
def test_other_tokens_count_as_the_grammar_and_the_answer_say(listed, expected):
    sure = ("]", {"]": 1.0, " or": 1e-300})
    pieces = ["DISEASE:  No", (" [", listed), "flu", sure, " or gout.\nCHEMICAL:  No flu or gout."]
    assert score("bracket", pieces)[FLU] == pytest.approx(expected)


def test_tokens_may_reach_across_decisions_and_cut_characters():
    text, answer = "α-Gripe 热.", '[{"type":"DISEASE","name":"α-Gripe"},{"type":"DISEASE","name":"热"}]'
    data = answer.encode()
    cuts = [0, *random.Random(1).sample(range(1, len(data)), 12), len(data)]
    parts = [data[start:end] for start, end in zip(sorted(cuts), sorted(cuts)[1:])]
    tokens = [TokenLogprobs(part, -0.1, ((part, -0.1), (b"~", -9.0))) for part in parts]
    scored = make_span_scorer(make_codec("json"), LABELS, max_depth=2)(text, answer, tokens)
    assert [mention.key for mention in scored] == [(0, 7, "DISEASE"), (8, 9, "DISEASE")]
    assert all(0.5 < mention.score <= 1 for mention in scored)


def weigh(seed, position):
    """Return the probabilities of all bytes at a place of an answer."""
    chance = random.Random(f"{seed} {position}")
    weights = [chance.random() ** 4 for _ in range(256)]
    return [weight / sum(weights) for weight in weights]


@pytest.mark.parametrize("codec", ["bracket", "html", "json"])
@pytest.mark.parametrize("seed", range(4))
def test_scores_equal_those_of_local_decoding_where_the_tokens_do(codec, seed):
    """Write an answer byte by byte as the local decoder would, and score it from the probabilities of all bytes."""
    text = "Gout [1] of some, α-gout. 热"
    pieces = BytePieces()
    grammar = choose_grammar(GrammarContext(make_codec(codec), LABELS, pieces, 2))(SourceTokens(text, pieces))
    answer, logs, state = [], [], grammar.start()
    readings = [Written(choice, 0, ()) for choice in grammar.choices(state)]
    while readings:
        legal = sorted({reading.choice.tokens[reading.spelt] for reading in readings})
        weights = weigh(seed, len(answer))
        # Copies are preferred, so that not every word is a mention; in JSON there shall be one.
        byte = max(legal, key=lambda byte: weights[byte] * (1 + 2 * (byte not in b"[<") + 1e9 * (byte in b"{")))
        decision = ()
        if len(legal) > 1:
            logs.append(math.log(weights[byte] / sum(weights[other] for other in legal)))
            decision = (len(logs) - 1,)
        answer.append(byte)
        state, readings = read_token(grammar, state, readings, byte, decision)
    expected, found = {}, state.found
    source = SourceTokens(text, pieces)
    while found is not None:
        key = (source.units[found.start].start, source.units[found.end - 1].end, found.label)
        expected[key] = math.exp(sum(logs[number] for number in found.factors))
        found = found.before
    tokens = [TokenLogprobs(bytes([byte]), math.log(weights[byte]), tuple(
        (bytes([other]), math.log(weight)) for other, weight in enumerate(weights)))
        for byte, weights in ((byte, weigh(seed, at)) for at, byte in enumerate(answer))]
    scored = make_span_scorer(make_codec(codec), LABELS, max_depth=2)(text, bytes(answer).decode(), tokens)
    assert expected and {mention.key: mention.score for mention in scored} == pytest.approx(expected)


PLAIN = ['[{"type":"', "DISEASE", '","name":"', "flu", '"}', "]"]


@pytest.mark.parametrize("pieces, found", [
    pytest.param(["<think>[", "flu]</think>", "\n", *PLAIN, "<|im_end|>"], 1, id="reasoning-before"),
    pytest.param(["```json\n", *PLAIN, "\n```"], 1, id="fence"),
    pytest.param(['{"entities":', *PLAIN, "}"], 1, id="in-an-object"),
    pytest.param(["[\n  ", '{"type": "', "DISEASE", '",\n "name": "', "flu", '" }', "\n]"], 1, id="white-space"),
    pytest.param([*PLAIN[:5], ',{"type":"DISEASE","name":"cold"}]'], 1, id="what-is-not-legal-behind"),
    pytest.param(['[{"name":"flu","type":"DISEASE"}]'], 0, id="other-shape"),
    pytest.param(PLAIN[:4], 0, id="truncated"),
    pytest.param(["[]"], 0, id="no-mention"),
])
def test_json_is_scored_as_far_as_it_has_the_shape_of_the_grammar(pieces, found):
    answer, tokens = say(pieces)
    answer = answer.removesuffix("<|im_end|>").rpartition("</think>")[2].strip()
    scored = make_span_scorer(make_codec("json"), LABELS, max_depth=2)(TEXT, answer, tokens)
    assert [mention.key for mention in scored] == [FLU] * found


@pytest.mark.parametrize("change", [
    pytest.param(lambda answer, tokens: ("", tokens), id="no-answer"),
    pytest.param(lambda answer, tokens: (answer, tokens[1:]), id="token-left-out"),
    pytest.param(lambda answer, tokens: (answer, [token._replace(listed=token.listed[:1]) for token in tokens]),
                 id="nothing-listed"),
])
def test_answer_whose_tokens_tell_nothing_has_no_scores(change):
    scorer = make_span_scorer(make_codec("json"), LABELS, max_depth=2)
    assert scorer(TEXT, *change(*say(PLAIN))) == ()


def test_codec_without_a_grammar_has_no_scorer():
    assert make_span_scorer(make_codec("json", shape="offsets"), LABELS, max_depth=2) is None


@pytest.mark.parametrize("codec", ["bracket", "html", "json"])
def test_all_that_a_codec_writes_is_scored(codec):
    mentions = (Mention(0, 6, "CHEMICAL"), Mention(3, 6, "DISEASE"), Mention(10, 14, "CHEMICAL"))
    answer = make_codec(codec).encode(Annotation(TEXT, mentions), LABELS)
    found = score(codec, list(answer))
    assert list(found) == [mention.key for mention in mentions]
    assert all(0 < value <= 1 for value in found.values())
