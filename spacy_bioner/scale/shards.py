"""Large inputs cut into shards: each is read by itself, and is done when its output file is there."""

import json
import re
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Any, Dict, Iterable, Iterator, List

from ..annotation import Annotation
from ..corpus.set_aside import set_aside_path
from ..errors import BionerError, Errors
from ..extras import extra
from ..files import open_atomic, parse_record, read_raw_lines
from ..loading import BROKEN_CONTENT, is_gzip

ENDINGS = (".jsonl", ".jsonl.gz", ".parquet")


@dataclass(frozen=True)
class Shard:
    """A run of records of one input file, and where their annotations go.

    source (str): The file.
    first (int): Number of its first record in the file, from 0.
    count (int): Records in it.
    offset (int): Byte at which the first record begins; 0 where the file cannot be entered in its middle.
    target (str): The file to write.
    name (str): Begins the ids of records without one; empty takes the name of the file.
    """

    source: str
    first: int
    count: int
    offset: int
    target: str
    name: str = ""

    @property
    def done(self) -> bool:
        return Path(self.target).is_file()

    @property
    def failures(self) -> Path:
        """Return where those of its documents lie that could not be annotated, if there are any."""
        return set_aside_path(Path(self.target))


def find_inputs(source: Path) -> List[Path]:
    """Find the files that are cut into shards.

    source (Path): A .jsonl, .jsonl.gz or .parquet file, or a folder of them.
    RETURNS (List[Path]): The files, by name.
    RAISES BionerError: E001 for no input.
    """
    files = sorted(path for path in source.iterdir() if path.name.endswith(ENDINGS)) if source.is_dir() else [source]
    for path in files:
        if not path.is_file() or not path.name.endswith(ENDINGS):
            raise BionerError(Errors.E001.format(path=path, wanted=" or ".join(ENDINGS) + " file"))
    return files


def find_shards(source: Path, output: Path, *, size: int, kind: str = "jsonl") -> List[Shard]:
    """Cut inputs into shards, the same ones in every run.

    source (Path): A .jsonl, .jsonl.gz or .parquet file, or a folder of them.
    output (Path): The folder to write to; the shards in it are numbered in the order of the input.
    size (int): Records in a shard.
    kind (str): "jsonl" or "parquet": what is written.
    RETURNS (List[Shard]): All shards, also those that are done.
    RAISES BionerError: E001 for no input, E003 for a compressed one that is cut or damaged, E008 for an empty one.
    """
    shards: List[Shard] = []
    for path, name in _name_files(find_inputs(source)).items():
        for first, count, offset in _cut(path, size):
            target = output / f"part-{len(shards):06}.{kind}"
            shards.append(Shard(str(path), first, count, offset, str(target), name))
    if not shards:
        raise BionerError(Errors.E008.format(path=source))
    return shards


def _name_files(files: List[Path]) -> Dict[Path, str]:
    """Return the names of files without their endings; with them where two would be called the same."""
    short = {path: re.sub(r"\.(jsonl(\.gz)?|parquet)$", "", path.name) for path in files}
    return short if len(set(short.values())) == len(files) else {path: path.name for path in files}


def _cut(path: Path, size: int) -> Iterator[tuple]:
    """Yield first record, number of records and first byte of each shard of a file."""
    if path.suffix.lower() == ".parquet":
        with extra("ray"):
            import pyarrow.parquet

        with _naming_damage(path):
            total = pyarrow.parquet.ParquetFile(path).metadata.num_rows
        yield from ((first, min(size, total - first), 0) for first in range(0, total, size))
        return
    compressed = is_gzip(path)
    lines = (line for _, line in read_raw_lines(path))
    first = offset = 0
    while part := list(islice(lines, size)):
        yield first, len(part), 0 if compressed else offset
        first += len(part)
        offset += sum(map(len, part))


def read_shard(shard: Shard) -> Iterator[Annotation]:
    """Read the records of a shard.

    shard (Shard): The shard.
    YIELDS (Annotation): Its records; those without id are named after file and line.
    RAISES BionerError: E002 or E003 for a record that cannot be read.
    """
    path = Path(shard.source)
    records = _read_rows(path, shard) if path.suffix.lower() == ".parquet" else _read_lines(path, shard)
    stem = shard.name or path.name
    for number, record in records:
        try:
            yield Annotation.from_record(record, id=f"{stem}-{number}")
        except BionerError as error:
            raise BionerError(Errors.E003.format(path=path, line=number, why=error)) from None


def _read_lines(path: Path, shard: Shard) -> Iterator[tuple]:
    before = shard.first if shard.offset else 0
    lines = read_raw_lines(path, offset=shard.offset, before=before)
    skipped = shard.first - before
    for number, line in islice(lines, skipped, skipped + shard.count):
        if line.strip():
            yield number, parse_record(line, path, number)


def _read_rows(path: Path, shard: Shard) -> Iterator[tuple]:
    """Yield the number and record of each row: its column "record" as JSON, or its columns id and text."""
    with extra("ray"):
        import pyarrow.parquet

    with _naming_damage(path):
        file_ = pyarrow.parquet.ParquetFile(path)
        columns = [name for name in ("record", "id", "text") if name in file_.schema_arrow.names]
        last, number = shard.first + shard.count, 0
        for batch in file_.iter_batches(batch_size=1024, columns=columns):
            rows = batch.to_pylist() if number < last and shard.first < number + len(batch) else ()
            for place, row in enumerate(rows, start=number + 1):
                if shard.first < place <= last:
                    yield place, parse_record(row["record"], path, place) if "record" in row else row
            number += len(batch)


@contextmanager
def _naming_damage(path: Path) -> Iterator[None]:
    """Turn what the library raises of a damaged Parquet file into BionerError E011."""
    try:
        yield
    except BionerError:
        raise
    # Pyarrow raises NotImplementedError for unknown encodings, and OSError for pages that cannot be decompressed.
    except (*BROKEN_CONTENT, NotImplementedError, OSError) as error:
        why = " ".join(str(error).split())[:200]
        raise BionerError(Errors.E011.format(path=path, wanted="a whole Parquet file", why=why)) from None


def write_shard(shard: Shard, annotations: Iterable[Annotation]) -> Dict[str, int]:
    """Write what came of a shard: the good ones to its target, then the failed ones beside it.

    shard (Shard): The shard.
    annotations (Iterable[Annotation]): All of its annotations.
    RETURNS (Dict[str, int]): How many are good and how many failed.
    """
    target = Path(shard.target)
    good: List[Dict[str, Any]] = []
    failed: List[Dict[str, Any]] = []
    for annotation in annotations:
        (failed if "error" in annotation.meta else good).append(annotation.to_record())
    shard.failures.unlink(missing_ok=True)
    if failed:
        with open_atomic(shard.failures, private=True) as file_:
            file_.writelines(json.dumps(record, ensure_ascii=False) + "\n" for record in failed)
    with open_atomic(target, "wb") as file_:
        (_write_rows if target.suffix == ".parquet" else _write_lines)(file_, good)
    return {"good": len(good), "failed": len(failed)}


def _write_lines(file_: IO[bytes], records: List[Dict[str, Any]]) -> None:
    for record in records:
        file_.write(json.dumps(record, ensure_ascii=False).encode("utf8") + b"\n")


def _write_rows(file_: IO[bytes], records: List[Dict[str, Any]]) -> None:
    """Write records as id, text and the whole record as JSON: nested columns of free keys change on the way."""
    with extra("ray"):
        import pyarrow
        import pyarrow.parquet

    columns = {"id": [record["id"] for record in records], "text": [record["text"] for record in records],
               "record": [json.dumps(record, ensure_ascii=False) for record in records]}
    schema = pyarrow.schema([(name, pyarrow.string()) for name in columns])
    pyarrow.parquet.write_table(pyarrow.table(columns, schema=schema), file_)
