"""Loading of local models, and free decoding."""

import pytest
import torch
from peft import LoraConfig, get_peft_model
from tiny_models import tiny_lm, tiny_tokenizer

from spacy_bioner.errors import BionerError
from spacy_bioner.llm.adapter import AdapterCard
from spacy_bioner.llm.annotation.request_runner import Runner
from spacy_bioner.llm.local.causal_lm import FreeDecoder, choose_device, choose_dtype, load_causal_lm
from spacy_bioner.llm.local.tokenization import encode_prompt
from spacy_bioner.llm.protocol import Request
from spacy_bioner.prompts.build import Prompt

PROMPTS = ["cancer", "The BRCA1 gene of some families", "a", "copper toxicosis [1] p < 0.05", "x y z"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A tiny model on disk."""
    path = tmp_path_factory.mktemp("model")
    tiny_lm().model.save_pretrained(path)
    tiny_tokenizer().save_pretrained(path)
    return path


@pytest.fixture(scope="module")
def adapter(folder, tmp_path_factory):
    """A LoRA adapter for it that is not without effect."""
    path = tmp_path_factory.mktemp("adapter")
    model = load_causal_lm(str(folder), device="cpu", dtype="float32").model
    with torch.random.fork_rng():
        torch.manual_seed(1)
        tuned = get_peft_model(model, LoraConfig(r=2, target_modules="all-linear", init_lora_weights=False))
    tuned.save_pretrained(path)
    return path


def ask(prompts):
    return [Request(Prompt(system="", user=prompt)) for prompt in prompts]


def test_greedy_batches_equal_generate_one_by_one():
    lm = tiny_lm()
    replies = dict(FreeDecoder(lm, max_new_tokens=12, max_batch_tokens=60).generate(ask(PROMPTS)))
    for index, request in enumerate(ask(PROMPTS)):
        prompt = torch.tensor([encode_prompt(lm.tokenizer, request.prompt)])
        written = lm.model.generate(prompt, attention_mask=torch.ones_like(prompt), max_new_tokens=12, do_sample=False)
        ids = written[0, prompt.shape[1]:].tolist()
        assert replies[index].text == lm.tokenizer.decode(ids, skip_special_tokens=True)
        assert replies[index].finish_reason == ("stop" if ids[-1] in lm.end_ids else "length")


def test_samples_do_not_depend_on_the_batch():
    settings = dict(max_new_tokens=8, temperature=1.0, top_p=0.9, seed=3)
    together = dict(FreeDecoder(tiny_lm(), **settings).generate(ask(PROMPTS)))
    for index, request in enumerate(ask(PROMPTS)):
        (_, single), = FreeDecoder(tiny_lm(), **settings, max_batch_tokens=1).generate([request])
        assert single.text == together[index].text


def test_samples_of_one_prompt_differ_and_return():
    requests = [Request(Prompt("", "cancer"), sample=number) for number in range(4)]
    decoder = FreeDecoder(tiny_lm(), max_new_tokens=8, temperature=1.0)
    texts = [reply.text for _, reply in sorted(decoder.generate(requests), key=lambda pair: pair[0])]
    again = [reply.text for _, reply in sorted(decoder.generate(requests), key=lambda pair: pair[0])]
    assert len(set(texts)) > 1 and texts == again


def test_prompt_over_the_context_is_an_error_of_its_own():
    decoder = FreeDecoder(tiny_lm(context=64), max_new_tokens=8)
    replies = dict(decoder.generate(ask(["cancer", "cancer " * 80])))
    assert replies[0].error is None
    assert replies[1].finish_reason == "error" and "the context of the model has 64" in replies[1].error


def test_prompts_over_the_context_never_stop_the_run():
    runner = Runner(FreeDecoder(tiny_lm(context=64), max_new_tokens=8), max_failures=3)
    replies = runner.run(ask([*("cancer " * (80 + number) for number in range(6)), "cancer"]))
    assert [reply.error is None for reply in replies] == [False] * 6 + [True]


def test_merged_adapter_equals_one_kept_beside(folder, adapter):
    from peft import PeftModel

    merged = load_causal_lm(str(folder), adapter=str(adapter), device="cpu", dtype="float32")
    plain = load_causal_lm(str(folder), device="cpu", dtype="float32")
    tokens = torch.tensor([[5, 6, 7, 8]])
    without = plain.model(tokens).logits
    beside = PeftModel.from_pretrained(plain.model, str(adapter))(tokens).logits
    assert torch.allclose(merged.model(tokens).logits, beside, atol=1e-4)
    assert not torch.allclose(beside, without, atol=1e-2)


def test_identity_tells_adapters_and_number_types_apart(folder, adapter):
    plain = load_causal_lm(str(folder), device="cpu", dtype="float32").identity()
    tuned = load_causal_lm(str(folder), adapter=str(adapter), device="cpu", dtype="float32").identity()
    rounded = load_causal_lm(str(folder), device="cpu", dtype="bfloat16").identity()
    assert plain != tuned and plain != rounded
    assert plain == load_causal_lm(str(folder), device="cpu", dtype="float32").identity()


@pytest.mark.issue(6)
@pytest.mark.parametrize("change", [{"hidden_size": 48}, {"num_hidden_layers": 3}, {"vocab_size": 500}])
def test_adapter_of_another_model_in_a_folder_is_one_line(folder, adapter, tmp_path, change):
    import shutil

    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig.from_pretrained(folder)
    config.update(change)
    LlamaForCausalLM(config).save_pretrained(tmp_path / "other")
    tiny_tokenizer().save_pretrained(tmp_path / "other")
    shutil.copytree(adapter, tmp_path / "adapter")
    card = AdapterCard(base_model="first", codec={}, labels={}, shapes=tiny_lm().shapes)
    card.write(tmp_path / "adapter")
    load_causal_lm(str(folder), adapter=str(tmp_path / "adapter"), device="cpu", dtype="float32")
    with pytest.raises(BionerError, match="another base model .first, "):
        load_causal_lm(str(tmp_path / "other"), adapter=str(tmp_path / "adapter"), device="cpu", dtype="float32")


@pytest.mark.issue(6)
def test_adapter_without_a_card_that_does_not_fit_is_one_line(adapter, tmp_path):
    from transformers import LlamaForCausalLM

    config = tiny_lm().model.config.__class__(**{**tiny_lm().model.config.to_dict(), "hidden_size": 48})
    LlamaForCausalLM(config).save_pretrained(tmp_path)
    tiny_tokenizer().save_pretrained(tmp_path)
    with pytest.raises(BionerError, match="another base model") as caught:
        load_causal_lm(str(tmp_path), adapter=str(adapter), device="cpu", dtype="float32")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("settings, message", [
    pytest.param({"device": "nonsense"}, "Setting 'device'", id="device"),
    pytest.param({"dtype": "int3"}, "Setting 'dtype'", id="dtype"),
    pytest.param({"dtype": "int8", "quantize": "4bit"}, "int8 is for x86 CPUs", id="int8-and-4bit"),
    pytest.param({"quantize": "2bit"}, "Wanted: 4bit", id="quantize"),
    pytest.param({"quantize": "4bit", "device": "cpu"}, "a CUDA device", id="4bit-on-cpu"),
    pytest.param({"adapter": "nowhere"}, "No adapter in nowhere", id="adapter"),
])
def test_settings_that_cannot_be_had_are_one_line(folder, settings, message):
    with pytest.raises(BionerError, match=message) as caught:
        load_causal_lm(str(folder), **settings)
    assert "\n" not in str(caught.value)


def test_auto_settings_are_what_the_machine_has():
    device = choose_device("auto")
    assert device.type == ("cuda" if torch.cuda.is_available() else "cpu")
    assert choose_dtype("auto", device) in (torch.bfloat16, torch.float32)


def test_8_bit_weights_give_nearly_the_same_logits(folder):
    rounded, exact = (load_causal_lm(str(folder), device="cpu", dtype=dtype) for dtype in ("int8", "float32"))
    ids = torch.tensor([[5, 9, 2, 7, 11]])
    with torch.inference_mode():
        found, wanted = rounded.model(ids).logits, exact.model(ids).logits
    assert (found - wanted).norm() < 0.05 * wanted.norm()
    assert rounded.identity()["dtype"] == "int8" and rounded.base_hash == exact.base_hash


@pytest.mark.gpu
def test_grounded_decoding_runs_in_4_bit(folder):
    pytest.importorskip("bitsandbytes")
    lm = load_causal_lm(str(folder), device="cuda", quantize="4bit")
    (_, reply), = FreeDecoder(lm, max_new_tokens=4).generate(ask(["cancer"]))
    assert reply.error is None
