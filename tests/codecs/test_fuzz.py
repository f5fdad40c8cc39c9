"""Whatever a model writes, reading it gives spans that lie in the text, soon, and never an exception."""

import json
import random
import time

import pytest

from benchmarks.chaos.reply_mutations import LABELS, damage, make_annotation
from spacy_bioner.annotation import Annotation
from spacy_bioner.codecs import make_codec

CODECS = [
    pytest.param("bracket", {"lines": "all"}, id="bracket-all"),
    pytest.param("bracket", {"lines": "occurring"}, id="bracket-occurring"),
    pytest.param("html", {}, id="html"),
    pytest.param("json", {"shape": "name"}, id="json-name"),
    pytest.param("json", {"shape": "offsets"}, id="json-offsets"),
    pytest.param("json", {"shape": "context"}, id="json-context"),
    pytest.param("seed_tags", {}, id="seed-tags"),
]
# Machines that run tests share their cores: a reply is timed again before it counts as slow.
_TRIES = 4


def check_spans(text, mentions):
    for mention in mentions:
        assert 0 <= mention.start < mention.end <= len(text)
        surface = text[mention.start:mention.end]
        assert surface == surface.strip()
        assert mention.label in LABELS


def seconds_to_decode(codec, text, reply):
    best = float("inf")
    for _ in range(_TRIES):
        start = time.process_time()
        codec.decode(text, LABELS, reply)
        best = min(best, time.process_time() - start)
        if best < 0.02:
            break
    return best


def fuzz(name, options, *, count, seed):
    random_ = random.Random(seed)
    codec = make_codec(name, **options)
    other = "none"
    for _ in range(count):
        annotation = make_annotation(random_, 30)
        writable = annotation.with_mentions(set(annotation.mentions) - set(codec.unwritable(annotation)))
        reply = damage(random_, codec.encode(writable, LABELS), other)
        start = time.process_time()
        check_spans(annotation.text, codec.decode(annotation.text, LABELS, reply).mentions)
        taken = time.process_time() - start
        assert taken < 0.05 or seconds_to_decode(codec, annotation.text, reply) < 0.05, reply
        if name == "seed_tags":
            seeds = [(writable.surface(mention), mention.label) for mention in writable.mentions]
            for repair in (False, True):
                reading = make_codec(name, repair=repair).read(reply, LABELS, seeds)
                check_spans(reading.text, reading.mentions)
                assert reading.keep == bool(reading.text)
        other = reply


@pytest.mark.parametrize("name, options", CODECS)
def test_fuzz_short_run_meets_no_exception(name, options):
    fuzz(name, options, count=300, seed=1)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name, options", CODECS)
def test_fuzz_long_run_meets_no_exception(name, options):
    fuzz(name, options, count=30_000, seed=2)


PATTERNS = [
    "[", "]", "[]", "][", "{", '{"', '{"a":', '[{"a":"b"},', '["a', "<", ">", "<Disease:", "<Disease:a>",
    "</Disease:a>", "<Disease:a>a</Disease:a>", "<Disease:a>a", "Disease:  ", "\nDisease:  [a]", "\nDisease:  a",
    "a ", "[a] ", "糖",
    '"', "\\", "'", "```\n", "<think>", "</think>", " ", "\n", '{"type":"Disease","name":"a"},', "&lt;", "\u0301",
    '{"type":"Disease","name":"a","start_idx":5,"end_idx":9},', '{"context":"a b","Disease":"a"},', "<a>", "α", "a b ",
    "<start_sentence>", "[[a] ", "<Disease>a</Disease>",
]


@pytest.mark.parametrize("length, limit", [(2_000, 0.05), (10_000, 0.5)])
@pytest.mark.parametrize("name, options", CODECS)
def test_fuzz_hostile_patterns_take_no_time(name, options, length, limit, request):
    codec = make_codec(name, **options)
    every = request.config.getoption("--slow")
    for number, pattern in enumerate(PATTERNS):
        reply = (pattern * length)[:length]
        text = (PATTERNS[number - 1] * length)[:length]
        sources = ("a " * (length // 2), text, reply)
        for source in sources if every else sources[number % 3:number % 3 + 1]:
            taken = seconds_to_decode(codec, source, reply)
            assert taken < limit, (pattern, source[:20], taken)


@pytest.mark.parametrize("length, limit", [(2_000, 0.05), (10_000, 0.5)])
@pytest.mark.parametrize("name, options", CODECS)
def test_fuzz_long_damaged_replies_take_no_time(name, options, length, limit):
    random_ = random.Random(3)
    codec = make_codec(name, **options)
    for _ in range(3):
        annotation = make_annotation(random_, length // 3, mentions=200)
        annotation = Annotation(annotation.text[:length]).with_mentions(
            mention for mention in annotation.mentions if mention.end <= length)
        writable = annotation.with_mentions(set(annotation.mentions) - set(codec.unwritable(annotation)))
        reply = codec.encode(writable, LABELS)
        reply = damage(random_, reply[:length], reply)[:2 * length]
        assert seconds_to_decode(codec, annotation.text, reply) < limit


@pytest.mark.parametrize("number", ["--5", "-", "5-", "+5", " 5", "５", "²", "1_0", "9" * 40, "", "0x5", "1e3", "NaN",
                                    "−5", "5\n", None, True, [], {}, 1e400, -7, 2.5])
@pytest.mark.parametrize("keys", [("start_idx", "end_idx"), ("start", "end")])
def test_whatever_stands_for_an_offset_is_data(number, keys):
    reply = json.dumps([{keys[0]: number, keys[1]: 9, "type": "Disease", "entity": "gout"}])
    mentions = make_codec("json").decode("He has gout.", ["Disease"], reply).mentions
    assert [(mention.start, mention.end, mention.label) for mention in mentions] == [(7, 11, "Disease")]
