"""Responses of Route 53's API, in XML."""

from __future__ import annotations

from xml.etree.ElementTree import Element, SubElement, tostring

NAMESPACE = "https://route53.amazonaws.com/doc/2013-04-01/"

# Status, headers, body.
Response = tuple[int, dict[str, str], bytes]


def response(status: int, root: Element) -> Response:
    """Return a response with a document as its body."""
    body = b'<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root)
    return status, {"Content-Type": "text/xml"}, body


def error(status: int, code: str, message: str) -> Response:
    """Return an ErrorResponse."""
    root = Element("ErrorResponse", xmlns=NAMESPACE)
    details = SubElement(root, "Error")
    SubElement(details, "Type").text = "Sender"
    SubElement(details, "Code").text = code
    SubElement(details, "Message").text = message
    SubElement(root, "RequestId").text = "local"
    return response(status, root)


def not_emulated(what: str) -> Response:
    """Refuse what AWS would do and the embedded AWS doesn't."""
    message = f"{what}: not emulated. The embedded AWS knows what this project deploys."
    return error(400, "InvalidInput", message)
