import pytest

from spacy_bioner.annotation import Annotation, Mention
from spacy_bioner.codecs import make_codec
from spacy_bioner.errors import BionerError
from spacy_bioner.finetuning.records import (
    Losses,
    count_decisions,
    count_mentions,
    encode_record,
    make_records,
    read_corpus,
    read_dev,
)
from spacy_bioner.formats.jsonl import write_jsonl
from spacy_bioner.llm.local.tokenization import encode_pieces, encode_prompt, end_id
from spacy_bioner.prompts.build import PromptBuilder

LABELS = {"DISEASE": "diseases", "CHEMICAL": "drugs"}
TEXT = "Aspirin cures  gout [sometimes]."


@pytest.fixture(scope="module")
def tokenizer():
    from transformers import AutoTokenizer

    from spacy_bioner.llm.local.hub import resolve_model

    return AutoTokenizer.from_pretrained(resolve_model("smollm2-135m-instruct"))


@pytest.fixture
def gold(tmp_path):
    def write(*annotations):
        write_jsonl(tmp_path / "gold.jsonl", annotations)
        return tmp_path / "gold.jsonl"

    return write


def annotation(*mentions, text=TEXT, split="train", id="a"):
    return Annotation(text, tuple(Mention(*mention) for mention in mentions), id, {"split": split})


MARKED = annotation((0, 7, "CHEMICAL"), (15, 19, "DISEASE"))


def records(path, **options):
    corpus = read_corpus(path, labels=LABELS, name="BC5CDR")
    return list(make_records(corpus, codec=make_codec("bracket"), template="auto", losses=Losses(), **options))


@pytest.mark.parametrize("codec", ["bracket", "html", "json"])
@pytest.mark.parametrize("chat", [False, True], ids=["plain", "chat"])
def test_prompt_and_answer_are_those_of_annotation(gold, tokenizer, codec, chat):
    corpus = read_corpus(gold(MARKED), labels=LABELS, name="BC5CDR")
    codec = make_codec(codec)
    record = next(make_records(corpus, codec=codec, template="auto", losses=Losses()))
    pair = encode_record(record, tokenizer, chat=chat)
    builder = PromptBuilder(template="annotate.en", labels=LABELS, codec=codec, corpus="BC5CDR")
    assert list(pair.prompt) == encode_prompt(tokenizer, builder.render(TEXT), chat=chat)
    assert list(pair.answer) == [*encode_pieces(tokenizer, codec.pieces(MARKED, list(LABELS))), end_id(tokenizer)]


def test_one_instruction_a_label_asks_for_it_alone(gold):
    first, second = records(gold(MARKED), instruction="each")
    assert (list(first.builder.labels), list(second.builder.labels)) == (["DISEASE"], ["CHEMICAL"])
    assert [mention.label for mention in first.annotation.mentions] == ["DISEASE"]
    assert "drugs" not in first.builder.render(TEXT).plain


def test_records_without_mentions_are_kept(gold):
    assert [record.annotation.id for record in records(gold(MARKED, annotation(id="b")))] == ["a", "b"]


def test_documents_are_cut_into_sentences_on_request(gold):
    document = annotation((0, 7, "CHEMICAL"), text="Aspirin helps. Gout hurts.")
    corpus = read_corpus(gold(document), labels=LABELS, unit="sentence")
    assert [part.text for part in corpus.annotations] == ["Aspirin helps.", "Gout hurts."]


def test_what_the_codec_cannot_write_is_counted(gold):
    losses = Losses()
    crossing = annotation((0, 13, "DISEASE"), (8, 19, "DISEASE"))
    corpus = read_corpus(gold(crossing), labels=LABELS)
    record = next(make_records(corpus, codec=make_codec("bracket"), template="auto", losses=losses))
    assert len(record.annotation.mentions) == 1
    assert losses.unwritable == {"DISEASE": 1}


@pytest.mark.parametrize("split", ["dev", "test"])
def test_another_split_is_an_error(gold, split):
    with pytest.raises(BionerError, match=f"'a' belongs to split '{split}'"):
        read_corpus(gold(annotation(split=split)), labels=LABELS)


@pytest.mark.parametrize("split", [None, ""])
def test_records_that_say_no_split_are_taken(gold, split):
    path = gold(annotation(split=split))
    assert len(read_corpus(path, labels=LABELS).annotations) == len(read_dev(path, labels=LABELS)) == 1


def test_text_of_dev_is_found_under_another_id(gold, tmp_path):
    write_jsonl(tmp_path / "dev.jsonl", [annotation(text="aspirin cures gout (sometimes)", split="dev", id="other")])
    with pytest.raises(BionerError, match="also occurs in"):
        read_corpus(gold(MARKED), labels=LABELS, held_out=[tmp_path / "dev.jsonl"])


@pytest.mark.parametrize("labels, message", [
    pytest.param({"DISEASE": "diseases", "CHEMICAL": ""}, "'CHEMICAL' has no definition", id="no_definition"),
    pytest.param({"DISEASE": "diseases"}, "label 'CHEMICAL'", id="unknown_label"),
])
def test_schema_must_define_every_label(gold, labels, message):
    with pytest.raises(BionerError, match=message):
        read_corpus(gold(MARKED), labels=labels)


def test_empty_file_is_an_error(gold):
    with pytest.raises(BionerError, match="holds no record"):
        read_corpus(gold(), labels=LABELS)


def test_decisions_are_marks_and_first_tokens_of_units(gold, tokenizer):
    record = records(gold(MARKED))[0]
    pair = encode_record(record, tokenizer, count=count_decisions)
    counted = [tokenizer.decode([token]) for token, counts in zip(pair.answer, pair.counted) if counts]
    assert counted.count("]") >= 2 and counted[-1] == "<|im_end|>"
    assert len(counted) < len(pair.answer)
    assert len(pair.counted) == len(pair.answer)


def test_mention_tokens_are_the_names_alone(gold, tokenizer):
    corpus = read_corpus(gold(MARKED), labels=LABELS)
    record = next(make_records(corpus, codec=make_codec("json"), template="auto", losses=Losses()))
    pair = encode_record(record, tokenizer, count=count_mentions)
    counted = [token for token, counts in zip(pair.answer, pair.counted) if counts]
    assert tokenizer.decode(counted[:-1]) == "Aspiringout"


def test_in_bracket_lines_a_name_counts_in_the_line_of_its_label(gold, tokenizer):
    corpus = read_corpus(gold(MARKED), labels=LABELS)
    codec = make_codec("bracket", lines="all")
    record = next(make_records(corpus, codec=codec, template="auto", losses=Losses()))
    pair = encode_record(record, tokenizer, count=count_mentions)
    counted = [token for token, counts in zip(pair.answer, pair.counted) if counts]
    assert tokenizer.decode(counted[:-1]) == "goutAspirin"


@pytest.mark.issue(6)
@pytest.mark.parametrize("records, message", [
    pytest.param([annotation(split="test")], "'a' belongs to split 'test'.*needs split 'dev'", id="test"),
    pytest.param([annotation(split="train")], "'a' belongs to split 'train'", id="train"),
    pytest.param([], "holds no record", id="empty"),
    pytest.param([annotation((0, 7, "DRUG"), split="dev")], "label 'DRUG'", id="unknown-label"),
])
def test_dev_is_checked_as_train_is(gold, records, message):
    with pytest.raises(BionerError, match=message):
        read_dev(gold(*records), labels=LABELS)


@pytest.mark.issue(6)
def test_dev_is_cut_into_sentences_as_train_is(gold):
    document = annotation((0, 7, "CHEMICAL"), text="Aspirin helps. Gout hurts.", split="dev")
    assert [part.text for part in read_dev(gold(document), labels=LABELS, unit="sentence")] == [
        "Aspirin helps.", "Gout hurts."]
    assert len(read_dev(gold(document), labels=LABELS)) == 1


@pytest.mark.issue(6)
@pytest.mark.parametrize("instruction, questions", [("all", 1), ("each", 2)])
def test_pairs_of_a_corpus_are_one_group_however_it_is_asked(gold, tokenizer, instruction, questions):
    pairs = [encode_record(record, tokenizer) for record in records(gold(MARKED), instruction=instruction)]
    assert len({pair.group for pair in pairs}) == 1
    assert len({pair.question for pair in pairs}) == len(pairs) == questions


def test_losses_are_one_line():
    losses = Losses()
    losses.unwritable.update(["DISEASE", "DISEASE", "CHEMICAL"])
    assert str(losses) == "The codec cannot write 3 mentions, left out: CHEMICAL 1, DISEASE 2"
