"""The error bodies of X (RFC 7807 problems, as documented and as reported by its users)."""

from collections.abc import Mapping
from typing import Any

TYPES = "https://api.twitter.com/2/problems"

DUPLICATE = "You are not allowed to create a Tweet with duplicate content."
NOT_SUMMONED = (
    "Reply to this conversation is not allowed because you have not been mentioned or otherwise engaged"
    " by the author of the post you are replying to."
)
TARGET_GONE = "You attempted to reply to a Tweet that is deleted or not visible to you."
DM_CLOSED = "You do not have permission to DM one or more participants."
TOO_LONG = (
    "Your Tweet text is too long. For more information on how Twitter determines text length see"
    " https://github.com/twitter/twitter-text."
)
NOT_PERMITTED = "You are not permitted to perform this action."


class ProblemError(Exception):
    """A request that is refused, with the answer that says why."""

    def __init__(self, status: int, body: Mapping[str, Any] | str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status)
        self.status = status
        self.body = body
        self.headers = dict(headers or {})


def blank(status: int, title: str, detail: str, headers: Mapping[str, str] | None = None) -> ProblemError:
    """A problem of no particular type."""
    body = {"detail": detail, "type": "about:blank", "title": title, "status": status}
    return ProblemError(status, body, headers)


def unauthorized() -> ProblemError:
    """Unknown keys, a wrong signature, an old time stamp or a used nonce."""
    return blank(401, "Unauthorized", "Unauthorized")


def forbidden(detail: str) -> ProblemError:
    """The request is understood and refused."""
    return blank(403, "Forbidden", detail)


def too_many(headers: Mapping[str, str]) -> ProblemError:
    """A rate limit is used up."""
    return blank(429, "Too Many Requests", "Too Many Requests", headers)


def wrong_auth(method: str) -> ProblemError:
    """The right credentials of the wrong kind."""
    detail = (
        f"Authenticating with {method} is forbidden for this endpoint.  Supported authentication types are"
        " [OAuth 1.0a User Context, OAuth 2.0 User Context]."
    )
    body = {"title": "Unsupported Authentication", "detail": detail, "status": 403}
    return ProblemError(403, body | {"type": f"{TYPES}/unsupported-authentication"})


def invalid(message: str, **parameters: str) -> ProblemError:
    """A parameter or a part of the body that is not allowed."""
    body = {
        "errors": [{"parameters": {name: [value] for name, value in parameters.items()}, "message": message}],
        "title": "Invalid Request",
        "detail": "One or more parameters to your request was invalid.",
        "type": f"{TYPES}/invalid-request",
    }
    return ProblemError(400, body)


def bad_text(detail: str) -> ProblemError:
    """A text that cannot be posted."""
    body = {"title": "Invalid Request", "detail": detail, "type": f"{TYPES}/invalid-request", "status": 400}
    return ProblemError(400, body)


def not_found(resource: str, value: str, parameter: str) -> dict[str, str]:
    """The partial error for something that does not exist (stands within `errors` of a 200)."""
    return {
        "value": value,
        "detail": f"Could not find {resource} with {parameter}: [{value}].",
        "title": "Not Found Error",
        "resource_type": resource,
        "parameter": parameter,
        "resource_id": value,
        "type": f"{TYPES}/resource-not-found",
    }


def not_authorized(resource: str, value: str, parameter: str) -> dict[str, str]:
    """The partial error for something that this user may not see."""
    return {
        "value": value,
        "detail": f"Sorry, you are not authorized to see the {resource} with {parameter}: [{value}].",
        "title": "Authorization Error",
        "resource_type": resource,
        "parameter": parameter,
        "resource_id": value,
        "section": "data",
        "type": f"{TYPES}/not-authorized-for-resource",
    }
