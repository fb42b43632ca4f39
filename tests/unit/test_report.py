"""The report for people, looked at in a real browser. Pictures of it go to build/screenshots."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from axe_core_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from inventories.hosts import HOSTS, OBLIGATIONS
from postvakt.evidence import audit, drawings, report, seal
from postvakt.evidence.found import Found, Plan
from postvakt.evidence.tables import Seen
from postvakt.evidence.words import FILES, Language, words
from postvakt.policy import catalog
from postvakt.results import Check, Observation, Result, judge
from postvakt.status import Status
from postvakt.target import LAB, ROOT

PICTURES = ROOT / "build" / "screenshots"
CHROMIUM = "/usr/bin/chromium"
ALONE = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
"""It calls nobody by itself; root has no sandbox."""
PLANTED = "<script>document.title = 'taken'</script>"
WHEN = "2026-11-24T09:00:00+00:00"


def found() -> Found:
    """A run in which a promise is kept, one is broken, a host was not reached and a check said HTML."""
    plan = Plan(LAB, (), HOSTS, False, None, "", Path("/nowhere"), (), {})
    made = Found(plan, catalog(), datetime(2026, 11, 24, 9, tzinfo=UTC))
    made.ended = made.began
    made.seen = {one.name: Seen(one.name, "", "13.2", "6.12", 4) for one in HOSTS[1:]}
    made.seen[HOSTS[0].name] = Seen(HOSTS[0].name, "no route to host")
    ages = {"support1.no": "3.5", "backup1.no": "9.25"}
    results = [
        Result(
            clause="LOG-02",
            host=host,
            check=f"tests/hosts/test_x.py::test_age[{host}]",
            status=Status.SATISFIED if days == "3.5" else Status.VIOLATED,
            method="host",
            observations=(Observation("no record older than 7 d", f"{PLANTED} the oldest {days} d in x"),),
            commands=("uname -s", "find /var/log"),
            started=WHEN,
            seconds=1.0,
            run=WHEN,
            commit="abc",
            reason="",
        )
        for host, days in ages.items()
    ]
    made.results = tuple(results)
    checks = [Check(one.clause, one.host, one.check) for one in results]
    made.verdicts = judge(catalog(), OBLIGATIONS, checks, results, (), {}, date(2026, 11, 24))
    return made


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("report")
    for language, name in FILES.items():
        (made / name).write_bytes(report.render(found(), language, "abc"))
    return made


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=ALONE)
        yield opened
        opened.close()


def opened(
    browser: Browser, path: Path, width: int, *, dark: bool = False, script: bool = True
) -> tuple[Page, list[str]]:
    """The page, and what it asked for."""
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme="dark" if dark else "light",
        java_script_enabled=script,
        bypass_csp=script,
    )
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(path.as_uri())
    return page, asked


@pytest.mark.parametrize("language", list(Language))
def test_it_is_one_file_that_needs_nothing(folder: Path, language: Language) -> None:
    text = (folder / FILES[language]).read_text()
    for word in ("<script", "<link", "<img", "<iframe", "@import", "url(", "src="):
        assert word not in text, word
    links = set(re.findall(r'href="([^"]*)"', text))
    assert {one for one in links if not one.startswith("#")} == set(FILES.values()) - {FILES[language]}
    ids = re.findall(r'\sid="([^"]*)"', text)
    assert len(ids) == len(set(ids))
    assert {one[1:] for one in links if one.startswith("#")} <= set(ids)


@pytest.mark.parametrize("language", list(Language))
def test_nothing_is_left_out(folder: Path, language: Language) -> None:
    text = (folder / FILES[language]).read_text()
    for clause in catalog():
        assert f'<article id="{clause.id}"' in text
    for host in HOSTS:
        assert host.name in text
    said = words(language)
    assert f"{said['lost']}: {HOSTS[0].name}." in text
    assert "no route to host" in text
    assert said["unsigned"] in text
    assert f"<b>{len(HOSTS) - 1} {said['of']} {len(HOSTS)}</b>" in text
    assert "&lt;script&gt;" in text


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_it_can_be_read_by_everybody(
    browser: Browser, folder: Path, width: int, dark: bool, language: Language
) -> None:
    path = folder / FILES[language]
    page, asked = opened(browser, path, width, dark=dark)
    assert asked == [path.as_uri()]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.title().startswith(words(language)["title"])
    PICTURES.mkdir(parents=True, exist_ok=True)
    name = f"{path.stem}-{width}-{'dark' if dark else 'light'}.png"
    page.screenshot(path=str(PICTURES / name))
    said = Axe().run(page)
    assert len(said["passes"]) > 10, "axe looked at nothing"
    bad = [(one["id"], one["nodes"][0]["html"]) for one in said["violations"]]
    assert bad == []
    page.context.close()


def test_axe_sees_what_is_wrong(browser: Browser, tmp_path: Path) -> None:
    """Its silence above means something."""
    (tmp_path / "bad.html").write_text("<!doctype html><title>x</title><p style='color:#ccc'>pale<img src=x>")
    page, _ = opened(browser, tmp_path / "bad.html", 360)
    assert {"color-contrast", "html-has-lang", "image-alt"} <= {
        one["id"] for one in Axe().run(page)["violations"]
    }
    page.context.close()


@pytest.mark.parametrize("language", list(Language))
def test_how_long_delivery_logs_are_kept_is_proved_in_two_clicks(
    browser: Browser, folder: Path, language: Language
) -> None:
    """Without a script, on a phone."""
    page, _ = opened(browser, folder / FILES[language], 360, script=False)
    page.get_by_role("link", name=words(language)["retention"]).click()
    page.locator("section[aria-labelledby=retention]").get_by_role("link", name="LOG-02").click()
    article = page.locator("article#LOG-02")
    box = article.bounding_box()
    assert box is not None
    assert 0 <= box["y"] < 200, "the promise does not stand at the top of the window"
    seen = article.inner_text()
    for word in ("max_age_days = 7", "MaxRetentionSec", "the oldest 3.5 d", "2026-11-24 09:00:00"):
        assert word in seen
    article.locator("summary").first.click()
    assert "find /var/log" in article.inner_text()
    assert "uname -s" not in article.inner_text()
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=str(PICTURES / f"two-clicks-{language}.png"))
    page.context.close()


def test_it_prints_every_command(browser: Browser, folder: Path) -> None:
    page, _ = opened(browser, folder / FILES[Language.ENGLISH], 1280)
    assert not page.locator("article#LOG-02 pre").first.is_visible()
    page.emulate_media(media="print")
    assert page.locator("article#LOG-02 pre").first.is_visible()
    assert not page.locator("nav").is_visible()
    page.context.close()


def test_a_record_that_is_too_old_is_beyond_the_line() -> None:
    ages = [drawings.Age("a", 3.5), drawings.Age("b", 9.25)]
    drawn = drawings.timeline("LOG-02", "7 days", 7, ages, "days")
    (line,) = re.findall(r'x1="([\d.]+)"', drawn)
    bars = {
        kind: float(width) for width, kind in re.findall(r'width="([\d.]+)" [^>]*class="(bar[^"]*)"', drawn)
    }
    assert bars["bar"] < float(line) < bars["bar over"]


def test_a_bundle_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    made = found()
    made.plan = replace(made.plan, into=tmp_path)
    place = audit.write(made)
    assert [path.name for path in tmp_path.iterdir()] == [place.name]
    assert seal.verify(place, "") == ""
    assert {*FILES.values(), "manifest.json", "results.jsonl", "junit.xml"} <= {
        path.name for path in place.iterdir()
    }
    somebody = Observation("nobody", "mail of ellen@elsewhere.example")
    made.results = (replace(made.results[0], observations=(somebody,)), *made.results[1:])
    made.began += timedelta(seconds=1)
    with pytest.raises(
        seal.EvidenceError, match=r"refused \(DER-03\): .*the e-mail address of a person"
    ) as refused:
        audit.write(made)
    assert "ellen" not in str(refused.value)
    assert [path.name for path in tmp_path.iterdir()] == [place.name]
