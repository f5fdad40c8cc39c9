"""8-bit weights: outputs stay close, whatever single rows hold; pipelines are used and stored, never trained."""

import numpy
import pytest
import spacy
import torch
from spacy.training import Example

from spacy_bioner.errors import BionerError
from spacy_bioner.formats.docbin import annotation_to_doc
from spacy_bioner.llm.local.numbers.int8_layers import Int8Embedding, Int8Linear
from spacy_bioner.training.pipeline_loading import load_pipeline

TEXTS = ["Gout after cisplatin.", "", "No fever in 12 patients with p53 \U0001d6fc-synuclein."]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A span categorizer on the small encoder, its own weights from chance."""
    from spacy_bioner.annotation import Annotation, Mention

    nlp = spacy.blank("en")
    nlp.add_pipe("bioner_spancat", config={"threshold": 0.02})
    docs = [annotation_to_doc(Annotation(TEXTS[0], (Mention(0, 4, "DISEASE"),), id="a"), nlp.vocab)[0]]
    nlp.initialize(lambda: [Example(nlp.make_doc(doc.text), doc) for doc in docs])
    folder = tmp_path_factory.mktemp("int8")
    nlp.to_disk(folder / "float")
    load_pipeline(folder / "float", int8=True).to_disk(folder / "int8")
    return folder


def vectors(nlp):
    return nlp.get_pipe("bioner_spancat").model.get_ref("tok2vec").predict([nlp.make_doc(text) for text in TEXTS])


def error(found, wanted):
    with torch.no_grad():
        return float((found - wanted).norm() / wanted.norm())


def test_a_row_far_out_leaves_the_others_as_they_are():
    torch.manual_seed(0)
    layer, values = torch.nn.Linear(96, 64), torch.randn(2, 5, 96)
    values[0, 0] *= 1000
    values[1, 4] = 0
    rounded = Int8Linear(96, 64, has_bias=True).fill(layer)
    found, wanted = rounded(values), layer(values)
    assert found.shape == wanted.shape and error(found[0, 0], wanted[0, 0]) < 0.03
    assert error(found[0, 1:], wanted[0, 1:]) < 0.03 and torch.equal(found[1, 4], layer.bias)


def test_an_embedding_is_close_to_its_float_rows():
    torch.manual_seed(0)
    table, ids = torch.nn.Embedding(50, 32), torch.tensor([[3, 49], [0, 3]])
    assert error(Int8Embedding(50, 32).fill(table)(ids), table(ids)) < 0.01


def test_vectors_are_close_and_the_stored_pipeline_is_smaller_and_the_same(folder):
    whole, rounded, stored = (load_pipeline(folder / "float"), load_pipeline(folder / "float", int8=True),
                              load_pipeline(folder / "int8"))
    for found, again, wanted in zip(vectors(rounded), vectors(stored), vectors(whole)):
        assert found.shape == wanted.shape and numpy.array_equal(found, again)
        assert not found.size or error(torch.tensor(found), torch.tensor(wanted)) < 0.15
    sizes = [(folder / name / "bioner_spancat" / "model").stat().st_size for name in ("int8", "float")]
    assert sizes[0] < 0.3 * sizes[1]
    assert [doc.spans["sc"].attrs["scores"].tolist() for doc in stored.pipe(TEXTS)] == [
        doc.spans["sc"].attrs["scores"].tolist() for doc in spacy.load(folder / "int8").from_bytes(
            stored.to_bytes()).pipe(TEXTS)]


def test_rounded_weights_are_not_trained(folder):
    nlp = load_pipeline(folder / "int8")
    doc = nlp.make_doc(TEXTS[0])
    doc.spans["sc"] = []
    with pytest.raises(BionerError, match="8-bit weights"):
        nlp.update([Example(nlp.make_doc(TEXTS[0]), doc)], sgd=nlp.create_optimizer())


def test_lora_is_refused():
    config = {"model": {"tok2vec": {"int8": True, "lora_rank": 4}}}
    with pytest.raises(BionerError, match="do not go together"):
        spacy.blank("en").add_pipe("bioner_spancat", config=config)
