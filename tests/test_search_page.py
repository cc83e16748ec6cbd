"""The search page in a real browser: by keyboard, without scripts, narrow and wide, and as axe reads it."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect
from served import DIABETES, listening

from api.app import create_app
from api.library import open_index, open_store
from api.settings import Settings
from nlp.embeddings.encoder import Encoder
from ontology.wording import say
from registry.form import sample_studies

PATHS = (
    "/",
    "/sok",
    "/sok?q=diabetes+i+Bergen+kvinne+54&phase=3&near=Oslo&within=100",
    "/sok?q=qzxqzx",
    "/studier/EKS-01",
)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory, toy_encoder: Encoder) -> Iterator[str]:
    """A real server over the sample studies on a free port."""
    settings = Settings(data_dir=tmp_path_factory.mktemp("page"), chat=False)
    studies = [*sample_studies(), DIABETES]
    with open_store(settings) as store:
        store.put_many(studies)
    open_index(settings, toy_encoder).update(studies)
    with listening(lambda _: create_app(settings, encoder=toy_encoder)) as address:
        yield address


def opened(browser: Browser, width: int, *, scripts: bool = True) -> Page:
    context = browser.new_context(
        viewport={"width": width, "height": 800}, java_script_enabled=scripts, bypass_csp=scripts
    )
    page: Page = context.new_page()
    page.set_default_timeout(60_000)
    return page


@pytest.mark.parametrize("width", [320, 1280])
def test_no_page_of_search_breaks_a_rule_of_axe_or_its_width(
    browser: Browser, address: str, width: int
) -> None:
    page = opened(browser, width)
    for path in PATHS:
        page.goto(address + path)
        page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true; })")
        violations = Axe().run(page).response["violations"]
        assert [(each["id"], each["nodes"][0]["html"]) for each in violations] == [], path
        assert page.evaluate("document.documentElement.scrollWidth") == width, path
    page.context.close()


def test_a_suggestion_is_chosen_with_the_keyboard(browser: Browser, address: str) -> None:
    page = opened(browser, 320)
    page.goto(address)
    field = page.get_by_role("combobox")
    field.press_sequentially("sukkersykk")
    options = page.get_by_role("option")
    expect(options.first).to_be_visible(timeout=60_000)
    assert Axe().run(page).response["violations"] == []
    field.press("ArrowDown")
    expect(options.first).to_have_attribute("aria-selected", "true")
    assert field.get_attribute("aria-activedescendant") == options.first.get_attribute("id")
    field.press("Escape")
    expect(options).to_have_count(0)
    field.press_sequentially("e")
    expect(options.first).to_be_visible(timeout=60_000)
    field.press("ArrowDown")
    chosen = options.first.locator("span").inner_text()
    field.press("Enter")
    page.wait_for_url("**/sok?q=*")
    assert page.get_by_role("combobox").input_value() == chosen
    page.context.close()


def test_filters_work_without_scripts_and_do_not_bury_the_hits(browser: Browser, address: str) -> None:
    page = opened(browser, 320, scripts=False)
    page.goto(f"{address}/sok?q=diabetes")
    first = page.locator(".hits h2").first
    assert not page.locator("#near").is_visible()
    top = first.bounding_box()
    assert top
    assert top["y"] < 1200
    page.locator("details.narrow > summary").click()
    page.locator("#near").fill("Bergen")
    page.locator("input[name=type][value=interventional]").check()
    page.get_by_role("button", name=say("filters.apply", "nb")).click()
    assert "near=Bergen" in page.url
    assert "type=interventional" in page.url
    assert page.get_by_text("km fra Bergen").count() > 0
    page.get_by_role(
        "link", name=say("hits.remove", "nb", name=say("filters.near_is", "nb", place="Bergen"))
    ).click()
    assert "near" not in page.url
    assert "type=interventional" in page.url
    page.context.close()
