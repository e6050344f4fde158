"""Every Redis key of the knowledge, on one screen; one hash tag, so that one script may write them all.

| key                       | type    | holds                                                                |
|---------------------------|---------|----------------------------------------------------------------------|
| {knowledge}:current       | string  | number of the version that is answered from                          |
| {knowledge}:version:<n>   | hash    | one version, never changed: document (JSON), vectors (float32 bytes),|
|                           |         | checksum (of both), fingerprint (same content, same fingerprint)     |
| {knowledge}:articles      | hash    | article id → "<version> <fingerprint>" when it was last published    |
| {knowledge}:vectors       | hash    | hash of text and encoder revision → vector (384 float32)             |
| {knowledge}:command:<id>  | string  | result of a publication, kept a week: the same command, same result  |
| {knowledge}:published     | channel | the number of each new version, to wake the readers                  |

Only `publish.lua` writes the first three; versions are kept, because answers name them.
"""

CURRENT = "{knowledge}:current"
ARTICLES = "{knowledge}:articles"
VECTORS = "{knowledge}:vectors"
CHANNEL = "{knowledge}:published"


def version_key(number: int) -> str:
    """Where a version of the knowledge is stored."""
    return f"{{knowledge}}:version:{number}"


def command_key(command_id: str) -> str:
    """Where the result of a publication is remembered."""
    return f"{{knowledge}}:command:{command_id}"
