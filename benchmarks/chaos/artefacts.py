"""Damaged caches, checkpoints, adapters and corpora: the right output or one line, never a silent difference."""

import json
import random
import shutil
import sqlite3
import traceback
from pathlib import Path
from typing import Any, Callable, Dict, List, Tuple

from spacy_bioner.annotation import Annotation, Mention
from spacy_bioner.errors import BionerError
from spacy_bioner.files import write_json
from spacy_bioner.formats.jsonl import read_jsonl, write_jsonl
from spacy_bioner.llm.annotation.cache import ReplyCache
from spacy_bioner.llm.protocol import Reply

_BETWEEN_SAVES = 20
_MOST_FAULTS = 20
_KEYS = [f"key {number}" for number in range(20)]


def run(count: int, seed: int, folder: Path) -> Dict[str, Any]:
    """Damage artefacts and read them.

    count (int): Trials, those of earlier runs included.
    seed (int): Random seed.
    folder (Path): Where progress is kept.
    RETURNS (Dict[str, Any]): One row of the table.
    """
    progress = folder / f"artefacts-{seed}.progress.json"
    row = json.loads(progress.read_text(encoding="utf8")) if progress.is_file() else {
        "trials": 0, "right": {}, "one_line": {}, "faults": []}
    work = folder / f"artefacts-{seed}.work"
    kinds = list(KINDS)
    while row["trials"] < count:
        kind = kinds[row["trials"] % len(kinds)]
        outcome = _try(kind, random.Random(f"{seed}-{row['trials']}"), work)
        if outcome in ("right", "one_line"):
            row[outcome][kind] = row[outcome].get(kind, 0) + 1
        elif len(row["faults"]) < _MOST_FAULTS:
            row["faults"].append(f"trial {row['trials']}, {kind}: {outcome}")
        row["trials"] += 1
        if row["trials"] % _BETWEEN_SAVES == 0 or row["trials"] == count:
            write_json(progress, row)
    shutil.rmtree(work, ignore_errors=True)
    return {"guarantee": "damaged artefacts", "count": count, "seed": seed, **row, "held": not row["faults"]}


def _try(kind: str, chance: random.Random, work: Path) -> str:
    """Return "right", "one_line", or what was wrong."""
    write, read = KINDS[kind]
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    files = write(work)
    path = chance.choice(files)
    damage_file(chance, path)
    try:
        read(work)
    except BionerError as error:
        return "one_line" if "\n" not in str(error) else "an error of several lines"
    except AssertionError as difference:
        return f"a silent difference: {difference}"
    # What the guarantee forbids is just what is to be found here: any other exception.
    except (ArithmeticError, AttributeError, LookupError, MemoryError, OSError, RuntimeError, TypeError, ValueError,
            sqlite3.Error, EOFError):
        return traceback.format_exc(limit=-1).replace("\n", " ")[:300]
    return "right"


def damage_file(chance: random.Random, path: Path) -> None:
    """Cut a file, flip some of its bytes, overwrite a stretch, or empty it."""
    content = bytearray(path.read_bytes())
    kind = chance.randrange(5)
    place = chance.randrange(max(1, len(content)))
    if kind == 0:
        content = content[:place]
    elif kind == 1:
        content = bytearray()
    elif kind == 2:
        stretch = chance.randbytes(chance.randint(1, 200))
        content[place:place + len(stretch)] = stretch
    else:
        for _ in range(chance.randint(1, 5)):
            if content:
                content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    path.write_bytes(content)


def _write_cache(work: Path) -> List[Path]:
    cache = ReplyCache(work / "cache.sqlite")
    for key in _KEYS:
        cache.put(key, _reply(key))
    cache.close()
    return [work / "cache.sqlite"]


def _reply(key: str) -> Reply:
    return Reply(f"answer to {key} " * 20, mentions=(Mention(0, 6, "X", score=0.5, grounding="exact"),))


def _read_cache(work: Path) -> None:
    cache = ReplyCache(work / "cache.sqlite")
    try:
        for key, reply in cache.get(_KEYS).items():
            assert reply == _reply(key), "another reply"
        # What is not there is asked again, so it must be kept when it comes.
        for key in _KEYS:
            cache.put(key, _reply(key))
    finally:
        cache.close()


def _write_checkpoints(work: Path) -> List[Path]:
    import torch

    from spacy_bioner.finetuning.lora.checkpoints import Checkpoints, TrainingState

    checkpoints = Checkpoints(work / "checkpoints")
    for updates in (1, 2):
        checkpoints.write(TrainingState("abc", updates, [{"loss": 1.0}]), {"weight": torch.arange(500.0) + updates})
    return sorted(path for path in (work / "checkpoints").rglob("*") if path.is_file())


def _read_checkpoints(work: Path) -> None:
    import torch

    from spacy_bioner.finetuning.lora.checkpoints import Checkpoints

    found = Checkpoints(work / "checkpoints").read("abc")
    if found is not None:
        state, tensors = found
        assert state.updates in (1, 2) and state.history == [{"loss": 1.0}], "another state"
        assert torch.equal(tensors["weight"], torch.arange(500.0) + state.updates), "other weights"


def _write_adapter(work: Path) -> List[Path]:
    from spacy_bioner.llm.local.model_source import EMBEDDED_ADAPTER

    target = work / "adapter"
    shutil.copytree(EMBEDDED_ADAPTER, target)
    return [target / "bioner.json", target / "adapter_config.json", target / "adapter_model.safetensors"]


def _read_adapter(work: Path) -> None:
    from spacy_bioner.llm.local.model_source import EMBEDDED_ADAPTER

    found, wanted = _load_adapter(work / "adapter"), _load_adapter(EMBEDDED_ADAPTER)
    assert found == wanted, "another card, configuration or weight"


def _load_adapter(folder: Path) -> Tuple[Any, ...]:
    """Return all that is loaded of an adapter: card, configuration and weights, which are in bfloat16."""
    import torch
    from safetensors.torch import load_file

    from spacy_bioner.llm.adapter import AdapterCard
    from spacy_bioner.llm.local.adapter_loading import read_adapter_config

    config = read_adapter_config(folder)
    weights = load_file(folder / "adapter_model.safetensors")
    return AdapterCard.read(folder), config, {name: weight.view(torch.int16).numpy().tobytes()
                                              for name, weight in weights.items()}


def _write_corpus(work: Path) -> List[Path]:
    write_jsonl(work / "in.jsonl", [Annotation(f"Case {number} of gout.", (Mention(len(f"Case {number} of "),
                                    len(f"Case {number} of gout"), "DISEASE"),), id=str(number))
                                    for number in range(20)])
    return [work / "in.jsonl"]


def _read_corpus(work: Path) -> None:
    for annotation in read_jsonl(work / "in.jsonl"):
        for mention in annotation.mentions:
            assert 0 <= mention.start < mention.end <= len(annotation.text), "a span outside its text"


KINDS: Dict[str, Tuple[Callable[[Path], List[Path]], Callable[[Path], None]]] = {
    "cache": (_write_cache, _read_cache), "checkpoint": (_write_checkpoints, _read_checkpoints),
    "adapter": (_write_adapter, _read_adapter), "corpus": (_write_corpus, _read_corpus)}
