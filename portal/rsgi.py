"""The application that ``portal.serve`` runs: a request costs a thread once it is whole, and no sooner.

Of WEB_THREADS one is for requests with events, and answers all that wait in one commit. One is for health checks and
the like, which wait for no page. The others, for pages among the rest, take one request at a time.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Callable, Mapping, Sequence
from io import BytesIO
from ipaddress import ip_network
from typing import NamedTuple

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

_django = get_wsgi_application()

from django.conf import settings  # noqa: E402  # nothing of Django's may be read before it is set up

from common import tracing  # noqa: E402
from common.client_address import network_of  # noqa: E402
from common.errors import unavailable  # noqa: E402
from common.http import Request, Response  # noqa: E402
from common.incoming_bodies import BodyLimits, BodyRefused, IncomingBodies  # noqa: E402
from common.lending import Lender  # noqa: E402
from common.loop_threads import Bounds, LoopThreads  # noqa: E402
from common.metrics import note_request  # noqa: E402
from common.rsgi import CLOSE, Exchange, LastExchange, Scope, has_body, read_head, send  # noqa: E402
from events.intake.bodies import most_bytes  # noqa: E402
from portal import addresses  # noqa: E402
from portal.metrics import tell_of_pool_from_now_on  # noqa: E402
from portal.pages import RenderedPage, SentFile, answer_page  # noqa: E402
from portal.stopping import cut_off_readers, work_before_the_end  # noqa: E402

logger = logging.getLogger(__name__)

Answer = Response | RenderedPage | SentFile

#: While one waits for its commit, the loop gathers the next. A second would fight with it for Python's lock.
EVENTS_THREADS = 1
#: What stands beside the portal asks here. It would take a process out of service whose pages are slow.
CHECKS_THREADS = 1
#: What shares a commit: so many requests, of so many bytes. More would make the first of them wait. A fifth of a
#: millisecond is nothing to a sender, and saves a thread's waking up for each of those that come in it.
TOGETHER = Bounds(questions=64, size=1_048_576, wait=0.0002)
RETRY_AFTER = ("Retry-After", "5")


class _WithEvents(NamedTuple):
    """A request that brings events."""

    request: Request
    door: addresses.EventsDoor
    span: tracing.Span


class Portal:
    """The application, in one process."""

    def __init__(self, lender: Lender) -> None:
        self._lender = lender
        self._trusted = [ip_network(network) for network in settings.TRUSTED_PROXIES]
        limits = BodyLimits(
            seconds=settings.BODY_TIMEOUT_SECONDS,
            bytes_per_second=settings.BODY_BYTES_PER_SECOND,
            per_caller=settings.LATE_REQUESTS_PER_ADDRESS,
            total_bytes=settings.HELD_BODIES_MAX_BYTES,
        )
        self._bodies = IncomingBodies(limits, is_excepted=self._is_proxy)
        self._answering = 0
        self._is_leaving = False
        self._measures = bool(settings.METRICS_TOKEN or settings.METRICS_ALLOWED_NETWORKS)
        self._most_bytes = max(
            most_bytes(settings.INTAKE_MAX_BODY_BYTES),
            settings.GRAPHQL_MAX_BODY_BYTES,
            settings.DATA_UPLOAD_MAX_MEMORY_SIZE,
        )

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Called once, before the first request."""
        self._events: LoopThreads[_WithEvents, Response | None] = LoopThreads(
            "events", self._answer_events, loop=loop, threads=EVENTS_THREADS, bounds=TOGETHER
        )
        self._checks: LoopThreads[Callable[[], Answer], Answer] = LoopThreads(
            "checks", self._answer_one, loop=loop, threads=CHECKS_THREADS
        )
        threads = settings.WEB_THREADS - EVENTS_THREADS - CHECKS_THREADS
        self._others: LoopThreads[Callable[[], Answer], Answer] = LoopThreads(
            "requests", self._answer_one, loop=loop, threads=max(1, threads)
        )
        self._bodies.look_from_now_on(loop)
        work_before_the_end(loop, settings.PORT, self._stop)
        tell_of_pool_from_now_on()

    async def __rsgi__(self, scope: Scope, exchange: Exchange) -> None:
        """Answer a request."""
        started = time.perf_counter()
        request = read_head(scope, self._trusted)
        found = addresses.find(request.path)
        span = _begin_span(request, found)
        size = 0
        self._answering += 1
        try:
            if has_body(request):
                body = await self._read(request, exchange, self._limit_at(found))
                size = len(body)
                request = request._replace(body=BytesIO(body))
            answer = await self._answer(request, found, scope, size, span)
        except BodyRefused as refused:
            answer = addresses.refusal(request, found, refused.status, *_headers_of(refused.status))
        except Exception as error:
            logger.exception("A request could not be answered.")
            status = 503 if unavailable(error) else 500
            answer = addresses.refusal(request, found, status, *_headers_of(status))
        finally:
            self._bodies.let_go(size)
            self._answering -= 1
        if self._measures:
            note_request(addresses.road(found), answer.status, time.perf_counter() - started)
        tracing.finish(span, answer.status)
        if self._is_leaving:
            exchange = LastExchange(exchange)
        if isinstance(answer, Response):
            send(exchange, answer, request.scheme)
        else:
            await answer.send(exchange)

    def _limit_at(self, found: addresses.Found | None) -> int:
        return (found and found[0].most_bytes) or self._most_bytes

    async def _read(self, request: Request, exchange: Exchange, limit: int) -> bytes:
        """The body; of one that is too long no more than tells so."""
        length = request.content_length
        if (length or 0) > limit and "expect" in request.headers:  # it is not sent before it is asked for
            return b""
        caller = network_of(request.address)
        return await self._bodies.read(aiter(exchange), caller, length=length, limit=limit)

    async def _answer(
        self, request: Request, found: addresses.Found | None, scope: Scope, size: int, span: tracing.Span
    ) -> Answer:
        if found and found[0].events:
            asked = _WithEvents(addresses.at(found[1], request), found[0].events, span)
            response = await self._events.ask(asked, size)
            if response is not None:
                return response
        if found and found[0].at_once and (response := addresses.answer(request, found)):
            return response
        threads = self._checks if found and found[0].internal else self._others

        def work() -> Answer:
            with tracing.under(span):
                return self._answer_whole(request, found, scope, size, {addresses.FOUND: found, tracing.DOOR: span})

        return await threads.ask(work)

    def _answer_whole(
        self,
        request: Request,
        found: addresses.Found | None,
        scope: Scope,
        size: int,
        further: Mapping[str, object],
    ) -> Answer:
        """The response of the door, or where there is none, Django's, which finds ``further`` in its environment."""
        response = addresses.answer(request, found) or self._refuse_body(request, found, size)
        if response is not None:
            return response
        server, _, port = scope.server.rpartition(":")
        protocol = f"HTTP/{scope.http_version}"
        return answer_page(_django, request, (server, port), protocol, further)

    def _refuse_body(self, request: Request, found: addresses.Found | None, size: int) -> Response | None:
        """Doors check their bodies themselves; Django would take what has arrived for all of it."""
        length = request.content_length or 0
        if max(size, length) > self._limit_at(found):
            return addresses.refusal(request, found, 413, CLOSE)
        if size < length:
            return addresses.refusal(request, found, 400, CLOSE, sentence="The request did not arrive whole.")
        return None

    def _answer_events(self, requests: Sequence[_WithEvents]) -> list[Response | None]:
        spans = [asked.span for asked in requests]
        with self._lender, tracing.together("take events", spans, {"portal.count": len(requests)}):
            return addresses.answer_together([(asked.request, asked.door) for asked in requests])

    def _answer_one(self, works: Sequence[Callable[[], Answer]]) -> list[Answer]:
        with self._lender:
            return [work() for work in works]

    def _stop(self) -> None:
        self._is_leaving = True
        self._bodies.stop()
        cut_off_readers(asyncio.get_running_loop(), settings.PORT, lambda: self._answering > 0)

    def _is_proxy(self, caller: str) -> bool:
        # Of IPv6 it is a network.
        return any(ip_network(caller).overlaps(network) for network in self._trusted)


def _begin_span(request: Request, found: addresses.Found | None) -> tracing.Span:
    """The trace of a request begins; what only watches the portal is not traced."""
    if not tracing.is_traced() or (found and found[0].internal):
        return tracing.NOTHING
    method, route = tracing.known_method(request.method), addresses.route(found)
    told = {"http.method": method, "portal.road": addresses.road(found)}
    return tracing.begin(*((f"{method} {route}", {**told, "http.route": route}) if route else (method, told)))


def _headers_of(status: int) -> list[tuple[str, str]]:
    """The connection closes: of the body there may be more to come."""
    return [CLOSE, RETRY_AFTER] if status == 503 else [CLOSE]
