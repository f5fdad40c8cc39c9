"""Arguments of the form NAME=PATH, as `merge` and `assemble --or` take them."""

from pathlib import Path
from typing import Collection, Dict, Iterable

from ...errors import BionerError


def parse_named_paths(arguments: Iterable[str], *, taken: Collection[str], unreadable: str,
                      repeated: str) -> Dict[str, Path]:
    """Read `NAME=PATH`.

    arguments (Iterable[str]): As given on the command line.
    taken (Collection[str]): Names that may not be given.
    unreadable (str): Error for another form, with a place {value}.
    repeated (str): Error for a name that comes twice or is taken, with a place {name}.
    RETURNS (Dict[str, Path]): Name to path.
    RAISES BionerError: The two errors.
    """
    found: Dict[str, Path] = {}
    for argument in arguments:
        name, _, path = argument.partition("=")
        if not name or not path:
            raise BionerError(unreadable.format(value=argument))
        if name in found or name in taken:
            raise BionerError(repeated.format(name=name))
        found[name] = Path(path)
    return found
