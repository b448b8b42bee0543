"""Ports for servers that tests start in processes of their own."""

import random
import socket


def free_port() -> int:
    """One that is still free when the server comes up: whoever asks for any port is given one above these."""
    while True:
        port = random.randrange(20000, 32000)
        with socket.socket() as tried:
            try:
                tried.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
