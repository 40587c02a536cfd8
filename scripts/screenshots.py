"""``make screenshots``: pictures of the pages, of an instance filled by ``make demo``, for docs/screenshots/.

The instance is a new one in a folder of its own, served as in production; all of it goes at the end.
"""

from __future__ import annotations

import io
import os
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
PICTURES = ROOT / "docs" / "screenshots"
SIZES = {1280: 900, 390: 844}
#: The first account and pixel of the demo are the ones that look best.
PAGES = {
    "accounts": "/hub/",
    "overview": "/hub/capig/?tenant={tenant}",
    "overview-by-road": "/hub/capig/?tenant={tenant}&by=road",
    "pixels": "/hub/capig/pixels/?tenant={tenant}",
    "pixel": "/hub/capig/pixels/{pixel}/?tenant={tenant}",
    "deliveries": "/hub/capig/deliveries/?tenant={tenant}",
    "event": "/hub/capig/deliveries/event/?tenant={tenant}&id={event}",
    "alerts": "/hub/capig/alerts/?tenant={tenant}",
    "pipelines": "/hub/capig/pipeline/?tenant={tenant}",
    "source": "/hub/capig/pipeline/sources/{source}/?tenant={tenant}",
    "test-event": "/hub/capig/pipeline/sources/{source}/test/?tenant={tenant}&website=https%3A%2F%2F{website}%2F",
    "send-events": "/hub/capig/pixels/{pixel}/sending/?tenant={tenant}",
    "browser-test": "/hub/capig/pixels/{pixel}/browser-test/?tenant={tenant}",
    "deduplication": "/hub/capig/pixels/{pixel}/deduplication/?tenant={tenant}",
    "mirror": "/hub/capig/pixels/{pixel}/mirror/?tenant={tenant}",
    "registration": "/hub/capig/pixels/{pixel}/registration/?tenant={tenant}",
    "connect": "/hub/capig/pixels/connect/?tenant={tenant}",
    "import": "/hub/capig/pixels/import/?tenant={tenant}",
    "events": "/hub/capig/events/?tenant={tenant}",
    "websites": "/hub/capig/websites/?tenant={tenant}",
    "users": "/hub/capig/users/?tenant={tenant}",
    "invite": "/hub/capig/users/invite/?tenant={tenant}",
    "settings": "/hub/capig/settings/?tenant={tenant}",
    "activity": "/hub/capig/activity/?tenant={tenant}",
    "add-account": "/hub/add/",
    "host-alerts": "/hub/settings/alerts/",
    "host-settings": "/hub/settings/host/",
    "host-registration": "/hub/settings/registration/",
    "host-users": "/hub/settings/users/",
    "api-accounts": "/hub/settings/api-accounts/",
    "api-reference": "/hub/settings/api-reference/",
    "api-operation": "/hub/settings/api-reference/hub/tenants/",
    "mail": "/hub/settings/mail/",
    "second-factor": "/auth/2fa/",
    "admin": "/admin/",
}
#: By picture, another pixel's name: its roads share no ids.
OTHER_PIXELS = {"deduplication": "Book shop"}


def main() -> None:
    """Make all pictures anew."""
    with tempfile.TemporaryDirectory(prefix="portal-screenshots-") as folder:
        os.environ |= {
            "DATA_DIR": folder,
            "ENV_FILE": os.devnull,
            "BASE_URL": "https://gateway.example.com",
            "DATABASE_URL": "",
            "DJANGO_SETTINGS_MODULE": "portal.settings",
            "DJANGO_ALLOW_ASYNC_UNSAFE": "true",  # playwright's loop runs in this thread
            "PORTAL_ADMIN_EMAIL": "hanna@example.com",
            "PORTAL_PASSWORD": "correct horse battery staple",  # nosec B105  # of nobody
            "LOG_LEVEL": "ERROR",
        }
        _serve_and_take(Path(folder))


def _serve_and_take(folder: Path) -> None:
    from portal import keys

    keys.main()
    import django
    from django.core.management import call_command

    django.setup()
    for command in ("migrate", "collectstatic", "demo"):
        call_command(command, **({} if command == "demo" else {"interactive": False, "verbosity": 0}))

    from tests.instance import Instance

    with Instance(folder, "http://127.0.0.1:9", BASE_URL=os.environ["BASE_URL"]) as instance:
        instance.start_web()
        _take(instance.url)


def _take(url: str) -> None:
    from django.conf import settings
    from django.test import Client
    from playwright.sync_api import sync_playwright

    from accounts.models import User
    from events.models import DestinationLetter
    from pipelines.models import Source
    from pixels.models import Pixel
    from tests.browser.chromium import ARGUMENTS, MISSING, find_chromium

    if (chromium := find_chromium()) is None:
        sys.exit(f"There is {MISSING}.")
    pixel = Pixel.objects.order_by("pixel_id")[0]
    # Of the account's gateway source: the event that a destination refused has the most to tell.
    source = Source.objects.order_by("pk")[0]
    letter = DestinationLetter.objects.filter(source=source)[0]
    of_source = {"source": source.source_id, "website": letter.website, "event": letter.event_id}
    client = Client()
    client.force_login(User.objects.get(email=os.environ["PORTAL_ADMIN_EMAIL"]))
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, headless=True, args=ARGUMENTS)
        for width, height in SIZES.items():
            context = browser.new_context(
                base_url=url,
                viewport={"width": width, "height": height},
                locale="en-GB",
                reduced_motion="reduce",
                color_scheme="light",
            )
            page = context.new_page()
            page.goto("/auth/login/")
            _save(page.screenshot(), f"sign-in-{width}")
            context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": url}])
            for name, path in PAGES.items():
                shown = Pixel.objects.get(name=OTHER_PIXELS[name]) if name in OTHER_PIXELS else pixel
                page.goto(path.format(tenant=shown.tenant_id, pixel=shown.pixel_id, **of_source))
                page.wait_for_load_state("networkidle")
                _save(page.screenshot(), f"{name}-{width}")
            if width == 1280:
                page.emulate_media(color_scheme="dark")
                page.goto(PAGES["overview"].format(tenant=pixel.tenant_id))
                page.wait_for_load_state("networkidle")
                _save(page.screenshot(), "overview-dark-1280")
        browser.close()


def _save(png: bytes, name: str) -> None:
    """With 256 colours, a third of the size."""
    from PIL import Image

    PICTURES.mkdir(parents=True, exist_ok=True)
    picture = Image.open(io.BytesIO(png)).convert("RGB").quantize(256, dither=Image.Dither.NONE)
    picture.save(PICTURES / f"{name}.png", optimize=True)


if __name__ == "__main__":
    main()
