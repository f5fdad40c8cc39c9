"""Stands in for the command line: `make OUT`, `fail OUT`, `hang OUT` and `meet OUT OTHER`, which waits for the other
to have begun; `report OUT REPORT COUNT` reports what it has made, and `give-up` then fails. Each call is noted."""

import os
import sys
import time
from pathlib import Path

verb, output, *others = sys.argv[1:]
calls = Path(os.environ["CALLS"])
with calls.open("a", encoding="utf8") as file_:
    file_.write(f"{Path(output).name}\n")
if verb == "meet":
    calls.with_name(f"{Path(output).name}.begun").touch()
    deadline = time.monotonic() + 30
    while not calls.with_name(f"{others[0]}.begun").exists():
        if time.monotonic() > deadline:
            sys.exit("the other did not begin")
        time.sleep(0.02)
if verb in ("report", "give-up"):
    Path(others[0]).write_text(f'{{"accepted": {others[1]}}}', encoding="utf8")
if verb == "give-up":
    sys.exit("spacy-bioner: nothing was made.")
if verb == "fail":
    Path(output).write_text("half", encoding="utf8")
    print("much is said")
    print("spacy-bioner: the disk is full.", file=sys.stderr)
    sys.exit(1)
if verb == "hang" and not calls.with_name("go").exists():
    Path(output).mkdir(exist_ok=True)
    (Path(output) / "checkpoint").write_text("1", encoding="utf8")
    time.sleep(60)
if verb == "hang":
    (Path(output) / "done").write_text((Path(output) / "checkpoint").read_text(encoding="utf8"), encoding="utf8")
else:
    Path(output).write_text(verb, encoding="utf8")
