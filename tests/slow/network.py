"""Several machines within this one: Linux's network namespaces, each with an address of its own, joined by a bridge.

No packet leaves them: they have no way to the machine's own network. A host's cable can be pulled, or be made slow.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import pytest

#: Addresses for examples, which no network has.
SUBNET = "192.0.2"
_CLONE_NEWNET = 0x4000_0000
_SWITCH = "switch"
_NEEDS = "needs root, iproute2 (on Debian: apt install iproute2), and a kernel that makes network namespaces"


@dataclass(frozen=True)
class Host:
    """One of the machines."""

    name: str
    namespace: str
    address: str

    @contextmanager
    def entered(self) -> Iterator[None]:
        """What this thread begins within the block is on the host: sockets, processes and threads, for good."""
        with Path("/proc/thread-self/ns/net").open() as here, Path("/run/netns", self.namespace).open() as there:
            _move_to(there.fileno())
            try:
                yield
            finally:
                _move_to(here.fileno())


class Network:
    """A switch, and the hosts that are added to it; all of it goes with the block. Skips where it cannot be made."""

    def __init__(self) -> None:
        self._prefix = f"portal-{os.getpid()}-{threading.get_ident() % 10_000}"
        self._hosts: list[Host] = []
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        if shutil.which("ip") is None or os.geteuid() != 0 or not Path("/proc/thread-self/ns/net").exists():
            pytest.skip(_NEEDS)
        try:
            self._make_namespace(_SWITCH)
            self._ip(_SWITCH, "link add bridge type bridge")
            self._ip(_SWITCH, "link set bridge up")
        except subprocess.CalledProcessError as error:
            self._stack.close()
            pytest.skip(f"{_NEEDS}: {error.stderr.strip()}")
        return self

    def __exit__(self, *exc: object) -> None:
        self._stack.close()

    def add(self, name: str) -> Host:
        """A new host, with a cable to the switch."""
        host = Host(name, self._namespace(name), f"{SUBNET}.{len(self._hosts) + 1}")
        self._make_namespace(name)
        self._ip(_SWITCH, f"link add {name} type veth peer name cable netns {host.namespace}")
        self._ip(_SWITCH, f"link set {name} master bridge up")
        self._ip(name, f"address add {host.address}/24 dev cable")
        self._ip(name, "link set cable up")
        self._hosts.append(host)
        return host

    def pull(self, host: Host) -> None:
        """Cut the host off: its packets, and those for it, are gone without a word."""
        self._ip(_SWITCH, f"link set {host.name} down")

    def plug_in(self, host: Host) -> None:
        """Connect the host again."""
        self._ip(_SWITCH, f"link set {host.name} up")

    @contextmanager
    def slowed(self, host: Host, rate: str) -> Iterator[None]:
        """Let no more through than a ``rate`` as tc writes it ("1mbit"), in either direction; the rest waits."""
        ends = ((host.name, "cable"), (_SWITCH, host.name))
        for name, device in ends:
            self._run("tc", name, f"qdisc add dev {device} root tbf rate {rate} burst 16kb latency 2s")
        try:
            yield
        finally:
            for name, device in ends:
                self._run("tc", name, f"qdisc del dev {device} root")

    def _make_namespace(self, name: str) -> None:
        namespace = self._namespace(name)
        _call("ip", "netns", "add", namespace)
        self._stack.callback(_call, "ip", "netns", "delete", namespace)
        self._ip(name, "link set lo up")

    def _ip(self, name: str, words: str) -> None:
        self._run("ip", name, words)

    def _run(self, program: str, name: str, words: str) -> None:
        _call(program, "-netns", self._namespace(name), *words.split())

    def _namespace(self, name: str) -> str:
        return f"{self._prefix}-{name}"


def _call(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True)


def _move_to(namespace: int) -> None:
    """Have this thread see another network (setns, which Python has from 3.12 on)."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(namespace, _CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")
