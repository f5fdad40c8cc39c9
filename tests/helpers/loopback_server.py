"""A fixture that starts servers on the loopback address, which misbehave on request."""

import pytest

from benchmarks.chaos.lying_server import LoopbackServer


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
