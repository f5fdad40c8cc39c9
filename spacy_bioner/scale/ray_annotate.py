"""Annotation on Ray Data: workers that hold the model take shards; a shard that was written is never done again.

Chunks, cache keys and guarantees are those of `Annotator`; the memory of a worker holds one shard. Ray places the
workers and moves their work where machines fail.
"""

import json
import os
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any, Callable, Dict, Mapping, Optional

from ..errors import BionerError, Errors
from ..extras import extra
from ..llm.annotation.annotator import Annotator
from .manifest import keep_manifest, make_manifest
from .shards import Shard, find_inputs, find_shards, read_shard, write_shard

# A worker that asked for a whole CPU could keep Ray from the one that it needs to hand out the shards.
_CPUS_OF_WORKER = 0.5


class ShardWorker:
    """Annotates shards; made once in each worker process.

    build (Callable[[], Annotator]): Makes the annotator there.
    origin (str): Origin of the records that come out.
    """

    def __init__(self, build: Callable[[], Annotator], origin: str) -> None:
        self.annotator = build()
        self.origin = origin

    def __call__(self, row: Dict[str, Any]) -> Dict[str, Any]:
        """Return what the shard came to, or what stopped it, as one JSON string."""
        shard = Shard(**json.loads(row["shard"]))
        before = Counter(self.annotator.usage.issues)
        texts = (text.with_meta(origin=self.origin) for text in read_shard(shard))
        try:
            counts = write_shard(shard, self.annotator.annotate(texts))
        except BionerError as error:
            # Not raised here: Ray would wrap it in advice on its own settings.
            return {"result": json.dumps({"error": str(error)})}
        return {"result": json.dumps({**counts, "issues": dict(self.annotator.usage.issues - before)})}


def annotate_on_ray(source: Path, output: Path, build: Callable[[], Annotator], *, workers: int = 2,
                    shard_size: int = 1000, kind: str = "jsonl", gpus: float = 0, origin: str = "synthetic",
                    settings: Optional[Mapping[str, Any]] = None,
                    advance: Optional[Callable[[int, int], None]] = None) -> Dict[str, Any]:
    """Annotate a large input on the Ray cluster that is there, or on this machine.

    source (Path): A .jsonl, .jsonl.gz or .parquet file, or a folder of them, where all workers can read it.
    output (Path): Folder for the shards, where all workers can write.
    build (Callable[[], Annotator]): Makes an annotator; it is sent to the workers.
    workers (int): Processes that hold the model.
    shard_size (int): Records in a shard.
    kind (str): "jsonl" or "parquet".
    gpus (float): Share of a GPU that a worker takes.
    origin (str): Origin of the records that come out.
    settings (Optional[Mapping[str, Any]]): What the annotations depend on beside the texts; a folder with shards of
        other settings is refused.
    advance (Optional[Callable[[int, int], None]]): Called with good and failed documents of each shard as it ends.
    RETURNS (Dict[str, Any]): good, failed, issues, shards that were done before and now, and how many of those done
        before have documents set aside.
    RAISES BionerError: E226 and E227 for a folder with shards of another run. What stopped a worker; shards already
        written stay, and the same call goes on from there.
    """
    with extra("ray"):
        import ray
        from ray.exceptions import RayError

    output.mkdir(parents=True, exist_ok=True)
    keep_manifest(output, make_manifest(find_inputs(source), size=shard_size, kind=kind,
                                        settings={"origin": origin, **(settings or {})}))
    shards = find_shards(source, output, size=shard_size, kind=kind)
    todo = [shard for shard in shards if not shard.done]
    total: Dict[str, Any] = {"good": 0, "failed": 0, "done_before": len(shards) - len(todo), "done": len(todo),
                             "lacking": sum(shard.done and shard.failures.is_file() for shard in shards)}
    issues: Counter = Counter()
    if not ray.is_initialized():
        # Ray's reports of its use leave the machine. Who wants them sets it.
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        ray.init(log_to_driver=False, include_dashboard=False)
    ray.data.DataContext.get_current().enable_progress_bars = False
    rows = ray.data.from_items([{"shard": json.dumps(asdict(shard))} for shard in todo],
                               override_num_blocks=max(len(todo), 1))
    results = rows.map(ShardWorker, fn_constructor_args=(build, origin), num_cpus=_CPUS_OF_WORKER, num_gpus=gpus,
                       compute=ray.data.ActorPoolStrategy(size=min(workers, max(len(todo), 1))))
    try:
        for row in results.iter_rows() if todo else ():
            result = json.loads(row["result"])
            if "error" in result:
                raise BionerError(Errors.E225.format(why=result["error"], output=output))
            issues.update(result["issues"])
            total["good"] += result["good"]
            total["failed"] += result["failed"]
            if advance is not None:
                advance(result["good"], result["failed"])
    except RayError as error:
        raise BionerError(Errors.E225.format(why=find_cause(error), output=output)) from None
    return {**total, "issues": dict(issues)}


def find_cause(error: BaseException) -> str:
    """Return the message of the error inside Ray's own errors, in one line."""
    inner = getattr(error, "cause", None) or error.__cause__
    return " ".join(str(error).split())[-300:] if inner is None else find_cause(inner)
