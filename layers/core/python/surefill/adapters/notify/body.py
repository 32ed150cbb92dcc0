"""A notice as JSON: what the events topic and the webhook carry."""

import json

from surefill.domain.notices import Notice
from surefill.domain.times import format_time
from surefill.wire import to_wire

VERSION = 1


def json_body(notice: Notice) -> str:
    """One object; `order` is there for notices about an order, with all its fills."""
    body = {
        "version": VERSION,
        "kind": notice.kind,
        "key": notice.key,
        "at": format_time(notice.at) if notice.at else None,
        "urgent": notice.urgent,
        "title": notice.title,
        "text": notice.text,
        "facts": dict(notice.facts),
    }
    if notice.intent is not None:
        body["order"] = to_wire(notice.intent)
    return json.dumps(body)
