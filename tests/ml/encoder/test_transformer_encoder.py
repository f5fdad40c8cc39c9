from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from time import sleep

import numpy
import pytest
import spacy
import torch
from peft.tuners.lora import Linear
from spacy.tokens import Doc
from thinc.api import Adam
from tiny_models import write_bert
from transformers import BertModel, BertTokenizerFast, PreTrainedTokenizerFast

from spacy_bioner.errors import BionerError
from spacy_bioner.formats.docbin import build_doc
from spacy_bioner.ml import torch_module
from spacy_bioner.ml.architectures import make_transformer_encoder

TEXTS = ["p53 and BRCA1 mutations.", "", "Familial adenomatous polyposis (APC) is a disease of the colon.",
         "the p53 gene " * 30]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A tiny random BERT."""
    return write_bert(tmp_path_factory.mktemp("bert"))


@pytest.fixture
def docs():
    vocab = spacy.blank("en").vocab
    return [build_doc(vocab, text) for text in TEXTS]


def make(folder, docs, **options):
    encoder = make_transformer_encoder(str(folder), max_pieces=60, overlap=20, mixed_precision=False, **options)
    encoder.initialize(X=docs)
    return encoder


def test_a_token_is_the_mean_of_its_pieces(folder, docs):
    tokenizer = BertTokenizerFast.from_pretrained(folder)
    model = BertModel.from_pretrained(folder).eval()
    encoded = tokenizer(TEXTS[0], return_tensors="pt", return_offsets_mapping=True)
    with torch.no_grad():
        hidden = model(input_ids=encoded["input_ids"]).last_hidden_state[0].numpy()
    offsets = encoded["offset_mapping"][0].tolist()
    vectors = make(folder, docs).predict(docs)[0]
    for token, vector in zip(docs[0], vectors):
        pieces = [place for place, (start, end) in enumerate(offsets)
                  if token.idx <= start < end <= token.idx + len(token)]
        numpy.testing.assert_allclose(vector, hidden[pieces].mean(axis=0), atol=1e-5)


def test_special_tokens_come_from_the_post_processor_too(folder, docs, tmp_path):
    """Where a tokenizer of no class of its own has them, as that of many models on the hub."""
    fast = BertTokenizerFast.from_pretrained(folder)
    plain = PreTrainedTokenizerFast(tokenizer_object=fast.backend_tokenizer, unk_token="[UNK]", pad_token="[PAD]")
    BertModel.from_pretrained(folder).save_pretrained(tmp_path)
    plain.save_pretrained(tmp_path)
    numpy.testing.assert_allclose(make(tmp_path, docs).predict(docs)[0], make(folder, docs).predict(docs)[0], atol=1e-6)


def test_special_tokens_in_a_document_are_text(folder, docs):
    encoder = make(folder, docs)
    doc = Doc(docs[0].vocab, words=["[SEP]", "gene"])
    pieces = encoder.shims[0].module.piece_maker.pieces(doc)
    assert not set(pieces[0]) & set(BertTokenizerFast.from_pretrained(folder).all_special_ids[1:])


def test_lower_layers_learn_slower(folder, docs):
    encoder = make(folder, docs, layer_decay=0.5, frozen_layers=-1)
    module = encoder.shims[0].module
    rates = {name: encoder.shims[0].rate_factor(name, module) for name, _ in module.named_parameters()}
    assert rates["transformer.encoder.layer.1.output.dense.weight"] == 1.0
    assert rates["transformer.encoder.layer.0.output.dense.weight"] == 0.5
    assert rates["transformer.embeddings.word_embeddings.weight"] == 0.25


def test_every_token_has_a_vector_also_in_long_and_empty_documents(folder, docs):
    vectors = make(folder, docs).predict(docs)
    assert [len(rows) for rows in vectors] == [len(doc) for doc in docs]
    assert all(numpy.isfinite(rows).all() for rows in vectors)


def test_a_document_does_not_depend_on_its_batch(folder, docs):
    encoder = make(folder, docs)
    alone = encoder.predict([docs[2]])[0]
    numpy.testing.assert_allclose(encoder.predict(docs)[2], alone, atol=1e-5)


@pytest.mark.issue(22)
def test_vectors_do_not_depend_on_the_number_of_threads(folder, docs):
    encoder, before = make(folder, docs), torch.get_num_threads()
    found = []
    try:
        for threads in (1, 3):
            torch.set_num_threads(threads)
            found.append(encoder.predict(docs * 20))
            assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
    # But for the last digit, which depends on where in memory the numbers lie.
    for one, other in zip(*found):
        numpy.testing.assert_allclose(one, other, atol=1e-6)


def test_mixed_precision_gives_nearly_the_same(folder, docs, monkeypatch):
    monkeypatch.setattr(torch_module, "is_quick_in_bfloat16", lambda device: True)
    exact, mixed = make(folder, docs), make(folder, docs)
    mixed.attrs["mixed_precision"] = True
    numpy.testing.assert_allclose(mixed.predict(docs)[0], exact.predict(docs)[0], atol=0.06)
    assert not numpy.array_equal(mixed.predict(docs)[0], exact.predict(docs)[0])


def test_bytes_hold_weights_and_tokenizer(folder, docs):
    encoder = make(folder, docs)
    other = make_transformer_encoder("not/there", max_pieces=60, overlap=20, mixed_precision=False)
    other.from_bytes(encoder.to_bytes())
    for first, second in zip(encoder.predict(docs), other.predict(docs)):
        numpy.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("frozen_layers, moved", [
    pytest.param(-1, {"word": True, "first": True, "last": True}, id="all trained"),
    pytest.param(0, {"word": False, "first": True, "last": True}, id="word embeddings frozen"),
    pytest.param(1, {"word": False, "first": False, "last": True}, id="first layer frozen"),
    pytest.param(2, {"word": False, "first": False, "last": False}, id="all frozen"),
])
def test_frozen_parts_stay_as_they_are(folder, docs, frozen_layers, moved):
    encoder = make(folder, docs, frozen_layers=frozen_layers)
    transformer = encoder.shims[0].module.transformer
    first, last = transformer.encoder.layer
    watched = {"word": transformer.embeddings.word_embeddings.weight, "first": first.output.dense.weight,
               "last": last.output.dense.weight}
    before = {name: value.detach().clone() for name, value in watched.items()}
    vectors, backprop = encoder.begin_update(docs)
    backprop([numpy.ones_like(rows) * rows for rows in vectors])
    encoder.finish_update(Adam(0.01, use_averages=False))
    assert {name: not torch.equal(before[name], value) for name, value in watched.items()} == moved


@pytest.mark.parametrize("lora_rank", [pytest.param(0, id="trained as a whole"), pytest.param(2, id="LoRA")])
def test_initializing_again_reads_the_weights_again(folder, docs, lora_rank):
    encoder, fresh = make(folder, docs, lora_rank=lora_rank), make(folder, docs, lora_rank=lora_rank)
    for _ in range(2):  # LoRA changes the output from the second step on
        vectors, backprop = encoder.begin_update(docs)
        backprop([numpy.ones_like(rows) * rows for rows in vectors])
        encoder.finish_update(Adam(0.01, use_averages=False))
    assert not numpy.allclose(encoder.predict(docs)[0], fresh.predict(docs)[0], atol=1e-4)
    encoder.initialize(X=docs)
    numpy.testing.assert_allclose(encoder.predict(docs)[0], fresh.predict(docs)[0], atol=1e-5)


@pytest.mark.parametrize("lora_rank", [pytest.param(0, id="trained as a whole"), pytest.param(2, id="LoRA")])
def test_lower_layers_alone_give_what_they_give_within_the_model(folder, docs, lora_rank):
    """Stored and read again too: fresh LoRA changes nothing."""
    with torch.no_grad():
        encoded = BertTokenizerFast.from_pretrained(folder)(TEXTS[0], return_tensors="pt")
        whole = BertModel.from_pretrained(folder).eval()(**encoded, output_hidden_states=True)
    encoder = make(folder, docs, layers=1, lora_rank=lora_rank)
    again = make_transformer_encoder(str(folder), max_pieces=60, overlap=20, mixed_precision=False, layers=1,
                                     lora_rank=lora_rank).from_bytes(encoder.to_bytes())
    assert len(again.shims[0].module.transformer.encoder.layer) == 1
    for layer in (encoder, again):
        first = layer.predict(docs)[0][0]
        # The first token, p53, is three pieces after [CLS].
        numpy.testing.assert_allclose(first, whole.hidden_states[1][0, 1:4].mean(dim=0).numpy(), atol=1e-5)


@pytest.mark.parametrize("lora_rank", [0, 2])
@pytest.mark.parametrize("layers", [-1, 3])
def test_layers_that_a_model_does_not_have(folder, docs, layers, lora_rank):
    with pytest.raises(BionerError, match="Set layers to 1-2, or 0 for all|'layers' is -1 in .*equal to 0"):
        make(folder, docs, layers=layers, lora_rank=lora_rank)


@pytest.mark.parametrize("max_pieces, overlap", [
    pytest.param(80, 20, id="no room for the marks"), pytest.param(60, 40, id="an overlap that may fill a window"),
    pytest.param(20, 0, id="shorter than a token may be"),
])
def test_windows_that_cannot_be_read_are_told_before_training(folder, docs, max_pieces, overlap):
    """A short text would be read all the same, and the first long one, perhaps in use, not."""
    encoder = make_transformer_encoder(str(folder), max_pieces=max_pieces, overlap=overlap)
    with pytest.raises(BionerError, match=rf"reads 80 word pieces.*max_pieces is {max_pieces}.*at most 78"):
        encoder.initialize(X=docs)


def test_the_longest_windows_that_there_are_can_be_read(folder, docs):
    encoder = make_transformer_encoder(str(folder), max_pieces=78, overlap=54, mixed_precision=False)
    encoder.initialize(X=docs)
    assert [len(rows) for rows in encoder.predict(docs)] == [len(doc) for doc in docs]


def test_lora_is_put_into_the_weights_where_it_is_only_used(folder, docs):
    """With the same vectors and the same bytes; once it is trained further it stands beside them again."""
    torch.manual_seed(1)
    encoder = make(folder, docs, lora_rank=2, dropout=0.0)
    for _ in range(3):
        vectors, backprop = encoder.begin_update(docs)
        backprop([numpy.ones_like(rows) * rows for rows in vectors])
        encoder.finish_update(Adam(0.05, use_averages=False))
    loaded = make_transformer_encoder(str(folder), max_pieces=60, overlap=20, mixed_precision=False,
                                      lora_rank=2).from_bytes(encoder.to_bytes())

    def merged(model):
        return {layer.merged for layer in model.shims[0].module.modules() if hasattr(layer, "lora_A")}

    wanted = encoder.predict(docs)
    for state in ({True}, {False}):
        for first, second in zip(wanted, loaded.predict(docs)):
            numpy.testing.assert_allclose(first, second, atol=1e-5)
        assert merged(loaded) == state and merged(encoder) == {False}
        assert loaded.to_bytes() == encoder.to_bytes()
        loaded.begin_update(docs)
    assert not numpy.allclose(wanted[0], make(folder, docs).predict(docs)[0], atol=1e-3)


def test_threads_that_begin_together_put_lora_into_the_weights_once(folder, docs, monkeypatch):
    torch.manual_seed(1)
    encoder = make(folder, docs, lora_rank=2, dropout=0.0)
    vectors, backprop = encoder.begin_update(docs)
    backprop([numpy.ones_like(rows) for rows in vectors])
    encoder.finish_update(Adam(0.05, use_averages=False))
    wanted = encoder.predict(docs)
    loaded = make_transformer_encoder(str(folder), max_pieces=60, overlap=20, mixed_precision=False,
                                      lora_rank=2).from_bytes(encoder.to_bytes())
    original = Linear.get_delta_weight
    monkeypatch.setattr(Linear, "get_delta_weight", lambda *args: (sleep(0.02), original(*args))[1])
    start = Barrier(2)

    def begin(_):
        start.wait()
        return loaded.predict(docs)

    with ThreadPoolExecutor(2) as pool:
        for found in pool.map(begin, range(2)):
            numpy.testing.assert_allclose(found[0], wanted[0], atol=1e-5)
