"""kill -9 at every step of taking an interest and sending its message: none is lost, and none is two mails.

A nursery process has everything imported and forks a child for each kill. The child registers an interest
and sends what is due, and is killed at the n-th call of a Python or C function: inside the database driver,
inside the SMTP client, between any two steps of ours. `STUDIEVEI_KILLS` says how many (`make bench`: 600).
"""

import json
import os
import subprocess
import sys
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from interested import DATABASES, LETTERHEAD, NOW, STUDY, Postbox, database, smtp_server
from sqlalchemy import func, select

from recruitment.channel import Security, SmtpChannel
from recruitment.interest import list_for_study
from recruitment.outbox import deliver_due, outbox_state
from recruitment.tables import messages
from recruitment.vault import Vault
from registry.store import Store

VAULT = Vault(b"k" * 32)
KILLS = int(os.environ.get("STUDIEVEI_KILLS", "40"))

NURSERY = """
import json, os, signal, sys
from datetime import timedelta
from interested import LETTERHEAD, NOW, register_by_phone
from recruitment.channel import Security, SmtpChannel
from recruitment.outbox import deliver_due
from recruitment.vault import Vault
from registry.store import Store

url, port = sys.argv[1], int(sys.argv[2])
vault = Vault(b"k" * 32)

def work(hour, dies_at):
    calls = 0
    def count(frame, event, argument):
        nonlocal calls
        calls += 1
        if calls == dies_at:
            os.kill(os.getpid(), signal.SIGKILL)
    sys.setprofile(count)
    register_by_phone(store.engine, vault)
    channel, now = SmtpChannel("127.0.0.1", port, Security.NONE), NOW + timedelta(hours=hour)
    deliver_due(store.engine, channel, vault=vault, letterhead=LETTERHEAD, now=now, limit=3)
    sys.setprofile(None)
    return calls

store = Store(url)
work(0, 0)  # statements are compiled once, and not in every child
store.engine.dispose()

for line in sys.stdin:
    hour, dies_at = json.loads(line)
    reads, writes = os.pipe()
    child = os.fork()
    if not child:
        calls = work(hour, dies_at)
        os.write(writes, str(calls).encode())
        os._exit(0)
    os.close(writes)
    _, status = os.waitpid(child, 0)
    calls = os.read(reads, 20).decode()
    os.close(reads)
    print(json.dumps([os.WIFSIGNALED(status), int(calls or 0)]), flush=True)
"""


@pytest.mark.parametrize("kind", DATABASES)
def test_hundreds_of_kills_lose_nothing_and_make_no_second_mail(kind: str, tmp_path: Path) -> None:
    postbox = Postbox()
    with (
        database(kind, tmp_path) as url,
        Store.open(url) as store,
        smtp_server(postbox) as port,
        subprocess.Popen(
            [sys.executable, "-c", NURSERY, url, str(port)],
            cwd=Path(__file__).parents[1],
            env=os.environ | {"PYTHONPATH": str(Path(__file__).parent)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as nursery,
    ):

        def fork(hour: int, dies_at: int) -> tuple[bool, int]:
            assert nursery.stdin is not None
            assert nursery.stdout is not None
            nursery.stdin.write(f"{json.dumps([hour, dies_at])}\n")
            nursery.stdin.flush()
            killed, calls = json.loads(nursery.stdout.readline())
            return killed, calls

        _, calls = fork(0, 0)
        killed = Counter(fork(hour, max(1, calls * hour // KILLS))[0] for hour in range(1, KILLS + 1))
        assert killed[True] >= KILLS * 0.9
        nursery.stdin.close()
        channel, end = SmtpChannel("127.0.0.1", port, Security.NONE), NOW + timedelta(days=60)
        while outbox_state(store.engine).pending:
            deliver_due(store.engine, channel, vault=VAULT, letterhead=LETTERHEAD, now=end)
        taken = len(list_for_study(store.engine, STUDY.id))
        with store.engine.connect() as connection:
            sent = connection.execute(select(messages.c.id)).scalars().all()
            assert connection.execute(select(func.count()).select_from(messages)).scalar_one() == taken
    mails = Counter(str(mail["Message-ID"]) for mail in postbox.kept)
    assert set(mails) == {f"<{message_id}@portal.example>" for message_id in sent}
    assert {mail["To"] for mail in postbox.kept} == {STUDY.mailbox}
    assert 2 <= taken <= KILLS + 2
