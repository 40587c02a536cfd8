"""Encrypted files, written and read as streams.

A line of JSON tells how the key is made of the passphrase (scrypt, with a salt of the file's own). Behind it come
chunks, each sealed with AES-256-GCM. A chunk's nonce is its number and whether it is the last, and every chunk vouches
for the first line: what is changed, moved, cut off or added is found before a byte of it is used (the STREAM
construction, as in age).
"""

from __future__ import annotations

import hashlib
import hmac
import io
import json
import os
import re
from datetime import UTC, datetime
from typing import IO, Any
from uuid import uuid4

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

FORMAT = "gateway-portal-backup"
#: Of the file and of what its rows mean. 1: what visitors gave was remembered for several people at once.
#: 2: data routing had the account's domain and the gateway's the other way round.
VERSION = 3
CHUNK_BYTES = 65_536
_TAG_BYTES = 16
_KEY_BYTES = 32
_HEADER_MAX_BYTES = 1_000
_HEX = re.compile(r"([0-9a-f]{2})+")

#: The work of guessing a passphrase: 128 MiB and half a second a guess (OWASP's figures).
SCRYPT_N = 2**17
#: What a file may ask for, and no more than was ever written: a forged one must not take all memory.
_SCRYPT_N_MAX = 2**17


class BackupError(Exception):
    """Why a backup cannot be made or restored, in a sentence for the operator."""


DAMAGED = "The file is damaged or was cut short. Nothing was changed."


class SealedWriter(io.RawIOBase):
    """Encrypts what is written to it; ``close`` writes the end, without which no reader takes the file for whole."""

    def __init__(self, stream: IO[bytes], passphrase: str, backup_id: str = "") -> None:
        super().__init__()
        salt = os.urandom(16)
        key, check = _derive(passphrase, salt, SCRYPT_N)
        facts = {
            "format": FORMAT,
            "version": VERSION,
            "id": backup_id or str(uuid4()),
            "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "scrypt_n": SCRYPT_N,
            "salt": salt.hex(),
            "check": check.hex(),
        }
        self._header = json.dumps(facts).encode() + b"\n"
        self._cipher = AESGCM(key)
        self._stream = stream
        self._waiting = bytearray()
        self._number = 0
        stream.write(self._header)

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._waiting += data
        # The last chunk must be known as such: one is always kept back.
        while len(self._waiting) > CHUNK_BYTES:
            self._seal(self._waiting[:CHUNK_BYTES], is_last=False)
            del self._waiting[:CHUNK_BYTES]
        return len(data)

    def finish(self) -> None:
        """Write the last chunk. A file that is closed without it, by an error, is refused by every reader."""
        self._seal(self._waiting, is_last=True)
        self._waiting.clear()

    def _seal(self, chunk: bytearray, *, is_last: bool) -> None:
        self._stream.write(self._cipher.encrypt(_nonce(self._number, is_last), bytes(chunk), self._header))
        self._number += 1


class SealedReader(io.RawIOBase):
    """Decrypts a file; every byte that it gives was checked. Raises BackupError for what does not hold."""

    def __init__(self, stream: IO[bytes], passphrase: str) -> None:
        super().__init__()
        self._stream = stream
        self._header = stream.readline(_HEADER_MAX_BYTES)
        facts = _read_header(self._header)
        self.id: str = facts["id"]
        self.made_at: str = facts["made_at"]
        self.version: int = facts["version"]
        key, check = _derive(passphrase, facts["salt"], facts["scrypt_n"])
        if not hmac.compare_digest(check, facts["check"]):
            raise BackupError("This is not the passphrase that the backup was made with. Nothing was changed.")
        self._cipher = AESGCM(key)
        self._number = 0
        self._next = stream.read(CHUNK_BYTES + _TAG_BYTES)
        self._plain = memoryview(b"")
        self._is_over = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._plain and not self._is_over:
            self._open_next()
        count = min(len(buffer), len(self._plain))
        buffer[:count] = self._plain[:count]
        self._plain = self._plain[count:]
        return count

    def _open_next(self) -> None:
        chunk, self._next = self._next, self._stream.read(CHUNK_BYTES + _TAG_BYTES)
        self._is_over = not self._next
        try:
            plain = self._cipher.decrypt(_nonce(self._number, self._is_over), chunk, self._header)
        except (InvalidTag, ValueError):
            raise BackupError(DAMAGED) from None
        self._plain = memoryview(plain)
        self._number += 1


def _nonce(number: int, is_last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([is_last])


def _derive(passphrase: str, salt: bytes, n: int) -> tuple[bytes, bytes]:
    """The key, and what tells a wrong passphrase from a damaged file."""
    derived = hashlib.scrypt(
        passphrase.encode(), salt=salt, n=n, r=8, p=1, maxmem=n * 8 * 128 + 2**20, dklen=2 * _KEY_BYTES
    )
    return derived[:_KEY_BYTES], derived[_KEY_BYTES:]


def _read_header(line: bytes) -> dict[str, Any]:
    """The facts of the first line, as far as they can be checked without the key."""
    try:
        facts: Any = json.loads(line)
    except ValueError:
        facts = None
    if not isinstance(facts, dict) or facts.get("format") != FORMAT:
        raise BackupError("The file is not a backup of this portal. Nothing was changed.")
    version = facts.get("version")
    if type(version) is int and version > VERSION:
        raise BackupError("The backup was made by a newer version: update this portal first. Nothing was changed.")
    if type(version) is not int or version < 1:
        raise BackupError(DAMAGED)
    if not _is_sound(facts):
        raise BackupError(DAMAGED)
    return {**facts, "salt": bytes.fromhex(facts["salt"]), "check": bytes.fromhex(facts["check"])}


def _is_sound(facts: dict[str, Any]) -> bool:
    n = facts.get("scrypt_n")
    if type(n) is not int or not 1 < n <= _SCRYPT_N_MAX or n.bit_count() != 1:
        return False
    texts = [facts.get(name) for name in ("id", "made_at", "salt", "check")]
    return all(isinstance(text, str) for text in texts) and all(_HEX.fullmatch(str(text)) for text in texts[2:])
