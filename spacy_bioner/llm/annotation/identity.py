"""What annotations depend on beside the texts, told without loading a model."""

import hashlib
from pathlib import Path
from typing import Any, Dict, Mapping, Optional

from ...prompts.build import PromptBuilder
from ...tokens import UNITS_VERSION
from ..local.fingerprint import fingerprint, served_fingerprint
from ..local.hub import model_revision
from ..local.model_source import CausalLMSource, ModelSource
from ..server.server_source import ServerSource
from .assembly import AnnotatorSettings, choose_max_sentences, fit_adapter, fit_codec, make_builders


def identify(source: ModelSource, settings: AnnotatorSettings) -> Dict[str, Any]:
    """Describe an annotator by what its annotations depend on; where and how fast it runs is no part of it.

    source (ModelSource): What answers.
    settings (AnnotatorSettings): How texts are asked for.
    RETURNS (Dict[str, Any]): Plain values by key; files, adapters and templates as hashes of what they hold.
    RAISES BionerError: E1xx and E2xx for settings that do not fit each other, as in making the annotator.
    """
    source = fit_adapter(source, settings)
    settings = fit_codec(source, settings)
    builders = make_builders(source.card(), settings)
    first = builders[0].settings()
    prompt = {key: first[key] for key in ("codec", "corpus", "lang")}
    labels = [[label, definition] for builder in builders for label, definition in builder.labels.items()]
    return {
        "model": _identify_model(source, builders[0]), "adapter": _identify_adapter(source.adapter_folder),
        "template": _hash(first["source"].encode("utf8", "surrogatepass")), **prompt, "labels": labels,
        "examples": None if settings.examples is None else _hash(Path(settings.examples).read_bytes()),
        "choose_examples": settings.choose_examples, "max_chunk_tokens": settings.max_chunk_tokens,
        "max_sentences": choose_max_sentences(source.card(), settings), "overlap": settings.overlap,
        "units": UNITS_VERSION}


def _identify_model(source: ModelSource, builder: PromptBuilder) -> Mapping[str, Any]:
    """Return the name, revision and decoding; of a server not its address, which may change."""
    if isinstance(source, ServerSource):
        # What a schema holds the server to follows from labels and codec.
        identity = {**source.open(builder).identity(), "revision": source.settings.revision}
        return {**identity, "json_schema": source.structured}
    if not isinstance(source, CausalLMSource):
        return source.open(builder).identity()
    identity = {"model": source.model, "revision": model_revision(source.model, revision=source.revision),
                "dtype": source.dtype, "quantize": source.quantize, "decoding": source.decoding}
    if Path(source.model).is_dir():
        identity.update(model=Path(source.model).resolve().name, revision=fingerprint(Path(source.model)))
    if source.decoding == "free":
        identity.update(max_new_tokens=source.max_new_tokens, temperature=source.temperature, seed=source.seed)
    return identity


def _identify_adapter(folder: Optional[Path]) -> Optional[str]:
    """Return the hash of the adapter in a folder, wherever it lies."""
    return None if folder is None else served_fingerprint(folder)


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]
