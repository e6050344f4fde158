"""What the journal says about a period: its records, and those before and after that explain it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

from handoff.report.period import Period
from handoff.words import in_ms

LOOK_BACK = timedelta(days=31)
"""A case that was opened earlier than this before the period is not seen."""
FOLLOW_UP = timedelta(days=7)
"""How long after a period its replies and promises are still followed."""
CLOCKS_DIFFER = timedelta(hours=1)
BATCH = 250
"""Small, so that the desk's pages are served in between."""


@dataclass(frozen=True, kw_only=True)
class Record:
    """One fact of the journal."""

    at_ms: int
    kind: str
    conversation: str
    facts: Mapping[str, Any]


class Journal(Protocol):
    """What is read: the ledger."""

    @property
    def partitions(self) -> Sequence[str]:
        """The parts it is spread over."""

    async def journal(self, partition: str, *, after: str = "-", count: int = 1000) -> list[tuple[str, dict[str, str]]]:
        """Records of a part after a stream id, oldest first."""


async def records_about(journal: Journal, period: Period) -> list[Record]:
    """The records that a report of this period needs, in order within each conversation."""
    return [record for part in journal.partitions async for record in _part(journal, part, period)]


async def _part(journal: Journal, partition: str, period: Period) -> AsyncIterator[Record]:
    """A part's records; stream ids begin with the milliseconds of Redis's own clock."""
    earliest = in_ms(period.starts_at - LOOK_BACK)
    latest = in_ms(period.ends_at + FOLLOW_UP)
    after = f"{max(0, earliest - int(CLOCKS_DIFFER.total_seconds() * 1000))}-0"
    while found := await journal.journal(partition, after=after, count=BATCH):
        after = found[-1][0]
        records = [_record(fields) for _, fields in found]
        for record in records:
            if earliest <= record.at_ms < latest:
                yield record
        if all(record.at_ms >= latest for record in records):
            return


def _record(fields: Mapping[str, str]) -> Record:
    return Record(
        at_ms=int(fields["at_ms"]),
        kind=fields["kind"],
        conversation=fields["conversation"],
        facts=json.loads(fields["facts"]),
    )
