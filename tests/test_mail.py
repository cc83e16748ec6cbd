import re
from dataclasses import asdict, replace
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from interested import LETTERHEAD, NOW, STUDY

from ontology.errors import BadInput
from ontology.wording import LANGUAGES, catalogue, day
from recruitment.link import Holder
from recruitment.mail import Kind, Letter, Letterhead, compose

LETTER = Letter(
    id="0123abcd",
    kind=Kind.INTEREST,
    language="nb",
    recipient="studie@sykehus.example",
    study_id=STUDY.id,
    token="hemmelig-token",
    expires_at=NOW + timedelta(days=30),
    written_at=NOW,
)


def received(letter: Letter) -> EmailMessage:
    """The mail as the far end reads it from the wire."""
    return message_from_bytes(bytes(compose(letter, LETTERHEAD)), policy=policy.default)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", Kind)
def test_every_mail_has_its_headers_and_one_link_that_works(kind: Kind, language: str) -> None:
    mail = received(replace(LETTER, kind=kind, language=language))
    assert mail["From"] == "Studievei <studievei@portal.example>"
    assert mail["To"] == "studie@sykehus.example"
    assert mail["Message-ID"] == "<0123abcd@portal.example>"
    assert mail["Date"].datetime == NOW
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Content-Language"] == language
    assert mail.get_content_type() == "text/plain"
    assert mail.get_content_charset() == "utf-8"
    links = re.findall(r"https://\S+", mail.get_content())
    places = {Holder.STUDY: "innboks", Holder.PERSON: "min", Holder.FOLLOWER: "varsler"}
    place = {**places, Holder.ACCOUNT: "tilgang", None: ""}[kind.holder]
    assert links == ([f"https://portal.example/{place}/hemmelig-token"] if place else [])
    if place:
        assert day("2026-12-20", language) in mail.get_content()


@pytest.mark.parametrize("kind", Kind)
def test_only_a_follower_can_leave_with_one_click(kind: Kind) -> None:
    mail = received(replace(LETTER, kind=kind))
    if kind.holder is Holder.FOLLOWER:
        assert mail["List-Unsubscribe"] == "<https://portal.example/varsler/hemmelig-token/av>"
        assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    else:
        assert mail["List-Unsubscribe"] is None


@pytest.mark.parametrize("kind", Kind)
def test_the_study_is_named_by_number_and_only_to_study_and_coordinator(kind: Kind) -> None:
    mail = received(replace(LETTER, kind=kind))
    assert STUDY.title not in str(mail["Subject"]) + mail.get_content()
    assert (STUDY.id in mail["Subject"]) is (kind.holder in (Holder.STUDY, None))
    assert (STUDY.id in mail.as_string()) is (kind.holder in (Holder.STUDY, None))


def test_another_language_is_answered_in_bokmal() -> None:
    assert received(replace(LETTER, language="sv"))["Content-Language"] == "nb"


@pytest.mark.parametrize(
    "change",
    [
        {"study_id": "EKS\r\nBcc: alle@example.org"},
        {"recipient": "a@example.org\nBcc: alle@example.org"},
        {"recipient": "a@example.org, b@example.org"},
    ],
)
def test_no_header_can_be_smuggled_in(change: dict[str, str]) -> None:
    with pytest.raises(BadInput):
        compose(replace(LETTER, **change), LETTERHEAD)


@pytest.mark.parametrize(
    "change",
    [
        {"sender": "not an address"},
        {"study_url": "https://portal.example/innboks"},
        {"person_url": "javascript:{token}"},
    ],
)
def test_a_letterhead_that_cannot_work_is_refused_at_once(change: dict[str, str]) -> None:
    usual = asdict(LETTERHEAD)
    with pytest.raises(BadInput):
        Letterhead(**(usual | change))


def test_every_wording_is_there_in_three_languages_with_the_same_fields() -> None:
    for key, wording in catalogue().items():
        if key.split(".")[0] in {"mail", "consent", "interest"}:
            fields = {language: set(re.findall(r"{(\w+)}", wording[language])) for language in LANGUAGES}
            assert len(set(map(frozenset, fields.values()))) == 1, (key, fields)
