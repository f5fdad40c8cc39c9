"""The verb package: a pipeline in, its wheel and that of this package out, and the command that installs both."""

from pathlib import Path

import typer

from ._shared.outputs import refuse_own_folder


def package_cli(
    pipeline: Path = typer.Argument(..., help="A pipeline, as `assemble` writes it."),
    output: Path = typer.Argument(..., metavar="OUT", help="Folder for the wheels; older ones of both are replaced."),
    name: str = typer.Option(..., help="Name of the package; the language goes before it: bioner_notes becomes "
                                       "en_bioner_notes."),
    version: str = typer.Option("0.1.0", help="Version of the package."),
) -> None:
    """Build the wheel of a pipeline, with the wheel of spacy-bioner beside it, which it needs.

    One command then installs both, on any machine that has the folder: pip install --find-links OUT NAME.

    Example: spacy-bioner package training/pipeline packages --name bioner_notes --version 0.1.0

    Writes the two wheels into the folder OUT.
    """
    from ..packaging.wheels import package_pipeline

    refuse_own_folder(output, [pipeline])
    wheels = package_pipeline(pipeline, output, name=name, version=version)
    typer.echo(f"{wheels.pipeline} ({wheels.pipeline.stat().st_size / 1e6:.0f} MB)\n{wheels.own}\n"
               f"install: {wheels.install}\nuse:     spacy.load('{wheels.name}')")
