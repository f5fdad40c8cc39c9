"""Verbs whose attempts to reach another machine are noted, and never let through."""

import os
import subprocess
import sys
from pathlib import Path
from typing import List, Sequence

# Python runs a module of this name at the start of each process that has its folder on the path, of workers too.
_WATCH = '''
import os, socket

_LOCAL = {"localhost", "127.0.0.1", "::1", "", "0.0.0.0", "::"}

def _addresses():
    with open("/proc/net/fib_trie") as file_:
        lines = file_.read().split()
    return {line for line in lines if line.count(".") == 3 and "/" not in line}

_LOCAL |= _addresses() | {socket.gethostname()}

def _note(what, address):
    with open(os.environ["CHAOS_EGRESS_LOG"], "a") as file_:
        file_.write(f"{what} {address}\\n")

def _guard(name):
    real = getattr(socket.socket, name)
    def guarded(self, *arguments):
        address = arguments[-1]
        # Connecting a datagram socket sends nothing: it is how a program learns its own address.
        sends = name == "sendto" or not self.type & socket.SOCK_DGRAM
        if self.family != socket.AF_UNIX and isinstance(address, tuple) and address[0] not in _LOCAL and sends:
            _note(name, address)
            raise OSError("no network in this run")
        return real(self, *arguments)
    setattr(socket.socket, name, guarded)

for _name in ("connect", "connect_ex", "sendto"):
    _guard(_name)
_getaddrinfo = socket.getaddrinfo

def _look_up(host, *arguments, **options):
    name = host.decode() if isinstance(host, bytes) else host or ""
    if name not in _LOCAL:
        _note("getaddrinfo", name)
        raise socket.gaierror(-3, "no network in this run")
    return _getaddrinfo(host, *arguments, **options)

socket.getaddrinfo = _look_up
'''


def run_watched(arguments: Sequence[str], folder: Path, root: Path) -> List[str]:
    """Run a verb whose processes may reach this machine alone.

    arguments (Sequence[str]): The command line, but for the program.
    folder (Path): Takes the notes and what the verb prints.
    root (Path): Folder of the package.
    RETURNS (List[str]): Its attempts to reach another machine.
    RAISES RuntimeError: Where it fails.
    """
    (folder / "watch").mkdir(parents=True, exist_ok=True)
    (folder / "watch" / "sitecustomize.py").write_text(_WATCH, encoding="utf8")
    log = folder / "egress.log"
    log.unlink(missing_ok=True)
    environment = {key: value for key, value in os.environ.items() if key != "HF_HUB_OFFLINE"}
    done = subprocess.run([sys.executable, "-m", "spacy_bioner", *map(str, arguments)], text=True, capture_output=True,
                          env={**environment, "PYTHONPATH": f"{folder.resolve() / 'watch'}{os.pathsep}{root.resolve()}",
                               "CHAOS_EGRESS_LOG": str(log.resolve()), "OMP_NUM_THREADS": "1"})
    attempts = log.read_text(encoding="utf8").splitlines() if log.is_file() else []
    if done.returncode != 0 and not attempts:
        raise RuntimeError(f"{' '.join(map(str, arguments[:2]))}: {done.stderr.strip()[-300:]}")
    return attempts
