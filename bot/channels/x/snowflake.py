"""X's ids carry their time: milliseconds since 4 Nov 2010, above 22 lower bits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

EPOCH_MS = 1_288_834_974_657
_LOW_BITS = 22


def moment_of(platform_id: str) -> datetime:
    """When something with this id was made."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=(int(platform_id) >> _LOW_BITS) + EPOCH_MS)


def id_at(moment: datetime) -> str:
    """The lowest id that something made at this moment can have."""
    ms = int(moment.timestamp() * 1000) - EPOCH_MS
    return str(max(ms, 0) << _LOW_BITS)
