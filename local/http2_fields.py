"""Over HTTP/2, a field's value without the blanks around it, as over HTTP/1.1.

An empty variable in `-H "authorization: Bearer $TOKEN"` leaves one at the end. RFC 9113, section
8.2.1, calls that request malformed, and h2 ends the connection over it, with every other request on
it. To a parser of HTTP/1.1 blanks belong to no value (RFC 9110, section 5.5). What CloudFront does
with them nobody documents; an answer, such as 401, says more than a broken stream.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hpack import Decoder, HeaderTuple
from hypercorn import protocol
from hypercorn.protocol.h2 import H2Protocol

BLANKS = b" \t"


class TrimmedFields(Decoder):
    """Decodes a block of fields, and trims their values."""

    def decode(self, data: bytes, raw: bool = False) -> Iterable[HeaderTuple]:
        """Give names and values, as bytes where `raw`."""
        return [_trimmed(field) if raw else field for field in super().decode(data, raw)]


def _trimmed(field: HeaderTuple) -> HeaderTuple:
    name, value = field
    # Its class says whether it may be kept in a table.
    return type(field)(name, value.strip(BLANKS))


class Http2(H2Protocol):
    """Hypercorn's HTTP/2, whose fields are trimmed before anything looks at them."""

    def __init__(self, *arguments: Any) -> None:  # noqa: ANN401 - hypercorn's own, handed on
        super().__init__(*arguments)
        self.connection.decoder = TrimmedFields(self.connection.decoder.max_header_list_size)


def install() -> None:
    """Make hypercorn speak HTTP/2 so, on its own ports and on the listeners here."""
    protocol.H2Protocol = Http2  # type: ignore[assignment, attr-defined]
