"""A small world in which mentions nest: enough to be learnt by heart in a second."""

import spacy
from spacy.tokens import Span
from spacy.training import Example
from thinc.api import Config

TOK2VEC = {"@architectures": "spacy.HashEmbedCNN.v2", "pretrained_vectors": None, "width": 32, "depth": 2,
           "embed_size": 500, "window_size": 1, "maxout_pieces": 2, "subword_features": True}
TEXTS = {
    "The p53 gene binds DNA.": [(4, 7, "protein"), (4, 12, "DNA")],
    "IL-2 mRNA rose in T cells.": [(0, 4, "protein"), (0, 9, "RNA"), (18, 25, "cell")],
    "No change was seen.": [],
    "T cells and HL-60 cells grew.": [(0, 7, "cell"), (12, 23, "cell"), (12, 17, "line"), (12, 23, "line")],
}


def make_nlp():
    """Return a blank pipeline that cuts texts at their units."""
    return spacy.blank("en", config={"nlp": {"tokenizer": {"@tokenizers": "spacy-bioner.UnitTokenizer.v1"}}})


def make_examples(nlp, texts=None):
    """Return the texts with their mentions."""
    examples = []
    for text, mentions in (texts or TEXTS).items():
        reference = nlp.make_doc(text)
        reference.spans["sc"] = [reference.char_span(*mention[:2], label=mention[2]) for mention in mentions]
        assert all(isinstance(span, Span) for span in reference.spans["sc"])
        examples.append(Example(nlp.make_doc(text), reference))
    return examples


def grid_config(**changes):
    """Return settings of a small `bioner_spancat`."""
    return {"model": Config({"@architectures": "spacy-bioner.SpanGrid.v1", "tok2vec": TOK2VEC, "hidden_size": 32,
                             "rank": 8, "max_length": 6, "dropout": 0.0, "rate_factor": 3.0}), **changes}


def selector_config(**changes):
    """Return settings of a small `span_selector`."""
    return {"model": Config({"@architectures": "spacy-bioner.SpanSelector.v1", "tok2vec": TOK2VEC, "hidden_size": 32,
                             "dropout": 0.0, "rate_factor": 3.0}), **changes}


def found(doc, key="sc"):
    """Return what a span group holds, by characters."""
    return {(span.start_char, span.end_char, span.label_) for span in doc.spans[key]}
