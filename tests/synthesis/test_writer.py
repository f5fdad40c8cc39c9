"""Recorded answers through the real reader: what is kept, repaired, rejected, and how it is counted."""

import pytest

from spacy_bioner.annotation import Annotation, Mention
from spacy_bioner.errors import BionerError
from spacy_bioner.formats.jsonl import write_jsonl
from spacy_bioner.llm.annotation.cache import ReplyCache
from spacy_bioner.llm.annotation.request_runner import Runner
from spacy_bioner.llm.protocol import Reply
from spacy_bioner.synthesis.checking.check_settings import CheckSettings
from spacy_bioner.synthesis.checking.sentence_checks import SentenceChecks
from spacy_bioner.synthesis.plan import PlannedSentence, plan_sentences
from spacy_bioner.synthesis.seed_prompt import SeedPrompt
from spacy_bioner.synthesis.seeds import Seed
from spacy_bioner.synthesis.writer import SentenceWriter, count_agreement

LABELS = {"CHEMICAL": "drugs", "DISEASE": "illnesses"}
SEEDS = (Seed("aspirin", "CHEMICAL"), Seed("lung cancer", "DISEASE"))
TIDY = "We gave <CHEMICAL>aspirin</CHEMICAL> to all the patients with <DISEASE>lung cancer</DISEASE>."


def wrap(sentence):
    return f"<start_sentence>{sentence}</end_sentence>"


class Recorded:
    """Answers one request after the other with recorded replies, and counts how often it is asked."""

    context_length = 1000

    def __init__(self, answers):
        self.answers = answers
        self.asked = 0

    def identity(self):
        return {"model": "recorded"}

    def count_tokens(self, text):
        return len(text.split())

    def generate(self, requests):
        for index, request in enumerate(requests):
            answer = self.answers(request) if callable(self.answers) else self.answers[self.asked % len(self.answers)]
            self.asked += 1
            yield index, answer if isinstance(answer, Reply) else Reply(text=answer)


def make_writer(*answers, cache=None, held_out=(), checks=None, **options):
    model = Recorded(answers[0] if callable(answers[0]) else answers)
    return SentenceWriter(Runner(model, cache=cache), SeedPrompt(LABELS),
                          SentenceChecks(checks or CheckSettings(similarity=1), held_out=held_out), **options)


def write_one(answer, **options):
    writer = make_writer(answer, **options)
    return list(writer.write([PlannedSentence("s-0", SEEDS)])), writer.report


def surfaces(sentence):
    return [(sentence.surface(mention), mention.label) for mention in sentence.mentions]


def test_a_tidy_sentence_comes_out_with_its_seeds_and_its_origin():
    (sentence,), report = write_one(wrap(TIDY), meta={"temperature": 0.8, "seed": 3})
    assert sentence.text == "We gave aspirin to all the patients with lung cancer."
    assert surfaces(sentence) == [("aspirin", "CHEMICAL"), ("lung cancer", "DISEASE")]
    assert sentence.id == "s-0"
    assert sentence.meta == {"origin": "synthetic", "split": "train", "unit": "sentence", "source": "generated",
                             "seeds": [["aspirin", "CHEMICAL"], ["lung cancer", "DISEASE"]], "issues": {},
                             "temperature": 0.8, "seed": 3}
    assert (report.asked, report.accepted, report.untouched) == (1, 1, 1)


UNTAGGED = "We gave <CHEMICAL>aspirin</CHEMICAL> to all the patients with lung cancer."
PARTIAL = "We gave <CHEMICAL>aspirin</CHEMICAL> to all the patients with lung <DISEASE>cancer</DISEASE>."
EXTRA = TIDY.replace("patients", "<DISEASE>patients</DISEASE>")
MISSING = "We gave <CHEMICAL>aspirin</CHEMICAL> to all the patients of the ward."


TOO_LONG = TIDY.replace("<DISEASE>lung cancer", "<DISEASE>severe lung cancer")
PLURAL = TIDY.replace("</DISEASE>", "</DISEASE>s")
INSIDE = TIDY.replace("<CHEMICAL>aspirin</CHEMICAL>", "acetylaspirinate")


@pytest.mark.parametrize("mode, answer, mentions, reason", [
    pytest.param("repair", UNTAGGED, 2, None, id="repair-untagged"),
    pytest.param("repair", PARTIAL, 2, None, id="repair-widens"),
    pytest.param("repair", EXTRA, 3, None, id="repair-leaves-new-entities"),
    pytest.param("repair", MISSING, 0, "seed_missing", id="repair-cannot-invent"),
    pytest.param("filter", UNTAGGED, 2, None, id="filter-repairs-untagged"),
    pytest.param("filter", PARTIAL, 2, None, id="filter-widens"),
    pytest.param("filter", EXTRA, 0, "new_entity", id="filter-drops-new-entities"),
    pytest.param("filter", TOO_LONG, 0, "seed_boundary", id="filter-drops-what-cannot-be-narrowed"),
    pytest.param("repair", TOO_LONG, 2, None, id="repair-leaves-a-tag-that-is-too-long"),
    pytest.param("repair", INSIDE, 0, "seed_missing", id="a-part-of-a-word-is-no-seed"),
    pytest.param("repair", PLURAL, 0, "off_boundary", id="repair-does-not-tag-a-part-of-a-word"),
    pytest.param("keep", PLURAL, 2, None, id="keep-takes-a-part-of-a-word"),
    pytest.param("keep", INSIDE, 1, None, id="keep-does-not-tag-inside-words"),
    pytest.param("drop", UNTAGGED, 0, "seed_untagged", id="drop-untagged"),
    pytest.param("drop", PARTIAL, 0, "seed_boundary", id="drop-partial"),
    pytest.param("drop", EXTRA, 0, "new_entity", id="drop-new"),
    pytest.param("keep", UNTAGGED, 1, None, id="keep-untagged"),
    pytest.param("keep", PARTIAL, 2, None, id="keep-partial"),
    pytest.param("keep", MISSING, 1, None, id="keep-missing"),
])
def test_modes_say_what_happens_to_untidy_sentences(mode, answer, mentions, reason):
    sentences, report = write_one(wrap(answer), mode=mode)
    if reason:
        assert not sentences and report.rejected == {reason: 1} and report.examples[reason]
    else:
        assert len(sentences[0].mentions) == mentions and not report.rejected


def test_repairs_and_errors_against_the_seeds_are_counted_with_examples():
    writer = make_writer(wrap(TIDY), wrap(UNTAGGED), wrap(PARTIAL), wrap(EXTRA))
    plan = [PlannedSentence(f"s-{number}", SEEDS, sample=number) for number in range(4)]
    kept = list(writer.write(plan))
    report = writer.report.to_json()
    assert [sentence.id for sentence in kept] == ["s-0", "s-1", "s-2", "s-3"]
    assert surfaces(kept[2]) == [("aspirin", "CHEMICAL"), ("lung cancer", "DISEASE")]
    assert report["repaired"] == {"seed_untagged": 1, "seed_boundary": 1}
    assert report["errors"] == {"missing": 1, "spurious": 1, "boundary": 1}
    assert report["untouched"] == 2 and set(report["examples"]) == {"missing", "spurious", "boundary"}
    assert count_agreement(kept) == 1.0


def test_a_repair_that_did_not_happen_is_not_counted_as_one():
    _, report = write_one(wrap(TOO_LONG))
    assert not report.repaired and report.unrepaired == {"seed_boundary": 1} and report.accepted == 1
    crossing = TIDY.replace("aspirin</CHEMICAL>", "aspirin to all</CHEMICAL>").replace("<CHEMICAL>", "<CHEMICAL>low ")
    _, report = write_one(wrap(crossing))
    assert not report.repaired and report.untouched == 0


@pytest.mark.parametrize("answer, reason", [
    pytest.param("", "no_output", id="nothing"),
    pytest.param("We gave aspirin.", "no_wrapper", id="no-wrapper"),
    pytest.param(wrap(TIDY.replace("</DISEASE>", "")), "unbalanced_marker", id="open-tag"),
    pytest.param(Reply(text="<start_sentence>We gave", finish_reason="length"), "truncated", id="cut"),
    pytest.param(Reply(finish_reason="error", error="server is down"), "no_reply", id="failed"),
    pytest.param(wrap("<CHEMICAL>aspirin</CHEMICAL> <DISEASE>lung cancer</DISEASE>"), "too_short", id="short"),
    pytest.param(wrap("患者因 <DISEASE>lung cancer</DISEASE> 服用药物 <CHEMICAL>aspirin</CHEMICAL> 后出现胃出血并且"),
                 "other_language", id="chinese"),
    pytest.param(wrap(TIDY + " to the ward" * 5), "repetition", id="loop"),
    pytest.param(wrap(TIDY.replace("We gave", "He took")), "held_out_text", id="leak"),
])
def test_every_rejection_has_its_reason(answer, reason, tmp_path):
    write_jsonl(tmp_path / "test.jsonl", [Annotation("he took Aspirin to all the patients with lung cancer")])
    sentences, report = write_one(answer, held_out=[tmp_path / "test.jsonl"])
    assert not sentences
    assert report.rejected == {reason: 1}


def test_near_duplicates_are_dropped_after_the_first():
    writer = make_writer(wrap(TIDY), checks=CheckSettings())
    kept = list(writer.write([PlannedSentence(f"s-{number}", SEEDS, sample=number) for number in range(3)]))
    assert len(kept) == 1 and writer.report.rejected == {"near_duplicate": 2}


def test_a_model_that_never_writes_the_wrapper_ends_the_run_with_two_answers():
    writer = make_writer("Sure! I can help.", "As an assistant,")
    plan = [PlannedSentence(f"s-{number}", SEEDS, sample=number) for number in range(200)]
    with pytest.raises(BionerError, match="wrote 50 responses.*no_wrapper.*Train a generator.*Sure! I can help.*As an"):
        list(writer.write(plan))
    assert writer.report.rejected == {"no_wrapper": 50}
    assert writer.report.asked == 50 == writer.runner.model.asked


def test_a_model_whose_answers_are_all_cut_is_said_to_need_more_room():
    writer = make_writer(Reply(text="<start_sentence>We gave <CHEM", finish_reason="length"), "Sure!",
                         Reply(text="<start_sentence>We", finish_reason="length"))
    plan = [PlannedSentence(f"s-{number}", SEEDS, sample=number) for number in range(60)]
    with pytest.raises(BionerError, match="Raise max_new_tokens") as caught:
        list(writer.write(plan))
    assert "Train a generator" not in str(caught.value)


def test_seeds_over_the_context_are_counted_and_their_neighbours_are_whole():
    long = Seed("very " * 1200 + "long syndrome", "DISEASE")
    plan = [PlannedSentence(f"s-{number}", (long,) if number % 2 else SEEDS, sample=number) for number in range(80)]
    writer = make_writer(wrap(TIDY))
    kept = list(writer.write(plan))
    assert [sentence.id for sentence in kept] == [f"s-{number}" for number in range(0, 80, 2)]
    assert writer.report.rejected == {"over_context": 40} and writer.report.asked == 80
    assert writer.runner.model.asked == 40
    assert all(len(example) <= 80 for example in writer.report.examples["over_context"])


def test_a_label_without_a_description_is_asked_for_by_its_name():
    prompt = SeedPrompt({"CHEMICAL": "", "DISEASE": "illnesses"}).render(SEEDS)
    assert "<CHEMICAL>aspirin</CHEMICAL>" in prompt.user
    assert "CHEMICAL:" not in prompt.user and "DISEASE: illnesses" in prompt.user


def test_relabelling_adds_what_stands_beside_the_seeds_and_records_the_agreement():
    def annotate(sentences):
        for sentence in sentences:
            places = [(sentence.text.index(word), len(word)) for word in ("patients", "lung cancer")]
            yield Annotation(sentence.text, tuple(Mention(start, start + size, "DISEASE", score=0.9)
                                                  for start, size in places))

    (sentence,), _ = write_one(wrap(TIDY), mode="relabel", relabel=annotate)
    assert surfaces(sentence) == [("aspirin", "CHEMICAL"), ("patients", "DISEASE"), ("lung cancer", "DISEASE")]
    assert sentence.meta["relabelled"] == 1 and sentence.meta["agreement"] == 0.5


def test_a_sentence_that_the_annotator_failed_on_is_rejected_and_does_not_count_as_disagreement():
    def annotate(sentences):
        for number, sentence in enumerate(sentences):
            meta = {"model": "teacher", "adapter": "a"}
            yield (Annotation(sentence.text, meta={**meta, "error": "timed out"}) if not number else
                   Annotation(sentence.text, (Mention(8, 15, "CHEMICAL"), Mention(41, 52, "DISEASE")), meta=meta))

    writer = make_writer(wrap(TIDY), mode="relabel", relabel=annotate)
    kept = list(writer.write([PlannedSentence(f"s-{number}", SEEDS, sample=number) for number in range(2)]))
    assert [sentence.id for sentence in kept] == ["s-1"]
    assert kept[0].meta["annotator"] == {"model": "teacher", "adapter": "a"}
    report = writer.report.to_json()
    assert (report["asked"], report["accepted"], report["rejected"]) == (2, 1, {"relabel_failed": 1})
    assert report["relabel"] == {"added": 0, "agreement": 1.0}
    assert "timed out" in report["examples"]["relabel_failed"][0]


def test_a_second_spelling_of_a_seed_is_tagged_too():
    answer = TIDY.replace("We gave", "Aspirin is old. We gave")
    (sentence,), report = write_one(wrap(answer))
    assert surfaces(sentence) == [("Aspirin", "CHEMICAL"), ("aspirin", "CHEMICAL"), ("lung cancer", "DISEASE")]
    assert report.repaired == {"seed_untagged": 1} and report.errors == {"missing": 1}


def test_an_abbreviation_is_not_the_word_that_it_spells():
    planned = PlannedSentence("s-0", (Seed("ALL", "DISEASE"),))
    writer = make_writer(wrap("All the patients with <DISEASE>ALL</DISEASE> had all the signs of it."))
    sentence, = writer.write([planned])
    assert surfaces(sentence) == [("ALL", "DISEASE")] and writer.report.untouched == 1


@pytest.mark.parametrize("mode, kept", [("repair", True), ("relabel", True), ("filter", False), ("drop", False)])
def test_a_seed_under_another_label_gets_its_own(mode, kept):
    answer = TIDY.replace("CHEMICAL>", "DISEASE>")
    options = {"relabel": lambda sentences: sentences} if mode == "relabel" else {}
    sentences, report = write_one(wrap(answer), mode=mode, **options)
    assert [surfaces(sentence) for sentence in sentences] == [[("aspirin", "CHEMICAL"),
                                                               ("lung cancer", "DISEASE")]] * kept
    assert report.errors["spurious"] == 1


def test_examples_of_errors_show_the_tags_and_the_seeds():
    _, report = write_one(wrap(PARTIAL))
    example, = report.examples["boundary"]
    assert "lung <DISEASE>cancer</DISEASE>" in example and "lung cancer (DISEASE)" in example


def test_relabelling_keeps_what_is_nested_and_drops_what_crosses_a_seed():
    def annotate(sentences):
        for sentence in sentences:
            yield Annotation(sentence.text, tuple(
                Mention(sentence.text.index(name), sentence.text.index(name) + len(name), label) for name, label in
                (("lung", "ANATOMY"), ("patients with lung cancer", "COHORT"), ("with lung", "ODD"),
                 ("aspirin", "DISEASE"), ("lung cancer", "DISEASE"))))

    (sentence,), report = write_one(wrap(TIDY), mode="relabel", relabel=annotate)
    assert surfaces(sentence) == [("aspirin", "CHEMICAL"), ("patients with lung cancer", "COHORT"),
                                  ("lung cancer", "DISEASE"), ("lung", "ANATOMY")]
    assert report.to_json()["relabel"] == {"added": 2, "agreement": 0.5}


@pytest.mark.parametrize("options, message", [
    pytest.param({"mode": "mend"}, "Unknown mode 'mend'", id="unknown"),
    pytest.param({"mode": "relabel"}, "needs an annotator", id="relabel-without-annotator"),
])
def test_modes_that_cannot_be_are_one_clear_line(options, message):
    with pytest.raises(BionerError, match=message):
        make_writer("", **options)


def answer_with_seeds(request):
    tags = " and ".join(f"<{label}>{text}</{label}>" for text, label in request.seeds)
    return wrap(f"In sample {request.sample} we saw {tags} in all of the patients.")


def test_a_killed_run_asks_only_for_the_rest_and_a_longer_one_begins_as_the_shorter(tmp_path):
    few, many = (plan_sentences(SEEDS, n=n, seed=1) for n in (20, 40))
    alone = [sentence.to_record() for sentence in make_writer(answer_with_seeds).write(few)]
    killed = make_writer(answer_with_seeds, cache=ReplyCache(tmp_path / "replies.sqlite"))
    taken = killed.write_each(few, window=8)
    for _ in range(9):
        next(taken)
    again = make_writer(answer_with_seeds, cache=ReplyCache(tmp_path / "replies.sqlite"))
    longer = [sentence.to_record() for sentence in again.write(many)]
    assert killed.runner.model.asked == 16 and again.runner.model.asked == 24
    assert longer[:20] == alone


def test_the_same_seeds_twice_are_two_samples():
    writer = make_writer(answer_with_seeds)
    texts = [sentence.text for sentence in writer.write(plan_sentences(SEEDS[:1], n=5, seed=0))]
    assert len(set(texts)) == 5
