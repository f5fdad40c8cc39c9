"""The verb merge: gold over agreement over one annotator over a dictionary, with the conflicts counted."""

import json

import pytest

from spacy_bioner.annotation import Annotation, Mention
from spacy_bioner.formats.jsonl import read_jsonl, write_jsonl

TEXT = "Familial colon cancer, APC mutations and gout."
LONG, SHORT = Mention(0, 21, "DISEASE"), Mention(9, 21, "DISEASE")
GENE, AS_DISEASE, GOUT = Mention(23, 26, "GENE"), Mention(23, 26, "DISEASE"), Mention(41, 45, "DISEASE")


def write(path, **mentions):
    """Write a record for each id, all of the same text."""
    write_jsonl(path, [Annotation(TEXT, tuple(found), id=name, meta={"split": "train"})
                       for name, found in mentions.items()])
    return path


def test_records_and_counts_do_not_go_into_one_file(refused, data):
    said = refused("merge", data / "out.jsonl", "--gold", data / "gold.jsonl", "--report", data / "out.jsonl")
    assert "--report" in said and not (data / "out.jsonl").exists()


@pytest.fixture
def data(tmp_path):
    write(tmp_path / "gold.jsonl", a=[SHORT])
    write(tmp_path / "llm.jsonl", a=[LONG, GENE], b=[SHORT, GENE], c=[])
    write(tmp_path / "bert.jsonl", a=[LONG], b=[SHORT, AS_DISEASE])
    (tmp_path / "seeds.jsonl").write_text('{"text": "gout", "label": "DISEASE", "count": 3}\n'
                                          '{"text": "familial colon cancer", "label": "DISEASE", "count": 1}\n')
    return tmp_path


def arguments(data, *more, sources=("llm", "bert")):
    return ["merge", *(f"{name}={data / name}.jsonl" for name in sources), data / "out.jsonl", *more]


def merged(data):
    return {record.id: dict(zip((mention.key for mention in record.mentions), record.meta["sources"]))
            for record in read_jsonl(data / "out.jsonl")}


def test_the_better_rank_stays_and_the_report_counts(verb, data):
    code, out, err = verb(*arguments(data, "--gold", data / "gold.jsonl", "--dictionary", data / "seeds.jsonl",
                                     "--report", data / "counts.json"))
    assert code == 0, err
    assert merged(data) == {
        "a": {SHORT.key: "gold"},
        "b": {SHORT.key: "agreement", AS_DISEASE.key: "single", GOUT.key: "dictionary"},
        "c": {LONG.key: "dictionary", GOUT.key: "dictionary"}}
    counts = json.loads((data / "counts.json").read_text())
    assert counts["kept"] == {"gold": 1, "agreement": 1, "single": 1, "dictionary": 3}
    # In b the label of APC, and the dictionary's longer name for the cancer.
    assert (counts["conflict"], counts["conflict_label"]) == (1, 1)
    assert counts["sources"]["dictionary"] == {"records": 3, "mentions": 6} and counts["records"] == 3
    assert "conflicts of place 1, of label 1" in out


def test_nested_mentions_stay_where_asked_for(verb, data):
    assert verb(*arguments(data, "--nested", "--dictionary", data / "seeds.jsonl"))[0] == 0
    assert {LONG.key, SHORT.key} <= set(merged(data)["b"])
    assert json.loads((data / "out.merge.json").read_text())["conflict"] == 0


def test_gold_alone_stays_as_it_is(verb, data):
    assert verb(*arguments(data, "--gold", data / "gold.jsonl", sources=()))[0] == 0
    assert merged(data) == {"a": {SHORT.key: "gold"}}


@pytest.mark.parametrize("split", [None, ""])
def test_gold_that_says_no_split_is_taken(verb, data, split):
    record = json.loads((data / "gold.jsonl").read_text())
    (data / "gold.jsonl").write_text(json.dumps({**record, "meta": {"split": split}}) + "\n")
    assert verb(*arguments(data, "--gold", data / "gold.jsonl", sources=()))[0] == 0
    assert merged(data) == {"a": {SHORT.key: "gold"}}


@pytest.mark.parametrize("more, told", [
    pytest.param(["llm.jsonl"], "NAME=FILE", id="no name"),
    pytest.param(["llm="], "NAME=FILE", id="no file"),
    pytest.param(["llm=other.jsonl"], "source name 'llm' is taken", id="name twice"),
    pytest.param(["gold=other.jsonl"], "source name 'gold' is taken", id="name of gold"),
    pytest.param(["other=nowhere.jsonl"], "nowhere.jsonl", id="no such file"),
    pytest.param(["--dictionary", "nowhere.jsonl"], "nowhere.jsonl", id="no such list"),
])
def test_what_cannot_be_merged_is_one_line(refused, data, more, told):
    assert told in refused(*arguments(data)[:-1], *more, data / "out.jsonl")
    assert not (data / "out.jsonl").exists() and not (data / "out.merge.json").exists()


def test_no_source_is_one_line(refused, data):
    assert "at least one NAME=FILE" in refused(*arguments(data, sources=()))


@pytest.mark.parametrize("kind, told", [("text", "different texts"), ("split", "split 'dev'"), ("empty", "no record")])
def test_gold_that_does_not_fit_is_one_line(refused, data, kind, told):
    record = json.loads((data / "gold.jsonl").read_text())
    changed = {"text": {**record, "text": TEXT + " Indeed."}, "split": {**record, "meta": {"split": "dev"}}}
    (data / "gold.jsonl").write_text(json.dumps(changed[kind]) + "\n" if kind in changed else "")
    assert told in refused(*arguments(data, "--gold", data / "gold.jsonl"))
    assert not (data / "out.jsonl").exists()


def test_probabilities_come_from_gold_that_the_annotators_have_read(verb, data):
    texts = [f"Case {number} of gout." for number in range(12)]
    place = [text.index("gout") for text in texts]

    def records(name, ids, spans):
        write_jsonl(data / name, [Annotation(texts[id_], tuple(
            Mention(place[id_], place[id_] + 4, label) for label in spans(id_)), id=str(id_), meta={"split": "train"})
            for id_ in ids])

    records("known.jsonl", range(8), lambda id_: ["DISEASE"])
    records("a.jsonl", range(12), lambda id_: ["DISEASE"])
    records("b.jsonl", range(12), lambda id_: ["GENE"])
    code, out, err = verb("merge", f"a={data / 'a.jsonl'}", f"b={data / 'b.jsonl'}", data / "out.jsonl", "--gold",
                          data / "known.jsonl", "--by", "probability")
    assert code == 0, err
    merged = {record.id: record for record in read_jsonl(data / "out.jsonl")}
    assert all(mention.score is None for mention in merged["0"].mentions) and len(merged["0"].mentions) == 1
    scores = {mention.label: mention.score for mention in merged["9"].mentions}
    assert scores["DISEASE"] > 0.85 and scores["GENE"] < 0.15
    told = json.loads((data / "out.merge.json").read_text())
    assert told["estimated_on"] == "gold" and told["texts_with_gold"] == 8
    assert told["annotators"]["a"]["DISEASE"]["precision"][0] == 1 and "b, GENE: precision 0.0" in out


def test_without_gold_agreement_decides(verb, data, caplog):
    code, out, _ = verb(*arguments(data, "--by", "probability", "--dictionary", data / "seeds.jsonl"))
    assert code == 0 and not caplog.messages
    told = json.loads((data / "out.merge.json").read_text())
    assert told["estimated_on"] == "agreement" and {"llm", "dictionary"} <= set(told["annotators"])
    figures = [figure for labels in told["annotators"].values() for each in labels.values() for figure in each]
    assert set(figures) == {"estimated_precision", "estimated_recall"}
    assert ": estimated precision " in out and ", estimated recall " in out


def test_two_annotators_without_gold_are_weighed_with_a_warning(verb, data, caplog):
    assert verb(*arguments(data, "--by", "probability", "--gold", data / "gold.jsonl"))[0] == 0
    assert not caplog.messages
    assert verb(*arguments(data, "--by", "probability"))[0] == 0
    assert ["Two annotators agree as well" in message for message in caplog.messages] == [True]


def test_one_annotator_without_gold_is_refused(refused, verb, data):
    asked = arguments(data, "--by", "probability", sources=("llm",))
    assert "there is only 'llm'" in refused(*asked) and not (data / "out.jsonl").exists()
    assert verb(*asked, "--gold", data / "gold.jsonl")[0] == 0


def test_gold_that_no_annotator_has_read_is_refused(refused, data):
    write(data / "gold.jsonl", z=[SHORT])
    assert "No annotator has read" in refused(*arguments(data, "--by", "probability", "--gold", data / "gold.jsonl"))
