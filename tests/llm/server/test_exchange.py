"""What is sent goes to the server's own address, and what comes back is bounded in bytes, growth and time."""

import resource
import shutil
import ssl
import subprocess
import time

import pytest
from test_client import ask, make_server

from benchmarks.chaos.lying_server import LoopbackServer
from spacy_bioner.errors import BionerError
from spacy_bioner.llm.server.exchange import find_proxy, is_loopback


@pytest.mark.issue(21)
def test_a_redirect_to_another_origin_is_not_followed(start_server):
    other, server = start_server(), start_server(fault=lambda prompt, tried: "elsewhere")
    server.elsewhere = other.url.removesuffix("/v1")
    [reply] = ask(make_server(server), ["Jane Doe has measles"])
    assert reply.error == "HTTP 307: a redirect to another address, which is not followed"
    assert (other.bodies, reply.service_failed, server.tries["Jane Doe has measles"]) == ([], True, 1)


def test_a_redirect_on_the_same_server_is_followed(start_server):
    server = start_server(fault=lambda prompt, tried: "moved")
    [reply] = ask(make_server(server), ["p"])
    assert (reply.error, reply.text) == (None, "none")


@pytest.mark.issue(21)
@pytest.mark.parametrize("allowed", [True, False])
def test_loopback_traffic_never_goes_through_a_proxy(start_server, monkeypatch, allowed):
    proxy, server = start_server(), start_server(lambda prompt: "right")
    monkeypatch.delenv("NO_PROXY")
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, proxy.url.removesuffix("/v1"))
    [reply] = ask(make_server(server, api_key="secret", environment_proxy=allowed), ["p"])
    assert (reply.text, proxy.headers) == ("right", [])


@pytest.mark.issue(21)
def test_a_proxy_of_the_environment_is_used_only_where_the_settings_say_so(start_server, monkeypatch):
    proxy = start_server(lambda prompt: "through the proxy")
    monkeypatch.delenv("NO_PROXY")
    monkeypatch.setenv("http_proxy", proxy.url.removesuffix("/v1"))
    quick = {"base_url": "http://models.invalid/v1", "max_tries": 1}

    class Elsewhere:
        url = quick["base_url"]

    [reply] = ask(make_server(Elsewhere, environment_proxy=True, max_tries=1, timeout=5), ["p"])
    assert reply.text == "through the proxy"
    asked = len(proxy.bodies)
    [reply] = ask(make_server(Elsewhere, max_tries=1, timeout=5), ["p"])
    assert reply.error is not None and len(proxy.bodies) == asked


@pytest.fixture
def https_server(tmp_path):
    """Return a server with a certificate that it has signed itself, and the file of this certificate."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl, which makes the certificate, is not installed")
    certificate, key = tmp_path / "ca.pem", tmp_path / "key.pem"
    subprocess.run([openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-days", "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key,
                    "-out", certificate], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = LoopbackServer(lambda prompt: "right", lambda prompt, tried: None)
    server.http.socket = context.wrap_socket(server.http.socket, server_side=True)
    server.url = server.url.replace("http:", "https:")
    server.start()
    yield server, certificate
    server.stop()


def test_a_certificate_is_trusted_only_by_the_authorities_that_the_settings_name(https_server, monkeypatch):
    server, certificate = https_server
    [reply] = ask(make_server(server, ca_file=certificate, timeout=5), ["p"])
    assert (reply.error, reply.text) == (None, "right")
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    [reply] = ask(make_server(server, max_tries=1, timeout=5), ["p"])
    assert reply.error == "the connection failed: its certificate is not trusted, see ca_file"


@pytest.mark.parametrize("content, why", [
    pytest.param(None, "No such file", id="missing"),
    pytest.param("no certificate", "no certificate", id="no certificate"),
])
def test_a_file_of_certificates_that_cannot_be_used_is_an_error_before_anything_is_sent(start_server, tmp_path, content,
                                                                                       why):
    if content is not None:
        (tmp_path / "ca.pem").write_text(content)
    with pytest.raises(BionerError, match=f"ca.pem .ca_file. cannot be used: .*{why}"):
        make_server(start_server(), ca_file=tmp_path / "ca.pem")


@pytest.mark.parametrize("host, itself", [
    ("localhost", True), ("LOCALHOST", True), ("localhost.", True), ("models.localhost", True),
    ("localhost.localdomain", True), ("localhost6.localdomain6", True), ("ip6-localhost", True), ("ip6-loopback", True),
    ("127.0.0.1", True), ("127.8.8.8", True), ("127.0.0.1.", True), ("127.1", True), ("2130706433", True),
    ("0x7f.1", True), ("0177.0.0.1", True), ("0.0.0.0", True), ("0", True), ("::1", True), ("::", True),
    ("::ffff:127.0.0.1", True), ("::ffff:0.0.0.0", True), ("10.0.0.1", False), ("10.1", False), ("167772161", False),
    ("::ffff:10.0.0.1", False), ("fe80::1", False), ("example.org", False), ("127.example.org", False),
    ("localhost.example.org", False), ("notlocalhost", False), ("my-ip6-localhost", False)])
def test_addresses_of_this_machine_are_known(host, itself, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://proxy.invalid:3128")
    monkeypatch.setenv("no_proxy", "")
    assert is_loopback(host) == itself
    assert (find_proxy(f"http://{f'[{host}]' if ':' in host else host}:8000/v1") is None) == itself


@pytest.mark.issue(21)
@pytest.mark.parametrize("fault", ["bomb", "too_large", "endless"])
def test_an_answer_without_bounds_is_the_error_of_its_document(start_server, fault):
    server = start_server(fault=lambda prompt, tried: fault if prompt == "bad" else None)
    before, started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
    bad, good = ask(make_server(server, max_tries=2, timeout=10), ["bad", "good"])
    assert bad.error == ("the answer has more than the 1,179,648 bytes that it may have, or grows more than 100 times "
                         "when it is unpacked (2 tries)")
    assert (good.text, bad.service_failed) == ("none", False)
    assert time.monotonic() - started < 8
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 120_000, "kilobytes"


@pytest.mark.parametrize("chat", [True, False])
@pytest.mark.parametrize("text", ["\ud800 flu", "flu \udcff", "\u00e9\U0001f600"])
def test_any_text_is_sent(start_server, text, chat):
    server = start_server(lambda prompt: "right")
    [reply] = ask(make_server(server, chat=chat), [text])
    sent = server.bodies[0]["messages"][-1]["content"] if chat else server.bodies[0]["prompt"]
    assert (reply.text, sent.strip()) == ("right", text)
    assert server.headers[0]["Content-Type"] == "application/json"


def test_a_compressed_answer_is_read(start_server):
    server = start_server(lambda prompt: "right " * 5000, lambda prompt, tried: "gzipped")
    [reply] = ask(make_server(server), ["p"])
    assert reply.text == "right " * 5000


def test_bounds_are_settings(start_server):
    server = start_server(lambda prompt: "right " * 5000)
    [reply] = ask(make_server(server, max_response_bytes=1000, max_tries=1), ["p"])
    assert "more than the 1,000 bytes" in reply.error
