"""The stage finetune: what it refuses before hours are spent, what it reports, what its card says."""

import json
from dataclasses import replace
from importlib import metadata

import pytest
from tiny_models import tiny_lm

from spacy_bioner.annotation import Annotation, Mention
from spacy_bioner.codecs import make_codec
from spacy_bioner.errors import BionerError
from spacy_bioner.finetuning import annotator_training
from spacy_bioner.finetuning.lora.lora_settings import LoraSettings, TrainingSettings
from spacy_bioner.finetuning.records import Corpus
from spacy_bioner.llm.adapter import AdapterCard

LABELS = {"DISEASE": "diseases", "DRUG": "drugs"}
SHORT = [Annotation(f"{name} hurts.", (Mention(0, 4, "DISEASE"),), id=name) for name in ("Gout", "Acne", "Mump")]
LONG = Annotation("Gout hurts, " * 60, (Mention(0, 4, "DISEASE"),), id="long")


def fresh_lm(context=4096):
    # An adapter is put into the model itself, so each training needs its own.
    tiny_lm.cache_clear()
    return tiny_lm(context=context)


def train(output, annotations=tuple(SHORT), *, context=4096, task=None, dev=(), start=None, **training):
    return annotator_training.finetune(
        [Corpus(tuple(annotations), LABELS, name="Toy")], output, lm=fresh_lm(context),
        task=task or annotator_training.Task(codec=make_codec("bracket")), lora=LoraSettings(r=2),
        training=TrainingSettings(**{"max_epochs": 1, "batch_size": 2, **training}), dev=dev, start=start)


def test_card_says_what_was_trained_on(tmp_path):
    task = annotator_training.Task(codec=make_codec("html"), instruction="each")
    card = AdapterCard.read(train(tmp_path / "adapter", task=task).folder)
    assert (card.instruction, card.codec["name"], list(card.labels)) == ("each", "html", list(LABELS))
    assert card.shapes == {"hidden_size": 32, "num_hidden_layers": 2, "vocab_size": tiny_lm().model.config.vocab_size}


def test_card_says_what_the_training_began_with_and_another_format_is_warned_of(tmp_path, caplog):
    first = train(tmp_path / "first").folder
    on = AdapterCard.read(train(tmp_path / "on", start=first).folder)
    assert on.began_with["corpora"] == ["Toy"] and on.began_with["data_hash"] == AdapterCard.read(first).data_hash
    assert AdapterCard.read(first).began_with == {} and "so it may help less" not in caplog.text
    train(tmp_path / "html", task=annotator_training.Task(codec=make_codec("html")), start=first)
    assert "so it may help less" in caplog.text


def test_an_adapter_of_another_model_begins_no_training(tmp_path):
    first = train(tmp_path / "first").folder
    card = AdapterCard.read(first)
    replace(card, shapes={**card.shapes, "hidden_size": 64}).write(first)
    with pytest.raises(BionerError, match="another base model"):
        train(tmp_path / "on", start=first)
    assert not (tmp_path / "on").exists()


@pytest.mark.issue(6)
def test_records_over_the_context_are_left_out_of_training_and_counts(tmp_path, caplog):
    with caplog.at_level("INFO", logger="spacy_bioner"):
        result = train(tmp_path / "adapter", [*SHORT, LONG], context=512, max_length=100_000)
    assert result.left_out == ["long"]
    assert "model has a context of 512 tokens" in caplog.text
    figures = json.loads((result.folder / "training.json").read_text())
    assert figures["counts"]["records"] == 3 and figures["counts"]["longest"] <= 512
    assert figures["training"]["max_length"] == 512


@pytest.mark.issue(6)
def test_dev_records_that_cannot_be_decoded_are_counted_once(tmp_path, caplog):
    result = train(tmp_path / "adapter", dev=[*SHORT, LONG], context=512, eval_frequency=1)
    assert len(result.history) == 2
    assert caplog.text.count("1 of 4 dev records cannot be decoded") == 1


@pytest.mark.issue(6)
def test_missing_package_is_found_before_the_training(tmp_path, monkeypatch):
    def version(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(annotator_training.metadata, "version", version)
    monkeypatch.setattr(annotator_training, "train_adapter", lambda *arguments, **options: pytest.fail("trained"))
    with pytest.raises(metadata.PackageNotFoundError):
        train(tmp_path / "adapter")


@pytest.mark.issue(6)
@pytest.mark.parametrize("change", ["number type", "dev"])
def test_another_model_or_dev_begins_anew(tmp_path, monkeypatch, change):
    seen = []
    monkeypatch.setattr(annotator_training, "train_adapter",
                        lambda *arguments, **options: seen.append(options["depends_on"]))
    for number in range(2):
        changed = bool(number)
        lm = fresh_lm()
        lm = replace(lm, settings={"dtype": "bfloat16"}) if changed and change == "number type" else lm
        annotator_training.finetune(
            [Corpus(tuple(SHORT), LABELS)], tmp_path, lm=lm, dev=SHORT[changed and change == "dev":],
            task=annotator_training.Task(codec=make_codec("bracket")), lora=LoraSettings(),
            training=TrainingSettings())
    assert seen[0] != seen[1]


@pytest.mark.issue(6)
def test_balance_counts_records_of_corpora_not_questions(tmp_path):
    task = annotator_training.Task(codec=make_codec("bracket"), instruction="each")
    corpora = [Corpus(tuple(SHORT), LABELS, name="Two"), Corpus(tuple(SHORT[:2]), {"DISEASE": "diseases"}, name="One")]
    from spacy_bioner.finetuning.lora.batching import mix
    from spacy_bioner.finetuning.records import Losses

    pairs = annotator_training.make_pairs(corpora, task, tiny_lm(), Losses())
    order = mix(pairs, seed="0", balance=True)
    assert [sum(pairs[index].group.startswith(name) for index in order) for name in ("Two", "One")] == [6, 6]
