"""The files of a project that come with the package: configs, label schemas, embedded corpora and `project.yml`.

A wheel holds them in the folder `project` beside this module; an editable install reads them from the checkout.
"""

from pathlib import Path


def project_folder() -> Path:
    """Return the folder with project.yml, configs and assets."""
    inside = Path(__file__).with_name("project")
    return inside if inside.is_dir() else Path(__file__).parents[1]


def find_project_file(path: Path) -> Path:
    """Find a file or folder of a project: in the working folder, else among those that come with the package.

    path (Path): Its path in a project, such as "assets/corpora".
    RETURNS (Path): The path as it is where it exists or is absolute, else that of the shipped one.
    """
    shipped = project_folder() / path
    return shipped if not Path(path).exists() and shipped.exists() else Path(path)
