"""How an e-mail leaves the house: over SMTP, or as a file in a folder."""

import os
import re
import smtplib
import ssl
import tempfile
from contextlib import suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from ontology.errors import BadInput, Unavailable

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
