"""Encryption at rest: bytes and what they belong to in, sealed bytes out."""

import base64
import hashlib
import hmac
import os
import secrets
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Self

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
        self._file: Path | None = None
        self._seen: tuple[int, int] | None = None
        self._use(keys)

    @classmethod
    def kept_in(cls, path: Path) -> Self:
        """A vault with the keys of a file, which is made when it is missing and read again when it changes.

        Raises:
            BadInput, Unavailable: as `load_keys`.
        """
        vault = cls(*load_keys(path))
        vault._file, vault._seen = path, _stamp(path)
        return vault

    @property
    def newest(self) -> str:
        """The id of the key that seals now."""
        self._refresh()
        return self._newest.hex()

    @property
    def key_ids(self) -> tuple[str, ...]:
        """The ids of all keys, the newest first."""
        self._refresh()
        return tuple(key_id.hex() for key_id in self._ciphers)

    def seal(self, plain: bytes, bound_to: str) -> bytes:
        """Encrypts; the result opens only together with the same `bound_to`."""
        self._refresh()
        header = _FORMAT + self._newest
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return header + nonce + self._ciphers[self._newest].encrypt(nonce, plain, header + bound_to.encode())

    def open(self, sealed: bytes, bound_to: str) -> bytes:
        """The plain bytes that `seal` was given.

        Raises:
            Mismatch: another key, other `bound_to`, or bytes that somebody changed.
        """
        self._refresh()
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

    def mark(self, text: str) -> str:
        """64 hex digits that are the same for the same text, and tell nothing to those without the key.

        They change with the newest key: use them only for what may be forgotten then.
        """
        self._refresh()
        return hmac.new(self._mark_key, text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()

    def _use(self, keys: Sequence[bytes]) -> None:
        if not keys or any(len(key) != KEY_BYTES for key in keys):
            raise BadInput(f"A vault needs at least one key, each of {KEY_BYTES} bytes; load_keys makes one.")
        self._newest = _key_id(keys[0])
        self._mark_key = hashlib.sha256(b"studievei mark" + keys[0]).digest()
        self._ciphers = {_key_id(key): AESGCM(key) for key in keys}

    def _refresh(self) -> None:
        """Takes up a key that another process has put into the file."""
        stamp = _stamp(self._file) if self._file else None
        if self._file and stamp and stamp != self._seen:
            self._use(load_keys(self._file))
            self._seen = stamp


def key_id_of(sealed: bytes) -> str:
    """The id of the key that sealed these bytes."""
    return sealed[len(_FORMAT) : _HEADER_BYTES].hex()


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


def parse_keys(text: str) -> tuple[bytes, ...]:
    """The keys in a text, one a word, the newest first.

    Raises:
        BadInput: one is not base64, or not 32 bytes, or there is none.
    """
    return tuple(parse_key(word) for word in text.split() or [""])


def load_keys(path: Path) -> tuple[bytes, ...]:
    """The keys in the file `path`, the newest first; a missing file is made, readable by its owner only.

    Raises:
        BadInput: the file holds no key.
        Unavailable: the file can be neither read nor made.
    """
    with _explained(path):
        if not path.exists():
            _create(path)
        return parse_keys(path.read_bytes().decode("ascii", "replace"))


def add_key(path: Path) -> None:
    """Puts a new key first in the file, in one step; the ones before it stay, so that they still open.

    Raises:
        BadInput, Unavailable: as `load_keys`.
    """
    _replace(path, (secrets.token_bytes(KEY_BYTES), *load_keys(path)))


def drop_keys(path: Path, key_ids: Sequence[str]) -> None:
    """Takes keys out of the file, in one step. The newest stays, whatever is asked.

    Raises:
        BadInput, Unavailable: as `load_keys`.
    """
    newest, *older = load_keys(path)
    _replace(path, (newest, *(key for key in older if _key_id(key).hex() not in key_ids)))


def copy_keys(source: Path, target: Path) -> None:
    """Copies the keys to a file that only its owner can read, in one step.

    Raises:
        BadInput: `source` is not there or holds no key.
        Unavailable: a file cannot be read or written.
    """
    if not source.is_file():
        raise BadInput(f"There is no key file {source}.")
    _replace(target, load_keys(source))


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Unavailable(
            f"The vault key {path} cannot be read or made ({error.strerror}). "
            "Give this user access to it, or set STUDIEVEI_VAULT_KEY."
        ) from error


def _create(path: Path) -> None:
    """Writes a whole new key file in one step; of two processes at once, the first one's key stays."""
    draft = _draft(path, (secrets.token_bytes(KEY_BYTES),))
    try:
        path.hardlink_to(draft)
    except FileExistsError:
        return
    finally:
        draft.unlink()


def _replace(path: Path, keys: Sequence[bytes]) -> None:
    with _explained(path):
        _draft(path, keys).replace(path)


def _draft(path: Path, keys: Sequence[bytes]) -> Path:
    """A file beside `path` that is safe on the disk, readable by its owner only."""
    descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=".key-")
    with os.fdopen(descriptor, "wb") as file:
        file.writelines(base64.b64encode(key) + b"\n" for key in keys)
        file.flush()
        os.fsync(file.fileno())
    return Path(draft)


def _stamp(path: Path) -> tuple[int, int] | None:
    """Changes when the file is replaced; None while it is not there, which changes nothing."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns


def _key_id(key: bytes) -> bytes:
    return hashlib.sha256(b"studievei key id" + key).digest()[:_KEY_ID_BYTES]
