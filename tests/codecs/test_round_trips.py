"""What a codec writes it reads back, without an issue; and what it cannot write is what its page says."""

import json
import random
from itertools import combinations

import pytest
from corpora import CORPORA, needs_corpora
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.chaos.reply_mutations import FRAGMENTS, LABELS
from spacy_bioner.annotation import Annotation, Mention
from spacy_bioner.codecs import make_codec
from spacy_bioner.corpus.sentences import split_sentences
from spacy_bioner.errors import BionerError

NAMES = ["ncbi_disease", "bc5cdr", "genia", "biored", "tdmsci", "cmeee"]
EXACT = [
    pytest.param("bracket", {"lines": "all"}, id="bracket-all"),
    pytest.param("bracket", {"lines": "occurring"}, id="bracket-occurring"),
    pytest.param("html", {}, id="html"),
    pytest.param("json", {"shape": "offsets"}, id="json-offsets"),
    pytest.param("seed_tags", {}, id="seed-tags"),
]


@st.composite
def annotations(draw):
    text = "".join(draw(st.lists(st.sampled_from(FRAGMENTS) | st.characters(), max_size=12)))
    mentions = set()
    for _ in range(draw(st.integers(0, 6)) if text else 0):
        start = draw(st.integers(0, len(text) - 1))
        end = draw(st.integers(start + 1, len(text)))
        if text[start:end] == text[start:end].strip():
            mentions.add(Mention(start, end, draw(st.sampled_from(LABELS))))
    return Annotation(text).with_mentions(mentions)


def writable_part(codec, annotation):
    dropped = codec.unwritable(annotation)
    return annotation.with_mentions(mention for mention in annotation.mentions if mention not in dropped)


def check_round_trip(codec, annotation, labels):
    reading = codec.decode(annotation.text, labels, codec.encode(annotation, labels))
    assert reading.mentions == annotation.mentions
    crossing = any(one.crosses(other) for one, other in combinations(annotation.mentions, 2))
    assert {issue.kind for issue in reading.issues} <= ({"crossing"} if crossing else set())


@pytest.mark.parametrize("name, options", EXACT)
def test_round_trip_of_adversarial_annotations(name, options, request):
    codec = make_codec(name, **options)
    examples = 3000 if request.config.getoption("--slow") else 150

    @settings(max_examples=examples, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(annotations())
    def round_trip(annotation):
        check_round_trip(codec, writable_part(codec, annotation), LABELS)

    round_trip()


@pytest.mark.parametrize("name, options", EXACT)
@pytest.mark.parametrize("text, surface", [
    ("aspirin```", "aspirin"), ("aspirin ```\n", "aspirin"), ("```\naspirin```", "aspirin"), ("~~~ aspirin", "aspirin"),
    ("none", "n"), ("None.", "None"), ("无", "无"),
])
def test_a_text_that_looks_like_what_models_add_is_text(name, options, text, surface):
    codec = make_codec(name, **options)
    start = text.index(surface)
    for mentions in ((), (Mention(start, start + len(surface), LABELS[0]),)):
        check_round_trip(codec, Annotation(text, mentions), LABELS)


@given(annotations())
@settings(max_examples=100, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_brackets_leave_out_only_crossing_and_ambiguous_mentions(annotation):
    for mention in make_codec("bracket").unwritable(annotation):
        around = annotation.text[max(mention.start - 1, 0):mention.start + 1] + annotation.text[
            mention.end - 1:mention.end + 1]
        crosses = any(mention.crosses(other) for other in annotation.mentions if other.label == mention.label)
        assert crosses or "[" in around or "]" in around


@pytest.mark.parametrize("name", ["bracket", "seed_tags"])
def test_crossing_of_one_label_is_refused_with_a_named_error(name):
    annotation = Annotation("lung and heart failure").with_mentions([Mention(0, 14, "D"), Mention(9, 22, "D")])
    codec = make_codec(name)
    assert len(codec.unwritable(annotation)) == 1
    with pytest.raises(BionerError, match="cannot write"):
        codec.encode(annotation, ["D"])


def test_ambiguous_bracket_is_refused_with_a_named_error():
    annotation = Annotation("CSF [HCO3-] falls").with_mentions([Mention(4, 11, "D")])
    assert make_codec("bracket").unwritable(annotation) == annotation.mentions
    with pytest.raises(BionerError, match="bracket of the text"):
        make_codec("bracket").encode(annotation, ["D"])


def test_fewest_crossing_mentions_are_left_out():
    long = [Mention(0, 10, "D")]
    short = [Mention(8, 12, "D"), Mention(9, 13, "D"), Mention(2, 4, "D")]
    annotation = Annotation("abcdefghijklmnop").with_mentions(long + short)
    assert len(make_codec("bracket").unwritable(annotation)) == brute_force_drops(annotation.mentions)


@pytest.mark.parametrize("seed", range(20))
def test_fewest_crossing_mentions_agree_with_brute_force(seed):
    random_ = random.Random(seed)
    spans = {tuple(sorted(random_.sample(range(16), 2))) for _ in range(8)}
    annotation = Annotation("abcdefghijklmnop").with_mentions(Mention(*span, "D") for span in spans)
    assert len(make_codec("bracket").unwritable(annotation)) == brute_force_drops(annotation.mentions)


def brute_force_drops(mentions):
    for count in range(len(mentions) + 1):
        for kept in combinations(mentions, len(mentions) - count):
            if not any(one.crosses(other) for one, other in combinations(kept, 2)):
                return count
    raise AssertionError


def read_corpus(corpus, *, whole):
    lines = [line for path in sorted((CORPORA / corpus).glob("*.jsonl"))
             for line in path.read_text(encoding="utf8").splitlines()]
    if not whole:
        lines = random.Random(0).sample(lines, min(40, len(lines)))
    lang = "zh" if corpus == "cmeee" else "en"
    return [sentence for line in lines for sentence in split_sentences(Annotation.from_record(json.loads(line)), lang)]


@needs_corpora
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("corpus", NAMES)
def test_round_trip_of_corpora(corpus, request):
    sentences = read_corpus(corpus, whole=request.config.getoption("--slow"))
    labels = sorted({mention.label for sentence in sentences for mention in sentence.mentions}) or ["X"]
    for param in EXACT:
        name, options = param.values
        codec = make_codec(name, **options)
        for sentence in sentences:
            dropped = codec.unwritable(sentence)
            check_round_trip(codec, sentence.with_mentions(set(sentence.mentions) - set(dropped)), labels)
            if name in ("html", "json"):
                assert not dropped
            for mention in dropped:
                crosses = any(mention.crosses(other) for other in sentence.mentions if other.label == mention.label)
                assert crosses or set("[]") & set(sentence.text[max(mention.start - 1, 0):mention.end + 1])


def test_an_inequality_in_a_generated_sentence_is_text():
    reply = "<start_sentence>Risk of <Disease>gout</Disease> rose with eGFR <60: HR was >1.5.</end_sentence>"
    reading = make_codec("seed_tags").read(reply, ["Disease"])
    assert reading.text == "Risk of gout rose with eGFR <60: HR was >1.5."


@needs_corpora
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("corpus, least", [
    ("ncbi_disease", 0.995), ("bc5cdr", 0.995), ("genia", 0.99), ("biored", 0.99), ("tdmsci", 0.98), ("cmeee", 0.98)])
def test_names_alone_find_their_places(corpus, least, request):
    codec = make_codec("json", shape="name")
    right = wrong = missed = 0
    for sentence in read_corpus(corpus, whole=request.config.getoption("--slow")):
        labels = sorted({mention.label for mention in sentence.mentions}) or ["X"]
        found = set(codec.decode(sentence.text, labels, codec.encode(sentence, labels)).mentions)
        gold = set(sentence.mentions)
        right, wrong, missed = right + len(found & gold), wrong + len(found - gold), missed + len(gold - found)
    assert 2 * right / (2 * right + wrong + missed) >= least
