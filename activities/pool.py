"""A pool of parser processes: child processes that may be killed, each answering one request after another."""

import json
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from queue import LifoQueue
from typing import TypeVar

from pydantic import ValidationError

from activities.parsing import wire
from schemas.message import Message

ROOT = Path(__file__).parents[1]
REQUESTS_PER_CHILD = 200
"""A child is replaced after so many: whatever leaks or was tampered with goes with it."""
STARTING_SECONDS = 60

Answer = TypeVar("Answer", bound=Message)


class ParserStopped(Exception):
    """The parser process did not survive the document, and the reason says how it ended."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ParserExhausted(ParserStopped):
    """It took too long, or too much memory."""


class ParserCrashed(ParserStopped):
    """It ended by itself, which may be the machine's doing and deserves a second try."""


class Child:
    """One parser process."""

    def __init__(self, memory_mb: int) -> None:
        self.requests = 0
        self._late = False
        self._memory_mb = memory_mb
        # Nothing is inherited: no secrets through the environment, no Ctrl-C through the terminal's process group.
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            [sys.executable, "-m", "activities.parsing", str(memory_mb)],
            env={},
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def ask(self, header: bytes, body: bytes, seconds: float) -> bytes:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        timer = threading.Timer(seconds, self._stop)
        timer.daemon = True
        timer.start()
        self.requests += 1
        try:
            wire.send(self._process.stdin, header, body)
            answer = wire.receive(self._process.stdout, wire.MAX_ANSWER)
        except (OSError, ValueError, wire.BrokenFrame):  # ValueError: closed meanwhile
            answer = None
        finally:
            timer.cancel()
            timer.join()
        if answer is not None and not self._late:
            return answer
        self.end()
        if self._late:  # perhaps only just, with the answer already sent: the child is gone all the same
            raise ParserExhausted(f"the parser was stopped after {seconds:g} s")
        if self._process.returncode == wire.OUT_OF_MEMORY:
            raise ParserExhausted(f"the parser was stopped above {self._memory_mb} MB of memory")
        raise ParserCrashed("the parser crashed")

    def _stop(self) -> None:
        self._late = True
        self.kill()

    def end(self) -> None:
        """Gone for certain, and its pipes with it. One that is ending by itself keeps its own exit code."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(0.2)
        self.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()

    def kill(self) -> None:
        self._process.kill()


class Pool:
    """A few children, started when first needed; callers beyond their number wait for a free one."""

    def __init__(self, size: int, seconds: float, memory_mb: int, *, first: str = "") -> None:
        """`first` is asked of each child before any document, whose seconds are not for what it loads."""
        self._seconds = seconds
        self._first = first
        self._memory_mb = memory_mb
        self._idle: LifoQueue[Child | None] = LifoQueue()
        self._alive: set[Child] = set()
        self._lock = threading.Lock()
        self._closed = False
        for _ in range(size):
            self._idle.put(None)

    def close(self) -> None:
        """Kill all children; calls under way and further ones raise."""
        with self._lock:
            self._closed = True
            children, self._alive = self._alive, set()
        for child in children:
            child.kill()
            child.end()

    def ask(self, op: str, body: bytes, shape: type[Answer], **options: str) -> Answer:
        header = json.dumps({"op": op, **options}).encode()
        try:
            return self._send(header, body, shape)
        except ParserCrashed:
            return self._send(header, body, shape)

    def _send(self, header: bytes, body: bytes, shape: type[Answer]) -> Answer:
        child = self._idle.get()
        try:
            child = child or self._start()
            if self._first and not child.requests:
                child.ask(json.dumps({"op": self._first}).encode(), b"", STARTING_SECONDS)
            answer = _checked(child.ask(header, body, self._seconds), shape)
        except BaseException:
            self._forget(child)
            self._idle.put(None)
            self._refuse_if_closed()
            raise
        if child.requests >= REQUESTS_PER_CHILD:
            self._forget(child)
            child = None
        self._idle.put(child)
        return answer

    def _start(self) -> Child:
        with self._lock:
            self._refuse_if_closed()
            child = Child(self._memory_mb)
            self._alive.add(child)
            return child

    def _forget(self, child: Child | None) -> None:
        if child is not None:
            child.kill()
            child.end()
            with self._lock:
                self._alive.discard(child)

    def _refuse_if_closed(self) -> None:
        if self._closed:
            raise RuntimeError("the parsers are closed")


def _checked(answer: bytes, shape: type[Answer]) -> Answer:
    try:
        return shape.model_validate_json(answer)
    except ValidationError:
        # Not chained: the error would quote the answer, and with it the document.
        raise ParserStopped("the parser gave an unusable answer") from None
