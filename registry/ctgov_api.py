"""ClinicalTrials.gov's live API v2 -> pages of studies. Waits, tries again, and goes on where it stopped."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from json import JSONDecodeError
from pathlib import Path
from secrets import SystemRandom

import httpx

from ontology.errors import BadInput, BadRecord, Unavailable
from registry.ctgov import study_or_reason
from registry.study import Study

BASE_URL = "https://clinicaltrials.gov"
LARGEST_PAGE = 1000
LONGEST_WAIT_S = 120.0
USER_AGENT = "studievei (clinical study search)"

Page = tuple[Study | BadRecord, ...]


@dataclass(frozen=True, slots=True)
class Pace:
    """How hard we ask. New attempt n waits about `backoff` * 2**n seconds, or what the server asks for."""

    per_minute: float = 50.0
    attempts: int = 6
    backoff: float = 1.0
    timeout: float = 60.0


def fetch(
    *,
    country: str = "Norway",
    terms: str = "",
    base_url: str = BASE_URL,
    page_size: int = LARGEST_PAGE,
    resume: Path | None = None,
    pace: Pace = Pace(),
) -> Iterator[Page]:
    """Every study with a site in `country`, page by page; a broken record comes as «where: why».

    `resume` names a small file that keeps the place: it moves on when the caller asks for the next page, so
    a caller that stores each page before asking loses nothing, and it is removed after the last page.

    Args:
        country: as ClinicalTrials.gov writes it; empty for the whole world.
        terms: further words to search for (`query.term`).
        base_url: where the API is served.
        page_size: studies a page, 1 to 1000.
        resume: the file of the place.
        pace: requests a minute, attempts and waits.

    Raises:
        BadInput: `page_size` or `base_url` cannot be used, or the server does not understand the question.
        Unavailable: the server did not answer after all attempts; run again to go on from the same page.
    """
    if not 1 <= page_size <= LARGEST_PAGE:
        raise BadInput(f"A page holds 1 to {LARGEST_PAGE} studies, not {page_size}.")
    if not base_url.startswith(("https://", "http://")):
        raise BadInput(f"{base_url!r} is not an address. Write it with https://, for example {BASE_URL}.")
    question = _question(country, terms, page_size)
    token = _read_place(resume, question)
    with httpx.Client(base_url=base_url, timeout=pace.timeout, headers={"User-Agent": USER_AGENT}) as client:
        asker = _Asker(client, pace)
        while True:
            answer = asker.ask(question | ({"pageToken": token} if token else {}))
            yield _page(answer, token)
            following = answer.get("nextPageToken")
            if not following:
                break
            if following == token:
                raise Unavailable(f"{base_url} gives the same page again and again. Try again later.")
            token = str(following)
            _keep_place(resume, question, token)
    if resume is not None:
        resume.unlink(missing_ok=True)


class _Asker:
    """Asks one question at a time, never faster than the pace allows."""

    def __init__(self, client: httpx.Client, pace: Pace) -> None:
        self._client = client
        self._pace = pace
        self._next = 0.0
        self._random = SystemRandom()

    def ask(self, question: dict[str, str]) -> dict[str, object]:
        """The JSON object that the API answers, after as many attempts as the pace allows."""
        last = self._pace.attempts - 1
        for attempt in range(self._pace.attempts):
            try:
                return _read_answer(self._get(question))
            except httpx.TransportError as error:
                problem, asked = f"{type(error).__name__}: {error}", None
            except _TryAgain as again:
                problem, asked = str(again), again.wait
            if attempt < last:
                time.sleep(self._backoff(attempt) if asked is None else asked)
        raise Unavailable(
            f"{self._client.base_url} did not answer after {self._pace.attempts} attempts ({problem}). "
            "Run the same command again later; it goes on where it stopped."
        )

    def _backoff(self, attempt: int) -> float:
        return float(self._pace.backoff * 2**attempt * self._random.uniform(0.5, 1.5))

    def _get(self, question: dict[str, str]) -> httpx.Response:
        time.sleep(max(0.0, self._next - time.monotonic()))
        self._next = time.monotonic() + 60 / self._pace.per_minute
        return self._client.get("/api/v2/studies", params=question)


class _TryAgain(Unavailable):
    """The answer may be better next time; `wait` is how many seconds the server asked for, if it did."""

    def __init__(self, problem: str, wait: float | None = None) -> None:
        super().__init__(problem)
        self.wait = wait


def _read_answer(response: httpx.Response) -> dict[str, object]:
    if response.status_code == 429 or response.status_code >= 500:
        raise _TryAgain(f"status {response.status_code}", _retry_after(response))
    if response.status_code != 200:
        raise BadInput(
            f"{response.url.host} answered {response.status_code}: {response.text[:200].strip()!r}. "
            "Check the question; if a kept place is too old, delete its file. Or import a downloaded file."
        )
    try:
        answer = response.json()
    except (JSONDecodeError, UnicodeDecodeError) as error:
        raise _TryAgain(f"the answer is not JSON ({error})") from error
    if not isinstance(answer, dict) or not isinstance(answer.get("studies"), list):
        raise _TryAgain("the answer has no list of studies")
    return answer


def _retry_after(response: httpx.Response) -> float | None:
    """Seconds of the Retry-After header (RFC 9110, 10.2.3: seconds or a date), within reason."""
    text = response.headers.get("Retry-After", "").strip()
    if text.isdecimal():
        return min(float(text), LONGEST_WAIT_S)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return min(max(0.0, (moment - datetime.now(UTC)).total_seconds()), LONGEST_WAIT_S)


def _question(country: str, terms: str, page_size: int) -> dict[str, str]:
    question = {"format": "json", "pageSize": str(page_size)}
    if country:
        question["filter.advanced"] = f'AREA[LocationCountry]"{country.replace(chr(34), "")}"'
    if terms:
        question["query.term"] = terms
    return question


def _page(answer: dict[str, object], token: str) -> Page:
    studies = answer["studies"]
    where = f"page {token or 'one'}"
    return tuple(
        study_or_reason(f"{where} record {number}", record)
        for number, record in enumerate(studies if isinstance(studies, list) else [], start=1)
    )


def _read_place(file: Path | None, question: dict[str, str]) -> str:
    """The token of the page to begin with; empty (the first page) without a place kept for this question."""
    if file is None or not file.exists():
        return ""
    try:
        place = json.loads(file.read_bytes())
        return str(place["token"]) if place["question"] == question else ""
    except (ValueError, KeyError, TypeError):
        raise BadInput(f"{file} is not a place that a fetch kept. Delete it to begin anew.") from None


def _keep_place(file: Path | None, question: dict[str, str], token: str) -> None:
    if file is None:
        return
    written = file.with_name(file.name + ".part")
    written.write_text(json.dumps({"question": question, "token": token}), "utf-8")
    written.replace(file)
