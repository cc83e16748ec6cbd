"""How an e-mail leaves the house: over SMTP, as a signed web request, or as a file in a folder."""

import base64
import hashlib
import hmac
import json
import os
import re
import smtplib
import ssl
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from enum import StrEnum
from pathlib import Path
from typing import Protocol

import httpx

from ontology.errors import BadInput, Unavailable

_WEBHOOK_SECONDS = 300
_REFUSED_FOR_GOOD = frozenset({400, 410, 413, 422})
_ABOUT_THIS_MAIL = (smtplib.SMTPRecipientsRefused, smtplib.SMTPDataError)


class Channel(Protocol):
    """Takes one e-mail and has it safe when `send` returns."""

    def send(self, mail: EmailMessage) -> None:
        """Hands the e-mail over. What an error says never holds an address.

        Raises:
            Unavailable: not now; the same e-mail may be tried again.
            BadInput: never; this e-mail is refused for good.
        """
        ...


class Security(StrEnum):
    """How the connection to the SMTP server is protected."""

    NONE = "none"
    STARTTLS = "starttls"
    TLS = "tls"


@dataclass(frozen=True, slots=True)
class SmtpChannel:
    """Sends through one SMTP server; `timeout` is in seconds, for each step.

    The server's certificate is checked against `certificates`, or the system's when that is None.
    """

    host: str
    port: int = 587
    security: Security = Security.STARTTLS
    user: str = ""
    password: str = field(default="", repr=False)
    timeout: float = 30.0
    certificates: ssl.SSLContext | None = None

    def send(self, mail: EmailMessage) -> None:
        """Sends over a connection of its own. A refusal of our sender or login is ours to mend, never final.

        Raises:
            Unavailable: no connection, no login, sender refused, or a passing refusal (4xx).
            BadInput: recipient or content refused for good (5xx; RFC 5321, 4.2.1).
        """
        try:
            server = self._connect()
        except (smtplib.SMTPException, OSError) as error:
            raise Unavailable(
                f"The SMTP server {self.host}:{self.port} does not take us in ({_reason(error)}). "
                "Check its address, security and login."
            ) from None
        try:
            server.send_message(mail)
        except (smtplib.SMTPException, OSError) as error:
            if isinstance(error, _ABOUT_THIS_MAIL) and 500 <= _code(error) < 600:
                raise BadInput(
                    f"The SMTP server refuses this e-mail ({_reason(error)}). Correct the address."
                ) from None
            raise Unavailable(
                f"The SMTP server does not take this e-mail now ({_reason(error)}). "
                "If that goes on, check the sender and the login."
            ) from None
        finally:
            # What was accepted is sent, however the goodbye goes; an error here would send it once more.
            with suppress(smtplib.SMTPException, OSError):
                server.quit()
            server.close()

    def _connect(self) -> smtplib.SMTP:
        server: smtplib.SMTP
        if self.security is Security.TLS:
            server = smtplib.SMTP_SSL(self.host, self.port, timeout=self.timeout, context=self._context())
        else:
            server = smtplib.SMTP(self.host, self.port, timeout=self.timeout)
        try:
            if self.security is Security.STARTTLS:
                server.starttls(context=self._context())
            if self.user:
                server.login(self.user, self.password)
        except (smtplib.SMTPException, OSError):
            server.close()
            raise
        return server

    def _context(self) -> ssl.SSLContext:
        return self.certificates or ssl.create_default_context()


@dataclass(frozen=True, slots=True)
class WebhookChannel:
    """Posts each e-mail as JSON to an address of the operator's, for example an integration engine.

    Signed as Standard Webhooks 1.0 asks for: the headers webhook-id (the Message-ID, the same at every
    attempt), webhook-timestamp and webhook-signature. The receiver checks them with `is_genuine`, and
    drops an id that it has seen.
    """

    url: str
    secret: bytes = field(repr=False)
    timeout: float = 30.0

    def send(self, mail: EmailMessage) -> None:
        """Posts it. No redirect is followed: the mail goes to this address or nowhere.

        Raises:
            Unavailable: no answer, or one that says not now or not you.
            BadInput: the receiver refuses this mail for good (400, 410, 413, 422).
        """
        body = json.dumps({
            "id": mail["Message-ID"],
            "to": mail["To"],
            "subject": mail["Subject"],
            "language": mail["Content-Language"],
            "text": mail.get_content(),
        })  # fmt: skip
        headers = {"Content-Type": "application/json"} | signed(
            self.secret, mail["Message-ID"], body, time.time()
        )
        try:
            status = httpx.post(self.url, content=body, headers=headers, timeout=self.timeout).status_code
        except httpx.HTTPError as error:
            raise Unavailable(
                f"The webhook does not answer ({type(error).__name__}). Check STUDIEVEI_WEBHOOK_URL."
            ) from None
        if status in _REFUSED_FOR_GOOD:
            raise BadInput(f"The webhook refuses this mail ({status}). See why in its log.")
        if not 200 <= status < 300:
            raise Unavailable(f"The webhook does not take this mail now ({status}). See why in its log.")


def signed(secret: bytes, message_id: str, body: str, at: float) -> dict[str, str]:
    """The headers that prove who sent `body` and when (`at`, seconds since 1970)."""
    stamp = str(int(at))
    signature = base64.b64encode(_signature(secret, message_id, stamp, body)).decode()
    return {"webhook-id": message_id, "webhook-timestamp": stamp, "webhook-signature": f"v1,{signature}"}


def is_genuine(secret: bytes, headers: Mapping[str, str], body: str, now: float) -> bool:
    """Whether a request was signed with our secret, for this body, in the last five minutes."""
    stamp, message_id = headers.get("webhook-timestamp", ""), headers.get("webhook-id", "")
    if not (stamp.isascii() and stamp.isdecimal()) or abs(now - int(stamp)) > _WEBHOOK_SECONDS:
        return False
    right = f"v1,{base64.b64encode(_signature(secret, message_id, stamp, body)).decode()}"
    given = headers.get("webhook-signature", "").split()
    return any(hmac.compare_digest(right.encode(), each.encode()) for each in given)


def _signature(secret: bytes, message_id: str, stamp: str, body: str) -> bytes:
    return hmac.new(secret, f"{message_id}.{stamp}.{body}".encode(), hashlib.sha256).digest()


@dataclass(frozen=True, slots=True)
class FileDropChannel:
    """Puts each e-mail into `folder` as an .eml file that only its owner can read.

    The file is named after the Message-ID, so the same e-mail sent twice is still one file.
    """

    folder: Path

    def send(self, mail: EmailMessage) -> None:
        """Writes the file whole or not at all.

        Raises:
            Unavailable: the folder cannot be made or written to, or the disk is full.
        """
        name = re.sub(r"[^A-Za-z0-9.-]", "_", str(mail["Message-ID"]).strip("<>"))
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _write_whole(self.folder / f"{name}.eml", bytes(mail))
        except OSError as error:
            raise Unavailable(
                f"The mail folder {self.folder} cannot be written to ({error.strerror}). "
                "Give this user access to it, or make room on the disk."
            ) from error


def _write_whole(path: Path, content: bytes) -> None:
    descriptor, draft = tempfile.mkstemp(dir=path.parent, suffix=".part")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(draft).replace(path)
    finally:
        Path(draft).unlink(missing_ok=True)


def _code(error: Exception) -> int:
    """The SMTP answer behind the error, 0 where there was none."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return int(next(iter(error.recipients.values()))[0])
    return int(error.smtp_code) if isinstance(error, smtplib.SMTPResponseException) else 0


def _reason(error: Exception) -> str:
    """What went wrong, without the server's own text, which may quote an address."""
    return str(_code(error) or type(error).__name__)
