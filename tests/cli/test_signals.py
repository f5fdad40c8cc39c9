"""A verb that is told to end: one line, the exit code of the signal, nothing left, and the next run resumes."""

import os
import signal
import subprocess
import sys
import time

import pytest
from places import ROOT

from spacy_bioner.files import write_json_lines


def annotate(folder, server):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [sys.executable, "-m", "spacy_bioner", "annotate", str(folder / "in.jsonl"), str(folder / "out.jsonl"),
         "--config", str(ROOT / "configs" / "annotate.cfg"), "--annotate.model", "m",
         "--annotate.adapter", "null", "--annotate.server.base_url", server.url, "--annotate.cache",
         str(folder / "cache.sqlite"), "--annotate.server.concurrency", "1"],
        stderr=subprocess.PIPE, text=True, env=environment,
        # Also where the tests run in the background, which ignores interrupts, or under nohup, which ignores hang-ups.
        preexec_fn=lambda: [signal.signal(number, signal.SIG_DFL) for number in (signal.SIGINT, signal.SIGHUP)])


@pytest.mark.issue(21)
def test_a_verb_ends_by_signals_with_one_line_and_resumes_the_next_time(start_server, tmp_path):
    server = start_server(fault=lambda prompt, tried: "silent" if "wait" in prompt else None)
    names = ["SIGINT", "SIGTERM", "SIGHUP"]
    write_json_lines(tmp_path / "in.jsonl", [{"id": str(number), "text": text, "spans": []}
                                             for number, text in enumerate(["flu", "gout", "please wait", "pain"])])
    for name in names:
        asked = len(server.bodies)
        process = annotate(tmp_path, server)
        deadline = time.monotonic() + 120
        while not any("please wait" in str(body) for body in server.bodies[asked:]) and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(getattr(signal, name))
        said = process.communicate(timeout=60)[1]
        assert process.returncode == 128 + getattr(signal, name), said
        assert said.splitlines()[-1] == (f"spacy-bioner: stopped by {name}; finished parts are kept, "
                                         "run the same command to resume")
        assert "Traceback" not in said and "Aborted" not in said
        assert not list(tmp_path.glob(".*")) and not (tmp_path / "out.jsonl").exists()
    asked = [str(body) for body in server.bodies]
    assert sum("gout" in body for body in asked) == 1, "what was answered is not asked again"
