"""Sends a request and takes the answer: to the address of the server only, and no more bytes than it may return."""

import ipaddress
import json
import os
import re
import socket
import ssl
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Dict, Mapping, Optional, Union
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from ...errors import BionerError, Errors

if TYPE_CHECKING:
    import httpx

# Bytes of an answer beside its tokens: ids, counts, and what servers add of their own.
_FRAME_BYTES = 1 << 20
# Bytes of a token: a long word, each letter of it escaped, or with its probability.
_TOKEN_BYTES = 256
# A small answer may be nothing but one letter again and again.
_FREE_BYTES = 1 << 16
_REDIRECTED = (307, 308)
_MOST_REDIRECTS = 3
# Those that systems write into their file of hosts, and all of RFC 6761.
_LOOPBACK_NAME = re.compile(r"(.+\.)?localhost|localhost[46]?(\.localdomain[46]?)?|ip6-(localhost|loopback)")


class AnswerTooLarge(ValueError):
    """An answer has more bytes than the request may return."""


class UnreadableAnswer(ValueError):
    """The bytes of an answer are not what its headers say."""


@dataclass(frozen=True)
class Limits:
    """How much an answer may hold.

    size (int): Most bytes, as they come and after decompression.
    expansion (float): Most bytes after decompression for each byte that came.
    """

    size: int
    expansion: float


@dataclass(frozen=True)
class Answer:
    """What a server sent.

    status (int): The HTTP status.
    headers (Mapping[str, str]): The headers.
    content (bytes): The body, decompressed.
    """

    status: int
    headers: Mapping[str, str]
    content: bytes


def size_limit(max_new_tokens: int, *, listed: int = 0) -> int:
    """Return the most bytes that an answer can need.

    max_new_tokens (int): Its tokens.
    listed (int): Other tokens that are listed with each of them.
    """
    return _FRAME_BYTES + _TOKEN_BYTES * max_new_tokens * (1 + listed)


def check_address(url: str) -> None:
    """Refuse what is no address of a server, which would only show as a connection that fails.

    url (str): The address.
    RAISES BionerError: E209 without scheme or host, or with a port or host that none can have.
    """
    try:
        parts = urlsplit(url)
        is_fit = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:  # brackets of IPv6 that are not closed, a port beyond 65535
        is_fit = False
    if not is_fit or any(letter.isspace() for letter in url):
        wanted = "an address with http:// or https://, such as http://localhost:8000/v1"
        raise BionerError(Errors.E209.format(what="base_url", value=url, wanted=wanted))


def find_key(key: Optional[str], variable: str, *, usual: str) -> str:
    """Find the key of a server.

    key (Optional[str]): The key, where it is given.
    variable (str): Name of the environment variable that has it else.
    usual (str): The variable that need not be set, since many servers want no key.
    RETURNS (str): The key, empty for none.
    RAISES BionerError: E248 for one that no header can hold, E209 for another variable that is not set.
    """
    if key is None and variable not in (usual, *os.environ):
        raise BionerError(Errors.E209.format(what="api_key_env", value=variable,
                                             wanted="an environment variable that is set"))
    found = (key or os.environ.get(variable) or "").strip()
    if not (found.isascii() and found.isprintable()):
        raise BionerError(Errors.E248.format(place="api_key" if key else variable))
    return found


def read_trusted(path: Optional[Path]) -> Union[ssl.SSLContext, bool]:
    """Read which authorities a server's certificate may be from.

    path (Optional[Path]): A PEM file; None stands for the public ones.
    RETURNS (Union[ssl.SSLContext, bool]): What httpx takes as `verify`.
    RAISES BionerError: E250 where the file is missing or holds no certificate.
    """
    if path is None:
        return True
    try:
        return ssl.create_default_context(cafile=path)
    except OSError as error:
        raise BionerError(Errors.E250.format(path=path, why=error.strerror or error)) from None


def find_proxy(url: str) -> Optional[str]:
    """Look up the proxy that the environment names for an address.

    url (str): The address.
    RETURNS (Optional[str]): The proxy's address; None for this machine itself, whatever the environment says.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if is_loopback(host) or proxy_bypass(host):
        return None
    proxies = getproxies()
    return proxies.get(parts.scheme) or proxies.get("all")


def is_loopback(host: str) -> bool:
    """Return whether a host name or address is this machine itself, as connections read it."""
    host = host.lower().rstrip(".")
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        try:
            # Short, decimal, octal and hexadecimal spellings, as 127.1 and 2130706433.
            address = ipaddress.ip_address(socket.inet_aton(host))
        except (OSError, ValueError):
            return bool(_LOOPBACK_NAME.fullmatch(host))
    address = getattr(address, "ipv4_mapped", None) or address
    # A connection to the unspecified address, 0.0.0.0 or ::, reaches this machine.
    return address.is_loopback or address.is_unspecified


async def post(client: "httpx.AsyncClient", url: str, body: Dict[str, Any], limits: Limits) -> Answer:
    """Send a request; a redirect is followed on the same server only.

    client (httpx.AsyncClient): The client, which follows no redirects by itself.
    url (str): Where to.
    body (Dict[str, Any]): The request, sent as JSON.
    limits (Limits): How much the answer may hold.
    RETURNS (Answer): Status, headers and body.
    RAISES AnswerTooLarge: As soon as more comes; UnreadableAnswer for another compression than gzip, or a damaged one;
        httpx.TransportError where the connection fails.
    """
    return await _send(client, "POST", url, body, limits)


async def get(client: "httpx.AsyncClient", url: str, limits: Limits) -> Answer:
    """Ask for a page of the server, see `post`."""
    return await _send(client, "GET", url, None, limits)


async def _send(client: "httpx.AsyncClient", method: str, url: str, body: Optional[Dict[str, Any]],
                limits: Limits) -> Answer:
    # Escaped, since a lone surrogate of a text has no bytes in UTF-8.
    sent: Dict[str, Any] = {} if body is None else {
        "content": json.dumps(body).encode("ascii"), "headers": {"Content-Type": "application/json"}}
    for _ in range(_MOST_REDIRECTS + 1):
        async with client.stream(method, url, **sent) as response:
            target = response.url.join(response.headers.get("location", ""))
            if response.status_code not in _REDIRECTED or _origin(target) != _origin(response.url):
                return Answer(response.status_code, response.headers, await _read(response, limits))
            url = str(target)
    return Answer(response.status_code, response.headers, b"")


def _origin(url: "httpx.URL") -> tuple:
    return url.scheme, url.host, url.port


async def _read(response: "httpx.Response", limits: Limits) -> bytes:
    """Read a body in bounded memory: what is compressed is never expanded further than the limit."""
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip", ""):
        raise UnreadableAnswer
    unpack = zlib.decompressobj(zlib.MAX_WBITS | 16) if encoding == "gzip" else None
    content, received = bytearray(), 0
    async for chunk in response.aiter_raw():
        received += len(chunk)
        try:
            content += chunk if unpack is None else unpack.decompress(chunk, limits.size + 1 - len(content))
        except zlib.error:
            raise UnreadableAnswer from None
        most = min(limits.size, max(_FREE_BYTES, int(limits.expansion * received)))
        if max(len(content), received) > (limits.size if unpack is None else most):
            raise AnswerTooLarge
    return bytes(content)
