"""The intent of a message: by its exact words, by what it consists of, else by likeness with a calibrated certainty."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping
from typing import Any

import numpy as np
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.classifiers.classifier import IntentClassifier as RasaIntentClassifier
from rasa.shared.nlu.constants import ENTITIES, INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from knowledge.encoder import shared_encoder
from nlu.intents import IntentModel, fit, load_intents

FALLBACK = "nlu_fallback"
LONGEST_RANKING = 5

# what may stand around entities without changing what is said, and what makes it a correction
_AROUND = """
from to please pls plz the a an and in on at for of it its it's is my i i'm i'd im we we'd leaving departing flying
going fly
leave go back coming return until till maybe hi hello thanks around about would be number order email mail e-mail
address
with
"""
_CORRECTING = frozenset(("no", "not", "actually", "sorry", "oops", "meant", "mean", "instead", "correction", "wrong"))
_AROUND_PARTS = _CORRECTING.union(_AROUND.split())
_QUESTIONS = ("ask_knowledge", "ask_fare", "order_status", FALLBACK)
_DETAILS = ("email", "order_number")
_FARE_PARTS = ("city", "date", "trip", "cabin", "any_date", "unknown_place")


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class IntentClassifier(RasaIntentClassifier, GraphComponent):
    """Names the intent, or nlu_fallback when it is not sure enough."""

    def __init__(
        self,
        config: dict[str, Any],
        storage: ModelStorage,
        resource: Resource,
        model: IntentModel | None = None,
        examples: list[tuple[str, str]] | None = None,
    ) -> None:
        unknown = set(config) - set(self.get_default_config())
        if unknown:
            raise ValueError(f"config.yml: nlu.intent_classifier knows no key “{sorted(unknown)[0]}”.")
        self._config = config
        self._storage, self._resource = storage, resource
        self._model = model
        self._others = (
            re.compile(r"\b(?:" + "|".join(map(re.escape, config["others"])) + r")\b") if config["others"] else None
        )
        self._read(examples or [])

    def _read(self, examples: list[tuple[str, str]]) -> None:
        self._exact = {normal(text): intent for text, intent in examples}
        self._texts = [text for text, intent in examples if intent not in self._config["exact_only"]]
        self._words = {word for text in self._texts for word in normal(text).split()}

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """Lowest certainty acted on, also for single intents; intents that count word for word; other companies."""
        return {"threshold": 0.55, "thresholds": {}, "exact_only": [], "others": []}

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> IntentClassifier:
        """Rasa's constructor for training."""
        return cls(config, model_storage, resource)

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> IntentClassifier:
        """Rasa's constructor for answering."""
        with model_storage.read_from(resource) as folder:
            examples = json.loads((folder / "examples.json").read_text(encoding="utf-8"))
            return cls(
                config, model_storage, resource, load_intents(folder), [(text, intent) for text, intent in examples]
            )

    @classmethod
    def fingerprint_addon(cls, config: dict[str, Any]) -> str:
        """Other weights of the encoder mean training again."""
        return shared_encoder().revision

    def train(self, training_data: TrainingData) -> Resource:
        """Learn from the vectors that the featurizer set."""
        told = [example for example in training_data.intent_examples if example.get(TEXT)]
        examples = [(str(example.get(TEXT)), str(example.get(INTENT))) for example in told]
        learned = [example for example in told if example.get(INTENT) not in self._config["exact_only"]]
        vectors = np.stack([_vector(example) for example in learned])
        self._model = fit(vectors, [str(example.get(INTENT)) for example in learned])
        self._read(examples)
        with self._storage.write_to(self._resource) as folder:
            self._model.save(folder)
            (folder / "examples.json").write_text(json.dumps(examples, ensure_ascii=False), encoding="utf-8")
        return self._resource

    def process(self, messages: list[Message]) -> list[Message]:
        """Sets intent, ranking, and what the choice rests on."""
        for message in messages:
            self._classify(message)
        return messages

    def _classify(self, message: Message) -> None:
        if self._model is None:
            raise ValueError("The intent classifier was not trained; run `frontdesk train`.")
        text, entities = message.get(TEXT) or "", message.get(ENTITIES) or []
        guess = self._model.guess(_vector(message))
        certain = self._exact.get(normal(text)) or by_parts(text, entities)
        if certain:
            intent, certainty = certain, 1.0
        elif not self._is_readable(text, entities):
            intent, certainty = FALLBACK, 1.0
        else:
            intent, certainty = guess.ranking[0][0], guess.certainty
        ranking = [{"name": name, "confidence": share} for name, share in guess.ranking[:LONGEST_RANKING]]
        if certainty < self._config["thresholds"].get(intent, self._config["threshold"]):
            intent = FALLBACK
        if intent in _QUESTIONS and self._is_about_others(text):
            intent = "out_of_scope"
        message.set(INTENT, {"name": intent, "confidence": certainty}, add_to_output=True)
        message.set("intent_ranking", ranking, add_to_output=True)
        nearest = {"text": self._texts[guess.nearest], "score": guess.similarity}
        message.set("nearest_example", nearest, add_to_output=True)

    def _is_about_others(self, text: str) -> bool:
        return self._others is not None and self._others.search(text.lower()) is not None

    def _is_readable(self, text: str, entities: list[Mapping[str, Any]]) -> bool:
        """Whether at least one word is known; a smiley or keyboard noise is not."""
        return bool(entities) or any(word in self._words for word in normal(text).split())


def by_parts(text: str, entities: list[Mapping[str, Any]]) -> str | None:
    """The intent of a message that consists of entities alone, such as "from Rome, tomorrow"."""
    kinds = {entity["entity"] for entity in entities}
    rest = list(text)
    for entity in entities:
        rest[entity["start"] : entity["end"]] = " " * (entity["end"] - entity["start"])
    words = re.findall(r"[^\W_]+(?:['’-][^\W_]+)*", "".join(rest).lower().replace("’", "'"))
    if not kinds or not _AROUND_PARTS.issuperset(words):
        return None
    if kinds.intersection(_DETAILS):
        return "give_order_details"
    if kinds.intersection(_FARE_PARTS) and "price_wish" not in kinds:
        return "correct" if _CORRECTING.intersection(words) else "inform"
    return None


def normal(text: str) -> str:
    """The text as exact words are compared: no case, accents or punctuation, single blanks; emoji stay."""
    plain = unicodedata.normalize("NFKD", text.replace("’", "'")).casefold()
    kept = (char for char in plain if unicodedata.category(char)[0] not in "MC" and char not in "'")
    spaced = "".join(
        char if char.isalnum() or unicodedata.category(char) in ("So", "Sk") else " "
        for char in kept
        if unicodedata.category(char) != "Sk"  # skin tones of emoji
    )
    return " ".join(spaced.split())


def _vector(message: Message) -> np.ndarray[Any, np.dtype[np.float32]]:
    _, sentence = message.get_dense_features(TEXT)
    if sentence is None:
        raise ValueError("There is no vector; put nlu.encoder_featurizer before nlu.intent_classifier in config.yml.")
    return np.asarray(sentence.features[0], dtype=np.float32)
