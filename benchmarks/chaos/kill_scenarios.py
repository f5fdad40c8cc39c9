"""The verbs that are killed: what they read, how they are called, and the outputs that must be as without kills."""

import json
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Dict, List, Tuple

from spacy_bioner.annotation import Annotation
from spacy_bioner.files import write_json_lines
from spacy_bioner.formats.jsonl import write_jsonl

# Requests that a server is asked at once.
IN_FLIGHT = 4
_NAMES = ("gout", "colon cancer", "asthma", "measles")
_CORPORA = Path(__file__).parents[2] / "assets"
_TOK2VEC = {"@architectures": "spacy.HashEmbedCNN.v2", "pretrained_vectors": None, "width": 16, "depth": 1,
            "embed_size": 200, "window_size": 1, "maxout_pieces": 2, "subword_features": True}
_MODEL = "components.bioner_spancat.model"
_EXPERIMENT = """
title: Half of the sentences
question: Does it matter?
lists: {seed: [1, 2, 3]}
steps:
  - name: half
    foreach: [seed]
    run: convert {data}/train.jsonl {out}/half-{seed}.jsonl --limit 12 --seed {seed}
    output: "{out}/half-{seed}.jsonl"
rows:
  - {name: half, over: seed, gold: "{data}/train.jsonl", predicted: "{out}/half-{seed}.jsonl"}
"""


@dataclass(frozen=True)
class Scenario:
    """A verb that is killed.

    name (str): Its name in the table.
    arguments (Callable[[Path, Path, str], List[str]]): From the folder of inputs, that of outputs and the address of a
        server the command line, but for the program.
    outputs (Tuple[str, ...]): Files that must be equal, byte by byte.
    answer (Callable[[str], str]): The answer of the server to a prompt.
    """

    name: str
    arguments: Callable[[Path, Path, str], List[str]]
    outputs: Tuple[str, ...]
    answer: Callable[[str], str] = lambda prompt: "none"


def write_sentence(prompt: str) -> str:
    """Return a sentence with the entities of a prompt, another one for each prompt."""
    tags = prompt.split("Entities: ")[1].split("\n")[0]
    number = zlib.crc32(prompt.encode("utf8")) % 997
    return f"<start_sentence>We found {tags} in each of the {number} wards that were seen.</end_sentence>"


def write_inputs(folder: Path) -> None:
    """Write records and a tiny random language model, where they are not there yet."""
    if (folder / "model" / "config.json").is_file():
        return
    folder.mkdir(parents=True, exist_ok=True)
    for split, count in (("train", 12), ("dev", 4), ("raw", 40)):
        write_jsonl(folder / f"{split}.jsonl", [_make_record(split, number) for number in range(count)])
    (folder / "labels.yml").write_text("corpus: Mini\nlabels: {DISEASE: diseases}\n", encoding="utf8")
    (folder / "experiment.yml").write_text(_EXPERIMENT, encoding="utf8")
    write_json_lines(folder / "seeds.jsonl", ({"text": name, "label": "DISEASE", "count": 1} for name in _NAMES))
    _write_model(folder / "model")


def _make_record(split: str, number: int) -> Annotation:
    from spacy_bioner.annotation import Mention

    name = _NAMES[number % len(_NAMES)]
    text = f"In {split} family {number} the doctors found {name} again."
    mention = Mention(text.index(name), text.index(name) + len(name), "DISEASE")
    return Annotation(text, () if split == "raw" else (mention,), id=f"{split}-{number}",
                      meta={"split": split, "document": f"{split}-{number}"})


def _write_model(folder: Path) -> None:
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    from spacy_bioner.llm.local.hub import resolve_model
    from spacy_bioner.llm.local.pretrained import load_tokenizer

    tokenizer = load_tokenizer(resolve_model("smollm2-135m-instruct"))
    config = LlamaConfig(vocab_size=len(tokenizer), hidden_size=32, intermediate_size=48, num_hidden_layers=2,
                         num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=1024)
    torch.manual_seed(0)
    tokenizer.save_pretrained(folder)
    LlamaForCausalLM(config).save_pretrained(folder)


def _annotate(inputs: Path, folder: Path, *more: str) -> List[str]:
    return ["annotate", str(inputs / "raw.jsonl"), str(folder / "out.jsonl"), "--labels", str(inputs / "labels.yml"),
            "--annotate.cache", str(folder / "cache.sqlite"), "--annotate.adapter", "null", *more]


def _annotate_server(inputs: Path, folder: Path, url: str) -> List[str]:
    return _annotate(inputs, folder, "--annotate.model", "m", "--annotate.server.base_url", url,
                     "--annotate.server.concurrency", str(IN_FLIGHT), "--annotate.window", "8",
                     "--annotate.codec", "bracket")


def _annotate_local(inputs: Path, folder: Path, url: str) -> List[str]:
    return _annotate(inputs, folder, "--annotate.model", str(inputs / "model"), "--annotate.window", "8",
                     "--annotate.dtype", "float32")


def _prepare(inputs: Path, folder: Path, url: str) -> List[str]:
    return ["prepare", str(_CORPORA), "embedded", str(folder / "corpus")]


def _train_annotator(inputs: Path, folder: Path, url: str) -> List[str]:
    return ["train", "annotator", str(inputs / "train.jsonl"), str(folder / "adapter"), "--dev",
            str(inputs / "dev.jsonl"), "--labels", str(inputs / "labels.yml"), "--finetune.model",
            str(inputs / "model"), "--finetune.dtype", "float32", "--finetune.start_from", "null", "--epochs", "2"]


def _train_spancat(inputs: Path, folder: Path, url: str) -> List[str]:
    small = {f"{_MODEL}.tok2vec": _TOK2VEC, f"{_MODEL}.average": 0.0, "training.batcher.size": 60}
    return ["train", "spancat", str(inputs / "train.jsonl"), str(folder / "trained"), "--dev",
            str(inputs / "dev.jsonl"), "--updates", "6", "--evaluations", "2", "--seed", "1",
            *(part for key, value in small.items() for part in (f"--{key}", json.dumps(value)))]


def _generate(inputs: Path, folder: Path, url: str) -> List[str]:
    return ["generate", "sentences", str(inputs / "seeds.jsonl"), str(folder / "out.jsonl"), "--labels",
            str(inputs / "labels.yml"), "--n", "40", "--synthesize.server.base_url", url,
            "--synthesize.server.concurrency", str(IN_FLIGHT), "--synthesize.batch_size", "8",
            "--checks.similarity", "1", "--checks.max_repeats", "99", "--synthesize.cache",
            str(folder / "cache.sqlite")]


def _experiment(inputs: Path, folder: Path, url: str) -> List[str]:
    return ["experiment", str(inputs / "experiment.yml"), str(folder / "out"), "--data", str(inputs)]


SCENARIOS: Dict[str, Scenario] = {scenario.name: scenario for scenario in (
    Scenario("annotate-server", _annotate_server, ("out.jsonl",)),
    Scenario("annotate-local", _annotate_local, ("out.jsonl",)),
    Scenario("prepare", _prepare, ("corpus/train.jsonl", "corpus/dev.jsonl", "corpus/test.jsonl", "corpus/raw.jsonl")),
    Scenario("train-annotator", _train_annotator, ("adapter/adapter_model.safetensors", "adapter/bioner.json")),
    Scenario("train-spancat", _train_spancat, ("trained/model-best/bioner_spancat/model",)),
    Scenario("generate", _generate, ("out.jsonl",), write_sentence),
    Scenario("experiment", _experiment, ("out/half-1.jsonl", "out/half-2.jsonl", "out/half-3.jsonl", "out/table.md")),
)}
