import re
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from interested import LETTERHEAD, NOW, STUDY

from ontology.errors import BadInput
from ontology.wording import LANGUAGES, catalogue
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
    place = "min" if kind is Kind.ANSWER else "innboks"
    assert links == [f"https://portal.example/{place}/hemmelig-token"]
    assert "2026-12-20" in mail.get_content()


def test_the_study_is_named_by_number_and_only_to_the_study() -> None:
    to_study, to_person = received(LETTER), received(replace(LETTER, kind=Kind.ANSWER))
    assert STUDY.id in to_study["Subject"]
    for mail in (to_study, to_person):
        assert STUDY.title not in str(mail["Subject"]) + mail.get_content()
    assert STUDY.id not in to_person.as_string()


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
    usual = {name: getattr(LETTERHEAD, name) for name in ("sender", "study_url", "person_url")}
    with pytest.raises(BadInput):
        Letterhead(**(usual | change))


def test_every_wording_is_there_in_three_languages_with_the_same_fields() -> None:
    for key, wording in catalogue().items():
        if key.split(".")[0] in {"mail", "consent", "interest"}:
            fields = {language: set(re.findall(r"{(\w+)}", wording[language])) for language in LANGUAGES}
            assert len(set(map(frozenset, fields.values()))) == 1, (key, fields)
