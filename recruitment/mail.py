"""The e-mails: a link and what to do with it. Never an answer, a name or a disease."""

from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from enum import StrEnum

from ontology.errors import BadInput
from ontology.wording import LANGUAGES, day, say
from recruitment.link import Holder
from recruitment.person import checked_email

UNSUBSCRIBE = "/av"
"""What follows a follower's link in the address that ends everything."""


class Kind(StrEnum):
    """What a message says; each has a subject and a body in ontology/wording/mail.toml."""

    INTEREST = "interest"
    WITHDRAWAL = "withdrawal"
    REMINDER = "reminder"
    ANSWER = "answer"
    RECEIPT = "receipt"
    SILENCE = "silence"
    UNANSWERED = "unanswered"
    UNDELIVERED = "undelivered"
    CONFIRMATION = "confirmation"
    DIGEST = "digest"
    PASSWORD = "password"  # noqa: S105 - the name of a mail

    @property
    def holder(self) -> Holder | None:
        """Whose link is in it; the coordinator gets none."""
        return _HOLDERS.get(self)


_HOLDERS = {
    **dict.fromkeys((Kind.INTEREST, Kind.WITHDRAWAL, Kind.REMINDER), Holder.STUDY),
    **dict.fromkeys((Kind.ANSWER, Kind.RECEIPT, Kind.SILENCE), Holder.PERSON),
    **dict.fromkeys((Kind.CONFIRMATION, Kind.DIGEST), Holder.FOLLOWER),
    Kind.PASSWORD: Holder.ACCOUNT,
}


@dataclass(frozen=True, slots=True)
class Letterhead:
    """Who sends, where the kinds of link lead, and who is told of mail that cannot be delivered.

    "{token}" stands for the secret part of a link; without a coordinator nobody is told.

    Raises:
        BadInput: sender or coordinator is no address, or a link is no http(s) address with "{token}" in it.
    """

    sender: str
    study_url: str
    person_url: str
    follower_url: str
    account_url: str
    coordinator: str = ""

    def __post_init__(self) -> None:
        for address in filter(None, (self.sender, self.coordinator)):
            checked_email(address, "en")
        for url in (self.study_url, self.person_url, self.follower_url, self.account_url):
            if not url.startswith(("https://", "http://")) or "{token}" not in url:
                raise BadInput(
                    f"{url!r} cannot be put in an e-mail. Give an http(s) address with {{token}} in it."
                )

    def link(self, holder: Holder, token: str) -> str:
        """The address that a holder of `token` opens."""
        urls = {
            Holder.STUDY: self.study_url,
            Holder.PERSON: self.person_url,
            Holder.FOLLOWER: self.follower_url,
            Holder.ACCOUNT: self.account_url,
        }
        return urls[holder].replace("{token}", token)


@dataclass(frozen=True, slots=True)
class Letter:
    """All that goes into one e-mail. `id` and `written_at` are the same at every attempt to send it.

    `number` tells the coordinator which interest it is about. Empty: `study_id` and `number` in mail to
    a follower or an account, `token` in mail without a link.
    """

    id: str
    kind: Kind
    language: str
    recipient: str
    study_id: str
    token: str
    expires_at: datetime
    written_at: datetime
    number: str = ""


def compose(letter: Letter, letterhead: Letterhead) -> EmailMessage:
    """The e-mail: plain text in UTF-8, with the same Message-ID at every attempt (RFC 5322, RFC 3834).

    The study's number is in the mail to the study and the coordinator only: in somebody's own mailbox it
    could say which disease they have, or look for. Followers can leave with one click (RFC 8058).

    Raises:
        BadInput: a line break in the study's number or in an address.
    """
    language = letter.language if letter.language in LANGUAGES else "nb"
    mail = EmailMessage()
    try:
        mail["From"] = Address("Studievei", addr_spec=letterhead.sender)
        mail["To"] = Address(addr_spec=letter.recipient)
        mail["Subject"] = say(f"mail.{letter.kind}_subject", language, study_id=letter.study_id)
    except ValueError:
        raise BadInput(
            "A header of this e-mail has a line break in it. Correct the study's record."
        ) from None
    mail["Date"] = format_datetime(letter.written_at)
    mail["Message-ID"] = f"<{letter.id}@{letterhead.sender.rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"
    link = letterhead.link(letter.kind.holder, letter.token) if letter.kind.holder else ""
    if letter.kind.holder is Holder.FOLLOWER:
        mail["List-Unsubscribe"] = f"<{link}{UNSUBSCRIBE}>"
        mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    body = say(
        f"mail.{letter.kind}_body",
        language,
        study_id=letter.study_id,
        number=letter.number,
        link=link,
        expires=day(letter.expires_at.date().isoformat(), language),
    )
    mail.set_content(body, cte="quoted-printable")  # drops Content-* headers that stood before it
    mail["Content-Language"] = language
    return mail
