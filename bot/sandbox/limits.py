"""Rate limits per user: the documented ones of pay-per-use, or none."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

WINDOW_S = 15 * 60
DAY_S = 24 * 60 * 60
UNLIMITED = 1_000_000

# per user and 15 minutes, X's documentation of August 2026
PPU = {
    "POST /2/tweets": 100,
    "DELETE /2/tweets/{id}": 50,
    "GET /2/tweets": 5000,
    "GET /2/tweets/{id}": 900,
    "GET /2/users/{id}/mentions": 300,
    "GET /2/users/{id}/tweets": 900,
    "GET /2/users/me": 75,
    "GET /2/users": 900,
    "GET /2/users/{id}": 900,
    "GET /2/users/by": 900,
    "GET /2/users/by/username/{username}": 900,
    "GET /2/dm_events": 15,
    "GET /2/dm_conversations/{id}/dm_events": 15,
    "GET /2/dm_conversations/with/{id}/dm_events": 15,
    "POST /2/dm_conversations/with/{id}/messages": 15,
    "POST /2/dm_conversations/{id}/messages": 15,
}
# per user and 24 hours; the two ways of writing a DM count together
DAILY = {
    "POST /2/dm_conversations/with/{id}/messages": ("dm", 1440),
    "POST /2/dm_conversations/{id}/messages": ("dm", 1440),
}
PROFILES: dict[str, Mapping[str, int]] = {"off": {}, "ppu": PPU}


@dataclass
class _Count:
    used: int
    ends_s: float


@dataclass(frozen=True, kw_only=True)
class Allowance:
    """What a request may use, as X's headers tell it."""

    exceeded: bool
    headers: Mapping[str, str]


class Limits:
    """Counts requests per user and endpoint in fixed windows that begin with the first request."""

    def __init__(self, *, now_s: Callable[[], float], profile: str = "off") -> None:
        self._now_s = now_s
        self._counts: dict[tuple[int, str], _Count] = {}
        self.use(profile, {})

    def use(self, profile: str, overrides: Mapping[str, int]) -> None:
        """Change the profile ("off" or "ppu") and single limits ("POST /2/tweets": 3); counting starts anew."""
        if profile not in PROFILES:
            raise KeyError(profile)
        self.profile = profile
        self.limits = {**PROFILES[profile], **overrides}
        self._counts.clear()

    def spend(self, user_id: int, endpoint: str) -> Allowance:
        """Count one request of a user."""
        windows = [("x-rate-limit", endpoint, self.limits.get(endpoint, UNLIMITED), WINDOW_S)]
        if self.profile != "off" and endpoint in DAILY:
            name, limit = DAILY[endpoint]
            windows.append(("x-user-limit-24hour", name, limit, DAY_S))
        counts = [(*window, self._count(user_id, window[1], window[3])) for window in windows]
        exceeded = any(count.used >= limit for _, _, limit, _, count in counts)
        headers: dict[str, str] = {}
        for family, _, limit, _, count in counts:
            count.used += not exceeded
            headers[f"{family}-limit"] = str(limit)
            headers[f"{family}-remaining"] = str(max(limit - count.used, 0))
            headers[f"{family}-reset"] = str(int(count.ends_s))
        return Allowance(exceeded=exceeded, headers=headers)

    def _count(self, user_id: int, name: str, length_s: int) -> _Count:
        now_s = self._now_s()
        count = self._counts.get((user_id, name))
        if count is None or count.ends_s <= now_s:
            count = self._counts[user_id, name] = _Count(used=0, ends_s=int(now_s) + length_s)
        return count
