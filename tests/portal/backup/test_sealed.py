"""The file: nobody reads it without its passphrase, and nothing in it can be changed unseen."""

from __future__ import annotations

import io
import json
import os

import pytest

from portal.backup.sealed import CHUNK_BYTES, VERSION, BackupError, SealedReader, SealedWriter

PASSPHRASE = "correct horse battery staple"


def sealed(plain: bytes) -> bytes:
    stream = io.BytesIO()
    writer = SealedWriter(stream, PASSPHRASE)
    writer.write(plain)
    writer.finish()
    return stream.getvalue()


def opened(file: bytes, passphrase: str = PASSPHRASE) -> bytes:
    return SealedReader(io.BytesIO(file), passphrase).read()


@pytest.mark.parametrize("size", [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES])
def test_what_was_written_is_read(size: int) -> None:
    plain = os.urandom(size)

    assert opened(sealed(plain)) == plain


def test_written_piece_by_piece_is_the_same() -> None:
    stream = io.BytesIO()
    writer = SealedWriter(stream, PASSPHRASE)
    for _ in range(3):
        writer.write(b"x" * (CHUNK_BYTES // 2 + 1))
    writer.finish()

    assert opened(stream.getvalue()) == b"x" * 3 * (CHUNK_BYTES // 2 + 1)


def test_the_file_does_not_show_what_it_holds() -> None:
    assert b"EAAB" not in sealed(b"EAAB-secret" * 100)


def test_two_files_of_the_same_have_nothing_in_common() -> None:
    one, two = sealed(b"x" * 100), sealed(b"x" * 100)

    assert one.splitlines()[0] != two.splitlines()[0]
    assert one[-100:] != two[-100:]


def test_another_passphrase_is_told_as_such() -> None:
    with pytest.raises(BackupError, match="not the passphrase"):
        opened(sealed(b"x"), "another one, as long")


def test_a_changed_byte_is_found_wherever_it_is() -> None:
    file = sealed(b"x" * (CHUNK_BYTES + 10))
    start = file.index(b"\n") + 1
    for place in (0, 30, start - 20, start, start + CHUNK_BYTES, start + CHUNK_BYTES + 20, len(file) - 1):
        changed = file[:place] + bytes([file[place] ^ 1]) + file[place + 1 :]
        with pytest.raises(BackupError):
            opened(changed)


def test_a_file_cut_short_is_found_even_between_chunks() -> None:
    file = sealed(b"x" * 3 * CHUNK_BYTES)
    start = file.index(b"\n") + 1
    for end in (len(file) - 1, start + 2 * (CHUNK_BYTES + 16), start + CHUNK_BYTES + 16, start):
        with pytest.raises(BackupError, match="damaged or was cut short"):
            opened(file[:end])


def test_chunks_in_another_order_are_found() -> None:
    file = sealed(os.urandom(3 * CHUNK_BYTES))
    start, size = file.index(b"\n") + 1, CHUNK_BYTES + 16
    swapped = (
        file[:start] + file[start + size : start + 2 * size] + file[start : start + size] + file[start + 2 * size :]
    )

    with pytest.raises(BackupError, match="damaged"):
        opened(swapped)


def test_something_behind_the_end_is_found() -> None:
    with pytest.raises(BackupError, match="damaged"):
        opened(sealed(b"x") + b"y")


def test_a_file_without_its_end_is_refused() -> None:
    stream = io.BytesIO()
    SealedWriter(stream, PASSPHRASE).write(b"x" * 3 * CHUNK_BYTES)

    with pytest.raises(BackupError, match="damaged"):
        opened(stream.getvalue())


@pytest.mark.parametrize("file", [b"", b"\n", b"{}\n", b"[]\n", b"null\n", b"\xff\xfe", b"x" * 5_000])
def test_other_files_are_told_as_such(file: bytes) -> None:
    with pytest.raises(BackupError, match="not a backup"):
        opened(file)


@pytest.mark.parametrize(
    "forged",
    [
        {"scrypt_n": 2**40},
        {"scrypt_n": 2**18},
        {"scrypt_n": 3},
        {"scrypt_n": -1},
        {"scrypt_n": "16"},
        {"salt": "x"},
        {"salt": 1},
        {"salt": 12},
        {"check": 12},
        {"check": None},
        {"id": 1},
    ],
)
def test_a_forged_first_line_takes_no_memory_and_no_time(forged: dict[str, object]) -> None:
    line, _, rest = sealed(b"x").partition(b"\n")

    with pytest.raises(BackupError, match="damaged"):
        opened(json.dumps(json.loads(line) | forged).encode() + b"\n" + rest)


def test_a_newer_format_is_told_as_such() -> None:
    line, _, rest = sealed(b"x").partition(b"\n")

    with pytest.raises(BackupError, match="newer version"):
        opened(json.dumps(json.loads(line) | {"version": VERSION + 1}).encode() + b"\n" + rest)
