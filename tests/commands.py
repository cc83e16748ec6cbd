"""The `studievei` command in this process: the same words in, the same words out, without a new Python."""

import io
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from unittest.mock import patch

from api import show
from api.cli import main

show.out.width = show.err.width = 200


def studievei(home: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """What the command prints for a data folder, and its exit status."""
    out, err, status = io.StringIO(), io.StringIO(), 0
    environment = {"STUDIEVEI_DATA_DIR": str(home), **settings}
    with (
        patch.object(sys, "argv", ["studievei", *arguments]),
        patch.dict(os.environ, environment),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        try:
            main()
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else int(end.code is not None)
    return subprocess.CompletedProcess([*arguments], status, out.getvalue(), err.getvalue())
