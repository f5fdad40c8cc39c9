"""Annotation by way of a batch service: requests to a file, results from a file into the cache."""

import sys
from pathlib import Path
from typing import Any, Iterable, Set

from ....annotation import Annotation
from ....errors import BionerError, Errors
from ....files import open_atomic


def refuse_without_server(annotator: Any, option: str) -> None:
    """Refuse batches without a server, or without the cache that joins both ways.

    annotator (Annotator): The annotator.
    option (str): The option, for the error.
    RAISES BionerError: E730 where one of them is missing.
    """
    from ....llm.server.client import Server

    if not isinstance(annotator.model, Server):
        raise BionerError(Errors.E730.format(option=option, why="no server is set (--annotate.server.base_url)"))
    if annotator.cache is None:
        raise BionerError(Errors.E730.format(option=option, why="results are kept in the cache, and none is set "
                                                                "(--annotate.cache)"))


def write_batch(texts: Iterable[Annotation], annotator: Any, path: Path) -> int:
    """Write the requests that the cache does not answer yet.

    texts (Iterable[Annotation]): The texts.
    annotator (Annotator): The annotator of a server.
    path (Path): The file.
    RETURNS (int): How many requests there are.
    RAISES BionerError: E730 without a server or a cache.
    """
    from ....llm.server.batch_files import batch_lines

    refuse_without_server(annotator, "--write-batch")
    written: Set[str] = set()
    with open_atomic(path, private=True) as file:
        for server, requests in annotator.find_missing(texts):
            new = {key: request for key, request in requests.items() if key not in written}
            file.writelines(batch_lines(server, new))
            written.update(new)
    return len(written)


def read_batch_into_cache(path: Path, annotator: Any, texts: Iterable[Annotation]) -> None:
    """Put the results of a batch service into the cache, and say how many failed.

    path (Path): The results file.
    annotator (Annotator): The annotator that the requests were written for.
    texts (Iterable[Annotation]): The texts; spans of the results of others get no scores.
    RAISES BionerError: E730 without a server or a cache, E239 for a file of something else.
    """
    from ....llm.server.batch_files import read_batch

    refuse_without_server(annotator, "--read-batch")
    # Scores are computed against the text that was asked about, which a result does not name.
    asked = {key: (server, request.text) for server, requests in annotator.find_missing(texts)
             for key, request in requests.items()} if annotator.model.scores_spans else {}
    kept = failed = 0
    for key, outcome in read_batch(path):
        if key in asked:
            server, text = asked[key]
            outcome = server.add_scores(outcome, text)
        if outcome.reply is None:
            failed += 1
        else:
            cached = annotator.cache.get([key]).get(key)
            # A result of a second try with --retry-truncated is paid for; what the limit has cut makes room for it.
            annotator.cache.put(key, outcome.reply,
                                replace=cached is not None and cached.finish_reason == "length")
            kept += 1
    print(f"{kept} results of {path} kept; {failed} failed there and are asked now", file=sys.stderr)
