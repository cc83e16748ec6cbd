import json
import os
import sqlite3
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from importlib.resources import files
from itertools import count
from pathlib import Path
from uuid import uuid4

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import MetaData, create_engine, inspect, text
from sqlalchemy.exc import OperationalError, StatementError

from ontology.errors import BadInput, Mismatch, Unavailable
from registry.database import reading, writing
from registry.document import read_document, write_document
from registry.store import NEWEST, Change, Store, metadata, studies, study_revision, study_versions
from registry.study import Contact, Identifier, Intervention, Sex, Site, Status, Study

POSTGRES = os.environ.get("STUDIEVEI_TEST_DATABASE_URL", "postgresql://127.0.0.1:5432/test")

ASTHMA = Study(
    id="NCT00000001",
    source="ctgov",
    title="Astma hos barn",
    status=Status.OPEN,
    sites=(
        Site("Haukeland", "Bergen", "Norway", Status.OPEN, 60.37, 5.36, (Contact(email="a@example.org"),)),
    ),
    origins=(("mailbox", "form"),),
)
MIGRAINE = Study(id="NCT00000002", source="ctgov", title="Migrene", status=Status.AWAITING)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'studies.sqlite'}"
        return
    admin = create_engine(
        POSTGRES.replace("postgresql://", "postgresql+psycopg://"),
        isolation_level="AUTOCOMMIT",
        connect_args={"connect_timeout": 2},
    )
    name = f"studievei_{uuid4().hex[:12]}"
    try:
        with admin.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
    except OperationalError:
        pytest.skip(f"no PostgreSQL server answers at {POSTGRES}; set STUDIEVEI_TEST_DATABASE_URL")
    yield POSTGRES.rpartition("/")[0] + f"/{name}"
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name}"))
    admin.dispose()


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with Store.open(url) as opened:
        yield opened


words = st.text(max_size=30)
contacts = st.builds(Contact, words, words, words, words)
sites = st.builds(
    Site,
    words,
    words,
    words,
    st.none() | st.sampled_from(Status),
    st.none() | st.floats(-90, 90),
    st.none() | st.floats(-180, 180),
    st.lists(contacts, max_size=2).map(tuple),
)
texts = st.lists(words, max_size=3).map(tuple)
any_study = st.builds(
    Study,
    id=words,
    source=words,
    title=words,
    status=st.sampled_from(Status),
    identifiers=st.lists(st.builds(Identifier, words, words), max_size=2).map(tuple),
    conditions=texts,
    hrcs=texts,
    interventions=st.lists(st.builds(Intervention, words, words, words), max_size=2).map(tuple),
    enrollment=st.none() | st.integers(),
    criteria=words,
    sex=st.none() | st.sampled_from(Sex),
    minimum_age=st.none() | st.floats(0, 120),
    healthy_volunteers=st.none() | st.booleans(),
    sites=st.lists(sites, max_size=2).map(tuple),
    contacts=st.lists(contacts, max_size=2).map(tuple),
    is_sample=st.booleans(),
    origins=st.lists(st.tuples(words, words), max_size=2).map(tuple),
)


@settings(deadline=None)
@given(any_study)
def test_a_document_holds_the_whole_study(study: Study) -> None:
    document = write_document(study)
    assert read_document(document) == study
    assert write_document(read_document(document)) == document
    assert document.isascii()


def test_a_document_from_before_a_field_existed_is_read_with_its_default() -> None:
    older = {key: value for key, value in json.loads(write_document(ASTHMA)).items() if key != "mailbox"}
    assert read_document(json.dumps(older)) == ASTHMA


def test_put_tells_what_it_did(store: Store) -> None:
    closed = replace(ASTHMA, status=Status.ONGOING)
    assert [store.put(study) for study in (ASTHMA, ASTHMA, closed)] == ["stored", "unchanged", "updated"]
    assert store.put_many([closed, MIGRAINE, replace(MIGRAINE, title="Hodepine"), MIGRAINE]) == [
        Change.UNCHANGED,
        Change.STORED,
        Change.UPDATED,
        Change.UPDATED,
    ]
    assert list(store.all()) == [closed, MIGRAINE]
    assert store.count() == 2


def test_any_text_is_kept(store: Store) -> None:
    odd = replace(ASTHMA, summary="\x00 🫁 æøå \ud800")
    store.put(odd)
    assert store.get(odd.id) == odd


def test_every_version_is_kept_with_its_time(url: str) -> None:
    minutes = count()
    oslo = timezone(timedelta(hours=1))
    with Store(url, clock=lambda: datetime(2026, 11, 1, 12, next(minutes), tzinfo=oslo)) as store:
        store.migrate()
        closed = replace(ASTHMA, status=Status.COMPLETED)
        store.put(ASTHMA)
        store.put(closed)
        store.remove(ASTHMA.id)
        versions = store.versions(ASTHMA.id)
    assert [version.study for version in versions] == [ASTHMA, closed, None]
    assert [version.recorded_at for version in versions] == [
        datetime(2026, 11, 1, 11, minute, tzinfo=UTC) for minute in range(3)
    ]


def test_changed_since_names_each_changed_study_once_with_the_removed_ones(store: Store) -> None:
    store.put_many([ASTHMA, MIGRAINE])
    seen = store.revision()
    assert list(store.changed_since(seen)) == []
    store.put(replace(ASTHMA, title="Astma"))
    store.remove(MIGRAINE.id)
    store.put(replace(ASTHMA, title="Astma hos voksne"))
    changes = list(store.changed_since(seen))
    assert changes == [(seen + 2, MIGRAINE.id), (seen + 3, ASTHMA.id)]
    assert store.revision() == seen + 3
    assert list(store.get_many(study_id for _, study_id in changes)) == [ASTHMA.id]


def test_a_removed_study_is_unknown_until_it_comes_back(store: Store) -> None:
    store.put(ASTHMA)
    store.remove(ASTHMA.id)
    assert (store.count(), list(store.all())) == (0, [])
    for act in (store.get, store.remove):
        with pytest.raises(BadInput, match="NCT00000001"):
            act(ASTHMA.id)
    assert store.put(ASTHMA) is Change.STORED
    assert store.get(ASTHMA.id) == ASTHMA


def test_an_unknown_study_has_no_versions(store: Store) -> None:
    with pytest.raises(BadInput, match="NCT9"):
        store.versions("NCT9")


def test_more_studies_than_one_page_are_read_back_in_order(store: Store) -> None:
    many = [replace(ASTHMA, id=f"NCT{number:08}") for number in range(1201)]
    assert set(store.put_many(many)) == {Change.STORED}
    assert list(store.all()) == many
    assert [study_id for _, study_id in store.changed_since(0)] == [study.id for study in many]
    assert list(store.get_many(study.id for study in reversed(many))) == [s.id for s in reversed(many)]


def test_a_batch_that_fails_leaves_nothing_behind(store: Store) -> None:
    class Interrupted(RuntimeError):
        pass

    def interrupt() -> None:
        with writing(store.engine) as connection:
            connection.execute(text("UPDATE study_revision SET value = 99"))
            raise Interrupted

    with pytest.raises(Interrupted):
        interrupt()
    assert store.revision() == 0


def test_writers_at_the_same_time_get_their_own_revisions(store: Store) -> None:
    threads = [
        threading.Thread(target=store.put, args=(replace(ASTHMA, id=f"NCT{number:08}"),))
        for number in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [revision for revision, _ in store.changed_since(0)] == list(range(1, 13))


def test_migrations_go_up_down_and_up_again(url: str) -> None:
    with Store.open(url) as store:
        store.put(ASTHMA)
        store.migrate()
        assert store.count() == 1
        store.migrate_down()
        assert set(inspect(store.engine).get_table_names()) == {"alembic_version"}
        store.migrate()
        assert store.count() == 0


def test_the_migrations_make_the_tables_that_the_code_describes(store: Store) -> None:
    described = MetaData(naming_convention=metadata.naming_convention)
    for table in (studies, study_versions, study_revision):
        table.to_metadata(described)
    with reading(store.engine) as connection:
        context = MigrationContext.configure(
            connection,
            opts={"include_name": lambda name, kind, _: kind != "table" or name in described.tables},
        )
        assert compare_metadata(context, described) == []


def test_two_processes_may_migrate_at_once(url: str) -> None:
    stores = [Store(url) for _ in range(4)]
    problems: list[Exception] = []

    def migrate(store: Store) -> None:
        try:
            store.migrate()
        except Unavailable as problem:
            problems.append(problem)

    threads = [threading.Thread(target=migrate, args=(store,)) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert [store.count() for store in stores] == [0] * 4
    for store in stores:
        store.close()


def test_a_database_of_a_newer_version_is_refused(store: Store, url: str) -> None:
    with writing(store.engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(Mismatch, match="newer Studievei"):
        Store.open(url)


def test_sqlite_writes_ahead_and_holds_foreign_keys(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'deep' / 'er' / 'studies.sqlite'}"
    with Store.open(url) as store, reading(store.engine) as connection:
        assert connection.execute(text("PRAGMA journal_mode")).scalar_one() == "wal"
        assert connection.execute(text("PRAGMA foreign_keys")).scalar_one() == 1
        assert connection.execute(text("PRAGMA busy_timeout")).scalar_one() >= 5000


def test_a_folder_that_cannot_be_made_names_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Unavailable, match="STUDIEVEI_DATA_DIR"):
        Store.open(f"sqlite:///{tmp_path / 'file' / 'data' / 'studies.sqlite'}")


def test_a_database_that_cannot_be_written_names_the_remedy(tmp_path: Path) -> None:
    path = tmp_path / "studies.sqlite"
    Store.open(f"sqlite:///{path}").close()
    with (
        Store(f"sqlite:///file:{path}?mode=ro&uri=true") as store,
        pytest.raises(Unavailable, match=r"readonly.*STUDIEVEI_DATA_DIR"),
    ):
        store.put(ASTHMA)


def test_a_file_that_is_no_database_names_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "studies.sqlite").write_text("Dette er ikke en database. " * 100)
    with pytest.raises(Unavailable, match="STUDIEVEI_DATA_DIR"):
        Store.open(f"sqlite:///{tmp_path / 'studies.sqlite'}")


def test_a_server_that_does_not_answer_is_named_without_its_password() -> None:
    with pytest.raises(Unavailable, match="STUDIEVEI_DATABASE_URL") as error:
        Store.open("postgresql://someone:hemmelig@127.0.0.1:9/none")
    assert "hemmelig" not in str(error.value)


@pytest.mark.parametrize("url", ["", "mysql://x/y", "studies.sqlite", "nonsense://"])
def test_other_databases_are_refused(url: str) -> None:
    with pytest.raises(BadInput, match="postgresql://"):
        Store(url)


def test_a_moment_without_a_zone_is_refused(tmp_path: Path) -> None:
    with Store(f"sqlite:///{tmp_path / 's.sqlite'}", clock=lambda: datetime(2026, 1, 1)) as store:
        store.migrate()
        with pytest.raises(StatementError, match="time zone"):
            store.put(ASTHMA)


def test_a_plain_reader_sees_the_columns_to_filter_by(tmp_path: Path) -> None:
    with Store.open(f"sqlite:///{tmp_path / 's.sqlite'}") as store:
        store.put_many([ASTHMA, MIGRAINE])
    connection = sqlite3.connect(tmp_path / "s.sqlite")
    rows = connection.execute("SELECT id, status, language FROM studies ORDER BY id").fetchall()
    connection.close()
    assert rows == [(ASTHMA.id, "open", "en"), (MIGRAINE.id, "awaiting", "en")]


def test_the_newest_migration_is_the_one_the_store_asks_for() -> None:
    scripts = sorted(file.name[:4] for file in (files("registry") / "migrations" / "versions").iterdir())
    assert [name for name in scripts if name.isdigit()][-1] == NEWEST
