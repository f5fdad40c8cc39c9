import pytest
import spacy

from spacy_bioner.annotation import Annotation, Mention
from spacy_bioner.errors import BionerError
from spacy_bioner.formats.jsonl import write_jsonl
from spacy_bioner.training.selector.negatives import KINDS
from spacy_bioner.training.selector.selector_corpus import make_selector_corpus

TEXT = "Mutations of the APC gene cause polyposis in many of the families that were seen."
GOLD = (Mention(17, 20, "GENE"), Mention(32, 41, "DISEASE"))


@pytest.fixture
def nlp():
    return spacy.blank("en", config={"nlp": {"tokenizer": {"@tokenizers": "spacy-bioner.UnitTokenizer.v1"}}})


@pytest.fixture
def gold(tmp_path):
    write_jsonl(tmp_path / "gold.jsonl", [Annotation(TEXT, GOLD, id="a", meta={"split": "train"})])
    return str(tmp_path / "gold.jsonl")


def candidates(example):
    return [(span.start_char, span.end_char, span.label_) for span in example.predicted.spans["candidates"]]


def test_candidates_stand_in_the_predicted_doc_and_gold_in_the_other(gold, nlp):
    example, = make_selector_corpus(gold)(nlp)
    assert {mention.key for mention in GOLD} < set(candidates(example))
    assert len(example.reference.spans["sc"]) == 2
    assert len(example.predicted.spans["candidates"].attrs["groups"]) == len(candidates(example))


def test_negatives_are_made_anew_each_epoch_but_not_for_dev(gold, nlp):
    corpus = make_selector_corpus(gold)
    assert candidates(*corpus(nlp)) != candidates(*corpus(nlp))
    for once in (make_selector_corpus(gold, shuffle=False), make_selector_corpus(gold, candidates=4)):
        assert candidates(*once(nlp)) == candidates(*once(nlp))


@pytest.mark.issue(25)
@pytest.mark.parametrize("wanted, each", [
    pytest.param(20, 10, id="some"), pytest.param(1000, 80, id="more than there are"),
])
def test_so_many_candidates_are_chosen_once_half_of_them_right(tmp_path, nlp, wanted, each):
    path = str(tmp_path / "gold.jsonl")
    write_jsonl(path, [Annotation(TEXT, GOLD, id=f"{number}", meta={"split": "train"}) for number in range(40)])

    def choose(seed):
        corpus = make_selector_corpus(path, candidates=wanted, seed=seed)
        first, second = ([(example.text, candidates(example)) for example in corpus(nlp)] for _ in range(2))
        assert sorted(first) == sorted(second) and first != second
        return first

    chosen, right = choose(1), {mention.key for mention in GOLD}
    kinds = [key in right for _, keys in chosen for key in keys]
    assert (kinds.count(True), kinds.count(False)) == (each, each)
    assert all(keys for _, keys in chosen)
    assert chosen == choose(1) and chosen != choose(2)


def test_predictions_alone_are_the_candidates_where_asked_for(gold, tmp_path, nlp):
    write_jsonl(tmp_path / "predicted.jsonl", [Annotation(TEXT, (Mention(0, 9, "GENE"), GOLD[0]), id="a")])
    corpus = make_selector_corpus(gold, predicted=str(tmp_path / "predicted.jsonl"), only_predicted=True)
    assert candidates(*corpus(nlp)) == [(0, 9, "GENE"), (17, 20, "GENE")]


@pytest.mark.parametrize("split", [None, ""])
def test_records_that_say_no_split_are_taken(tmp_path, nlp, split):
    write_jsonl(tmp_path / "gold.jsonl", [Annotation(TEXT, GOLD, id="a", meta={"split": split})])
    assert len(list(make_selector_corpus(str(tmp_path / "gold.jsonl"))(nlp))) == 1


@pytest.mark.parametrize("options, told", [
    pytest.param({"split": "dev"}, "split", id="another split"),
    pytest.param({"negatives": dict.fromkeys(KINDS, 0)}, "needs both", id="no negative"),
    pytest.param({"negatives": {"shifts": 1}}, "shifts", id="unknown setting"),
])
def test_what_cannot_train_a_selector_is_told(gold, nlp, options, told):
    with pytest.raises(BionerError, match=told):
        list(make_selector_corpus(gold, **options)(nlp))


def test_records_that_were_all_dropped_as_leaks_are_told(gold, nlp):
    with pytest.raises(BionerError, match="All 1 records of 'gold' .* held-out set \\(.*gold.jsonl"):
        list(make_selector_corpus(gold, held_out=[gold], on_leak="drop")(nlp))
