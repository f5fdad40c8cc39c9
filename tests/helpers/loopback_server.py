"""Fixtures with servers on the loopback address: one that misbehaves on request, and a real one."""

import pytest

from benchmarks.chaos.lying_server import LoopbackServer
from benchmarks.llama_server import LlamaServer, missing_package


@pytest.fixture
def start_server(monkeypatch):
    """Return starts a loopback server; all are stopped at the end of the test."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    servers = []

    def start(answer=lambda prompt: "none", fault=lambda prompt, tried: None):
        servers.append(LoopbackServer(answer, fault).start())
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


@pytest.fixture(scope="session")
def llama_server():
    """Return a real server: llama.cpp with the embedded model, untuned."""
    missing = missing_package()
    if missing is not None:
        pytest.skip(f"{missing} is not installed: llama.cpp with the embedded model comes with the extra dev")
    server = LlamaServer(slots=2, threads=1).start()
    yield server
    server.kill()
