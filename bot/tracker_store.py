"""Rasa's sessions during their turns: taken from the conversation, collected, and given back to be committed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from rasa.core.lock_store import LockStore
from rasa.core.tracker_store import SerializedTrackerAsText, TrackerStore
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActionExecuted, SessionStarted, SlotSet, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker, get_trackers_for_conversation_sessions

MOST_TURNS = 20
"""A turn's cost grows with its session: 20 turns keep it under 10 ms and the tracker under 40 kB."""


class TurnTrackerStore(TrackerStore, SerializedTrackerAsText):
    """Holds the sessions of running turns; saving collects, and whoever runs the turn commits."""

    def __init__(self, domain: Domain | None = None, event_broker: Any = None, **kwargs: Any) -> None:
        super().__init__(domain, event_broker, **kwargs)
        self._begun: dict[str, str] = {}
        self._collected: dict[str, str] = {}

    def begin(self, conversation: str, tracker: str | None, kept: Mapping[str, str]) -> None:
        """Take a session up, or a fresh one that knows the kept slots."""
        session = tracker if tracker is not None else self._fresh(conversation, kept)
        self._begun[conversation] = self._bounded(conversation, session)

    def end(self, conversation: str) -> str | None:
        """Give the session back as the turn left it, and forget it; None where nothing was saved."""
        self._begun.pop(conversation, None)
        return self._collected.pop(conversation, None)

    def slots_of(self, conversation: str, session: str) -> dict[str, Any]:
        """What a session knows, without the empty slots."""
        tracker = self.deserialise_tracker(conversation, session)
        slots = tracker.current_slot_values() if tracker else {}
        return {name: value for name, value in slots.items() if value is not None}

    async def retrieve(self, sender_id: str) -> DialogueStateTracker | None:
        """The session of a turn that has begun; KeyError for any other."""
        return self.deserialise_tracker(sender_id, self._begun[sender_id])

    async def retrieve_full_tracker(self, conversation_id: str) -> DialogueStateTracker | None:
        """The same: older sessions are not kept."""
        return await self.retrieve(conversation_id)

    async def keys(self) -> Iterable[str]:
        """The conversations with a running turn."""
        return list(self._begun)

    async def save(self, tracker: DialogueStateTracker) -> None:
        """Collect the current session; nothing is written anywhere."""
        sessions = get_trackers_for_conversation_sessions(tracker)
        self._collected[tracker.sender_id] = self.serialise_tracker(sessions[-1] if sessions else tracker)

    def _fresh(self, conversation: str, kept: Mapping[str, Any]) -> str:
        """A session that has just begun; the last event matters, for rules start from a listening bot."""
        tracker = self.init_tracker(conversation)
        slots = [SlotSet(name, value) for name, value in kept.items() if name in tracker.slots]
        start = [ActionExecuted("action_session_start"), SessionStarted()]
        for event in [*start, *slots, ActionExecuted("action_listen")]:
            tracker.update(event, self.domain)
        return str(self.serialise_tracker(tracker))

    def _bounded(self, conversation: str, session: str) -> str:
        """A session of at most 20 turns; cut between turns, never within a form, and with every slot it had."""
        tracker = self.deserialise_tracker(conversation, session)
        if tracker is None:
            raise ValueError("the stored session cannot be read")
        turns = sum(isinstance(event, UserUttered) for event in tracker.events)
        if turns < MOST_TURNS or tracker.active_loop:
            return session
        return self._fresh(conversation, self.slots_of(conversation, session))


class NoLock(LockStore):
    """The responder handles one message per conversation at a time, so there is nothing to lock."""

    @asynccontextmanager
    async def lock(
        self, conversation_id: str, lock_lifetime: float = 0.0, wait_time_in_seconds: float = 0.0
    ) -> AsyncIterator[None]:
        """Let the turn through."""
        yield None
