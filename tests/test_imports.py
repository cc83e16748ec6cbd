"""The promises about the shape of the code: imports run one way, and the packages are ours."""

import ast
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("ontology", "registry", "nlp", "recruitment", "chatbot", "api")
ONLY_IN = {
    "gradio": {"chatbot/app.py"},
    "langchain": {"chatbot/language_model.py"},
    "langchain_core": {"chatbot/language_model.py", "api/retriever.py"},
    "pydantic": {"api"},
    "pydantic_settings": {"api"},
}


def modules() -> list[Path]:
    return [path for room in (*ROOMS, "eval") for path in sorted((ROOT / room).rglob("*.py"))]


def imported(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names.add((node.module or "").split(".")[0])
    return names


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_run_one_way(path: Path) -> None:
    room = path.relative_to(ROOT).parts[0]
    above = set() if room == "eval" else {"eval", *ROOMS[ROOMS.index(room) + 1 :]}
    assert not imported(path) & above


@pytest.mark.parametrize("package", ONLY_IN)
def test_some_packages_stay_in_their_place(package: str) -> None:
    users = {path.relative_to(ROOT) for path in modules() if package in imported(path)}
    assert all(str(user) in ONLY_IN[package] or user.parts[0] in ONLY_IN[package] for user in users), users


def test_packages_resolve_to_this_distribution_from_an_empty_folder(tmp_path: Path) -> None:
    code = (
        "import sys, importlib as i; print(*(i.import_module(n).__file__ for n in sys.argv[1:]), sep='\\n')"
    )
    rooms = [*ROOMS, "eval"]
    answer = subprocess.run(
        [sys.executable, "-c", code, *rooms], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert [Path(line).parent for line in answer.stdout.split()] == [ROOT / room for room in rooms]
    assert distribution("studievei").metadata["Classifier"] == "Private :: Do Not Upload"
