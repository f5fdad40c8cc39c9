"""What the templates of an experiment become: rows with their runs, and tables of rows and of reports."""

from dataclasses import dataclass
from pathlib import Path
from typing import Dict, List, Optional

from .definition import ReportTemplate, TableTemplate

# The repetition of a row that has only one, whatever the seeds of others are.
ONCE = ""


@dataclass(frozen=True)
class Run:
    """One repetition of a row.

    gold (Path): Records of the test part.
    predicted (Path): Records with what was found.
    dev (str): `FILE#key.key` of the dev figure, or empty.
    rejected (Optional[Path]): Records with what a selector dropped.
    selector (Optional[Path]): The pipeline of the selector.
    """

    gold: Path
    predicted: Path
    dev: str = ""
    rejected: Optional[Path] = None
    selector: Optional[Path] = None

    def paths(self) -> List[Path]:
        """Return what has to be there before it can be measured."""
        given = [self.gold, self.predicted, self.rejected, self.selector]
        return [path for path in (*given, Path(self.dev.split("#")[0]) if self.dev else None) if path is not None]


@dataclass(frozen=True)
class Row:
    """A row of the table.

    name (str): How it is called.
    runs (Dict[str, Run]): Repetition (such as a seed, or `ONCE`) to what is measured.
    x (Optional[float]): Place in the plot.
    line (str): Line of the plot.
    """

    name: str
    runs: Dict[str, Run]
    x: Optional[float] = None
    line: str = ""

    @property
    def gold(self) -> Path:
        """Return records of the test part."""
        return next(iter(self.runs.values())).gold


@dataclass(frozen=True)
class Cell:
    """A cell of a table.

    row (str): Name of the row, or of the choice, that it shows.
    against (str): Name of the one that it is compared with, or empty.
    published (str): `FILE#key.key` of the number in a publication, or empty.
    """

    row: str
    against: str = ""
    published: str = ""


@dataclass(frozen=True)
class Table:
    """A table of rows.

    template (TableTemplate): Its axis and note.
    title (str): Its heading.
    columns (Dict[str, str]): Item of a column to its heading.
    lines (Dict[str, List[Cell]]): Item of a line to its cells.
    """

    template: TableTemplate
    title: str
    columns: Dict[str, str]
    lines: Dict[str, List[Cell]]


@dataclass(frozen=True)
class Reports:
    """A table of reports.

    template (ReportTemplate): Its heading, columns and note.
    files (Dict[str, Path]): Name of a line to the report.
    """

    template: ReportTemplate
    files: Dict[str, Path]
