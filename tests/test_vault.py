import base64
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from interested import DATABASES, LETTERHEAD, NOW, REPLY, SCREENING, migrated, register
from sqlalchemy import Engine, LargeBinary

from ontology.errors import BadInput, Mismatch, Unavailable
from recruitment.channel import FileDropChannel
from recruitment.interest import answer_interest, open_interest
from recruitment.outbox import deliver_due
from recruitment.rotation import Resealed, keys_in_use, reseal, sealed_columns
from recruitment.tables import conversations, interests
from recruitment.vault import Vault, add_key, drop_keys, key_id_of, load_keys, parse_key

OLD, NEW = b"o" * 32, b"n" * 32


@given(plain=st.binary(), bound_to=st.text())
def test_what_was_sealed_opens_again(plain: bytes, bound_to: str) -> None:
    vault = Vault(OLD)
    assert vault.open(vault.seal(plain, bound_to), bound_to) == plain


@given(plain=st.binary(max_size=40), position=st.integers(min_value=0), mask=st.integers(1, 255))
def test_one_changed_byte_anywhere_is_noticed(plain: bytes, position: int, mask: int) -> None:
    vault = Vault(OLD)
    sealed = bytearray(vault.seal(plain, "study:interest"))
    sealed[position % len(sealed)] ^= mask
    with pytest.raises(Mismatch):
        vault.open(bytes(sealed), "study:interest")


@given(plain=st.binary(max_size=40), kept=st.integers(min_value=0))
def test_a_missing_end_is_noticed(plain: bytes, kept: int) -> None:
    sealed = Vault(OLD).seal(plain, "")
    with pytest.raises(Mismatch):
        Vault(OLD).open(sealed[: kept % len(sealed)], "")


@given(one=st.text(), other=st.text())
def test_it_opens_only_for_what_it_is_bound_to(one: str, other: str) -> None:
    sealed = Vault(OLD).seal(b"svar", one)
    if one == other:
        assert Vault(OLD).open(sealed, other) == b"svar"
    else:
        with pytest.raises(Mismatch):
            Vault(OLD).open(sealed, other)


def test_the_same_words_never_look_the_same_twice() -> None:
    sealed = {Vault(OLD).seal(b"nei, aldri", "x") for _ in range(100)}
    assert len(sealed) == 100
    assert not any(b"nei, aldri" in one for one in sealed)


def test_another_key_is_told_apart_from_changed_bytes() -> None:
    with pytest.raises(Mismatch, match="key"):
        Vault(NEW).open(Vault(OLD).seal(b"svar", "x"), "x")


def test_a_key_can_be_replaced_without_losing_what_is_sealed() -> None:
    both = Vault(NEW, OLD)
    assert both.open(Vault(OLD).seal(b"svar", "x"), "x") == b"svar"
    assert Vault(NEW).open(both.seal(b"svar", "x"), "x") == b"svar"


def test_a_missing_key_file_is_made_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "vault.key"
    (key,) = load_keys(path)
    assert len(key) == 32
    assert load_keys(path) == (key,)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_many_starting_at_once_agree_on_one_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as pool:
        keys = set(pool.map(load_keys, [tmp_path / "vault.key"] * 64))
    assert len(keys) == 1


def test_a_key_may_come_as_text() -> None:
    assert parse_key(f" {base64.b64encode(OLD).decode()}\n") == OLD


@pytest.mark.parametrize("text", ["", "not base64!", "æøå", base64.b64encode(b"short").decode()])
def test_what_is_no_key_is_refused_with_the_remedy(text: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="openssl rand"):
        parse_key(text)
    path = tmp_path / "vault.key"
    path.write_text(text, "utf-8")
    with pytest.raises(BadInput, match="openssl rand"):
        load_keys(path)


@pytest.mark.parametrize("keys", [(), (b"short",), (OLD, b"short")])
def test_a_vault_without_a_whole_key_is_refused(keys: tuple[bytes, ...]) -> None:
    with pytest.raises(BadInput, match="32 bytes"):
        Vault(*keys)


def test_a_place_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="missing"):
        load_keys(tmp_path / "missing" / "vault.key")


def test_a_key_that_another_process_adds_or_drops_is_taken_up(tmp_path: Path) -> None:
    path = tmp_path / "vault.key"
    vault = Vault.kept_in(path)
    old, sealed = vault.newest, vault.seal(b"svar", "x")
    add_key(path)
    assert vault.newest != old
    assert key_id_of(vault.seal(b"svar", "x")) == vault.newest
    assert vault.open(sealed, "x") == b"svar"
    drop_keys(path, [old, vault.newest])
    assert vault.key_ids == (vault.newest,)
    with pytest.raises(Mismatch, match="Put the key back"):
        vault.open(sealed, "x")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_marks_are_the_same_for_the_same_text_and_key_only() -> None:
    assert Vault(NEW).mark("kari@example.org") == Vault(NEW, OLD).mark("kari@example.org")
    assert len({Vault(NEW).mark("a"), Vault(NEW).mark("b"), Vault(OLD).mark("a")}) == 3


def test_every_column_of_bytes_can_be_given_another_key_but_those_of_a_browser() -> None:
    tables = interests.metadata.sorted_tables
    of_bytes = {column for table in tables for column in table.c if isinstance(column.type, LargeBinary)}
    assert of_bytes - set(sealed_columns()) == {conversations.c.ciphertext}


@pytest.fixture(params=DATABASES)
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    with migrated(request.param, tmp_path) as store:
        yield store.engine


def test_everything_sealed_gets_the_new_key_and_the_old_one_can_go(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recruitment.rotation.BATCH", 2)
    receipts = [register(engine, Vault(OLD)) for _ in range(5)]
    answer_interest(engine, Vault(OLD), receipts[0].interest_id, REPLY, NOW)
    assert len(keys_in_use(engine)) == 1
    done = reseal(engine, Vault(NEW, OLD))
    assert done == Resealed(keys_in_use(engine).total())
    assert set(keys_in_use(engine)) == {Vault(NEW).newest}
    assert reseal(engine, Vault(NEW, OLD)) == Resealed()
    for receipt in receipts:
        assert open_interest(engine, Vault(NEW), receipt.interest_id, NOW).screening == SCREENING
    channel = FileDropChannel(tmp_path / "mail")
    assert deliver_due(engine, channel, vault=Vault(NEW), letterhead=LETTERHEAD, now=NOW).sent >= 6


def test_what_no_key_opens_is_counted_and_left_alone(engine: Engine) -> None:
    register(engine, Vault(b"x" * 32))
    sealed = keys_in_use(engine)
    assert reseal(engine, Vault(NEW, OLD)) == Resealed(unreadable=sealed.total())
    assert keys_in_use(engine) == sealed
