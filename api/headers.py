"""The headers that every answer carries."""

_PAGES = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
# Gradio builds its page in the browser, from scripts and styles that stand in the page itself.
_CHAT = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; "
    "form-action 'self'; base-uri 'self'; frame-ancestors 'none'"
)


def security_headers(path: str) -> dict[str, str]:
    """Headers for the answer at `path`: no other site is asked, and none learns anything."""
    chat = path == "/chat" or path.startswith("/chat/")
    headers = {
        "Content-Security-Policy": _CHAT if chat else _PAGES,
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "no-referrer",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
        "Cross-Origin-Opener-Policy": "same-origin",
    }
    if chat:
        headers["X-Robots-Tag"] = "noindex"
    return headers
