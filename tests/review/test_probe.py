"""The quick stand-in: it learns, its candidates lie at tokens, and an audit by it finds planted errors."""

import pytest

from spacy_bioner.annotation import Annotation, Mention
from spacy_bioner.errors import BionerError
from spacy_bioner.review.curve_measurement import choose_sizes, count_changes, read_curve
from spacy_bioner.review.gold_audit import audit, predict_folds
from spacy_bioner.review.probe import encode_texts, train_probe

NAMES = ("gout", "asthma", "diabetes", "malaria", "measles", "colon cancer")
FRAMES = ("The patient had {}.", "{} was treated with \U0001d6fc-blockers.", "Signs of {} in two boys.",
          "Severe {} (1/2).")


def make_sentences():
    sentences = []
    for number, frame in enumerate(FRAMES):
        for place, name in enumerate(NAMES):
            start = frame.index("{}")
            sentences.append(Annotation(frame.format(name), (Mention(start, start + len(name), "DISEASE"),),
                                        id=f"{number}-{place}"))
    return [*sentences, Annotation("", (), id="empty"), Annotation("  No disease was seen. ", (), id="none")]


def test_a_probe_learns_and_finds_in_code_points():
    sentences = make_sentences()
    encoded = encode_texts([one.text for one in sentences])
    probe = train_probe(encoded, sentences, ["DISEASE"], seed=0)
    found = probe.find(encoded, floor=0.5)
    right = sum(set(one.mentions) == set(spans) for one, spans in zip(sentences, found))
    assert right >= len(sentences) - 2
    assert all(0 <= mention.start < mention.end <= len(one.text) for one, spans in zip(sentences, found)
               for mention in spans)


def test_an_audit_ranks_planted_errors_first():
    sentences = make_sentences()
    planted = {"0-0": (), "2-3": (Mention(0, 5, "DISEASE"), *sentences[15].mentions)}
    gold = [one.with_mentions(planted.get(one.id, one.mentions)) for one in sentences]
    audited = audit(gold, predict_folds(gold, folds=2, seed=0))
    assert {one.annotation.id for one in audited[:3]} >= set(planted)
    first = next(one for one in audited if one.annotation.id == "0-0")
    assert first.findings[0].kind == "missing" and first.findings[0].wanted == sentences[0].mentions[0]
    assert first.to_queue(1).meta["queue"]["suggestions"][0]["start"] == sentences[0].mentions[0].start


def test_a_corpus_too_small_for_its_folds_is_refused():
    with pytest.raises(BionerError, match="cannot be divided into 5 folds"):
        predict_folds(make_sentences()[:2], folds=5, seed=0)


def test_sizes_are_even_steps_up_to_all():
    assert choose_sizes(600) == [100, 200, 300, 400, 500, 600]
    with pytest.raises(BionerError, match="has 19 sentences, too few"):
        choose_sizes(19)


def test_changes_are_counted_by_day_and_person():
    entry = {"by": "mary", "at": "2026-11-01T10:00:00+00:00", "added": 1, "removed": 2, "kept": 3}
    records = [Annotation("x", meta={"review": [entry, {**entry, "by": "john"}]}),
               Annotation("y", meta={"review": [entry]}), Annotation("z")]
    assert [(one["by"], one["sentences"], one["removed"]) for one in count_changes(records)] == [
        ("john", 1, 2), ("mary", 2, 4)]


@pytest.mark.parametrize("held", ["approved", ["approved"], [{"added": "x"}], {"by": "mary"}])
def test_metadata_that_holds_no_corrections_is_one_line(held):
    with pytest.raises(BionerError, match="^Record 'a': key 'meta.review' holds .*, wanted a list of corrections"):
        count_changes([Annotation("x", id="a", meta={"review": held})])


@pytest.mark.parametrize("content", ["{", "[]", '{"spacy_bioner": 5}'])
def test_a_pipeline_with_a_broken_card_is_one_line(tmp_path, content):
    (tmp_path / "meta.json").write_text(content)
    with pytest.raises(BionerError) as caught:
        read_curve([tmp_path])
    assert str(tmp_path) in str(caught.value) and "\n" not in str(caught.value)
