"""Where allauth counts failed sign-ins: in Redis, and while that does not answer, in this process's memory."""

from __future__ import annotations

from typing import Any

from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from redis import RedisError

from common.rate_limits import REDIS_TIMEOUTS, away


class ForgivingRedisCache(RedisCache):
    """Somebody who wants to sign in must not fail for Redis; nor does a guesser go uncounted meanwhile."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, {**params, "OPTIONS": REDIS_TIMEOUTS})
        self._memory = LocMemCache(f"while Redis is away: {params.get('KEY_PREFIX', '')}", params)

    def add(self, *args: Any, **options: Any) -> Any:
        return self._ask("add", *args, **options)

    def get(self, *args: Any, **options: Any) -> Any:
        return self._ask("get", *args, **options)

    def set(self, *args: Any, **options: Any) -> Any:
        return self._ask("set", *args, **options)

    def delete(self, *args: Any, **options: Any) -> Any:
        return self._ask("delete", *args, **options)

    def _ask(self, name: str, *args: Any, **options: Any) -> Any:
        if not away.is_now:
            try:
                return getattr(super(), name)(*args, **options)
            except RedisError as error:
                away.note(error)
        return getattr(self._memory, name)(*args, **options)
