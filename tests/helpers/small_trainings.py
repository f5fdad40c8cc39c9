"""Trainings of a second: sentences with a disease each, and settings that make a component tiny."""

import json

from spacy_bioner.annotation import Annotation, Mention
from spacy_bioner.formats.jsonl import write_jsonl

NAMES = ["gout", "colon cancer", "asthma", "cystic fibrosis", "measles"]
TOK2VEC = {"@architectures": "spacy.HashEmbedCNN.v2", "pretrained_vectors": None, "width": 16, "depth": 1,
           "embed_size": 200, "window_size": 1, "maxout_pieces": 2, "subword_features": True}


def small_settings(component):
    """Return overrides of a training config under which a component learns in a second."""
    model = f"components.{component}.model"
    return {f"{model}.tok2vec": TOK2VEC, f"{model}.average": 0.0, f"{model}.rate_factor": 2.0,
            "training.optimizer.learn_rate": 0.01, "training.batcher.size": 60}


def as_arguments(settings):
    """Return overrides as the command line takes them."""
    return [part for key, value in settings.items() for part in (f"--{key}", json.dumps(value))]


def write_sentences(path, split, numbers, *, label="DISEASE", score=None, wrong=False):
    """Write records with one mention each; where they are wrong, it begins a word too early."""
    records = []
    for number in numbers:
        name = NAMES[number % len(NAMES)]
        text = f"In {split} family {number} the doctors found {name} again."
        start = text.index(f"found {name}" if wrong else name)
        mention = Mention(start, text.index(name) + len(name), label, score=score)
        records.append(Annotation(text, (mention,), id=f"{split}-{number}",
                                  meta={"split": split, "document": f"{split}-{number}"}))
    write_jsonl(path, records)
    return path
