"""The adapter of a component, saved with its pipeline: as a folder on disk, or as bytes."""

import shutil
from abc import ABC, abstractmethod
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Dict, Iterable, Optional, Tuple, Type

import srsly
from packaging.requirements import Requirement
from spacy import util
from spacy.language import Language
from spacy.pipeline import Pipe
from spacy.vocab import Vocab

from .. import __version__
from ..locks import ThreadLock
from ..settings import store_values, take_stored
from ..temporaries import private_folder

_PACKAGE = "spacy-bioner"


def require_llm(nlp: Language) -> None:
    """Note in the meta of a pipeline that a package of it needs what language models need.

    nlp (Language): The pipeline; `spacy package` takes the requirement into the wheel.
    """
    requirements = nlp.meta.setdefault("requirements", [])
    if not any(Requirement(each).name == _PACKAGE for each in requirements):
        requirements.append(f"{_PACKAGE}[llm]{util.get_minor_version_range(__version__)}")


class AdapterPipe(Pipe, ABC):
    """A component whose language model may have an adapter, which is saved and loaded with it.

    What works with the model is made at first use, by one thread, and not pickled: another process makes its own.

    vocab (Vocab): Vocabulary of the pipeline.
    name (str): Name of the component.
    source (Any): Where the model comes from; knows its `adapter_folder`, and can be had `with_adapter`.
    """

    _unpacked: Optional[TemporaryDirectory] = None
    # What `_cfg` gives once the component is made.
    _made_with: Dict[str, Any]

    def __init__(self, vocab: Vocab, name: str, source: Any) -> None:
        self.vocab = vocab
        self.name = name
        self.source = source
        self._worker: Any = None
        self._loading = ThreadLock()

    def __reduce__(self) -> Tuple[Any, ...]:
        state = {**vars(self), "name": self.name, "_worker": None, "_unpacked": None}
        packed = None if self._unpacked is None else pack_adapter(Path(self._unpacked.name))
        return _restore, (type(self), state, packed)

    @abstractmethod
    def _make(self) -> Any:
        """Return what does the work, with its model."""

    def _load(self) -> Any:
        """Return what does the work, made where it was not yet."""
        with self._loading:
            if self._worker is None:
                self._worker = self._make()
            return self._worker

    def _forget(self) -> None:
        """Let go of what was made with other settings or another adapter."""
        self._worker = None

    @abstractmethod
    def _cfg(self) -> Dict[str, Any]:
        """Return the settings to save, as JSON."""

    @abstractmethod
    def _set_cfg(self, cfg: Dict[str, Any]) -> None:
        """Take settings that `_cfg` gave."""

    @property
    def adapter_folder(self) -> Optional[Path]:
        """Return where the adapter lies that is used, None for the plain model."""
        return self.source.adapter_folder

    def to_disk(self, path: Path, *, exclude: Iterable[str] = ()) -> None:
        """Write settings and adapter into a folder."""
        adapter = self.adapter_folder
        writers = {"cfg": lambda path: srsly.write_json(path, store_values(self._cfg(), self._made_with)),
                   "adapter": lambda path: copy_adapter(adapter, path)}
        util.to_disk(path, writers, exclude)

    def from_disk(self, path: Path, *, exclude: Iterable[str] = ()) -> "AdapterPipe":
        """Read settings and adapter from a folder; the adapter is used where it lies.

        A setting of the config that was changed since the component was saved is kept.
        """
        util.from_disk(path, {"cfg": lambda path: self._set_cfg(
            {**self._cfg(), **take_stored(srsly.read_json(path), self._made_with)})}, exclude)
        if "adapter" not in exclude and (Path(path) / "adapter").is_dir():
            self._set_adapter(Path(path) / "adapter")
        self._forget()
        return self

    def to_bytes(self, *, exclude: Iterable[str] = ()) -> bytes:
        """Return settings and the files of the adapter."""
        return util.to_bytes({"cfg": lambda: srsly.json_dumps(self._cfg()),
                              "adapter": lambda: pack_adapter(self.adapter_folder)}, exclude)

    def from_bytes(self, bytes_data: bytes, *, exclude: Iterable[str] = ()) -> "AdapterPipe":
        """Take settings and adapter from bytes; the adapter is unpacked into a folder that goes with the component."""
        util.from_bytes(bytes_data, {"cfg": lambda data: self._set_cfg(srsly.json_loads(data)),
                                     "adapter": self._unpack_adapter}, exclude)
        self._forget()
        return self

    def _set_adapter(self, folder: Path) -> None:
        self.source = self.source.with_adapter(folder)

    def _unpack_adapter(self, data: bytes) -> None:
        self._unpacked = unpack_adapter(data)
        if self._unpacked is not None:
            self._set_adapter(Path(self._unpacked.name))


def _restore(kind: Type[AdapterPipe], state: Dict[str, Any], packed: Optional[bytes]) -> AdapterPipe:
    """Return a component as it was pickled."""
    component = kind.__new__(kind)
    for name, value in state.items():
        setattr(component, name, value)
    if packed is not None:
        component._unpack_adapter(packed)
    return component


def copy_adapter(source: Optional[Path], target: Path) -> None:
    """Copy an adapter in the place of an older one, None takes that away; onto itself it stays."""
    if source is not None and source.resolve() == target.resolve():
        return
    fresh = target.with_name(f".{target.name}")
    for folder in (fresh, target):
        if folder.exists():
            shutil.rmtree(folder)
    if source is not None:
        shutil.copytree(source, fresh)
        fresh.rename(target)


def pack_adapter(folder: Optional[Path]) -> bytes:
    """Return the files of an adapter, none where there is no adapter."""
    files = [] if folder is None else sorted(path for path in folder.iterdir() if path.is_file())
    return srsly.msgpack_dumps({path.name: path.read_bytes() for path in files})


def unpack_adapter(data: bytes) -> Optional[TemporaryDirectory]:
    """Return the adapter in a folder that goes with this object; None without one."""
    files = srsly.msgpack_loads(data)
    if not files:
        return None
    unpacked = private_folder("spacy-bioner-adapter")
    for name, content in files.items():
        (Path(unpacked.name) / Path(name).name).write_bytes(content)
    return unpacked
