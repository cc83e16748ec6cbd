"""Encryption at rest: bytes and what they belong to in, sealed bytes out."""

import base64
import hashlib
import os
import secrets
import tempfile
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ontology.errors import BadInput, Mismatch, Unavailable

KEY_BYTES = 32
_FORMAT = b"\x01"
_KEY_ID_BYTES = 4
_NONCE_BYTES = 12
_HEADER_BYTES = len(_FORMAT) + _KEY_ID_BYTES


class Vault:
    """Seals with its first key and opens with any of them, so that a key can be replaced.

    Sealed bytes are: format (1), key id (4), nonce (12), AES-256-GCM ciphertext and tag (NIST SP 800-38D).
    The header and what the bytes are bound to are authenticated with them. A random nonce is safe for
    2**32 seals a key.
    """

    def __init__(self, *keys: bytes) -> None:
        """Keys of 32 bytes, the newest first.

        Raises:
            BadInput: no key, or one of another length.
        """
        if not keys or any(len(key) != KEY_BYTES for key in keys):
            raise BadInput(f"A vault needs at least one key, each of {KEY_BYTES} bytes; load_key makes one.")
        self._newest = _key_id(keys[0])
        self._ciphers = {_key_id(key): AESGCM(key) for key in keys}

    def seal(self, plain: bytes, bound_to: str) -> bytes:
        """Encrypts; the result opens only together with the same `bound_to`."""
        header = _FORMAT + self._newest
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return header + nonce + self._ciphers[self._newest].encrypt(nonce, plain, header + bound_to.encode())

    def open(self, sealed: bytes, bound_to: str) -> bytes:
        """The plain bytes that `seal` was given.

        Raises:
            Mismatch: another key, other `bound_to`, or bytes that somebody changed.
        """
        header, rest = sealed[:_HEADER_BYTES], sealed[_HEADER_BYTES:]
        cipher = self._ciphers.get(header[len(_FORMAT) :])
        if header[: len(_FORMAT)] != _FORMAT or cipher is None:
            raise Mismatch(
                "This was sealed with a key that is not here. Put the key back that was in use then: "
                "the vault's key file must be kept, and backed up, together with the database."
            )
        try:
            return cipher.decrypt(rest[:_NONCE_BYTES], rest[_NONCE_BYTES:], header + bound_to.encode())
        except (InvalidTag, ValueError):
            raise Mismatch(
                "These sealed bytes were changed or moved, and cannot be trusted. "
                "Restore this row of the database from a backup."
            ) from None


def parse_key(text: str) -> bytes:
    """The key in a base64 text, as an environment variable or a key file holds it.

    Raises:
        BadInput: not base64, or not 32 bytes.
    """
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise BadInput(
            f"The vault key must be {KEY_BYTES} bytes in base64, for example from: openssl rand -base64 32"
        )
    return key


def load_key(path: Path) -> bytes:
    """The key in the file `path`; a missing file is made, readable by its owner only.

    Raises:
        BadInput: the file holds no key.
        Unavailable: the file can be neither read nor made.
    """
    try:
        if not path.exists():
            _create(path)
        return parse_key(path.read_bytes().decode("ascii", "replace"))
    except OSError as error:
        raise Unavailable(
            f"The vault key {path} cannot be read or made ({error.strerror}). "
            "Give this user access to it, or set the key in the environment."
        ) from error


def _create(path: Path) -> None:
    """Writes a whole new key file in one step; of two processes at once, the first one's key stays."""
    descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=".key-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(base64.b64encode(secrets.token_bytes(KEY_BYTES)) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        Path(path).hardlink_to(draft)
    except FileExistsError:
        return
    finally:
        Path(draft).unlink()


def _key_id(key: bytes) -> bytes:
    return hashlib.sha256(b"studievei key id" + key).digest()[:_KEY_ID_BYTES]
