"""Passwords: the rules for a new one, and Argon2id hashes that are slow to guess at."""

import unicodedata
from functools import cache
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

from ontology.errors import BadInput
from ontology.wording import say

SHORTEST, LONGEST = 12, 200
_FEWEST_LETTERS = 5
"""Different ones: "aaaaaaaaaaaa" is long and no password."""
_HASHER = PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)
_AT_ONCE = BoundedSemaphore(2)
"""Each hash takes 64 MiB for a moment; a flood of sign-ins waits and does not fill the memory."""


def hash_password(password: str, *, email: str, language: str) -> str:
    """The Argon2id hash of a new password (RFC 9106, second recommended option).

    Raises:
        BadInput: too short, too long, one letter over and over, or the address itself; said in `language`.
    """
    plain = _normal(password)
    if not SHORTEST <= len(plain) <= LONGEST:
        raise BadInput(say("account.bad_length", language, shortest=SHORTEST, longest=LONGEST))
    if len(set(plain)) < _FEWEST_LETTERS or email.partition("@")[0] in plain.casefold():
        raise BadInput(say("account.too_simple", language))
    with _AT_ONCE:
        return _HASHER.hash(plain)


def fits(hashed: str | None, password: str) -> bool:
    """Whether this is the password. Without a hash it is not, and finding that out takes as long."""
    with _AT_ONCE:
        try:
            return _HASHER.verify(hashed or _nobodys_hash(), _normal(password[:LONGEST])) and bool(hashed)
        except (VerificationError, InvalidHashError):
            return False


@cache
def _nobodys_hash() -> str:
    return _HASHER.hash("the password of nobody")


def _normal(password: str) -> str:
    """One form for letters that can be written in two ways (NIST SP 800-63B); others are "?"."""
    return unicodedata.normalize("NFKC", password).encode("utf-8", "replace").decode()
