"""Checks OAuth 1.0a signatures, and says for whom a request speaks."""

import string
import time
from collections import OrderedDict
from collections.abc import Callable

from aiohttp import web
from oauthlib.oauth1 import RequestValidator, SignatureOnlyEndpoint

from bot.sandbox.people import People
from bot.sandbox.problems import unauthorized, wrong_auth
from bot.sandbox.records import User

TIMESTAMP_TOLERANCE_S = 300
REMEMBERED_NONCES = 100_000
UNKNOWN = "unknown"


class _Keys(RequestValidator):
    """What oauthlib asks about keys, tokens and nonces."""

    def __init__(self, *, apps: dict[str, str], people: People, now_s: Callable[[], float]) -> None:
        super().__init__()
        self._apps = apps
        self._people = people
        self._now_s = now_s
        self._nonces: OrderedDict[tuple[str, str, str], None] = OrderedDict()

    @property
    def safe_characters(self) -> set[str]:
        return set(string.ascii_letters + string.digits + "-_")

    @property
    def client_key_length(self) -> tuple[int, int]:
        return 1, 100

    @property
    def access_token_length(self) -> tuple[int, int]:
        return 1, 100

    @property
    def nonce_length(self) -> tuple[int, int]:
        return 8, 100

    @property
    def timestamp_lifetime(self) -> int:
        return 10**10  # our own check below also works on the given clock

    @property
    def enforce_ssl(self) -> bool:
        return False

    @property
    def dummy_client(self) -> str:
        return UNKNOWN

    def validate_client_key(self, client_key: str, request: object) -> bool:
        return client_key in self._apps

    def get_client_secret(self, client_key: str, request: object) -> str:
        return self._apps.get(client_key, UNKNOWN)

    def get_access_token_secret(self, client_key: str, token: str, request: object) -> str:
        return self._people.token_secret(token) or UNKNOWN

    def validate_timestamp_and_nonce(
        self,
        client_key: str,
        timestamp: str,
        nonce: str,
        request: object,
        request_token: str | None = None,
        access_token: str | None = None,
    ) -> bool:
        if not timestamp.isdecimal() or abs(int(timestamp) - self._now_s()) > TIMESTAMP_TOLERANCE_S:
            return False
        used = (client_key, timestamp, nonce)
        if used in self._nonces:
            return False
        self._nonces[used] = None
        if len(self._nonces) > REMEMBERED_NONCES:
            self._nonces.popitem(last=False)
        return True


class SignatureCheck:
    """Finds the user in whose name a request is signed."""

    def __init__(self, *, apps: dict[str, str], people: People, now_s: Callable[[], float] = time.time) -> None:
        self._people = people
        self._endpoint = SignatureOnlyEndpoint(_Keys(apps=apps, people=people, now_s=now_s))

    def user_of(self, request: web.Request) -> User:
        """The user whose token signed this request; anything wrong with it is a 401."""
        scheme = request.headers.get("Authorization", "").partition(" ")[0].lower()
        if scheme == "bearer":
            raise wrong_auth("OAuth 2.0 Application-Only")
        if scheme != "oauth":
            raise unauthorized()
        headers = {"Authorization": request.headers["Authorization"]}
        # a JSON body takes no part in the signature (RFC 5849, 3.4.1.3.1)
        try:
            valid, signed = self._endpoint.validate_request(_signed_url(request), request.method, None, headers)
        except ValueError:  # oauthlib on a header or a query that cannot be read
            raise unauthorized() from None
        user = self._people.by_token(signed.resource_owner_key or "") if valid else None
        if user is None or user.suspended:
            raise unauthorized()
        return user


def _signed_url(request: web.Request) -> str:
    """The URL as the client signed it: before an adapter led the request here."""
    scheme = request.headers.get("X-Forwarded-Proto", request.scheme)
    host = request.headers.get("X-Forwarded-Host", request.host)
    return f"{scheme}://{host}{request.raw_path}"
