"""Guessing is slowed down, whatever else is asked meanwhile."""

from __future__ import annotations

from django.core.cache import caches
from django.test import Client

from portal.cache import ForgivingRedisCache
from tests.base import Cast


def fails(client: Client, email: str, address: str) -> str:
    form = {"login": email, "password": "wrong"}
    return client.post("/auth/login/", form, REMOTE_ADDR=address).content.decode()


def test_many_requests_do_not_push_the_counts_out(cast: Cast) -> None:
    client = Client()
    for number in range(5):
        fails(client, cast.ada.email, f"192.0.2.{number}")
    for number in range(400):
        client.post(
            "/auth/password/reset/", {"email": f"x{number}@example.com"}, REMOTE_ADDR=f"198.51.100.{number % 250}"
        )

    assert "Too many failed login attempts" in fails(client, cast.ada.email, "203.0.113.1")


def test_what_pages_remember_does_not_push_them_out(cast: Cast) -> None:
    for number in range(5):
        fails(Client(), cast.ada.email, f"192.0.2.{number}")
    for number in range(10_000):
        caches["pages"].set(str(number), True)

    assert "Too many failed login attempts" in fails(Client(), cast.ada.email, "203.0.113.1")


def test_there_is_as_much_room_while_redis_is_away() -> None:
    redis = ForgivingRedisCache("redis://127.0.0.1:1/0", {"OPTIONS": {"MAX_ENTRIES": 100_000}})
    redis.set("first", 1)
    for number in range(1_000):
        redis.set(f"other{number}", 1)

    assert redis.get("first") == 1
