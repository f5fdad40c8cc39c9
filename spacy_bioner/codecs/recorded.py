"""Recorded replies: records of `{"id", "format", "labels", "text", "output"}` decoded, and annotations encoded so."""

import json
from contextlib import ExitStack
from functools import lru_cache
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Sequence, Set, Tuple

from ..annotation import Annotation, Mention
from ..errors import BionerError, Errors
from ..files import open_atomic, read_raw_lines
from . import make_codec
from .base import Codec, Issue
from .seed_tags.seed_codec import SeedTagCodec

Record = Dict[str, Any]


def decode_record(record: Record, *, repair: bool = False) -> Record:
    """Decode one recorded reply.

    record (Record): `id`, `format`, `labels`, `text` and `output`; `truncated` may say that the token limit cut it.
        For seed tags `seeds` instead of `text`, objects of `text` and `label`.
    repair (bool): Whether seeds that are not tagged, or in part, are repaired.
    RETURNS (Record): `id`, `spans` and `issues`; for seed tags also `text` and `keep`.
    RAISES BionerError: E005 or E006 for a record that is no such thing, E101 for an unknown format.
    """
    name = _take(record, "format", str, "a string")
    codec = _find_codec(name)
    labels = _take_strings(record, "labels")
    output = _take(record, "output", str, "a string")
    truncated = record.get("truncated") is True
    if name == SeedTagCodec.name:
        return _decode_sentence(record, labels, output, truncated=truncated, repair=repair)
    text = _take(record, "text", str, "a string")
    reading = codec.decode(text, labels, output, truncated=truncated)
    return {"id": record.get("id", ""), "spans": _write_spans(reading.mentions), "issues": _name(reading.issues)}


# Of each record again, a look for the codecs of other packages would take longer than to decode.
@lru_cache(maxsize=None)
def _find_codec(name: str) -> Codec:
    return make_codec(name)


def _decode_sentence(record: Record, labels: List[str], output: str, *, truncated: bool, repair: bool) -> Record:
    """Return a generated sentence; where its text is known, spans count in that text."""
    seeds = [(_take(seed, "text", str, "a string"), _take(seed, "label", str, "a string"))
             for seed in _take(record, "seeds", list, "a list of objects")]
    codec = SeedTagCodec(repair=repair)
    reading = codec.read(output, labels, seeds, truncated=truncated)
    text, mentions = reading.text, reading.mentions
    known = record.get("text")
    if isinstance(known, str) and known != text and not repair:
        copied = codec.decode(known, labels, output)
        if known and all(issue.kind == "crossing" for issue in copied.issues):
            text, mentions = known, copied.mentions
    return {"id": record.get("id", ""), "text": text, "spans": _write_spans(mentions),
            "keep": reading.keep or bool(text), "issues": _name(reading.issues)}


def encode_record(record: Record, labels: Sequence[str], codec: Codec) -> Record:
    """Encode one annotation.

    record (Record): `id`, `text` and `spans`.
    labels (Sequence[str]): The labels of the schema.
    codec (Codec): The format.
    RETURNS (Record): `id`, `format`, `labels`, `text`, `output`, and under `skipped` the spans that the format cannot
        write; for seed tags also `seeds`.
    RAISES BionerError: E004 to E007 for a record that is no annotation, E112 for an unknown label.
    """
    annotation = Annotation.from_record(record)
    skipped = codec.unwritable(annotation)
    kept = annotation.with_mentions(mention for mention in annotation.mentions if mention not in skipped)
    encoded = {"id": annotation.id, "format": codec.name, "labels": list(labels), "text": annotation.text,
               "output": codec.encode(kept, labels), "skipped": _write_spans(skipped)}
    if codec.name == SeedTagCodec.name:
        encoded["seeds"] = [{"text": kept.surface(mention), "label": mention.label} for mention in kept.mentions]
    return encoded


def collect_labels(path: Path) -> List[str]:
    """Return the labels of a file of annotations, sorted; lines that cannot be read are passed over."""
    labels: Set[str] = set()
    for _, line in _read_filled(path):
        try:
            labels.update(mention.label for mention in Annotation.from_record(_parse(line)).mentions)
        except BionerError:
            continue
    return sorted(labels)


def convert_lines(source: Path, target: Path, convert: Callable[[Record], Record],
                  report: Callable[[int, str], None]) -> Tuple[int, int]:
    """Convert a file of records line by line, in constant memory; lines that cannot be read are left out.

    source (Path): JSON Lines, gzip-compressed or not.
    target (Path): The file to write.
    convert (Callable[[Record], Record]): What to do with a record.
    report (Callable[[int, str], None]): Told the number of a line that cannot be read, and why.
    RETURNS (Tuple[int, int]): How many records were written, and how many lines were left out. Where all were left
        out, nothing is written, so that a good file of an earlier run stays.
    """
    written = failed = 0
    with ExitStack() as stack:
        file_ = None
        for number, line in _read_filled(source):
            try:
                converted = convert(_parse(line))
            except BionerError as error:
                report(number, str(error))
                failed += 1
                continue
            file_ = file_ or stack.enter_context(open_atomic(target))
            file_.write(_dump(converted) + "\n")
            written += 1
        if not failed and file_ is None:
            stack.enter_context(open_atomic(target))
    return written, failed


def _read_filled(path: Path) -> Iterator[Tuple[int, bytes]]:
    """Yield the lines of a file that hold something, undecoded, with their numbers from 1."""
    return ((number, line) for number, line in read_raw_lines(path) if line.strip())


def _parse(line: bytes) -> Record:
    """Return the object of a line; E114 where it holds none."""
    try:
        record = json.loads(line.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise BionerError(Errors.E114.format(why=error)) from None
    if not isinstance(record, dict):
        raise BionerError(Errors.E114.format(why=f"found a {type(record).__name__}"))
    return record


def _dump(record: Record) -> str:
    """Return one line of JSON; lone surrogates, which UTF-8 cannot hold, are escaped."""
    line = json.dumps(record, ensure_ascii=False)
    return json.dumps(record) if any("\ud800" <= character <= "\udfff" for character in line) else line


def _take(record: Any, key: str, kind: type, wanted: str) -> Any:
    if not isinstance(record, dict) or key not in record:
        raise BionerError(Errors.E115.format(key=key))
    if not isinstance(record[key], kind):
        raise BionerError(Errors.E006.format(key=key, found=repr(record[key])[:60], wanted=wanted))
    return record[key]


def _take_strings(record: Record, key: str) -> List[str]:
    values = _take(record, key, list, "a list of strings")
    for value in values:
        if not isinstance(value, str):
            raise BionerError(Errors.E006.format(key=key, found=repr(value)[:60], wanted="strings"))
    return values


def _write_spans(mentions: Sequence[Mention]) -> List[Record]:
    return [{"start": mention.start, "end": mention.end, "label": mention.label} for mention in mentions]


def _name(issues: Sequence[Issue]) -> List[str]:
    """Return each issue word once, in the order met."""
    return list(dict.fromkeys(issue.kind for issue in issues))
