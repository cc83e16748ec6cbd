"""What README shows can be done: every command in its blocks runs."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
COMMAND = re.compile(r"^(?: {4})(make|studievei) .+", re.MULTILINE)


def commands(program: str) -> list[str]:
    text = (ROOT / "README.md").read_text("utf-8")
    return [found[0].strip() for found in COMMAND.finditer(text) if found[1] == program]


def run(command: str, home: Path) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
        "STUDIEVEI_DATA_DIR": str(home),
    }
    return subprocess.run(
        shlex.split(command), cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


def test_every_studievei_command_runs_in_its_order(
    tmp_path: Path, model_folder: Path, shared_data: Path
) -> None:
    assert shared_data.is_dir()
    (tmp_path / "model").symlink_to(model_folder, target_is_directory=True)
    shown = commands("studievei")
    assert shown
    for command in shown:
        answer = run(command, tmp_path)
        assert answer.returncode == 0, f"{command}\n{answer.stderr}"
        assert answer.stdout, command


@pytest.mark.parametrize("command", commands("make"))
def test_every_make_target_is_there(command: str, tmp_path: Path) -> None:
    answer = run(f"{command} --dry-run", tmp_path)
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.strip()
