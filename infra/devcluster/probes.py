"""Asking a component whether it is ready to be used.

Each probe answers True or False and never raises: "not yet" and "not there"
are the same answer to somebody who waits.
"""

import socket
import ssl
import struct
import subprocess
import urllib.request
from collections.abc import Callable
from pathlib import Path

Probe = Callable[[], bool]

_DIRECT = urllib.request.ProxyHandler({})


def http(url: str) -> Probe:
    """Ask for a URL on this machine; ready is an answer of 200."""
    # The components sign their own health ports; nothing secret is asked or told there.
    trusting = ssl.create_default_context()
    trusting.check_hostname = False
    trusting.verify_mode = ssl.CERT_NONE
    opener = urllib.request.build_opener(_DIRECT, urllib.request.HTTPSHandler(context=trusting))

    def ask() -> bool:
        try:
            with opener.open(url, timeout=2.0) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    return ask


def containerd(address: Path) -> Probe:
    """Ask containerd for its version over its socket."""

    def ask() -> bool:
        if not address.is_socket():
            return False
        argv = ["ctr", "--address", str(address), "--connect-timeout", "1s", "version"]
        return subprocess.run(argv, check=False, capture_output=True).returncode == 0

    return ask


def dns_query(name: str) -> bytes:
    """Write a question for a name's IPv4 addresses, with id 1."""
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
    return struct.pack(">HHHHHH", 1, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack(">HH", 1, 1)


def dns_answered(reply: bytes) -> bool:
    """Tell whether a reply carries no error and at least one answer."""
    if len(reply) < 12:
        return False
    flags, answers = int.from_bytes(reply[2:4]), int.from_bytes(reply[6:8])
    return flags & 0x800F == 0x8000 and answers > 0


def dns(server: str, port: int, name: str) -> Probe:
    """Ask a DNS server for a name; ready is an answer with an address."""

    def ask() -> bool:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
            asking.settimeout(1.0)
            try:
                asking.sendto(dns_query(name), (server, port))
                return dns_answered(asking.recv(512))
            except OSError:
                return False

    return ask
