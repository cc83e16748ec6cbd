"""The one door for HTML: a template and values in, a page in the reader's language out."""

import hashlib
import re
from collections.abc import Callable, Collection, Mapping
from functools import cache, partial
from http import HTTPStatus
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import HTMLResponse

from api.csrf import FormKey
from ontology import hrcs
from ontology.wording import LANGUAGES, day, period, say
from registry.study import Study

LANGUAGE_NAMES = (("nb", "Bokmål"), ("nn", "Nynorsk"), ("en", "English"))
_MENU = (
    ("/sok", "site.search"),
    ("/chat", "site.chat"),
    ("/sjekk", "screen.menu"),
    ("/lege", "site.gp"),
    ("/om", "site.about"),
)
_COOKIE = "language"
_YEAR = 365 * 24 * 3600


def language_of(request: Request) -> str:
    """nb, nn or en: the address decides (?lang=en), then the cookie, then bokmål."""
    for wanted in (request.query_params.get("lang"), request.cookies.get(_COOKIE)):
        if wanted in LANGUAGES:
            return wanted
    return "nb"


def render(
    request: Request, template: str, *, status: int = 200, private: bool = False, **values: object
) -> HTMLResponse:
    """A page. A private one is kept by no cache and listed by no search engine.

    A cookie is set only when the reader has chosen a language, or when the page has a form that asks for one.
    """
    language = language_of(request)
    settings = request.app.state.settings
    page = templates().get_template(template)
    form = FormKey(request)
    html = page.render(
        **values,
        private=private,
        request=request,
        language=language,
        languages=LANGUAGES,
        language_names=LANGUAGE_NAMES,
        menu=[entry for entry in _MENU if settings.chat or entry[0] != "/chat"],
        chat=settings.chat,
        version=static_version(),
        csrf=form.field,
        t=_speaker(language),
        here=partial(_here, request),
        address=partial(_address, request, settings.base),
    )
    response = HTMLResponse(html, status)
    response.headers["Cache-Control"] = "no-store" if private else "no-cache"
    response.headers["Vary"] = "Cookie"
    if private:
        response.headers["X-Robots-Tag"] = "noindex"
    if request.query_params.get("lang") in LANGUAGES:
        response.set_cookie(_COOKIE, language, max_age=_YEAR, samesite="lax", httponly=True)
    form.keep(response)
    return response


def private_page(
    request: Request,
    template: str,
    *,
    wrong: str | Mapping[str, str] = "",
    status: int | None = None,
    **values: object,
) -> HTMLResponse:
    """A private page: 200, or 422 with something `wrong` to mend: a text, or one for each field."""
    usual = HTTPStatus.UNPROCESSABLE_ENTITY if wrong else HTTPStatus.OK
    return render(request, template, status=status or usual, private=True, wrong=wrong, **values)


@cache
def templates() -> Environment:
    """The templates: everything is escaped, and a value that is missing is an error."""
    environment = Environment(
        loader=PackageLoader("api.pages"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters.update(
        excerpt=excerpt,
        highlight=highlight,
        paragraphs=paragraphs,
        cities=cities,
        day=day,
        category=category,
        phases=phases,
        number=number,
        period=period,
    )
    return environment


@cache
def static_version() -> str:
    """Changes when a static file does, so that browsers may keep them for long."""
    folder = files("api.pages") / "static"
    content = b"".join(item.read_bytes() for item in sorted(folder.iterdir(), key=lambda item: item.name))
    return hashlib.sha256(content).hexdigest()[:12]


def excerpt(text: str, length: int = 280) -> str:
    """The beginning of a text, cut between words."""
    flat = " ".join(text.split())
    if len(flat) <= length:
        return flat
    return f"{flat[:length].rpartition(' ')[0] or flat[:length]} …"


def highlight(text: str, words: Collection[str], length: int = 180) -> Markup:
    """The part of a text around the first of `words`, each of them marked; else its beginning."""
    flat = " ".join(text.split())
    if not words:
        return escape(excerpt(flat, length))
    wanted = re.compile(rf"\b({'|'.join(map(re.escape, words))})\b", re.IGNORECASE)
    found = wanted.search(flat)
    start = max(0, found.start() - length // 3) if found else 0
    start = flat.find(" ", start) + 1 if start else 0
    parts = wanted.split(("… " if start else "") + excerpt(flat[start:], length))
    marked = (
        Markup("<mark>{}</mark>").format(part) if place % 2 else escape(part)
        for place, part in enumerate(parts)
    )
    return Markup("").join(marked)


def paragraphs(text: str) -> list[str]:
    """A plain text split at its empty lines."""
    return [part for part in re.split(r"\n\s*\n", text.strip()) if part]


def cities(study: Study) -> list[str]:
    """Where a study runs, each place once, those in Norway first."""
    sites = sorted(study.sites, key=lambda site: not at_home(site.country))
    named = [site.city or site.facility for site in sites] or list(study.institutions)
    return list(dict.fromkeys(named))


def at_home(country: str) -> bool:
    """Whether a register's country is Norway; forms leave it out."""
    return country.casefold() in {"", "norway", "norge", "noreg"}


def phases(study: Study) -> str:
    """The phases as 1, 2/3; "" for a study that has none."""
    numbers = [phase.upper().removeprefix("EARLY_").removeprefix("PHASE").strip() for phase in study.phases]
    return "/".join(number for number in numbers if number != "NA")


def number(value: float, language: str) -> str:
    """61,5 in Norwegian, 61.5 in English."""
    text = f"{value:.10g}"
    return text if language == "en" else text.replace(".", ",")


def category(label: str, language: str) -> str:
    """A disease group in the reader's language; the Norwegian name serves bokmål and nynorsk."""
    return hrcs.english(label) if language == "en" else label


def _speaker(language: str) -> Callable[..., str]:
    def speak(key: str, **values: object) -> str:
        return say(key, language, **values)

    return speak


def _here(request: Request, language: str = "", **changes: object) -> str:
    """The address of this page in another language or with other parameters."""
    wanted = {**changes, "lang": language} if language else changes
    url = request.url.include_query_params(**wanted)
    return f"{url.path}?{url.query}" if url.query else url.path


def _address(request: Request, base: str, language: str) -> str:
    """The one public address of this page in a language, for search engines."""
    return f"{base}{request.url.path}" + ("" if language == "nb" else f"?lang={language}")
