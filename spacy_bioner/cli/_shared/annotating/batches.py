"""Annotation by way of a batch service: requests to a file, results from a file into the cache."""

import sys
from collections import Counter
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
        for server, requests in annotator.find_requests(texts, missing=True):
            new = {key: request for key, request in requests.items() if key not in written}
            file.writelines(batch_lines(server, new))
            written.update(new)
    return len(written)


def read_batch_into_cache(path: Path, annotator: Any, texts: Iterable[Annotation]) -> None:
    """Put the results of a batch service into the cache, and say how many are of use, what failed and what they cost.

    path (Path): The results file.
    annotator (Annotator): The annotator that the requests were written for.
    texts (Iterable[Annotation]): The texts; results of others are kept, without scores.
    RAISES BionerError: E730 without a server or a cache, E239 for a file of something else, E757 where no result is of
        use: all would be asked a second time, at the price of single requests.
    """
    from ....llm.server.batch_files import read_batch

    refuse_without_server(annotator, "--read-batch")
    # Scores are computed against the text that was asked about, which a result does not name.
    asked = {key: (server, request.text if server.scores_spans else "")
             for server, requests in annotator.find_requests(texts) for key, request in requests.items()}
    used = others = 0
    reasons: Counter = Counter()
    tokens: Counter = Counter()
    for key, outcome in read_batch(path):
        tokens.update(outcome.usage)
        if key in asked:
            server, text = asked[key]
            outcome = server.add_scores(outcome, text)
        if outcome.reply is not None:
            cached = annotator.cache.get([key]).get(key)
            # A result of a second try with --retry-truncated is paid for; what the limit has cut makes room for it.
            annotator.cache.put(key, outcome.reply,
                                replace=cached is not None and cached.finish_reason == "length")
        if key not in asked:
            others += 1
        elif outcome.reply is None:
            reasons[outcome.error] += 1
        else:
            used += 1
    (why, _), = reasons.most_common(1) or [("", 0)]
    failed = f"{reasons.total()} failed there" + (f", mostly: {why}" if why else "")
    if not used:
        raise BionerError(Errors.E757.format(path=path, failed=failed, others=others))
    budget = annotator.model.budget
    cost = f"; cost {budget.cost(**tokens):,.4f}" if budget is not None and tokens else ""
    print(f"{used} results of {path} used; {failed}; {others} of no text of this run{cost}", file=sys.stderr)
