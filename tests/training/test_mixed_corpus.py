from collections import Counter

import pytest
import spacy

from spacy_bioner.annotation import Annotation, Mention
from spacy_bioner.errors import BionerError
from spacy_bioner.formats.docbin import write_docbin
from spacy_bioner.formats.jsonl import write_jsonl
from spacy_bioner.ml.spans.span_targets import find_target
from spacy_bioner.training.mixed_corpus import DOUBTFUL_KEY, make_mixed_corpus

SENTENCE = "The long sentence number {} speaks of colon cancer in several families."


@pytest.fixture
def nlp():
    return spacy.blank("en", config={"nlp": {"tokenizer": {"@tokenizers": "spacy-bioner.UnitTokenizer.v1"}}})


def write(path, numbers, *, score=None, split="train"):
    records = []
    for number in numbers:
        text = SENTENCE.format(number)
        start = text.index("colon")
        mention = Mention(start, start + 12, "DISEASE", score=score)
        records.append(Annotation(text, (mention,), id=f"{path.stem}-{number}", meta={"split": split}))
    write_jsonl(path, records)
    return str(path)


@pytest.fixture
def paths(tmp_path):
    return {"gold": write(tmp_path / "gold.jsonl", range(8)),
            "synthetic": write(tmp_path / "syn.jsonl", range(100, 140))}


def ids(corpus, nlp):
    return [example.reference.user_data["id"] for example in corpus(nlp)]


def make(paths, changes=None, **options):
    sources = {name: {"path": path, **(changes or {}).get(name, {})} for name, path in paths.items()}
    return make_mixed_corpus(sources, **options)


def test_an_epoch_holds_every_record_of_every_source_once(paths, nlp):
    assert Counter(name.split("-")[0] for name in ids(make(paths), nlp)) == {"gold": 8, "syn": 40}


def test_epochs_come_in_other_orders_and_a_seed_repeats_them(paths, nlp):
    first, second = make(paths, seed=1), make(paths, seed=1)
    epochs = [ids(first, nlp), ids(first, nlp)]
    assert epochs[0] != epochs[1] and sorted(epochs[0]) == sorted(epochs[1])
    assert epochs == [ids(second, nlp), ids(second, nlp)]
    assert epochs[0] != ids(make(paths, seed=2), nlp)


def test_a_source_says_which_labels_its_records_are_annotated_with(paths, nlp):
    corpus = make(paths, {"gold": {"annotated": ["DISEASE"]}})
    said = {example.reference.user_data["id"].split("-")[0]: example.reference.spans["sc"].attrs.get("annotated")
            for example in corpus(nlp)}
    assert said == {"gold": ["DISEASE"], "syn": None}


@pytest.mark.parametrize("buffer", [0, 5], ids=["in memory", "streaming"])
def test_weights_say_how_often_a_record_comes(paths, nlp, buffer):
    corpus = make(paths, {"gold": {"weight": 3}, "synthetic": {"weight": 0.5}}, buffer=buffer)
    found = ids(corpus, nlp)
    counts = Counter(name.split("-")[0] for name in found)
    assert counts["gold"] == 24 and 10 <= counts["syn"] <= 30
    assert set(Counter(found)[name] for name in found if name.startswith("gold")) == {3}
    assert set(ids(corpus, nlp)) != set(found)


def test_stages_follow_each_other_and_the_last_continues(paths, nlp):
    corpus = make(paths, stages=[{"epochs": 2, "sources": ["synthetic"]}, {"epochs": 1, "sources": ["gold"]}])
    assert [len(ids(corpus, nlp)) for _ in range(5)] == [40, 40, 8, 8, 8]


def test_dev_records_keep_their_order(paths, nlp):
    corpus = make({"gold": paths["gold"]}, shuffle=False)
    assert ids(corpus, nlp) == ids(corpus, nlp) == [f"gold-{number}" for number in range(8)]


def test_docbin_files_are_read(tmp_path, nlp):
    record = Annotation("Colon cancer.", (Mention(0, 12, "DISEASE"),), id="x", meta={"split": "train"})
    write_docbin(tmp_path / "gold.spacy", [record])
    example, = make({"gold": str(tmp_path / "gold.spacy")})(nlp)
    assert [span.text for span in example.reference.spans["sc"]] == ["Colon cancer"]


def left_open(example):
    return [example.reference.text[start:end] for start, end in example.reference.user_data.get(DOUBTFUL_KEY, ())]


def test_low_scores_are_left_out_or_left_open(tmp_path, nlp):
    text = "Colon cancer and gout."
    mentions = (Mention(0, 12, "D", score=0.9), Mention(17, 21, "D", score=0.2))
    write_jsonl(tmp_path / "syn.jsonl", [Annotation(text, mentions)])
    path = {"synthetic": str(tmp_path / "syn.jsonl")}
    example, = make(path, {"synthetic": {"min_score": 0.5}})(nlp)
    assert [span.text for span in example.reference.spans["sc"]] == ["Colon cancer"]
    assert left_open(example) == []
    example, = make(path, {"synthetic": {"min_score": 0.5, "mask_doubtful": True}})(nlp)
    assert left_open(example) == ["gout"]


def test_what_a_selector_dropped_is_left_open(tmp_path, nlp):
    kept = Annotation("Colon cancer and gout.", (Mention(0, 12, "D", score=0.9),), id="a")
    dropped = kept.with_mentions([Mention(6, 12, "D", score=0.1), Mention(17, 21, "D", score=0.2)])
    write_jsonl(tmp_path / "kept.jsonl", [kept, Annotation("No gout.", id="b")])
    write_jsonl(tmp_path / "dropped.jsonl", [dropped])
    first, second = make({"synthetic": str(tmp_path / "kept.jsonl")},
                         {"synthetic": {"doubtful": str(tmp_path / "dropped.jsonl")}, "shuffle": False})(nlp)
    first, second = sorted((first, second), key=lambda example: len(example.reference), reverse=True)
    assert [span.text for span in first.reference.spans["sc"]] == ["Colon cancer"]
    assert left_open(first) == ["cancer", "gout"] and left_open(second) == []


@pytest.mark.parametrize("meta, buffer, regions", [
    ({"source": "generated"}, 0, [["gout"], ["asthma"]]), ({"source": "generated"}, 1, [["gout"], ["asthma"]]),
    ({"source": "generated", "relabelled": 0}, 0, [[], []]), ({}, 0, [[], []])])
def test_rare_words_of_generated_records_are_left_open(tmp_path, nlp, meta, buffer, regions):
    records = [Annotation(text, (Mention(0, 6, "D"),), id=text, meta=meta)
               for text in ("Cancer, not gout.", "Cancer, not asthma.")]
    write_jsonl(tmp_path / "syn.jsonl", records)
    examples = make({"synthetic": str(tmp_path / "syn.jsonl")}, {"synthetic": {"mask_rare": 0.5}}, shuffle=False,
                    buffer=buffer)(nlp)
    assert [left_open(example) for example in examples] == regions


def test_a_word_that_a_token_is_a_part_of_is_left_open(tmp_path):
    """With a tokenizer of spaCy's own, which keeps IL-2 whole, a rare IL leaves it open."""
    nlp = spacy.blank("en")
    kept = Annotation("Serum IL-2 rose.", id="a")
    write_jsonl(tmp_path / "kept.jsonl", [kept])
    write_jsonl(tmp_path / "dropped.jsonl", [kept.with_mentions([Mention(6, 8, "D")])])
    example, = make({"synthetic": str(tmp_path / "kept.jsonl")}, {"synthetic": {
        "doubtful": str(tmp_path / "dropped.jsonl"), "allow_empty": True}})(nlp)
    assert find_target(example, "sc", {"D": 0}).doubtful == [(1, 2)]


@pytest.mark.parametrize("use", [True, False])
def test_scores_become_weights_only_where_asked_for(tmp_path, nlp, use):
    path = write(tmp_path / "syn.jsonl", [1], score=0.7)
    example, = make({"synthetic": path}, {"synthetic": {"use_confidence": use}})(nlp)
    assert ("weights" in example.reference.spans["sc"].attrs) is use


@pytest.mark.parametrize("changes, error", [
    pytest.param({"min_score": 0.9}, "min_score", id="nothing above the threshold"),
    pytest.param({"split": "dev"}, "split", id="another split"),
    pytest.param({"wieght": 2}, "wieght", id="unknown setting"),
    pytest.param({"weight": 0}, "weight", id="weight zero"),
])
def test_sources_that_cannot_be_used_are_told(tmp_path, nlp, changes, error):
    path = write(tmp_path / "syn.jsonl", [1], score=0.7)
    with pytest.raises(BionerError, match=error):
        list(make({"synthetic": path}, {"synthetic": changes})(nlp))


@pytest.mark.parametrize("split", [None, ""])
def test_records_that_say_no_split_are_taken(tmp_path, nlp, split):
    assert ids(make({"gold": write(tmp_path / "gold.jsonl", [1], split=split)}), nlp) == ["gold-1"]


def test_an_empty_source_is_an_error_and_does_not_spin(tmp_path, nlp):
    (tmp_path / "syn.jsonl").write_text("", encoding="utf8")
    with pytest.raises(BionerError, match="holds no record"):
        list(make({"synthetic": str(tmp_path / "syn.jsonl")})(nlp))


def test_a_stage_with_an_unknown_source_is_an_error(paths):
    with pytest.raises(BionerError, match="silver"):
        make(paths, stages=[{"epochs": 1, "sources": ["silver"]}])


def test_held_out_sentences_are_an_error_or_left_out(tmp_path, nlp):
    synthetic = write(tmp_path / "syn.jsonl", range(5))
    document = Annotation(f"{SENTENCE.format(3)} Another sentence of the same document follows here.", id="dev-1")
    write_jsonl(tmp_path / "dev.jsonl", [document])
    held_out = [str(tmp_path / "dev.jsonl")]
    with pytest.raises(BionerError, match="syn-3"):
        list(make({"synthetic": synthetic}, held_out=held_out)(nlp))
    corpus = make({"synthetic": synthetic}, {"synthetic": {"on_leak": "drop"}}, held_out=held_out)
    assert sorted(ids(corpus, nlp)) == ["syn-0", "syn-1", "syn-2", "syn-4"]


def test_stages_continue_in_the_order_of_the_files_too(paths, nlp):
    corpus = make(paths, stages=[{"epochs": 1, "sources": ["synthetic"]}, {"sources": ["gold"]}], shuffle=False)
    assert [len(ids(corpus, nlp)) for _ in range(3)] == [40, 8, 8]


@pytest.mark.parametrize("stage, told", [
    pytest.param({"epoch": 2, "sources": ["gold"]}, "epoch", id="unknown setting"),
    pytest.param({"epochs": 0, "sources": ["gold"]}, "epochs", id="no epoch"),
    pytest.param({"epochs": 2}, "sources", id="no sources"),
])
def test_a_stage_with_a_wrong_setting_is_told(paths, stage, told):
    with pytest.raises(BionerError, match=f"'{told}' of stage 1"):
        make(paths, stages=[stage])


def test_streaming_without_shuffling_keeps_the_order(paths, nlp):
    first = ids(make(paths, buffer=4, shuffle=False), nlp)
    assert first == ids(make(paths, shuffle=False), nlp)


def test_streaming_spreads_a_small_source_over_the_large_one(paths, nlp):
    found = ids(make(paths, buffer=1, seed=3), nlp)
    places = [place for place, name in enumerate(found) if name.startswith("gold")]
    # 8 among 48: taken by weight alone, all of gold would be through after about 16 records.
    assert max(places) > 30


def test_doubtful_records_of_other_ids_or_texts_are_told(tmp_path, nlp):
    path = write(tmp_path / "syn.jsonl", range(3))
    elsewhere = write(tmp_path / "other.jsonl", range(5, 8))
    with pytest.raises(BionerError, match="other.jsonl"):
        list(make({"synthetic": path}, {"synthetic": {"doubtful": elsewhere}})(nlp))
    changed = Annotation("Another text altogether.", (), id="syn-1")
    write_jsonl(tmp_path / "changed.jsonl", [changed])
    with pytest.raises(BionerError, match="'syn-1' have different texts"):
        list(make({"synthetic": path}, {"synthetic": {"doubtful": str(tmp_path / "changed.jsonl")}})(nlp))


@pytest.mark.parametrize("origin, allowed, told", [("synthetic", False, True), ("synthetic", True, False),
                                                   ("gold", False, False)])
def test_made_records_that_lost_all_mentions_are_told_unless_allowed(tmp_path, nlp, origin, allowed, told):
    write_jsonl(tmp_path / "syn.jsonl", [Annotation("Nothing is left here.", (), id="a", meta={"origin": origin})])
    corpus = make({"synthetic": str(tmp_path / "syn.jsonl")}, {"synthetic": {"allow_empty": allowed}})
    if told:
        with pytest.raises(BionerError, match="allow_empty"):
            list(corpus(nlp))
    else:
        assert len(list(corpus(nlp))) == 1


def test_records_that_were_all_dropped_as_leaks_are_told(paths, nlp):
    corpus = make({"gold": paths["gold"]}, {"gold": {"on_leak": "drop"}}, held_out=[paths["gold"]])
    with pytest.raises(BionerError, match="All 8 records of 'gold' .* held-out set \\(.*gold.jsonl"):
        list(corpus(nlp))


@pytest.mark.parametrize("epochs, read", [(-1, True), (0, False), (3, False)])
def test_stages_in_a_training_that_reads_one_epoch_are_an_error(tmp_path, epochs, read):
    path = write(tmp_path / "gold.jsonl", range(3))
    corpus = make({"gold": path}, stages=[{"sources": ["gold"], "epochs": 1}, {"sources": ["gold"], "epochs": 1}])
    nlp = spacy.blank("en")
    assert len(list(corpus(nlp))) == 3, "a pipeline of other corpora says nothing"
    nlp.config = {**nlp.config, "corpora": {"train": {"@readers": "spacy-bioner.MixedCorpus.v1"}},
                  "training": {**nlp.config["training"], "max_epochs": epochs}}
    if read:
        assert len(list(corpus(nlp))) == 3
    else:
        with pytest.raises(BionerError, match=f"max_epochs is {epochs}"):
            list(corpus(nlp))
