"""A connection that gives up in time. The client's own time-out is for each read: a slow drip never meets it."""

from collections.abc import Iterator
from time import monotonic

import httpx2


class Dripping(httpx2.SyncByteStream):
    """The body of an answer, which must have come by an instant of the monotonic clock."""

    def __init__(self, stream: httpx2.SyncByteStream, until: float) -> None:
        self._stream, self._until = stream, until

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._stream:
            if monotonic() > self._until:
                raise httpx2.ReadTimeout("the answer came too slowly")
            yield chunk

    def close(self) -> None:
        self._stream.close()


class Patience(httpx2.BaseTransport):
    """Asks over `inner`, for so many seconds altogether and at most one silence of as many more."""

    def __init__(self, inner: httpx2.BaseTransport, seconds: float) -> None:
        self._inner, self._seconds = inner, seconds

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        until = monotonic() + self._seconds
        response = self._inner.handle_request(request)
        assert isinstance(response.stream, httpx2.SyncByteStream)
        response.stream = Dripping(response.stream, until)
        return response

    def close(self) -> None:
        self._inner.close()
