"""The profiles of Chinese: what they name, and that models of that kind run through them."""

import json

import pytest
import spacy
import torch
from places import ASSETS
from tiny_models import save_tiny_model
from tiny_taggers import tiny_wordpiece
from transformers import BertConfig, BertModel

from spacy_bioner.config_files import find_config
from spacy_bioner.formats import read_annotations

CORPUS = ASSETS / "corpora" / "embedded_zh"
LABELS = {"ANATOMY", "CELL", "CHEMICAL", "DISEASE", "GENE"}
SMALL = ["--updates", 2, "--evaluations", 1, "--components.bioner_spancat.model.hidden_size", 16,
         "--components.bioner_spancat.model.rank", 4]


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    """The shortest records with mentions of each part of the embedded corpus."""
    folder = tmp_path_factory.mktemp("zh")
    for part, count in (("train", 8), ("dev", 4), ("test", 1)):
        lines = [line for line in (CORPUS / f"{part}.jsonl").read_text(encoding="utf8").splitlines()
                 if '"spans": []' not in line]
        lines = sorted(lines, key=len)[:count]
        (folder / f"{part}.jsonl").write_text("".join(f"{line}\n" for line in lines), encoding="utf8")
    return folder


@pytest.fixture(scope="module")
def tiny_bert(parts):
    """A tiny random model of the architecture of hfl/chinese-roberta-wwm-ext: BERT, and a piece for each character."""
    folder = parts / "bert"
    signs = sorted({sign for record in read_annotations(parts / "train.jsonl") for sign in record.text.lower()})
    tokenizer = tiny_wordpiece({**dict.fromkeys(signs, ""), **{f"##{sign}": "" for sign in signs}}, most=512)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        BertModel(BertConfig(vocab_size=len(tokenizer), hidden_size=32, num_hidden_layers=2, num_attention_heads=2,
                             intermediate_size=32)).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.mark.issue(22)
@pytest.mark.parametrize("profile, name, layers", [("zh", "multilingual-e5-small-zh", 6),
                                                   ("gpu,zh", "hfl/chinese-roberta-wwm-ext", 0)])
def test_the_profiles_name_a_chinese_encoder_for_spancat_and_selector(profile, name, layers):
    for task, component in (("spancat", "bioner_spancat"), ("selector", "span_selector")):
        model = find_config(task, profile=profile).read()["components"][component]["model"]
        assert (model["tok2vec"]["name"], model["tok2vec"]["layers"]) == (name, layers)


@pytest.mark.issue(22)
@pytest.mark.parametrize("profile", ["zh", "gpu,zh"])
def test_the_span_categorizer_runs_on_a_chinese_bert_with_character_offsets(verb, parts, tiny_bert, tmp_path, profile):
    code, out, err = verb("train", "spancat", parts / "train.jsonl", tmp_path / "out", "--dev", parts / "dev.jsonl",
                          "--profile", profile, *SMALL, "--components.bioner_spancat.model.tok2vec.name", tiny_bert,
                          "--components.bioner_spancat.model.tok2vec.layers", 0)
    assert code == 0, out + err
    nlp = spacy.load(tmp_path / "out" / "model-best")
    doc = nlp("服用aspirin后出现胃出血。")
    assert [token.text for token in doc] == ["服", "用", "aspirin", "后", "出", "现", "胃", "出", "血", "。"]
    assert nlp.lang == "zh" and set(nlp.get_pipe("bioner_spancat").labels) <= LABELS


@pytest.mark.issue(22)
def test_a_qwen_model_is_trained_with_the_chinese_prompt_and_annotates(verb, parts, tmp_path):
    tiny = save_tiny_model(tmp_path / "model")
    shared = ["--labels", CORPUS / "labels.yml", "--profile", "gpu,zh"]
    code, out, err = verb("train", "annotator", parts / "train.jsonl", tmp_path / "adapter", *shared,
                          "--finetune.model", tiny, "--finetune.quantize", "null", "--finetune.dtype", "float32",
                          "--finetune.lora.r", 2, "--finetune.training.max_steps", 1,
                          "--finetune.training.batch_size", 2)
    assert code == 0, out + err
    card = json.loads((tmp_path / "adapter" / "bioner.json").read_text(encoding="utf8"))
    assert (card["lang"], card["template"]) == ("zh", "annotate.zh")
    code, out, err = verb("annotate", parts / "test.jsonl", tmp_path / "found.jsonl", "--annotate.model", tiny,
                          "--annotate.adapter", tmp_path / "adapter", "--annotate.dtype", "float32")
    assert code == 0, out + err
    assert [record.text for record in read_annotations(tmp_path / "found.jsonl")] == [
        record.text for record in read_annotations(parts / "test.jsonl")]
