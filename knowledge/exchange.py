"""Knowledge in and out: a published version as files, and files into a folder of articles."""

import json
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from knowledge.article import article_from_dict
from knowledge.article_file import article_as_markdown, parse_article
from knowledge.facts import facts_from_dict, parse_table, table_as_csv
from knowledge.problem import Problem, errors_of
from knowledge.source import read_source
from knowledge.version import Version

SCHEMA = 1
MAX_JSON_BYTES = 20_000_000


class ExchangeRefused(Exception):
    """Nothing was written; `problems` says why and what to do."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


@dataclass(frozen=True, kw_only=True)
class Imported:
    """What an import wrote, as paths within the folder; files that were the same already are not in it."""

    written: tuple[str, ...]
    unchanged: int
    problems: tuple[Problem, ...]  # warnings


def version_as_files(version: Version) -> dict[str, str]:
    """The version as the files of a folder: publishing that folder again changes nothing."""
    texts = {
        f"articles/{published.article.id}.md": article_as_markdown(published.article) for published in version.articles
    }
    texts |= {f"facts/{name}.csv": table_as_csv(table) for name, table in version.facts.tables.items()}
    texts["gate.yml"] = yaml.safe_dump(asdict(version.gate), sort_keys=False)
    texts["calibration/off_topic.yml"] = yaml.safe_dump(list(version.off_topic), allow_unicode=True)
    return texts


def version_as_json(version: Version) -> str:
    """The version's articles and facts as one JSON document, which `import` reads."""
    document = {
        "schema": SCHEMA,
        "version": version.number,
        "articles": [{"version": published.version, **published.article.as_dict()} for published in version.articles],
        "facts": version.facts.as_dict(),
    }
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def write_files(texts: Mapping[str, str], folder: Path, *, overwrite: bool) -> tuple[str, ...]:
    """Write what differs and say what was written; raises ExchangeRefused rather than overwrite unasked."""
    new = {name: text for name, text in texts.items() if _read(folder / name) != text}
    taken = [name for name in new if (folder / name).exists()]
    if taken and not overwrite:
        remedy = "Give --replace to overwrite it, or choose another folder."
        message = "is there already, with other content."
        raise ExchangeRefused(*(Problem(file=str(folder / name), message=message, remedy=remedy) for name in taken))
    for name, text in new.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tuple(new)


def import_files(source: Path, folder: Path, now: datetime, *, overwrite: bool) -> Imported:
    """Bring the articles and facts of a folder or a JSON file into `folder`, all or none of them.

    The folder's own gate and off-topic lines stay. Raises ExchangeRefused for anything that would not pass
    the check there.
    """
    texts = _texts_of(source)
    problems = _check_in(folder, texts, now)
    if errors_of(problems):
        raise ExchangeRefused(*errors_of(problems))
    new = {name: text for name, text in texts.items() if not _says_the_same(name, text, _read(folder / name))}
    written = write_files(new, folder, overwrite=overwrite)
    return Imported(written=written, unchanged=len(texts) - len(written), problems=problems)


def _texts_of(source: Path) -> dict[str, str]:
    """The files that a folder or a JSON document stands for."""
    if source.is_dir():
        paths = [*source.glob("articles/*.md"), *source.glob("facts/*.csv")]
        texts = {str(path.relative_to(source)): _read(path) for path in sorted(paths)}
        missing = [name for name, text in texts.items() if text is None]
        if missing or not texts:
            message = "is not UTF-8." if missing else "has neither articles/*.md nor facts/*.csv."
            file = str(source / missing[0]) if missing else str(source)
            raise ExchangeRefused(Problem(file=file, message=message, remedy="Correct it and import again."))
        return {name: text for name, text in texts.items() if text is not None}
    return _texts_of_json(source)


def _texts_of_json(source: Path) -> dict[str, str]:
    def refused(message: str, line: int | None = None) -> ExchangeRefused:
        remedy = "Give a folder, or a file that `frontdesk knowledge export --format json` wrote."
        return ExchangeRefused(Problem(file=str(source), line=line, message=message, remedy=remedy))

    if not source.is_file():
        raise refused("is neither a folder nor a file.")
    if source.stat().st_size > MAX_JSON_BYTES:
        raise refused(f"is larger than {MAX_JSON_BYTES} bytes.")
    try:
        data: Any = json.loads(source.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise refused(f"is not JSON: {error.msg}.", error.lineno) from error
    except ValueError as error:
        raise refused("is not UTF-8.") from error
    if not isinstance(data, dict) or data.get("schema") != SCHEMA:
        raise refused(f"is not an export of schema {SCHEMA}.")
    try:
        articles = [article_from_dict(item) for item in data["articles"]]
        texts = {_file_of(article.id): article_as_markdown(article) for article in articles}
        tables = facts_from_dict(data["facts"]).tables
        texts |= {f"facts/{_safe(name)}.csv": table_as_csv(table) for name, table in tables.items()}
    except KeyError as error:
        raise refused(f"lacks the field {error}.") from error
    except (TypeError, ValueError, AttributeError) as error:
        raise refused(f"has a field of the wrong kind: {error}.") from error
    if len(texts) < len(articles) + len(tables):
        raise refused("has two articles with one id.")
    return texts


def _check_in(folder: Path, texts: Mapping[str, str], now: datetime) -> tuple[Problem, ...]:
    """The problems that these files would have among those that are in the folder already."""
    with tempfile.TemporaryDirectory() as staged_name:
        staged = Path(staged_name).resolve()
        here = [*folder.glob("articles/*.md"), *folder.glob("facts/*.csv")]
        for path in here:
            _write_bytes(staged / path.relative_to(folder), path.read_bytes())
        for name, text in texts.items():
            _write_bytes(staged / name, text.encode())
        found = read_source(staged, now).problems
    inside = [(problem, problem.file.removeprefix(f"{staged}/")) for problem in found]
    return tuple(
        replace(problem, file=name, message=problem.message.replace(f"{staged}/", ""))
        for problem, name in inside
        if name in texts
    )


def _says_the_same(name: str, text: str, other: str | None) -> bool:
    """Whether two files differ in layout only."""
    if other is None:
        return False
    if name.endswith(".md"):
        return parse_article(name, text)[0] == parse_article(name, other)[0]
    return parse_table(name, Path(name).stem, text)[0] == parse_table(name, Path(name).stem, other)[0]


def _file_of(article_id: str) -> str:
    return f"articles/{_safe(article_id)}.md"


def _safe(name: str) -> str:
    """A name that cannot leave its folder; whether it is a good one is the check's business."""
    if not isinstance(name, str) or not name or "/" in name or "\\" in name or name.startswith("."):
        raise ValueError(f"{name!r} is no name for a file")
    return name


def _read(path: Path) -> str | None:
    """A file's text; None when there is none or it is not UTF-8."""
    try:
        return path.read_text(encoding="utf-8")
    except (FileNotFoundError, UnicodeDecodeError):
        return None


def _write_bytes(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
