"""The pages that are not about one study or one person, and what machines ask for."""

from urllib.parse import quote
from xml.sax.saxutils import escape

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from api.deps import LibraryDep, SettingsDep
from api.pages.render import render
from api.upkeep import Upkeep

router = APIRouter(include_in_schema=False)

SITEMAP_LIMIT = 50_000
"""Addresses a sitemap may hold (sitemaps.org)."""


@router.get("/")
def front(request: Request) -> Response:
    """The search field, what studies are, and the key figures."""
    return render(request, "front.html", figures=request.app.state.upkeep.figures)


@router.get("/om")
def about(request: Request) -> Response:
    """What this is and what it cannot do."""
    return render(request, "about.html")


@router.get("/personvern")
def privacy(request: Request) -> Response:
    """What is stored about a person."""
    return render(request, "privacy.html")


@router.get("/sitemap.xml")
def sitemap(library: LibraryDep, settings: SettingsDep) -> Response:
    """Every public page, for search engines (R17). Invented studies are left out."""
    studies = [study for study in library.store.all() if not study.is_sample][: SITEMAP_LIMIT - 4]
    pages = [_entry(settings.base + path) for path in ("/", "/lege", "/om", "/personvern")]
    pages += [_entry(f"{settings.base}/studier/{quote(each.id)}", each.last_confirmed) for each in studies]
    start = '<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n'
    return Response(start + "".join(pages) + "</urlset>\n", media_type="application/xml")


@router.get("/robots.txt")
def robots(settings: SettingsDep) -> Response:
    """What search engines may visit: studies, not anybody's search or personal page."""
    closed = ("/sok", "/chat", "/interesse/", "/varsler", "/innboks/", "/api/")
    lines = [
        "User-agent: *",
        *(f"Disallow: {path}" for path in closed),
        f"Sitemap: {settings.base}/sitemap.xml",
    ]
    return PlainTextResponse("\n".join(lines) + "\n")


@router.get("/helse")
def health(request: Request, library: LibraryDep) -> Response:
    """Whether the server lives, and how much it knows."""
    upkeep: Upkeep = request.app.state.upkeep
    if upkeep.failed:
        return JSONResponse({"status": "upkeep has stopped; restart the server"}, 503)
    counts = {"status": "ok", "studies": library.store.count(), "searchable": library.index.count}
    return JSONResponse(counts, headers={"Cache-Control": "no-store"})


def _entry(address: str, changed: str = "") -> str:
    modified = f"<lastmod>{escape(changed)}</lastmod>" if changed else ""
    return f"<url><loc>{escape(address)}</loc>{modified}</url>\n"
