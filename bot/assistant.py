"""The assistant: Rasa in this process; one question in, one answer out, nothing stored."""

from __future__ import annotations

from bot.answer import Answer, Answerer, AssistantFailed, ContactRoutes, Question, Reply, Understanding

__all__ = ["Answer", "Answerer", "AssistantFailed", "ContactRoutes", "Question", "Reply", "Understanding"]
