"""Files of a hub repository: from the hub where it answers soon, else from what was downloaded before."""

import os
import socket
import threading
from pathlib import Path
from typing import List, Optional, Sequence
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

TIMEOUT_VARIABLE = "SPACY_BIONER_HUB_TIMEOUT"
_TIMEOUT = 1.5
_PORTS = {"http": 80, "https": 443}


def download(repository: str, *, revision: Optional[str], patterns: Sequence[str]) -> Path:
    """Take the files of a repository.

    repository (str): Its id.
    revision (Optional[str]): Branch, tag or commit.
    patterns (Sequence[str]): Patterns of the names of files.
    RETURNS (Path): The folder with the files.
    RAISES OSError: Where they are neither on the hub nor downloaded before, or no connection to the hub is made within
        1.5 seconds, or as many as the environment variable SPACY_BIONER_HUB_TIMEOUT says: some networks swallow what
        is sent to the outside, and the hub's own client waits for minutes.
    RAISES HFValidationError: Where the id is none.
    """
    from huggingface_hub import constants, snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    reachable = not constants.HF_HUB_OFFLINE and can_connect(constants.ENDPOINT, timeout=read_timeout())
    try:
        return Path(snapshot_download(repository, revision=revision, allow_patterns=list(patterns),
                                      local_files_only=not reachable))
    except LocalEntryNotFoundError:
        if reachable or constants.HF_HUB_OFFLINE:
            raise
        raise OSError(f"it was not downloaded before, and {constants.ENDPOINT} did not answer within "
                      f"{read_timeout():g} seconds (environment variable {TIMEOUT_VARIABLE})") from None


def read_timeout() -> float:
    """Return the seconds to wait for a connection to the hub."""
    given = os.environ.get(TIMEOUT_VARIABLE, "")
    return float(given) if given.replace(".", "", 1).isdigit() else _TIMEOUT


def can_connect(address: str, *, timeout: float) -> bool:
    """Try to reach a server, or the proxy that the environment names for it.

    address (str): URL of the server.
    timeout (float): Seconds, those for looking up the name included, which nothing else can bound.
    RETURNS (bool): Whether a connection was made.
    """
    url = urlsplit(address)
    proxy = None if proxy_bypass(url.hostname or "") else getproxies().get(url.scheme)
    if proxy:
        url = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    made: List[bool] = []

    def connect() -> None:
        try:
            socket.create_connection((url.hostname or "", url.port or _PORTS.get(url.scheme, 80)), timeout).close()
        except OSError:
            return
        made.append(True)

    attempt = threading.Thread(target=connect, daemon=True)
    attempt.start()
    attempt.join(timeout)
    return bool(made)
