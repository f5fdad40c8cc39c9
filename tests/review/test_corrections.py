"""Corrections go into the training set with who and when; what cannot be used is told, a line each."""

import json
import re
from dataclasses import replace

import pytest

from spacy_bioner.annotation import Annotation, Mention
from spacy_bioner.corpus.sentences import split_sentences
from spacy_bioner.errors import BionerError
from spacy_bioner.formats import read_annotations, write_annotations
from spacy_bioner.formats.parsing.problems import Problems
from spacy_bioner.formats.parsing.tool_records import hash_text
from spacy_bioner.review.corrections import Answers, merge_corrections, read_answered, read_unchanged

GIVEN = [Annotation("Gout and \U0001d6fc-fever.", (Mention(0, 4, "DISEASE", score=0.9, ids=("MESH:D006073",)),
                                                  Mention(9, 16, "DISEASE", score=0.4)), id="a",
                    meta={"split": "raw", "model": "m", "queue": {"rank": 1}, "document": "d"}),
         Annotation("No fever.", (), id="b", meta={"split": "raw"})]


def merge(corrected, train=(), given=GIVEN, **options):
    answers = Answers()
    merged = merge_corrections(given, corrected, train, answers=answers, by="mary", at="2026-11-01T00:00:00+00:00",
                               **options)
    return merged, answers


def test_a_correction_becomes_gold_and_says_who_when_and_how_much():
    merged, _ = merge([GIVEN[0].with_mentions([GIVEN[0].mentions[0], Mention(11, 16, "DISEASE")])])
    record, = merged.records
    entry, = record.meta.pop("review")
    assert record.meta == {"origin": "gold", "split": "train", "document": "d"}
    assert (entry["by"], entry["at"], entry["added"], entry["removed"], entry["kept"]) == (
        "mary", "2026-11-01T00:00:00+00:00", 1, 1, 1)
    assert record.mentions[0].ids == ("MESH:D006073",) and all(one.score is None for one in record.mentions)


def test_a_second_correction_replaces_the_first_and_keeps_its_history():
    first, _ = merge(GIVEN)
    second, _ = merge([GIVEN[0].with_mentions(())], train=first.records)
    assert [one.id for one in second.records] == ["a", "b"] and second.records[0].mentions == ()
    assert second.renewed == 1 and len(second.records[0].meta["review"]) == 2


def test_a_correction_that_says_nothing_new_is_not_by_the_former_corrector():
    former = {"by": "john", "at": "2020-01-01"}
    merged, _ = merge([GIVEN[1]], given=[GIVEN[1].with_meta(review=[former])])
    entry = merged.records[0].meta["review"][-1]
    assert (entry["by"], entry["at"]) == ("mary", "2026-11-01T00:00:00+00:00")


def test_a_correction_that_says_who_and_when_is_theirs():
    newer = {"by": "ann", "at": "2026-10-01"}
    merged, _ = merge([GIVEN[1].with_meta(review=[newer])], given=[GIVEN[1].with_meta(review=[{"by": "john"}])])
    entry = merged.records[0].meta["review"][-1]
    assert (entry["by"], entry["at"]) == ("ann", "2026-10-01")


def sign(record, by, at, *mentions):
    return record.with_mentions(mentions).with_meta(review=[{"by": by, "at": at}])


@pytest.mark.parametrize("by, at", [
    pytest.param("mary", "2026-03-01", id="older"),
    pytest.param("mary", "2026-03-31T23:59:59.5Z", id="older with a zone"),
    pytest.param("bob", "2026-04-01T00:00:00Z", id="the same"),
])
def test_a_correction_that_is_merged_or_older_is_counted_and_changes_nothing(by, at):
    newer, _ = merge([sign(GIVEN[1], "bob", "2026-04-01T00:00:00+00:00", Mention(3, 8, "DISEASE"))])
    again, answers = merge([sign(GIVEN[1], by, at)], train=newer.records)
    assert again.records == newer.records and (again.taken, again.known) == (0, 1) and not answers.lines
    assert answers.waiting == 1


@pytest.mark.parametrize("at", ["2026-04-02", "", "yesterday"])
def test_a_correction_that_is_newer_or_says_no_time_is_merged(at):
    former, _ = merge([sign(GIVEN[1], "bob", "2026-04-01T00:00:00+00:00", Mention(3, 8, "DISEASE"))])
    again, _ = merge([sign(GIVEN[1], "mary", at)], train=former.records)
    assert again.records[0].mentions == () and (again.renewed, again.known) == (1, 0)


def test_other_records_of_the_training_set_stay_as_they_are():
    other = Annotation("Asthma.", (Mention(0, 6, "DISEASE"),), id="z", meta={"split": "train"})
    merged, _ = merge(GIVEN[:1], train=[other])
    assert merged.records[0] is other


def test_a_corrected_sentence_takes_its_place_in_its_document():
    document = Annotation("Gout is back. Asthma is not.", (Mention(0, 4, "CHEMICAL"), Mention(14, 20, "DISEASE")),
                          id="d", meta={"split": "train", "lang": "en"})
    other = Annotation("Flu is here. It stays.", (Mention(0, 3, "DISEASE"),), id="e", meta={"lang": "en"})
    given = split_sentences(document)[:1]
    merged, _ = merge([given[0].with_mentions([Mention(0, 4, "DISEASE")])], train=[document, other], given=given)
    assert [(one.id, [mention.label for mention in one.mentions]) for one in merged.records] == [
        ("d-s1", ["DISEASE"]), ("d-s2", ["DISEASE"]), ("e", ["DISEASE"])]
    assert merged.renewed == 1 and merged.records[2] is other
    again, _ = merge(given, train=merged.records, given=given)
    assert [one.id for one in again.records] == ["d-s1", "d-s2", "e"]


@pytest.mark.parametrize("corrected, line", [
    pytest.param(Annotation("Gout!", (), id="a"), "not the one that was given out", id="changed text"),
    pytest.param(Annotation("Other.", (), id="z"), "none of its id and text was given out", id="unknown document"),
    pytest.param(GIVEN[0].with_mentions([Mention(0, 4, "PLACE")]), "'PLACE' is none of those given", id="label"),
])
def test_what_cannot_be_used_is_one_line_and_the_rest_is_merged(corrected, line):
    merged, answers = merge([corrected, GIVEN[1]], labels={"DISEASE"})
    assert [one.id for one in merged.records] == ["b"]
    assert len(answers.lines) == 1 and line in answers.lines[0]


def test_the_same_document_twice_is_told():
    merged, answers = merge([GIVEN[1], GIVEN[1]])
    assert merged.taken == 1 and "id was there before" in answers.lines[0]


def test_a_record_of_the_training_set_with_this_id_and_another_text_stays():
    train = Annotation("Another text.", (), id="b")
    merged, answers = merge([GIVEN[1]], train=[train])
    assert merged.records[0] is train and not answers.lines and answers.waiting == 1
    assert merged.records[1].id == f"b-{hash_text('No fever.')}" and merged.records[1].text == "No fever."
    again, _ = merge([GIVEN[1]], train=merged.records)
    assert [one.id for one in again.records] == [one.id for one in merged.records] and again.renewed == 1


def test_a_sentence_of_the_test_set_is_refused():
    given = [Annotation("No fever.", (), id="b", meta={"split": "test"})]
    with pytest.raises(BionerError, match="split 'test'"):
        merge(given, given=given)
    assert merge(given, given=given, split="test")[0].records[0].meta["split"] == "test"


def make_task(id, text="Gout.", key="annotations", **changes):
    region = {"type": "labels", "value": {"start": 0, "end": 4, "labels": ["DISEASE"], **changes.pop("value", {})}}
    return {"id": id, "data": {"id": id, "text": text, "text_hash": hash_text("Gout.")}, key: [{"result": [region]}]}


@pytest.mark.parametrize("skipped, read", [
    pytest.param([{"id": 1, "data": {}}], ["b", "c"], id="no text"),
    pytest.param([make_task("x", "Flu.", value={"end": 99})], ["b", "c"], id="changed text"),
    pytest.param([make_task("a"), make_task("a", key="predictions")], ["a", "b", "c"], id="the same task twice"),
])
def test_the_problems_of_a_document_that_is_skipped_belong_to_it_alone(tmp_path, skipped, read):
    path = tmp_path / "a.labelstudio.json"
    path.write_text(json.dumps([*skipped, make_task("b"), make_task("c")]))
    answers = Answers()
    assert [one.id for one in read_answered(path, answers)] == read
    assert answers.waiting == 0 and len(answers.lines) >= 1


DETAILED = Annotation("Gout stays.", (Mention(0, 4, "DISEASE", ids=("MESH:D006073",), note="sure",
                                              attributes={"subtype": "Joint"}),), id="a")


@pytest.mark.parametrize("name, format, held", [
    ("a.labelstudio.json", "labelstudio", ("ids", "attributes", "note")),
    ("a.brat", "brat", ("ids", "attributes", "note")),
    ("a.prodigy.jsonl", "prodigy", ("ids", "attributes", "note")),
    ("a.jsonl", "jsonl", ("ids", "attributes", "note")),
    ("a.inception", "inception", ("ids", "note")),
    ("a.doccano.jsonl", "doccano", ()),
])
@pytest.mark.parametrize("change", [
    pytest.param({}, id="as it was"),
    pytest.param({"ids": ("MESH:D015210",), "attributes": {"subtype": "Bone"}, "note": "unsure"}, id="changed"),
    pytest.param({"ids": ("MESH:D006073", "MESH:D015210"), "attributes": {"subtype": "Joint", "new": "1"}}, id="added"),
    pytest.param({"ids": (), "attributes": {}, "note": None}, id="removed"),
])
def test_details_that_a_tool_holds_are_as_they_come_back(tmp_path, name, format, held, change):
    pytest.importorskip("cassis" if format == "inception" else "json")
    mention, path = DETAILED.mentions[0], tmp_path / name
    write_annotations(path, [DETAILED.with_mentions([replace(mention, **change)])], format, problems=Problems())
    back = list(read_annotations(path, format, problems=Problems()))
    merged, _ = merge(back, given=[DETAILED], unchanged=read_unchanged([DETAILED], path, format=format))
    wanted = replace(mention, **{key: value for key, value in change.items() if key in held})
    assert merged.records[0].mentions[0].details() == wanted.details()


MOVED = Annotation("Acute gout and flu.", (Mention(0, 10, "DISEASE", score=0.4, ids=("MESH:D006073",), note="sure",
                                                   attributes={"subtype": "Joint"}),
                                           Mention(15, 18, "DISEASE", ids=("MESH:D007251",))), id="a")


@pytest.mark.parametrize("name, format", [
    ("a.labelstudio.json", "labelstudio"), ("a.brat", "brat"), ("a.prodigy.jsonl", "prodigy"), ("a.jsonl", "jsonl"),
    ("a.inception", "inception"), ("a.doccano.jsonl", "doccano"),
])
@pytest.mark.parametrize("as_it_was", [True, False], ids=["moved", "drawn anew"])
@pytest.mark.parametrize("change", [{"start": 6}, {"label": "SYMPTOM"}], ids=["edge", "label"])
def test_a_changed_mention_keeps_its_details(tmp_path, name, format, as_it_was, change):
    pytest.importorskip("cassis" if format == "inception" else "json")
    path, mention = tmp_path / name, MOVED.mentions[0]
    back = replace(mention if as_it_was else Mention(*mention.key), **change)
    write_annotations(path, [MOVED.with_mentions([back, MOVED.mentions[1]])], format, problems=Problems())
    merged, _ = merge(list(read_annotations(path, format, problems=Problems())), given=[MOVED],
                      unchanged=read_unchanged([MOVED], path, format=format))
    found = merged.records[0].mentions[0]
    assert found == back and found.details() == mention.details() and found.score is None
    assert merged.records[0].mentions[1].ids == ("MESH:D007251",)


@pytest.mark.parametrize("back", [
    pytest.param([Mention(0, 5, "DISEASE"), Mention(6, 10, "DISEASE")], id="divided"),
    pytest.param([Mention(0, 18, "DISEASE")], id="two made one"),
    pytest.param([Mention(6, 10, "SYMPTOM")], id="other place and label"),
    pytest.param([Mention(11, 14, "DISEASE")], id="beside it"),
])
def test_a_mention_that_may_be_another_takes_no_identifiers(back):
    merged, _ = merge([MOVED.with_mentions(back)], given=[MOVED])
    assert [mention.details() for mention in merged.records[0].mentions] == [{}] * len(back)


def test_a_mention_added_inside_one_that_stayed_takes_no_identifiers():
    merged, _ = merge([MOVED.with_mentions([*MOVED.mentions, Mention(6, 10, "DISEASE")])], given=[MOVED])
    assert [len(mention.ids) for mention in merged.records[0].mentions] == [1, 0, 1]


def test_identifiers_that_a_format_cannot_write_stay(tmp_path):
    pytest.importorskip("cassis")
    given = [DETAILED.with_mentions([replace(DETAILED.mentions[0], ids=("OMIM:123,456",))])]
    path = tmp_path / "a.inception"
    write_annotations(path, given, "inception", problems=Problems())
    merged, _ = merge(read_annotations(path, "inception"), given=given,
                      unchanged=read_unchanged(given, path, format="inception"))
    assert merged.records[0].mentions[0].ids == ("OMIM:123,456",)


def test_a_note_that_the_project_of_inception_does_not_declare_stays(tmp_path):
    pytest.importorskip("cassis")
    path = tmp_path / "a.inception"
    write_annotations(path, [DETAILED.with_mentions([replace(DETAILED.mentions[0], note=None)])], "inception",
                      problems=Problems())
    types = (path / "TypeSystem.xml").read_text(encoding="utf8")
    feature = re.compile(r"<featureDescription>\s*<name>note</name>.*?</featureDescription>", re.DOTALL)
    (path / "TypeSystem.xml").write_text(feature.sub("", types), encoding="utf8")
    assert feature.search(types)
    merged, _ = merge(read_annotations(path, "inception"), given=[DETAILED],
                      unchanged=read_unchanged([DETAILED], path, format="inception"))
    assert merged.records[0].mentions[0].note == "sure"
