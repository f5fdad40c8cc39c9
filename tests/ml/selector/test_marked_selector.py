import numpy
import pytest
import spacy
import torch
from thinc.api import Adam
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import BertConfig, BertModel, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from spacy_bioner.errors import BionerError
from spacy_bioner.formats.docbin import build_doc
from spacy_bioner.ml.architectures import make_marked_selector, make_transformer_encoder
from spacy_bioner.ml.selector.marked_text import make_rows

TEXT = "The p53 gene << binds DNA."
SPANS = [[(1, 2, 0), (1, 3, 1), (5, 6, 1)], []]
SIZES = {"hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2, "num_attention_heads": 2}


def make_tokenizer():
    """A tokenizer of bytes: every byte a piece."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE({"<pad>": 0, **{letter: place + 1 for place, letter in enumerate(alphabet)}}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="<pad>")


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """A tiny encoder, a tiny causal model, and one that is not its like."""
    torch.manual_seed(0)
    made = {"encoder": BertModel(BertConfig(vocab_size=300, max_position_embeddings=256, **SIZES)),
            "causal": LlamaForCausalLM(LlamaConfig(vocab_size=300, **SIZES)),
            "other": LlamaForCausalLM(LlamaConfig(vocab_size=300, **{**SIZES, "hidden_size": 8}))}
    paths = {}
    for name, model in made.items():
        paths[name] = tmp_path_factory.mktemp(name)
        model.save_pretrained(paths[name])
        make_tokenizer().save_pretrained(paths[name])
    return paths


@pytest.fixture
def docs():
    vocab = spacy.blank("en").vocab
    return [build_doc(vocab, TEXT), build_doc(vocab, "Nothing here.")]


def make(folder, head, docs, **options):
    torch.manual_seed(0)
    model = make_marked_selector(str(folder), head, {"protein": "proteins and their families"}, mixed_precision=False,
                                 lora_rank=4, lora_dropout=0.0, **options)
    model.attrs["labels"] = ["protein", "DNA"]
    model.set_dim("nO", 2)
    model.initialize(X=(docs, SPANS))
    return model


def test_rows_hold_label_definition_and_marks(docs):
    tokenizer = make_tokenizer()
    rows = make_rows(docs, SPANS, tokenizer=tokenizer, labels=["protein", "DNA"],
                     definitions={"protein": "proteins"}, max_pieces=200, asks=False)
    assert [tokenizer.decode(row.ids) for row in rows] == [
        "protein: proteins. The << p53 >> gene << binds DNA.", "DNA. The << p53 gene >> << binds DNA.",
        "DNA. The p53 gene << << binds >> DNA."]
    assert tokenizer.decode(rows[2].ids[rows[2].open_at:]).startswith(" << binds")
    assert tokenizer.decode(rows[2].ids[rows[2].close_at:]).startswith(" >> DNA")


@pytest.mark.parametrize("max_pieces", [30, 40, 60])
def test_long_contexts_are_cut_round_the_candidate(docs, max_pieces):
    tokenizer = make_tokenizer()
    row = make_rows(docs[:1], [[(1, 2, 0)]], tokenizer=tokenizer, labels=["protein"], definitions={},
                    max_pieces=max_pieces, asks=False)[0]
    assert len(row.ids) <= max_pieces
    assert " << p53 >>" in tokenizer.decode(row.ids)


def test_a_long_definition_leaves_room_for_the_text(docs):
    tokenizer = make_tokenizer()
    row = make_rows(docs[:1], [[(1, 2, 0)]], tokenizer=tokenizer, labels=["protein"], max_pieces=60, asks=True,
                    definitions={"protein": "proteins, their families, and much more " * 10})[0]
    written = tokenizer.decode(row.ids)
    assert len(row.ids) <= 60 and written.startswith("protein: ") and "The << p53 >> gene" not in written[:9]
    assert " << p53 >>" in written


def test_a_candidate_longer_than_a_row_keeps_its_ends(folders):
    tokenizer = make_tokenizer()
    text = "".join(f"word{number} " for number in range(200)).strip()
    doc = build_doc(spacy.blank("en").vocab, text)
    row = make_rows([doc], [[(0, len(doc), 0)]], tokenizer=tokenizer, labels=["protein"], definitions={},
                    max_pieces=120, asks=True)[0]
    written = tokenizer.decode(row.ids)
    assert len(row.ids) <= 120
    assert " << word0" in written and "word199 >>" in written
    model = make(folders["encoder"], "bert_cls", [doc])
    assert numpy.isfinite(model.predict(([doc], [[(0, len(doc), 0)]]))).all()


@pytest.mark.parametrize("head, folder", [("bert_cls", "encoder"), ("llm_cls", "causal"), ("llm_causal", "causal")])
def test_each_head_learns_and_is_stored(folders, docs, head, folder):
    model = make(folders[folder], head, docs)
    optimizer, wanted = Adam(0.005, use_averages=False), numpy.asarray([1.0, 0.0, 1.0], dtype="float32")
    losses = []
    for _ in range(50):
        logits, backprop = model.begin_update((docs, SPANS))
        losses.append(float(numpy.logaddexp(0, numpy.where(wanted > 0, -logits, logits)).sum()))
        backprop((1 / (1 + numpy.exp(-logits)) - wanted).astype("float32"))
        model.finish_update(optimizer)
    assert losses[-1] < losses[0] * 0.8
    other = make_marked_selector(str(folders[folder]), head, mixed_precision=False, lora_rank=4)
    other.from_bytes(model.to_bytes())
    numpy.testing.assert_allclose(other.predict((docs, SPANS)), model.predict((docs, SPANS)), atol=1e-5)


@pytest.mark.parametrize("head, folder", [("bert_cls", "encoder"), ("llm_cls", "causal"), ("llm_causal", "causal")])
def test_initializing_again_reads_the_base_model_again(folders, docs, head, folder):
    model, fresh = make(folders[folder], head, docs), make(folders[folder], head, docs)
    optimizer = Adam(0.01, use_averages=False)
    for _ in range(2):
        logits, backprop = model.begin_update((docs, SPANS))
        backprop(numpy.ones_like(logits))
        model.finish_update(optimizer)
    torch.manual_seed(0)
    model.initialize(X=(docs, SPANS))
    numpy.testing.assert_allclose(model.predict((docs, SPANS)), fresh.predict((docs, SPANS)), atol=1e-6)


@pytest.mark.parametrize("head", ["llm_cls", "llm_causal"])
def test_a_model_that_reads_no_trees_judges_alike_row_by_row(folders, docs, head):
    model = make(folders["causal"], head, docs)
    module = model.shims[0].module
    assert module.reads_trees
    expected = model.predict((docs, SPANS))
    module.reads_trees = False
    numpy.testing.assert_allclose(model.predict((docs, SPANS)), expected, atol=1e-5)
    module.reads_trees, module.transformer.config.sliding_window = True, 3
    numpy.testing.assert_allclose(model.predict((docs, SPANS)), expected, atol=1e-5)


def test_documents_without_candidates_are_no_pass(folders, docs):
    logits, backprop = make(folders["causal"], "llm_cls", docs).begin_update((docs, [[], []]))
    assert logits.shape == (0,) and backprop(logits) == []


def test_of_a_causal_model_only_what_is_trained_is_stored(folders, docs):
    model = make(folders["causal"], "llm_cls", docs)
    weights = sum(value.numel() for value in model.shims[0].module.parameters()) * 4
    assert len(model.to_bytes()) < weights / 2


def test_another_base_model_is_told(folders, docs):
    model = make(folders["causal"], "llm_cls", docs)
    shim = model.shims[0]
    shim.config = {**shim.config, "name": str(folders["other"])}
    with pytest.raises(BionerError, match="another model"):
        make_marked_selector(str(folders["other"]), "llm_cls").from_bytes(model.to_bytes())


def test_an_unknown_head_is_told(folders):
    with pytest.raises(BionerError, match="bert_cls, llm_cls, llm_causal"):
        make_marked_selector(str(folders["encoder"]), "cls")


def test_a_causal_model_with_lora_serves_as_encoder(folders, docs):
    options = {"mixed_precision": False, "lora_rank": 2, "dropout": 0.0}
    encoder = make_transformer_encoder(str(folders["causal"]), **options)
    encoder.initialize(X=docs)
    trained = [name for name, value in encoder.shims[0].module.named_parameters() if value.requires_grad]
    assert trained and all("lora" in name for name in trained)
    vectors, backprop = encoder.begin_update(docs)
    backprop([numpy.ones_like(rows) for rows in vectors])
    encoder.finish_update(Adam(0.01, use_averages=False))
    other = make_transformer_encoder(str(folders["causal"]), **options).from_bytes(encoder.to_bytes())
    for first, second in zip(encoder.predict(docs), other.predict(docs)):
        numpy.testing.assert_allclose(first, second, atol=1e-5)
