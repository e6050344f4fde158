"""The assistant: Rasa in this process; one question in, one answer out, nothing stored.

Structlog and logging have to be set up before this file is imported: Rasa's loggers are cached on first use.
"""

# ruff: noqa: E402 (what Rasa and TensorFlow look at while they are imported has to be set before)

from __future__ import annotations

import os
import sys
import unicodedata
import warnings
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

sys.modules.setdefault("jax", None)  # type: ignore[arg-type]  # TensorFlow would load it for nothing: 70 MB
os.environ.setdefault("RASA_TELEMETRY_ENABLED", "false")  # read when Rasa is imported
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

from rasa.core.actions.action import RemoteAction
from rasa.core.agent import Agent
from rasa.core.channels.channel import CollectingOutputChannel, UserMessage
from rasa_sdk.executor import ActionExecutor

from actions.contact import Contact
from actions.courtesy import CallPerson, TakeAcknowledgement, TakeComplaint, TakeThanks, TellHours
from actions.fare_talk import FareTalk
from actions.fares import FareSource
from actions.knowledge_talk import KnowledgeTalk, Published
from actions.order_talk import OrderTalk
from actions.orders import OrderSource
from actions.routing import AnswerFare, AnswerOrder, AnswerQuestion, AskAgain, FallBack, GoOn, Talks
from actions.turn import TurnAction
from actions.verification import AttemptReader
from bot.answer import Answer, Answerer, AssistantFailed, ContactRoutes, Question, Reply, Understanding
from bot.answering import answer_of, entities_of
from bot.model import ModelBroken, check_model
from bot.rasa_actions import InProcessActions, accept_own_answers
from bot.tracker_store import NoLock, TurnTrackerStore
from handoff.hours import ServiceHours
from knowledge.encoder import Encoder, shared_encoder

__all__ = ["Answer", "Answerer", "Assistant", "AssistantFailed", "ContactRoutes", "Question", "Reply", "Understanding"]

LONGEST_TEXT_CHARS = 2000
"""What is looked at of one message; the encoder reads about the first 1,000."""
KNOWN_SENTENCE, KNOWN_INTENT = "how much is a flight from London to Paris", "ask_fare"
BUILT_IN = ("action_listen", "action_restart", "action_session_start", "action_default_fallback")


class TurnOutput(CollectingOutputChannel):  # type: ignore[misc]
    """What the bot says in one turn, unsplit: Rasa's own would cut it at blank lines."""

    @classmethod
    def name(cls) -> str:
        """The channel's name in Rasa."""
        return "frontdesk"

    async def send_text_message(self, recipient_id: str, text: str, **kwargs: Any) -> None:
        """Keep a text as it is."""
        await self._persist_message(self._message(recipient_id, text=text))


class Assistant:
    """Answers one message at a time per conversation; different conversations may be answered side by side."""

    def __init__(
        self,
        *,
        model_path: Path,
        knowledge: Published,
        fares: FareSource,
        orders: OrderSource,
        counts: AttemptReader,
        hours: ServiceHours,
        contact: ContactRoutes,
        company: str,
        reply_minutes: int,
        encoder: Encoder | None = None,
        turn_limit_s: float = 2.0,
    ) -> None:
        """Loads the model, which takes seconds; raises ModelBroken for a file that `frontdesk train` did not write."""
        check_model(model_path)
        self._knowledge = knowledge
        self._encoder = encoder or shared_encoder()
        self._zone: ZoneInfo = hours.zone
        ways = Contact(phone=contact.phone, web=contact.web)
        talks = Talks(
            company=company,
            fares=FareTalk(fares),
            orders=OrderTalk(orders, counts, ways),
            knowledge=KnowledgeTalk(knowledge, self._encoder, ways),
        )
        executor = ActionExecutor()
        for action in _actions(talks, hours, reply_minutes):
            executor.register_action(action)
        self._actions = InProcessActions(executor, limit_s=turn_limit_s)
        self._store = TurnTrackerStore()
        self._agent = _loaded(model_path, self._store, self._actions)
        missing = set(self._agent.domain.user_actions) - set(executor.actions) - set(self._agent.domain.responses)
        if missing - set(BUILT_IN):
            raise AssistantFailed(f"The domain names actions that do not exist: {', '.join(sorted(missing))}.")

    async def check_ready(self) -> None:
        """Understand one known sentence; raises AssistantFailed where the model does not."""
        understood = await self._parse(KNOWN_SENTENCE, {"today": datetime.now(UTC).date().isoformat()}, "ready")
        if understood["intent"]["name"] != KNOWN_INTENT:
            raise AssistantFailed("The model does not understand a known sentence. Run `frontdesk train --force`.")

    async def answer(self, question: Question) -> Answer:
        """Answer one message; raises AssistantFailed, and stores nothing either way."""
        conversation = question.conversation
        output = TurnOutput()
        try:
            self._store.begin(conversation, question.tracker, question.kept)
            self._actions.begin(conversation)
            about = self._about(question)
            parsed = await self._parse(neutral(question.text), about, conversation)
            message = UserMessage(
                text=parsed["text"],
                output_channel=output,
                sender_id=conversation,
                parse_data=parsed,
                input_channel=output.name(),
                message_id=question.message_id,
                metadata=about,
            )
            await self._agent.handle_message(message)
        except Exception as error:  # whatever fails inside Rasa, the customer gets a person
            raise AssistantFailed(f"{type(error).__name__} while understanding or deciding") from error
        finally:
            failure = self._actions.end(conversation)
            session = self._store.end(conversation)
        if failure:
            raise AssistantFailed(failure)
        if session is None:
            raise AssistantFailed("the turn left no session")
        return answer_of(question, parsed, output.messages, self._store.slots_of(conversation, session), session)

    async def understand(self, text: str, *, now: datetime | None = None) -> Understanding:
        """What a text is taken for, before anything is said."""
        now = now or datetime.now(UTC)
        parsed = await self._parse(neutral(text), {"today": self._day(now).isoformat()}, "ask")
        index = self._knowledge.current
        hits = index.search(parsed["text"], self._encoder.encode([parsed["text"]])[0], now)
        nearest = parsed["nearest_example"]
        return Understanding(
            text=parsed["text"],
            intent=parsed["intent"]["name"],
            certainty=parsed["intent"]["confidence"],
            ranking=tuple((one["name"], one["confidence"]) for one in parsed["intent_ranking"]),
            entities=entities_of(parsed),
            nearest=nearest["text"],
            similarity=nearest["score"],
            hits=tuple(hits),
            decision=index.decide(hits),
        )

    async def _parse(self, text: str, about: dict[str, Any], conversation: str) -> dict[str, Any]:
        """Rasa's understanding of a text."""
        message = UserMessage(text=text, sender_id=conversation, metadata=about)
        parsed: dict[str, Any] = await self._agent.processor.parse_message(message)
        return parsed

    def _about(self, question: Question) -> dict[str, Any]:
        """The circumstances of a turn, as the message's metadata; times in the service's zone."""
        return {
            "place": str(question.place),
            "now": question.now.astimezone(self._zone).isoformat(),
            "today": self._day(question.now).isoformat(),
            "private_possible": question.private_possible,
            "failures": question.failures,
            "last_was_answer": question.last_was_answer,
            "attempts": dict(question.attempts) if question.attempts else None,
        }

    def _day(self, now: datetime) -> date:
        return now.astimezone(self._zone).date()


def neutral(text: str) -> str:
    """The text without what Rasa would obey or stumble over: a leading slash, invisible characters, excess length."""
    plain = unicodedata.normalize("NFC", text[: 2 * LONGEST_TEXT_CHARS])
    shown = "".join(" " if unicodedata.category(char) == "Cc" else char for char in plain if not _is_invisible(char))
    return " ".join(shown.split()).lstrip("/ ")[:LONGEST_TEXT_CHARS].rstrip() or "…"


def _is_invisible(char: str) -> bool:
    return unicodedata.category(char) in ("Cf", "Cs", "Co", "Cn")


def _loaded(path: Path, store: TurnTrackerStore, actions: InProcessActions) -> Agent:
    """The model, ready to answer, with our store in place of Rasa's fail-safe one and a cheaper check of answers."""
    RemoteAction._validate_action_result = accept_own_answers
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # at every load Rasa warns of what it no longer does
            agent = Agent.load(str(path), tracker_store=store, lock_store=NoLock(), action_endpoint=actions)
    except Exception as error:
        raise ModelBroken(path) from error
    if agent.processor is None:
        raise ModelBroken(path)
    # the fail-safe wrapper would answer from memory when a session cannot be read
    agent.tracker_store = agent.processor.tracker_store = store
    return agent


def _actions(talks: Talks, hours: ServiceHours, reply_minutes: int) -> Iterator[TurnAction]:
    """Every action of the domain."""
    yield from (TakeThanks(), TakeAcknowledgement(), FallBack(), TellHours(hours, reply_minutes=reply_minutes))
    yield from (CallPerson(talks.knowledge), TakeComplaint(talks.knowledge))
    yield from (action(talks) for action in (AnswerFare, AnswerOrder, AnswerQuestion, GoOn, AskAgain))
