"""The six digits of an authenticator app (TOTP, RFC 6238), as a second lock beside the password."""

from datetime import datetime

import pyotp

_ISSUER = "Studievei"
_STEP_SECONDS = 30
_EARLY_OR_LATE = 1
"""Steps that a clock may be off."""


def new_secret() -> str:
    """160 random bits in base32, for the app and for us."""
    return pyotp.random_base32()


def address(secret: str, email: str) -> str:
    """The otpauth:// address that an app on the same device opens."""
    return pyotp.TOTP(secret).provisioning_uri(name=email, issuer_name=_ISSUER)


def step_of(secret: str, code: str, now: datetime, after: int) -> int | None:
    """The 30 seconds that a code belongs to; None when it is wrong or not later than the step `after`.

    A code is good once: store the step, and give it as `after` the next time.
    """
    totp, digits = pyotp.TOTP(secret), "".join(code.split())
    current = int(now.timestamp()) // _STEP_SECONDS
    for step in range(current - _EARLY_OR_LATE, current + _EARLY_OR_LATE + 1):
        if step > after and pyotp.utils.strings_equal(digits, totp.at(step * _STEP_SECONDS)):
            return step
    return None
