"""The report in Chromium: from its file, without a server."""

import io

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image

from pipeline.write_report import write_report
from report_builders import AT, REFERENCE, ReportRun, an_answer

SIZE = (320, 240)
CAT, DOG = (0, 0x72, 0xB2), (0xD5, 0x5E, 0)  # --c0 and --c1 of page.css
HOSTILE = "\"><script>document.title='taken'</script><img src=x onerror=\"document.title='taken'\">"


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """Some of everything, hostile texts among it."""
    run = ReportRun(labels=("cat", "dog", HOSTILE), size=SIZE)
    run.pictures = [
        (f"p{n}.png", "validation" if n % 4 == 0 else "train", [(n % 2, 40 + 5 * n, 50, 90, 70 + n)])
        for n in range(14)
    ]
    run.pictures += [
        (f"negative {HOSTILE}.png", "train", []),
        ("crowd.png", "train", [(b % 3, 20 * b, 10 * b, 9, 9) for b in range(12)]),
        ("both.png", "train", [(0, 100, 100, 60, 60), (1, 102, 100, 60, 60)]),
        ("late.png", "train", None),
    ]
    run.rejected = [
        {"name": "copy.png", "reason": "duplicate", "of": run.key("p1.png"), "distance": 0},
        {"name": HOSTILE, "reason": "damaged", "detail": HOSTILE},
    ]
    run.similar = [{"key": run.key("p2.png"), "of": run.key("p3.png"), "distance": 2}]
    run.confidences = {"p5.png": [0.67]}
    drawn = [("cat", 40, 50, 90, 70)]
    run.responses = {n: [an_answer("ann", 12, drawn), an_answer(HOSTILE, 14, drawn)] for n in range(14)}
    store = run.write()
    write_report(REFERENCE, store)
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_bytes(store.read(AT.report))
    return path


@pytest.fixture
def open_report(chromium, report):
    """Opens the page; whatever it asks for or complains of fails the test."""
    contexts, requests, complaints = [], [], []

    def open_(**options):
        context = chromium.new_context(**({"viewport": {"width": 1200, "height": 900}} | options))
        contexts.append(context)
        page = context.new_page()
        page.on("request", lambda request: requests.append(request.url[:80]))
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(report.as_uri())
        return page

    yield open_
    for context in contexts:
        context.close()
    assert complaints == []
    assert {url for url in requests if not url.startswith("data:image/jpeg;base64,")} <= {report.as_uri()}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(open_report, scheme):
    page = open_report(color_scheme=scheme, bypass_csp=True)  # axe comes as a script
    page.locator("details").evaluate_all("all => all.forEach(each => { each.open = true })")
    found = Axe().run(page).response["violations"]
    told = [(each["id"], [node["html"][:200] for node in each["nodes"]][:3]) for each in found]
    assert told == []


def test_hostile_texts_do_nothing(open_report):
    page = open_report()
    assert page.title() == "pets · run 0123456789ab · Truthmill report"
    assert page.locator("script, img, iframe, object").count() == 0
    assert page.get_by_text("onerror").count() > 0


def test_a_script_would_not_run(open_report, report):
    """The policy holds even if a text got through; asked of a page with a script put into it."""
    page = open_report(java_script_enabled=True)
    text = report.read_text().replace("</main>", "<script>document.title='taken'</script></main>")
    other = report.with_name("other.html")
    other.write_text(text)
    guarded = page.context.browser.new_context().new_page()
    guarded.goto(other.as_uri())
    assert guarded.title().startswith("pets")
    guarded.context.close()


def shot(locator):
    """The picture as it is on the screen, and pixels of the screen for one of the picture."""
    locator.scroll_into_view_if_needed()
    image = Image.open(io.BytesIO(locator.screenshot())).convert("RGB")
    scale = min(image.width / SIZE[0], image.height / SIZE[1])
    edge = ((image.width - SIZE[0] * scale) / 2, (image.height - SIZE[1] * scale) / 2)
    return image, scale, edge


def near(colour, wanted):
    return max(abs(a - b) for a, b in zip(colour, wanted, strict=True)) <= 40


def test_every_picture_has_its_boxes_where_the_truth_says(open_report):
    """In the middle of each of the box's sides lies the class's colour; inside it the picture's own."""
    page = open_report(device_scale_factor=2)
    seen = 0
    for n in range(14):
        tile = page.locator("#random figure").filter(has=page.get_by_text(f"p{n}.png", exact=True))
        if not tile.count():
            continue
        image, scale, (x0, y0) = shot(tile.locator("svg.picture"))
        left, top, width, height = 40 + 5 * n, 50, 90, 70 + n

        def at(x, y, image=image, scale=scale, x0=x0, y0=y0):
            """The pixels of the screen there, and one to each side: a line's edge is blended."""
            across, down = round(x0 + x * scale), round(y0 + y * scale)
            return [image.getpixel((across + dx, down + dy)) for dx in (-1, 0, 1) for dy in (-1, 0, 1)]

        middle = (left + width / 2, top + height / 2)
        wanted = DOG if n % 2 else CAT
        for side in (
            (left, middle[1]),
            (left + width, middle[1]),
            (middle[0], top),
            (middle[0], top + height),
        ):
            assert any(near(pixel, wanted) for pixel in at(*side)), (n, side, at(*side))
        assert all(near(pixel, (230, 200, 60)) for pixel in at(*middle))
        assert all(near(pixel, (70, 90, 80)) for pixel in at(left / 2, top / 2))
        seen += 1
    assert seen == 14


def test_it_fits_a_telephone(open_report):
    page = open_report(viewport={"width": 360, "height": 700})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_it_can_be_printed(open_report):
    page = open_report()
    printed = page.pdf(format="A4")
    assert printed.startswith(b"%PDF")
    page.emulate_media(media="print")
    assert not page.get_by_role("navigation").is_visible()
    assert page.get_by_role("heading", name="Get the data").is_visible()


def test_the_keyboard_reaches_everything_that_opens(open_report):
    page = open_report()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the verdict"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "verdict"
    summary = page.locator("#rejected summary").first
    summary.focus()
    page.keyboard.press("Enter")
    assert page.get_by_text("what was found").first.is_visible()
