"""Messages of the alarm topic as notices."""

import json
from collections.abc import Mapping
from typing import Any

from surefill.domain.notices import Notice, NoticeKind
from surefill.domain.times import parse_time


def alarm_notice(record: Mapping[str, Any]) -> tuple[str, Notice]:
    """The message's id and what CloudWatch says in it; raises ValueError or LookupError for any other message."""
    message = json.loads(record["Sns"]["Message"])
    name, changed = message["AlarmName"], message["StateChangeTime"]
    notice = Notice(
        kind=NoticeKind.ALARM,
        key=f"alarm#{name}#{changed}",
        title=f"alarm {name}",
        lines=(message["AlarmDescription"], message["NewStateReason"]),
        at=parse_time(changed),
        facts={"alarm": name, "state": message["NewStateValue"]},
        urgent=True,
    )
    return record["Sns"]["MessageId"], notice
