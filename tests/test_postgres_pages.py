"""The pages on PostgreSQL, where they could differ from SQLite: odd text, and a whole way."""

from pathlib import Path

from interested import REPLY, consent, database, register
from served import DIABETES, send, served
from signed_in import account, enter, library_of

from nlp.embeddings.encoder import Encoder
from recruitment.audit import verify

PI = "pi@sykehus.example"


def test_a_study_team_works_and_odd_text_does_no_harm(tmp_path: Path, toy_encoder: Encoder) -> None:
    with (
        database("postgresql", tmp_path) as url,
        served(tmp_path, toy_encoder, [DIABETES], database_url=url) as client,
    ):
        library = library_of(client)
        account(client, PI, f"pi:{DIABETES.id}")
        receipt = register(library.store.engine, library.vault, study=DIABETES, consent=consent())
        case, own = f"/henvendelser/{receipt.interest_id}", f"/interesse/{receipt.person_token}"
        for path in (
            "/studier/%00",
            "/api/studies/%00",
            "/api/studies/a%00b",
            "/henvendelser/%00",
            "/tilgang/%00",
        ):
            assert client.get(path).status_code == 404
        assert enter(client, "ukjent\0@sykehus.example").status_code == 422
        assert enter(client, "\ud7ff@x", "\0").status_code == 422
        assert enter(client, PI).url.path == "/henvendelser"
        send(client, f"{case}/apne", case)
        assert REPLY in send(client, f"{case}/svar", case, reply=f"{REPLY}\0", status="included").text
        assert REPLY in client.get(own).text
        assert client.get("/api/counts").json()[0]["by_status"]["included"] == 1
        assert verify(library.store.engine).broken == ""
