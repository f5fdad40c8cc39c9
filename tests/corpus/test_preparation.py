"""A corpus made ready: samples, raw text, and no text of one split in another."""

import pytest

from spacy_bioner.annotation import Annotation
from spacy_bioner.corpus.preparation import Limits, prepare_corpus
from spacy_bioner.corpus.sentences import split_sentences
from spacy_bioner.errors import BionerError
from spacy_bioner.files import write_json_lines

LABELS = {"DISEASE": ""}


def record(name, text, *surfaces, **meta):
    spans = [{"start": text.index(surface), "end": text.index(surface) + len(surface), "label": "DISEASE"}
             for surface in surfaces]
    return {"id": name, "text": text, "spans": spans, "meta": meta}


TRAIN = [record("t1", "The patient had severe asthma in May. He was well in the following June.", "asthma"),
         record("t2", "Loss of the gene leads to colon cancer in mice.", "colon cancer"),
         record("t3", "Nothing of note was seen in the other ward.")]
DEV = [record("d1", "A case of influenza was seen in the spring of 1988.", "influenza")]
TEST = [record("e1", "Gout was the second diagnosis of the treating doctor.", "Gout")]


@pytest.fixture
def corpus(tmp_path):
    def write(**parts):
        for name, records in {"train": TRAIN, "dev": DEV, "test": TEST, **parts}.items():
            write_json_lines(tmp_path / "mine" / f"{name}.jsonl", records)
        return tmp_path
    return write


def prepare(data, *, raw="auto", **options):
    limits = options.pop("limits", Limits())
    lang = options.pop("lang", "en")
    return prepare_corpus(data, "mine", labels=LABELS, lang=lang, raw=raw, limits=limits, seed=1, **options)


def test_documents_become_sentences_of_their_split(corpus):
    parts = prepare(corpus()).parts
    assert [sentence.id for sentence in parts["train"]] == ["t1-s1", "t1-s2", "t2-s1", "t3-s1"]
    assert {sentence.meta["split"] for sentence in parts["train"]} == {"train"}
    assert parts["train"][0].meta["document"] == "t1"


def test_the_rest_of_train_is_raw_text_without_labels(corpus):
    parts = prepare(corpus(), raw="train", limits=Limits(gold=2)).parts
    assert len(parts["train"]) == 2 and len(parts["raw"]) == 2
    assert not any(sentence.mentions for sentence in parts["raw"])
    assert not {sentence.text for sentence in parts["train"]} & {sentence.text for sentence in parts["raw"]}


def test_own_raw_text_is_cut_and_known_sentences_are_left_out(corpus):
    raw = [record("r1", f"{TEST[0]['text']} The second sentence of the raw text is new.")]
    prepared = prepare(corpus(raw=raw))
    assert [sentence.id for sentence in prepared.parts["raw"]] == ["r1-s2"]
    assert any("raw text left out" in note for note in prepared.notes)


def test_pieces_of_a_known_sentence_are_left_out(corpus):
    text = "We report a severe infection by Staph. Aureus in ten patients of our hospital."
    held_out = record("e9", text, "Staph. Aureus")
    prepared = prepare(corpus(test=[held_out], raw=[record("r1", text), record("r2", "A sentence that is new.")]))
    assert [sentence.id for sentence in prepared.parts["raw"]] == ["r2-s1"]


@pytest.mark.issue(22)
def test_auto_raw_text_is_that_of_the_corpus_and_the_rest_of_train(corpus):
    raw = [record("r1", "The only sentence of the raw text is new."), record("r2", TRAIN[1]["text"])]
    prepared = prepare(corpus(raw=raw), limits=Limits(gold=2))
    train = {sentence.text for record in TRAIN for sentence in split_sentences(Annotation.from_record(record))}
    assert {sentence.text for sentence in prepared.parts["raw"]} == (
        {raw[0]["text"]} | train - {sentence.text for sentence in prepared.parts["train"]})
    assert not any(sentence.mentions for sentence in prepared.parts["raw"])
    assert prepared.sources["raw"] == "mine/raw.jsonl and the rest of train, labels dropped"


def test_no_raw_text_is_noted_and_no_error(corpus):
    prepared = prepare(corpus(), raw="train")
    assert prepared.parts["raw"] == [] and "no raw text" in prepared.notes[-1]


def test_all_forms_of_raw_text_of_a_corpus_are_taken_each_text_once(corpus):
    data = corpus(raw=[record("raw-1", "The first note is raw text.")])
    (data / "mine" / "raw.txt").write_text("The first note is raw text.\nThe second note is raw text as well.\n")
    (data / "mine" / "raw").mkdir()
    (data / "mine" / "raw" / "raw-1.txt").write_text("The third note is a file of its own.")
    for raw in ("auto", "mine"):
        prepared = prepare(data, raw=raw)
        texts = {sentence.id: sentence.text for sentence in prepared.parts["raw"]}
        assert sorted(texts.values()) == ["The first note is raw text.", "The second note is raw text as well.",
                                          "The third note is a file of its own."] and len(texts) == 3
        assert prepared.sources["raw"].startswith("mine/raw.jsonl and mine/raw.txt and mine/raw")


@pytest.mark.issue(24)
def test_raw_text_may_be_text_files_of_the_corpus_or_elsewhere(corpus, tmp_path):
    data = corpus()
    texts = {"a": "The first note is raw text.", "b": "The second note is raw text as well."}
    (tmp_path / "notes").mkdir()
    (data / "mine" / "raw").mkdir()
    for folder in (tmp_path / "notes", data / "mine" / "raw"):
        for name, text in texts.items():
            (folder / f"{name}.txt").write_text(text)
    (tmp_path / "one.txt").write_text("\n".join(texts.values()))
    for raw in ("auto", str(tmp_path / "notes"), str(tmp_path / "one.txt")):
        found = {sentence.text for sentence in prepare(data, raw=raw, limits=Limits()).parts["raw"]}
        assert set(texts.values()) <= found, raw


@pytest.mark.parametrize("parts, message", [
    pytest.param({"train": [*TRAIN, record("x", DEV[0]["text"])]}, "Train record 'x' also occurs in dev", id="leak"),
    pytest.param({"dev": [*DEV, record("x", TEST[0]["text"])]}, "Dev record 'x' also occurs in test, as 'e1'",
                 id="leak-of-dev"),
    pytest.param({"dev": [record("x", f"{TEST[0]['text']} {TEST[0]['text']}")]}, "All 1 records of 'dev' .* were left",
                 id="nothing-left-of-dev"),
    pytest.param({"train": [record("x", "Some text of another label.", split="test")]}, "split 'test'", id="split"),
    pytest.param({"train": []}, "holds no record", id="empty-train"),
])
def test_bad_corpora_are_refused(corpus, parts, message):
    with pytest.raises(BionerError, match=message):
        prepare(corpus(**parts))


@pytest.mark.parametrize("split", [None, ""])
def test_records_that_say_no_split_are_of_that_of_their_file(corpus, split):
    parts = prepare(corpus(train=[record("x", "Some text of no split at all.", split=split)])).parts
    assert [(one.id, one.meta["split"]) for one in parts["train"]] == [("x-s1", "train")]


def test_unknown_label_names_the_record(corpus):
    bad = [{"id": "x", "text": "gout", "spans": [{"start": 0, "end": 4, "label": "ILLNESS"}]}]
    with pytest.raises(BionerError, match="'x' has the label 'ILLNESS'"):
        prepare(corpus(train=bad))


def test_leaking_records_can_be_dropped(corpus):
    prepared = prepare(corpus(train=[*TRAIN, record("x", DEV[0]["text"])]), drop_leaks=True)
    assert "x-s1" not in {sentence.id for sentence in prepared.parts["train"]}
    assert "1 records of train left out" in prepared.notes[0]


def test_dev_records_and_sentences_that_stand_in_test_can_be_dropped(corpus):
    dev = [*DEV, record("x", TEST[0]["text"]), record("y", f"{TEST[0]['text']} The second sentence is of dev alone.")]
    prepared = prepare(corpus(dev=dev), drop_leaks=True)
    assert [sentence.id for sentence in prepared.parts["dev"]] == ["d1-s1", "y-s2"]
    assert [sentence.id for sentence in prepared.parts["test"]] == ["e1-s1"]
    assert prepared.notes[:2] == ["1 records of dev left out: they stand in test too",
                                  "1 sentences of dev left out: they stand in another part too"]


def test_train_that_is_held_out_as_a_whole_is_no_empty_file(corpus):
    folder = corpus()
    with pytest.raises(BionerError, match=f"All {len(TRAIN)} records of 'train' .* were left out"):
        prepare(folder, apart_from=[folder / "mine" / "train.jsonl"])


def test_train_and_raw_text_stay_apart_from_the_held_out_part_of_another_corpus(corpus, tmp_path):
    shared = [record("o1", f"{TRAIN[1]['text']} Another corpus tests on this abstract.")]
    write_json_lines(tmp_path / "other" / "test.jsonl", shared)
    raw = [record("r1", f"{shared[0]['text']} Raw text that no corpus holds out at all.")]
    parts = prepare(corpus(raw=raw), apart_from=[tmp_path / "other" / "test.jsonl"]).parts
    assert [sentence.id for sentence in parts["train"]] == ["t1-s1", "t1-s2", "t3-s1"]
    assert [sentence.id for sentence in parts["raw"]] == ["r1-s3"]


MIXED = "予metformin 0.5g tid. Atorvastatin 20mg qn，LDL-C明显下降。"


def test_raw_text_is_cut_as_the_language_of_the_corpus(corpus):
    data = corpus(test=[record("e1", MIXED)])
    (data / "mine" / "raw.txt").write_text(f"HbA1c 9.2%，ALT 45U/L，LDL-C 4.1mmol/L。{MIXED}Follow-up每3个月1次。",
                                           encoding="utf8")
    parts = prepare(data, lang="zh").parts
    assert [sentence.text for sentence in parts["raw"]] == [
        "HbA1c 9.2%，ALT 45U/L，LDL-C 4.1mmol/L。", "Follow-up每3个月1次。"]


def test_the_held_out_part_of_another_corpus_is_cut_as_the_language_of_the_corpus(corpus, tmp_path):
    write_json_lines(tmp_path / "other" / "test.jsonl", [record("o1", f"HbA1c 9.2%，ALT 45U/L。{MIXED}")])
    parts = prepare(corpus(train=[*TRAIN, record("t4", MIXED)]), lang="zh", raw="none",
                    apart_from=[tmp_path / "other" / "test.jsonl"]).parts
    assert MIXED not in {sentence.text for sentence in parts["train"]}


def test_a_heading_that_stands_in_both_is_no_leak(corpus):
    heading = record("x", "METHODS. The dose was raised step by step over a week.")
    other = record("d2", "METHODS. The wards were visited each day of the week.")
    parts = prepare(corpus(train=[heading], dev=[*DEV, other])).parts
    assert [sentence.text for sentence in parts["train"]] == ["METHODS.", heading["text"][9:]]


def test_dev_texts_become_raw_text_only_when_asked_and_choices_then_are_made_on_a_part_of_train(corpus):
    train = [record(f"t{number}", f"Case number {number} in the ward had severe asthma.", "asthma")
             for number in range(20)]
    # As many as dev has would be three.
    data = corpus(train=train, dev=[*DEV, record("d2", "The ward was quiet."), record("d3", "The night was long.")])
    usual = prepare(data, raw="train").parts
    assert not any("d1" in sentence.id for sentence in usual["raw"])
    prepared = prepare(data, label_dev_text=True)
    parts = prepared.parts
    assert parts["raw"][0].text == DEV[0]["text"] and len(parts["raw"]) == 3
    assert not any(sentence.mentions for sentence in parts["raw"])
    assert {sentence.meta["split"] for sentence in parts["raw"]} == {"train"}
    assert len(parts["dev"]) == 2 and {sentence.meta["split"] for sentence in parts["dev"]} == {"dev"}
    assert len(parts["train"]) == 18
    assert not {sentence.text for sentence in parts["train"]} & {sentence.text for sentence in parts["dev"]}
    assert [sentence.text for sentence in parts["test"]] == [sentence.text for sentence in usual["test"]]
    assert "dev is 2 documents of train" in prepared.notes[0] and prepared.sources["raw"] == "dev, labels dropped"


@pytest.mark.issue(21)
def test_an_id_that_comes_twice_is_an_error_within_and_between_splits(corpus):
    again = record("t1", "Nothing else of note was seen in this ward.")
    with pytest.raises(BionerError, match="the id 't1', of train and of train"):
        prepare(corpus(train=[*TRAIN, again]))
    with pytest.raises(BionerError, match="the id 't1', of train and of dev"):
        prepare(corpus(dev=[*DEV, again]))


@pytest.mark.issue(21)
def test_what_would_train_badly_is_noted_and_an_error_when_strict(corpus, monkeypatch):
    monkeypatch.setitem(LABELS, "CHEMICAL", "")
    inside = {**record("t4", "The antibodies of this patient are new.", "antibod"), "title": "t"}
    data = corpus(train=[*TRAIN, inside])
    notes = "\n".join(prepare(data).notes)
    assert "1 times: key left out" in notes
    assert "inside a pre-token: no pipeline can find it; first t4 of train" in notes
    assert "without a mention in the gold sample: it cannot be learned; first 'CHEMICAL'" in notes
    with pytest.raises(BionerError, match="key left out"):
        prepare(data, strict=True)
    for train, message in ([record("t4", inside["text"], "antibod")], "pre-token"), ([], "CHEMICAL"):
        with pytest.raises(BionerError, match=message):
            prepare(corpus(train=[*TRAIN, *train]), strict=True)


@pytest.mark.issue(21)
@pytest.mark.parametrize("records", [[{"id": "t9", "text": "No key for mentions is here."}],
                                     [{"id": "t9", "text": "Gout", "spans": [], "entities": [[0, 4, "X"]]}]])
def test_gold_that_says_its_mentions_elsewhere_is_not_prepared(corpus, records):
    with pytest.raises(BionerError):
        prepare(corpus(train=[*TRAIN, *records]), strict=True)
