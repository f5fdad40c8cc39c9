"""Two processes train as one does: each a share of every update, one of them writes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from learning_models import make_pairs, make_tiny_model
from places import HELPERS

from spacy_bioner.finetuning.lora.lora_settings import LoraSettings, TrainingSettings
from spacy_bioner.finetuning.lora.processes import Processes
from spacy_bioner.finetuning.lora.trainer import train_adapter


def train(output, score=None):
    settings = TrainingSettings(max_epochs=1, batch_size=6, learning_rate=1e-2, max_batch_tokens=60, eval_frequency=2)
    return train_adapter(make_pairs(18), model=make_tiny_model(), output=Path(output), score=score, base_model="tiny",
                         write_card=lambda folder, figures: (folder / "card").write_text(json.dumps(figures)),
                         lora=LoraSettings(r=4), training=settings)


def test_a_process_alone_is_the_main_one():
    processes = Processes()
    assert (processes.count, processes.index, processes.is_main, processes.device) == (1, 0, True, "auto")


@pytest.mark.slow
@pytest.mark.issue(6)
def test_two_processes_are_one_training(tmp_path):
    code = ("import sys; sys.path[:0] = sys.argv[1:3]\n"
            "from spacy_bioner.finetuning.lora.processes import Processes\n"
            "from test_processes import train\n"
            "processes = Processes()\n"
            "result = train(sys.argv[3], score=lambda model: 0.5)\n"
            "print('of', processes.count, processes.device, result.score, result.best_updates)\n")
    (tmp_path / "two.py").write_text(code)
    done = subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", "2", "--standalone",
         str(tmp_path / "two.py"), str(HELPERS), str(Path(__file__).parent), str(tmp_path / "two")],
        capture_output=True, text=True, timeout=500, check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""})
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.count("of 2 cpu 0.5 2") == 2
    alone = train(tmp_path / "one")
    rows = [json.loads(line) for line in (tmp_path / "two" / "losses.jsonl").read_text().splitlines()]
    assert [row["loss"] for row in rows] == pytest.approx([row["loss"] for row in alone.history], abs=1e-5)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one", "two", "two.py"]
