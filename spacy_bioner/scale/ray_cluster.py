"""A Ray cluster: the one that is there, or one on this machine whose own processes reach for no other."""

import os
from contextlib import contextmanager
from typing import Dict, Iterator

from ..extras import extra

# Reports of its use, which Ray sends on unless told otherwise. Who wants them sets it to 1.
_REPORTS = "RAY_USAGE_STATS_ENABLED"
# When it starts, Ray asks addresses of clouds which of them it is in, and has no setting against it: in place of them
# it gets to a closed port of this machine.
_NOWHERE = {"http_proxy": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9", "no_proxy": "", "NO_PROXY": ""}


def join_cluster() -> None:
    """Join the cluster that `RAY_ADDRESS` names, or start one on this machine; nothing where this was done before."""
    with extra("ray"):
        import ray

    if ray.is_initialized():
        return
    os.environ.setdefault(_REPORTS, "0")
    proxies = {name: os.environ.get(name, "") for name in _NOWHERE}
    if os.environ.get("RAY_ADDRESS") or os.environ[_REPORTS] != "0":
        ray.init(log_to_driver=False, include_dashboard=False)
        return
    with _environment(_NOWHERE):
        # Workers may have a server to ask: they get the variables as they were.
        ray.init(log_to_driver=False, include_dashboard=False, runtime_env={"env_vars": proxies})


@contextmanager
def _environment(changes: Dict[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in changes}
    os.environ.update(changes)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
