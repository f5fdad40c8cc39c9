"""Annotation on Ray: workers that hold the model take shards; a shard that was written is never done again.

Chunks, cache keys and guarantees are those of the annotator; the memory of a worker holds one shard. Ray places the
workers and starts those anew that are killed; this process hands a shard to each worker that is free.
"""

import logging
from collections import Counter
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, Iterator, Mapping, Optional, Protocol, Sequence

from ..annotation import Annotation
from ..errors import BionerError, Errors
from ..extras import extra
from ..llm.annotation.reply_shapes import ReplyShapes
from ..llm.annotation.usage import Usage
from .manifest import keep_manifest, make_manifest
from .ray_cluster import join_cluster
from .shards import Shard, find_inputs, find_shards, read_shard, write_shard

logger = logging.getLogger(__name__)

# This process hands out the shards and needs little of a CPU: workers that asked for whole ones would fill them all.
_CPUS_OF_WORKER = 0.5
# Workers that a shard may end, one after the other, before it ends the run.
_TRIES_OF_SHARD = 3


class RecordAnnotator(Protocol):
    """What annotates records: a language model, or a tagger.

    usage (Usage): Counts of what it did.
    shapes (ReplyShapes): Whether its replies could be read; a tagger has none.
    """

    usage: Usage
    shapes: ReplyShapes

    def annotate(self, annotations: Iterable[Annotation]) -> Iterator[Annotation]:
        """Yield each text annotated; one that failed has its reason as `error`."""


class ShardWorker:
    """Annotates shards; made once in each worker process.

    build (Callable[[], RecordAnnotator]): Makes the annotator there.
    origin (Optional[str]): Origin that the texts are given; None for an annotator that says so itself.
    """

    def __init__(self, build: Callable[[], RecordAnnotator], origin: Optional[str]) -> None:
        self._build = build
        self._annotator: Optional[RecordAnnotator] = None
        self.origin = origin

    def load(self) -> Dict[str, Any]:
        """Make the annotator; return as "error" what stopped it."""
        # Errors are not raised here: Ray would wrap them in advice on its own settings.
        try:
            self._annotator = self._build()
        except BionerError as error:
            return {"error": str(error)}
        return {}

    def annotate(self, shard: Shard) -> Dict[str, Any]:
        """Return what the shard came to, or as "error" what stopped it."""
        # A worker that was started anew is given its shard again, and nothing before it.
        stopped = self.load() if self._annotator is None else {}
        if self._annotator is None:
            return stopped
        before = Counter(self._annotator.usage.issues)
        texts = read_shard(shard)
        if self.origin is not None:
            texts = (text.with_meta(origin=self.origin) for text in texts)
        try:
            counts = write_shard(shard, self._annotator.annotate(texts))
        except BionerError as error:
            return {"error": str(error)}
        return {**counts, "issues": dict(self._annotator.usage.issues - before),
                "shapes": self._annotator.shapes.take()}


def annotate_on_ray(source: Path, output: Path, build: Callable[[], RecordAnnotator], *, workers: int = 2,
                    shard_size: int = 1000, kind: str = "jsonl", gpus: float = 0, origin: Optional[str] = "synthetic",
                    settings: Optional[Mapping[str, Any]] = None,
                    advance: Optional[Callable[[int, int], None]] = None) -> Dict[str, Any]:
    """Annotate a large input on the Ray cluster that is there, or on this machine.

    source (Path): A .jsonl, .jsonl.gz or .parquet file, or a folder of them, where all workers can read it.
    output (Path): Folder for the shards, where all workers can write.
    build (Callable[[], RecordAnnotator]): Makes an annotator; it is sent to the workers.
    workers (int): Processes that hold the model.
    shard_size (int): Records in a shard.
    kind (str): "jsonl" or "parquet".
    gpus (float): Share of a GPU that a worker takes.
    origin (Optional[str]): Origin that the texts are given, see `ShardWorker`.
    settings (Optional[Mapping[str, Any]]): What the annotations depend on beside the texts; a folder with shards of
        other settings is refused.
    advance (Optional[Callable[[int, int], None]]): Called with good and failed documents of each shard as it ends.
    RETURNS (Dict[str, Any]): good, failed, issues, shards that were done before and now, and how many of those done
        before have documents set aside.
    RAISES BionerError: E226 and E227 for a folder with shards of another run. E240 where no reply of a whole run could
        be read; its shards are removed. What stopped a worker; shards already written stay, and the same call goes
        on from there.
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
    if not todo:
        return {**total, "issues": {}}
    issues: Counter = Counter()
    shapes = ReplyShapes()
    join_cluster()
    worker = ray.remote(ShardWorker).options(num_cpus=_CPUS_OF_WORKER, num_gpus=gpus, max_restarts=-1,
                                             max_task_retries=_TRIES_OF_SHARD - 1)
    pool = [worker.remote(build, origin) for _ in range(min(workers, len(todo)))]
    try:
        for result in _hand_out(todo, pool):
            if "error" in result:
                raise BionerError(Errors.E225.format(why=result["error"], output=output))
            issues.update(result["issues"])
            shapes.join(result["shapes"])
            total["good"] += result["good"]
            total["failed"] += result["failed"]
            if advance is not None:
                advance(result["good"], result["failed"])
    except RayError as error:
        raise BionerError(Errors.E225.format(why=find_cause(error), output=output)) from None
    finally:
        for each in pool:
            ray.kill(each)
    # The rest of an interrupted run may be too few replies to tell.
    if shapes.is_useless and not total["done_before"]:
        for shard in todo:
            Path(shard.target).unlink()
            shard.failures.unlink(missing_ok=True)
        raise BionerError(Errors.E240.format(**shapes.facts()))
    warning = shapes.warning()
    if warning is not None:
        logger.warning(warning)
    return {**total, "issues": dict(issues)}


def _hand_out(shards: Sequence[Shard], pool: Sequence[Any]) -> Iterator[Dict[str, Any]]:
    """Give shards to workers that are free, one to each at a time, and yield what they come to, as they end.

    A worker that cannot be placed, or not yet, is given none.
    """
    with extra("ray"):
        import ray

    waiting = iter(shards)
    left = len(shards)
    under_way = {each.load.remote(): each for each in pool}
    loading = set(under_way)
    while left:
        [ended], _ = ray.wait(list(under_way), num_returns=1)
        worker, result = under_way.pop(ended), ray.get(ended)
        following = next(waiting, None)
        if following is not None:
            under_way[worker.annotate.remote(following)] = worker
        if ended not in loading or "error" in result:
            left -= 1
            yield result


def find_cause(error: BaseException) -> str:
    """Return the message of the error inside Ray's own errors, in one line."""
    inner = getattr(error, "cause", None) or error.__cause__
    return " ".join(str(error).split())[-300:] if inner is None else find_cause(inner)
