"""Running a verb as the command line does, errors and exit code included."""

import sys

import pytest

from spacy_bioner.cli.main import main


@pytest.fixture
def verb(capsys, monkeypatch):
    """Return a function that takes the arguments, gives exit code, standard output and standard error."""
    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["spacy-bioner", *map(str, arguments)])
        capsys.readouterr()
        try:
            main()
            code = 0
        except SystemExit as stop:
            code = stop.code or 0
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


@pytest.fixture
def refused(verb):
    """Return a function that takes the arguments of a verb that must refuse them; gives the one line that says why."""
    def run(*arguments):
        code, out, err = verb(*arguments)
        assert code == 1, out + err
        assert "Traceback" not in out + err
        lines = [line for line in err.splitlines() if line.startswith("spacy-bioner: ")]
        assert len(lines) == 1 and err.splitlines()[-1] == lines[0], err
        return lines[0]

    return run
