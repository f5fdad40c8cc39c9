"""Folders that hold a document a file: listed without regard to case, and never left through a link."""

from pathlib import Path
from typing import List, Sequence

from ...errors import BionerError, Errors


def list_files(folder: Path, endings: Sequence[str]) -> List[Path]:
    """List the files of a folder by the ends of their names.

    folder (Path): The folder.
    endings (Sequence[str]): Ends of names, in lower case; the case of the names does not matter.
    RETURNS (List[Path]): The files, in the order of their names; folders, devices and broken links are none.
    """
    return sorted(path for path in Path(folder).iterdir() if path.name.lower().endswith(tuple(endings))
                  and path.is_file())


def refuse_outside(path: Path, folder: Path) -> None:
    """Refuse a link that leads out of its folder: whoever made the folder could have any file read.

    path (Path): A file of the folder.
    folder (Path): The folder.
    RAISES BionerError: E041 where the file lies elsewhere.
    """
    place = path.resolve()
    if Path(folder).resolve() not in place.parents:
        raise BionerError(Errors.E041.format(path=path, folder=folder))
