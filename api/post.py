"""Settings -> the channel that mail leaves by and the links that stand in it."""

from urllib.parse import parse_qs, unquote, urlsplit

from api.settings import Settings
from ontology.errors import BadInput
from recruitment.channel import Channel, FileDropChannel, Security, SmtpChannel, WebhookChannel
from recruitment.mail import Letterhead

INBOX_PATH = "/innboks/{token}"
ACCOUNT_PATH = "/tilgang/{token}"
INTEREST_PATH = "/interesse/{token}"
FOLLOWER_PATH = "/varsler/{token}"
_THIS_MACHINE = frozenset({"127.0.0.1", "localhost", "::1"})
_SECRET_LENGTH = 24
_DEFAULT_PORTS = {Security.NONE: 25, Security.STARTTLS: 587, Security.TLS: 465}


def open_channel(settings: Settings) -> Channel:
    """The webhook or SMTP server of the settings; without either, mail is put as files in the data folder.

    Raises:
        BadInput: STUDIEVEI_SMTP_URL is not the address of an SMTP server, or the webhook lacks https or
            its secret.
    """
    if settings.webhook_url:
        return _webhook(settings)
    if not settings.smtp_url:
        return FileDropChannel(settings.mail_dir)
    try:
        parts = urlsplit(settings.smtp_url)
        security = Security(parse_qs(parts.query).get("tls", [Security.STARTTLS.value])[0])
        port = parts.port
    except ValueError:
        raise _bad_smtp_url() from None
    if parts.scheme != "smtp" or not parts.hostname:
        raise _bad_smtp_url()
    return SmtpChannel(
        parts.hostname,
        port or _DEFAULT_PORTS[security],
        security,
        unquote(parts.username or ""),
        unquote(parts.password or ""),
    )


def _webhook(settings: Settings) -> WebhookChannel:
    parts, secret = urlsplit(settings.webhook_url), settings.webhook_secret.get_secret_value()
    safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _THIS_MACHINE)
    if not safe or not parts.hostname or len(secret) < _SECRET_LENGTH:
        raise BadInput(
            "STUDIEVEI_WEBHOOK_URL must be an https address (http only on this machine), and "
            f"STUDIEVEI_WEBHOOK_SECRET at least {_SECRET_LENGTH} characters: openssl rand -base64 32"
        )
    return WebhookChannel(settings.webhook_url, secret.encode())


def letterhead(settings: Settings) -> Letterhead:
    """Who the mail is from, and where its links lead.

    Raises:
        BadInput: STUDIEVEI_MAIL_FROM or STUDIEVEI_COORDINATOR is no address, or STUDIEVEI_PUBLIC_URL no
            http(s) address.
    """
    base = settings.base
    return Letterhead(
        sender=settings.mail_from,
        study_url=base + INBOX_PATH,
        person_url=base + INTEREST_PATH,
        follower_url=base + FOLLOWER_PATH,
        account_url=base + ACCOUNT_PATH,
        coordinator=settings.coordinator,
    )


def _bad_smtp_url() -> BadInput:
    return BadInput(
        "STUDIEVEI_SMTP_URL must look like smtp://user:password@host:587?tls=starttls, "
        f"where tls is one of {', '.join(Security)}."
    )
