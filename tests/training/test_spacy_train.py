"""`spacy train` takes the configs of both components as they are; the verbs only fill in paths and stages."""

import pytest
import spacy
from places import CONFIGS
from small_trainings import small_settings, write_sentences
from spacy.cli.train import train


@pytest.mark.parametrize("config, component", [("selector.cfg", "span_selector"), ("spancat.cfg", "bioner_spancat")])
def test_spacy_train_makes_a_pipeline(tmp_path, config, component):
    gold = write_sentences(tmp_path / "gold.jsonl", "train", range(12))
    dev = write_sentences(tmp_path / "dev.jsonl", "dev", range(5))
    train(CONFIGS / config, tmp_path / "out", overrides={
        "paths.gold": str(gold), "paths.dev": str(dev), "run.updates": 4, "run.evaluate_every": 2,
        **small_settings(component)})
    assert spacy.load(tmp_path / "out" / "model-best").get_pipe(component).labels == ("DISEASE",)
