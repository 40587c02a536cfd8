"""An events edge that takes everything and looks at nothing; the sandbox's checks would be measured with the rest.

python -m bench.sink PORT
"""

from __future__ import annotations

import asyncio
import re
import sys

_BODY = b'{"events_received":1,"messages":[],"fbtrace_id":"bench"}'
_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(_BODY), _BODY)


class _Connection(asyncio.Protocol):
    """Reads each request to its end, and thanks for it."""

    def __init__(self) -> None:
        self._head = b""
        self._missing = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        if not self._missing:
            self._head += data
            head, end, body = self._head.partition(b"\r\n\r\n")
            if not end:
                return
            length = re.search(rb"\r\ncontent-length: *(\d+)", head, re.IGNORECASE)
            self._missing, self._head, data = int(length[1]) if length else 0, b"", body
        self._missing -= len(data)
        if self._missing <= 0:
            self._missing = 0
            self.transport.write(_ANSWER)


async def _serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(_Connection, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
