"""A message becomes one vector, of the encoder that retrieval uses too."""

from __future__ import annotations

from typing import Any

import numpy as np
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.featurizers.dense_featurizer.dense_featurizer import DenseFeaturizer
from rasa.nlu.tokenizers.tokenizer import Tokenizer
from rasa.shared.nlu.constants import TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from knowledge.encoder import shared_encoder


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_FEATURIZER, is_trainable=False)
class EncoderFeaturizer(DenseFeaturizer, GraphComponent):
    """Sets the sentence vector of each message; the shared encoder remembers it for retrieval."""

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> EncoderFeaturizer:
        """Rasa's constructor."""
        return cls(execution_context.node_name, config)

    @classmethod
    def required_components(cls) -> list[type]:
        """Features are counted per token, so there must be tokens."""
        return [Tokenizer]

    @classmethod
    def validate_config(cls, config: dict[str, Any]) -> None:
        """Nothing can be set: every process has the one encoder of its knowledge."""

    @classmethod
    def fingerprint_addon(cls, config: dict[str, Any]) -> str:
        """Other weights mean training again."""
        return shared_encoder().revision

    def process(self, messages: list[Message]) -> list[Message]:
        """One call of the encoder for all messages."""
        vectors = shared_encoder().encode([message.get(TEXT) or "" for message in messages])
        for message, vector in zip(messages, vectors, strict=True):
            count = len(message.get("text_tokens") or [0])
            self.add_features_to_message(np.tile(vector, (count, 1)), vector[None, :], TEXT, message)
        return messages

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Vectors for the examples."""
        self.process([example for example in training_data.training_examples if example.get(TEXT)])
        return training_data
