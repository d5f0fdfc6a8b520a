"""A browser for all tests, a visit that notes what goes wrong on a page, and axe-core."""

import hashlib
import os
import shutil
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright

CHECKOUT = Path(__file__).parents[2]
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
AXE = "4.14.1"
AXE_SHA256 = "e6b0ce02b84d892e2e33e403485e7f3d6c29e2be6df65daf44d89ba564139745"
DESKTOP, PHONE = (1280, 900), (390, 844)
LOCAL = ("file:", "data:", "blob:")

# What sticks out on the right and is not cut off or scrolled within something that does not.
STICKS_OUT = """() => {
  const edge = document.documentElement.clientWidth;
  const held = (e) => {
    for (let a = e.parentElement; a && a !== document.body; a = a.parentElement)
      if (getComputedStyle(a).overflowX !== "visible") return true;
    return false;
  };
  if (document.documentElement.scrollWidth <= edge) return [];
  const out = [...document.body.querySelectorAll("*")].filter(
    (e) => e.getBoundingClientRect().right > edge + 1 && !held(e));
  const names = out.slice(0, 10).map((e) => `${e.tagName} ${e.className} ${e.closest("[id]")?.id}`);
  return [`page is ${document.documentElement.scrollWidth} px wide`, ...names];
}"""

# Marks what can be operated, and returns names; a thing to click that no key reaches is named too.
OPERABLE = """() => {
  const reached = 'a[href], button, input, select, textarea, summary, [tabindex="0"]';
  const list = [...document.querySelectorAll(reached)].filter(
    (e) => e.checkVisibility({ visibilityProperty: true }) && !e.disabled && e.tabIndex >= 0);
  list.forEach((e, i) => (e.dataset.stop = i));
  const name = (e) => `${e.tagName} ${e.id} ${e.textContent.trim().slice(0, 40)}`;
  const mute = [...document.body.querySelectorAll("*")].filter(
    (e) => (e.getAttribute("role") === "button" || e.hasAttribute("onclick")
      || getComputedStyle(e).cursor === "pointer")
      && e.checkVisibility() && !e.closest(reached + ", label"));
  return [list.map(name), mute.map(name)];
}"""

STOP = """() => {
  const e = document.activeElement;
  if (!e || e === document.body) return null;
  const style = getComputedStyle(e);
  const seen = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 1
    || style.boxShadow !== "none";
  const box = e.getBoundingClientRect();
  const there = box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth;
  return { stop: e.dataset.stop ?? null, seen: seen && there };
}"""

SERIOUS = """async (options) => {
  const violations = { resultTypes: ["violations"], preload: false, ...options };
  const found = await axe.run(document, violations);
  return found.violations
    .filter((v) => ["serious", "critical"].includes(v.impact))
    .map((v) => `${v.id}: ${v.help}; ${v.nodes.length} times, as in `
      + v.nodes.slice(0, 3).map((n) => n.html.slice(0, 160)).join(" | "));
}"""


@dataclass
class Visit:
    """A page that was opened, with what it asked for and complained of."""

    page: Page
    axe: str
    requests: list[str]
    complaints: list[str]

    def foreign(self) -> list[str]:
        """Return the addresses of requests that leave the page's files."""
        return [url for url in self.requests if not url.startswith(LOCAL)]

    def sticking_out(self) -> list[str]:
        """Return what makes the page scroll sideways, everything unfolded."""
        self.page.evaluate("document.querySelectorAll('details').forEach((d) => (d.open = true))")
        return self.page.evaluate(STICKS_OUT)

    def serious(self, **options) -> list[str]:
        """Return what axe-core finds serious or critical."""
        self.page.evaluate(self.axe)
        return self.page.evaluate(SERIOUS, options)

    def unreached(self) -> list[str]:
        """Return what Tab does not reach, or not in order, or reaches without showing it."""
        names, found = self.page.evaluate(OPERABLE)
        found = [f"no key reaches {name}" for name in found]
        self.page.evaluate("document.activeElement.blur()")
        stops = []
        for _ in range(2 * len(names) + 10):
            self.page.keyboard.press("Tab")
            stop = self.page.evaluate(STOP)
            if stop is None:
                break
            if stop["stop"] is not None:
                number = int(stop["stop"])
                if number in stops:
                    break
                stops.append(number)
                found += [] if stop["seen"] else [f"no focus to be seen on {names[number]}"]
        found += [f"Tab misses {n}" for i, n in enumerate(names) if i not in stops]
        return found + (["Tab goes back and forth"] if stops != sorted(stops) else [])


def chromium() -> str:
    """Return the path of the browser: what CHROMIUM says, or the first known name on the path."""
    named = os.environ.get("CHROMIUM")
    found = named or next(filter(None, map(shutil.which, BROWSERS)), None)
    if not found:
        raise FileNotFoundError("no Chromium: `apt-get install chromium`, or set CHROMIUM")
    return found


@pytest.fixture(scope="session")
def axe():
    """Return the source of axe-core, fetched once by npm and checked against its hash."""
    archive = CHECKOUT / "build" / f"axe-core-{AXE}.tgz"
    if not archive.exists():
        npm = shutil.which("npm")
        if not npm:
            raise FileNotFoundError("no npm, which fetches axe-core: `apt-get install npm`")
        archive.parent.mkdir(exist_ok=True)
        command = [npm, "pack", "--silent", f"axe-core@{AXE}", "--pack-destination"]
        subprocess.run([*command, str(archive.parent)], check=True, stdout=subprocess.PIPE)
    assert hashlib.sha256(archive.read_bytes()).hexdigest() == AXE_SHA256
    with tarfile.open(archive) as files:
        return files.extractfile("package/axe.min.js").read().decode()


@pytest.fixture(scope="session")
def browser():
    with sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=chromium(), args=FLAGS)
        yield started
        started.close()


@pytest.fixture(scope="session")
def open_page(browser, axe):
    """Return a function that visits a file in a window of its own; all close at the end."""
    windows = []

    def visit(path: Path, size=DESKTOP, scheme="light") -> Visit:
        if not Path(path).is_file():
            raise FileNotFoundError(
                f"{path} is absent; `make reproduce docs` writes what is tested"
            )
        viewport = dict(zip(("width", "height"), size, strict=True))
        window = browser.new_context(viewport=viewport, color_scheme=scheme)
        windows.append(window)
        page = window.new_page()
        seen = Visit(page, axe, [], [])
        page.on("request", lambda request: seen.requests.append(request.url))
        page.on("pageerror", lambda error: seen.complaints.append(str(error)))
        page.on(
            "console",
            lambda m: seen.complaints.append(m.text) if m.type in ("error", "warning") else None,
        )
        page.goto(Path(path).resolve().as_uri(), wait_until="load")
        return seen

    yield visit
    for window in windows:
        window.close()
