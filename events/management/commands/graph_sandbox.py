"""``manage.py graph_sandbox``: a stand-in for the Graph API, for trying the portal without a Meta account."""

from __future__ import annotations

import logging
import signal
import threading
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from common.telling import tell
from events.sandbox.app import Sandbox
from events.sandbox.server import SandboxServer

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    """Serves until SIGTERM or ctrl-C; what it got is lost then."""

    help = "Serves a stand-in for the Graph API's events edge; GET /_events there tells what it got."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--address", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8010)
        parser.add_argument("--seed", type=int, default=0, help="for failures with a probability")

    def handle(self, *, address: str, port: int, seed: int, **options: Any) -> None:
        try:
            server = SandboxServer((address, port), Sandbox(seed=seed))
        except (OSError, OverflowError) as error:
            raise CommandError(f"The sandbox cannot listen on {address}:{port}. {error}") from None
        # In a thread: shutdown() waits for the loop, which the signal interrupts.
        signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
        tell(logger, "The sandbox of the Graph API is at %s; /_events there tells what it got.", server.url)
        try:
            server.serve_forever(poll_interval=0.1)
        except KeyboardInterrupt:
            pass
        finally:
            server.server_close()
