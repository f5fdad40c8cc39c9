"""The annotator: n in, n out, in order; failures stay with their document; replies are asked for once."""

import re
from itertools import islice

import pytest
from corpora import CORPORA, needs_corpora

from spacy_bioner.annotation import Annotation, Mention
from spacy_bioner.codecs import make_codec
from spacy_bioner.errors import BionerError
from spacy_bioner.llm.annotation.annotator import Annotator
from spacy_bioner.llm.annotation.cache import ReplyCache
from spacy_bioner.llm.annotation.planner import ChunkSettings, Planner, estimate_tokens
from spacy_bioner.llm.protocol import Reply
from spacy_bioner.prompts.build import PromptBuilder
from spacy_bioner.prompts.examples import ExampleChooser
from spacy_bioner.tokens import find_units

LABELS = {"DISEASE": "diseases", "DRUG": "drugs"}
LEXICON = {"DISEASE": ["breast cancer", "cancer", "flu"], "DRUG": ["aspirin"]}


def mark(text):
    """Return the text with all names of the lexicon."""
    found = [Mention(match.start(), match.end(), label) for label, names in LEXICON.items() for name in names
             for match in re.finditer(rf"\b{name}\b", text)]
    return Annotation(text).with_mentions(found)


class LexiconModel:
    """Knows the lexicon and writes with a codec; texts with "please fail" fail, with "please cut" answers are cut."""

    def __init__(self, codec, context_length=10_000):
        self.codec = codec
        self.context_length = context_length
        self.asked = []

    def identity(self):
        return {"model": "lexicon", "adapter": "abc"}

    def count_tokens(self, text):
        return len(text.split())

    def generate(self, requests):
        for index, request in reversed(list(enumerate(requests))):
            self.asked.append(request.text)
            if "please fail" in request.text:
                yield index, Reply(finish_reason="error", error="out of order")
            else:
                answer = self.codec.encode(mark(request.text), list(LABELS))
                cut = "please cut" in request.text
                yield index, Reply(answer[:-3] if cut else answer, "length" if cut else "stop")


def make_annotator(codec="bracket", context_length=10_000, template="annotate.en", labels=None, **options):
    codec = make_codec(codec)
    builder = PromptBuilder(template=template, labels=labels or LABELS, codec=codec)
    return Annotator(model=LexiconModel(codec, context_length), builder=builder, **options)


TEXTS = ["No breast cancer, but flu.", "please fail", "", "aspirin for a flu", " \n", "aspirin for a flu"]


@pytest.mark.parametrize("codec", ["bracket", "html", "json"])
@pytest.mark.parametrize("window", [1, 2, 100])
def test_each_document_comes_out_in_order_with_its_own_mentions(codec, window):
    texts = [Annotation(text, id=str(number), meta={"lang": "en", "error": "old"})
             for number, text in enumerate(TEXTS)]
    found = list(make_annotator(codec, window=window).annotate(texts))
    assert [(annotation.id, annotation.text) for annotation in found] == [
        (str(number), text) for number, text in enumerate(TEXTS)]
    assert [annotation.mentions for annotation in found] == [
        () if "fail" in text else mark(text).mentions for text in TEXTS]
    assert [annotation.meta.get("error") for annotation in found] == [
        "out of order" if "fail" in text else None for text in TEXTS]


def test_meta_says_who_said_so():
    [found] = make_annotator().annotate([Annotation("please cut aspirin", meta={"split": "train"})])
    assert found.meta["split"] == "train"
    assert (found.meta["model"], found.meta["adapter"]) == ("lexicon", "abc")
    assert "truncated" in found.meta["issues"]
    other = make_annotator(labels={"DISEASE": "", "DRUG": ""})
    assert found.meta["prompt_hash"] != next(other.annotate([Annotation("a")])).meta["prompt_hash"]


@pytest.mark.parametrize("decoding, said", [
    pytest.param({"decoding": "free", "temperature": 0.7, "top_p": 1.0, "seed": 3}, {"temperature": 0.7, "seed": 3},
                 id="sampled"),
    pytest.param({"decoding": "server", "temperature": 0.0, "seed": 3}, {}, id="greedy"),
    pytest.param({"decoding": "grounded"}, {}, id="grounded"),
])
def test_meta_of_sampled_answers_says_temperature_and_seed(monkeypatch, decoding, said):
    monkeypatch.setattr(LexiconModel, "identity", lambda self: {"model": "lexicon", **decoding})
    [found] = make_annotator().annotate([Annotation("a flu")])
    assert {key: found.meta[key] for key in ("temperature", "seed", "top_p") if key in found.meta} == said


def test_mentions_that_came_in_do_not_come_out():
    [found] = make_annotator().annotate([Annotation("nothing", (Mention(0, 7, "DRUG"),))])
    assert found.mentions == ()


def test_input_is_taken_window_by_window():
    taken = []

    def texts():
        for number in range(100):
            taken.append(number)
            yield Annotation("flu")

    stream = make_annotator(window=10).annotate(texts())
    next(stream)
    assert len(taken) == 10


def test_long_document_is_asked_for_in_parts_and_joined():
    sentences = [f"Case {number} had breast cancer and took aspirin daily." for number in range(300)]
    text = "\n".join(sentences)
    annotator = make_annotator(context_length=400, chunks=ChunkSettings(max_tokens=None, overlap=1))
    [found] = annotator.annotate([Annotation(text)])
    assert found.mentions == mark(text).mentions
    assert len(annotator.model.asked) > 10


@needs_corpora
def test_whole_abstracts_and_a_long_note_come_out_with_the_models_own_tokenizer():
    from transformers import AutoTokenizer

    from spacy_bioner.corpus.sentences import find_sentences
    from spacy_bioner.formats.jsonl import read_jsonl
    from spacy_bioner.llm.local.hub import resolve_model
    from spacy_bioner.llm.local.tokenization import encode_text

    tokenizer = AutoTokenizer.from_pretrained(resolve_model("smollm2-135m-instruct"))
    annotator = make_annotator(context_length=2048, chunks=ChunkSettings(max_tokens=200, find_sentences=find_sentences))
    planner, _ = annotator._askers[0]
    annotator.model.count_tokens = planner.count_tokens = lambda text: len(encode_text(tokenizer, text))
    abstracts = list(islice(read_jsonl(CORPORA / "ncbi_disease" / "test.jsonl"), 72))
    note = Annotation("\n\n".join(abstract.text for abstract in abstracts)[:100_000])
    found = list(annotator.annotate([*abstracts[:10], note]))
    assert [annotation.meta.get("error") for annotation in found] == [None] * 11
    assert [annotation.mentions for annotation in found] == [
        mark(annotation.text).mentions for annotation in [*abstracts[:10], note]]
    assert len(found[-1].mentions) > 50


@pytest.mark.issue(21)
@pytest.mark.parametrize("sentence", ["breast cancer and flu, " * 700, "flu" + "/flu" * 2000,
                                      "flu" + " " * 9000 + "flu"])
def test_a_sentence_over_the_context_is_cut_at_pre_tokens_and_every_mention_found(sentence):
    annotator = make_annotator(context_length=600)
    planner, _ = annotator._askers[0]
    annotator.model.count_tokens = planner.count_tokens = lambda text: len(find_units(text)) + text.count(" " * 8)
    first, long, last = annotator.annotate([Annotation("flu"), Annotation(sentence), Annotation("aspirin")])
    assert (len(first.mentions), len(last.mentions)) == (1, 1)
    assert "error" not in long.meta
    assert long.mentions == mark(sentence).mentions


@pytest.mark.issue(21)
def test_white_space_does_not_count_and_offsets_stay_exact():
    text = "   aspirin" + " \t " * 400 + "against the" + "\n" * 500 + "breast" + " " * 300 + "cancer  of flu"
    annotator = make_annotator(chunks=ChunkSettings(max_tokens=None))
    [found] = annotator.annotate([Annotation(text)])
    assert [found.surface(mention).split() for mention in found.mentions] == [
        ["aspirin"], ["breast", "cancer"], ["cancer"], ["flu"]]
    assert max(len(asked) for asked in annotator.model.asked) < 60


def test_chosen_examples_over_the_context_set_one_document_aside():
    examples = ExampleChooser([("flu", "DISEASE:  [flu]")], count=1)
    planner, _ = make_annotator(context_length=400, examples=examples)._askers[0]
    planner.__dict__["_room"] = 5000
    assert re.fullmatch(r"prompt and response need about \d{4} tokens, but the context of the model has 400",
                        planner.plan("flu " * 2000).error)


@pytest.mark.parametrize("codec", ["html", "json", "bracket"])
def test_a_sentence_of_a_schema_with_many_labels_fits_a_common_context(codec):
    """Room is kept for an answer as there are some, not for one in which each label marks the whole text."""
    labels = {f"ENTITY_{number}": "some short definition of it" for number in range(18)}
    builder = PromptBuilder(template="annotate.en", labels=labels, codec=make_codec(codec))
    sentence = "The patient was admitted with severe shortness of breath, fever and a productive cough. " * 4
    plan = Planner(builder, count_tokens=estimate_tokens, context_length=4096).plan(sentence.replace(". T", ", t"))
    assert plan.error is None and len(plan.chunks) == 1


def test_a_sentence_over_the_length_of_chunks_is_asked_for_where_it_fits_the_context():
    (found,) = make_annotator(context_length=4096, chunks=ChunkSettings(max_tokens=40)).annotate(
        [Annotation("aspirin " * 100)])
    assert "error" not in found.meta and len(found.mentions) == 100


def test_chosen_examples_that_leave_no_room_are_an_error_of_the_run():
    examples = ExampleChooser([("word " * 500, "answer")], count=1)
    with pytest.raises(BionerError, match="leave no room"):
        list(make_annotator(context_length=400, examples=examples).annotate([Annotation("flu")]))


def test_examples_are_chosen_for_each_text(tmp_path):
    examples = ExampleChooser([("aspirin helps", "A1"), ("the flu season", "A2")], count=1)
    annotator = make_annotator(examples=examples, cache=ReplyCache())
    prompts = []
    generate = annotator.model.generate
    annotator.model.generate = lambda asked: (prompts.extend(r.prompt.plain for r in asked), generate(asked))[1]
    list(annotator.annotate([Annotation("flu season"), Annotation("aspirin")]))
    assert ["A1" in prompt for prompt in prompts] == [False, True]
    assert ["A2" in prompt for prompt in prompts] == [True, False]


def test_second_run_asks_for_nothing(tmp_path):
    texts = [Annotation(text) for text in TEXTS]
    first = make_annotator(cache=ReplyCache(tmp_path / "c"))
    second = make_annotator(cache=ReplyCache(tmp_path / "c"))
    assert list(first.annotate(texts)) == list(second.annotate(texts))
    assert second.model.asked == ["please fail"], "only what failed is asked again"


@pytest.mark.parametrize("other", [
    pytest.param({"labels": {"DISEASE": "another definition", "DRUG": "drugs"}}, id="definition"),
    pytest.param({"labels": {"DRUG": "drugs", "DISEASE": "diseases"}}, id="order-of-labels"),
    pytest.param({"codec": "html"}, id="codec"),
])
def test_other_settings_are_not_answered_from_the_cache(tmp_path, other):
    list(make_annotator(cache=ReplyCache(tmp_path / "c")).annotate([Annotation("flu")]))
    annotator = make_annotator(cache=ReplyCache(tmp_path / "c"), **other)
    list(annotator.annotate([Annotation("flu")]))
    assert annotator.model.asked == ["flu"]


def test_usage_adds_up():
    annotator = make_annotator()
    list(annotator.annotate([Annotation("flu"), Annotation("please fail"), Annotation("please cut flu")]))
    usage = annotator.usage
    assert (usage.documents, usage.failed, usage.asked) == (3, 1, 3)
    assert usage.issues["truncated"] > 0 and "truncated" in usage.summary()
