"""Runs the command line: `python -m spacy_bioner`."""

from .cli.main import main

if __name__ == "__main__":
    main()
