import threading
from pathlib import Path

import pytest
from commands import studievei
from interested import DATABASES, NOW, SCREENING, STUDY, database, register
from test_cli import refusal

from ontology.errors import BadInput, Mismatch
from recruitment.audit import verify
from recruitment.backup import back_up, restore
from recruitment.interest import list_for_study, open_interest
from recruitment.vault import Vault, load_keys
from registry.store import Store

VAULT = Vault(b"k" * 32)
PAIRS = [(source, target) for source in DATABASES for target in DATABASES]


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_a_backup_made_while_others_write_is_whole_and_opens_elsewhere(
    source: str, target: str, tmp_path: Path
) -> None:
    (tmp_path / "new").mkdir()
    with (
        database(source, tmp_path) as old_url,
        database(target, tmp_path / "new") as new_url,
        Store.open(old_url) as old,
        Store.open(new_url) as new,
    ):
        old.put(STUDY)
        first = register(old.engine, VAULT)
        stop = threading.Event()

        def write() -> None:
            while not stop.is_set():
                register(old.engine, VAULT)

        writer = threading.Thread(target=write)
        writer.start()
        rows = back_up(old.engine, tmp_path / "backup.sqlite")
        stop.set()
        writer.join()
        assert restore(tmp_path / "backup.sqlite", new.engine) == rows
        assert rows["messages"] == 2 * rows["interests"]
        assert rows["audit"] == rows["interests"]
        assert not verify(new.engine).broken
        assert new.get(STUDY.id) == STUDY
        assert new.revision() == old.revision()
        assert len(list_for_study(new.engine, STUDY.id)) == rows["interests"]
        assert open_interest(new.engine, VAULT, first.interest_id, NOW).screening == SCREENING
        with pytest.raises(Mismatch):
            open_interest(new.engine, Vault(b"x" * 32), first.interest_id, NOW)
        with pytest.raises(BadInput, match="empty one"):
            restore(tmp_path / "backup.sqlite", new.engine)
        with pytest.raises(BadInput, match="there already"):
            back_up(old.engine, tmp_path / "backup.sqlite")


def test_the_commands_bring_a_house_back_in_another_place(tmp_path: Path, model_folder: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    for home in (old, new):
        home.mkdir()
        (home / "model").symlink_to(model_folder, target_is_directory=True)
    with Store.open(f"sqlite:///{old / 'studievei.sqlite'}") as store:
        store.put(STUDY)
        receipt = register(store.engine, Vault.kept_in(old / "vault.key"))
    file, keys = str(tmp_path / "b.sqlite"), str(tmp_path / "keys")
    assert "1 studies and 1 interests" in studievei(old, "backup", file, "--key", keys).stdout
    (key,) = load_keys(old / "vault.key")
    assert key not in Path(file).read_bytes()
    answer = studievei(new, "restore", file, "--key", keys)
    assert "1 studies and 1 interests are back" in answer.stdout, answer.stderr
    with Store.open(f"sqlite:///{new / 'studievei.sqlite'}") as store:
        vault = Vault.kept_in(new / "vault.key")
        assert open_interest(store.engine, vault, receipt.interest_id, NOW).screening == SCREENING
    assert "empty" in refusal(studievei(new, "restore", file))
    assert "no backup" in refusal(studievei(new, "restore", str(tmp_path / "none")))
