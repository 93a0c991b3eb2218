"""A browser that takes pictures for the documentation, small enough to be kept with the sources."""

import io
from contextlib import contextmanager
from pathlib import Path

from PIL import Image

from ..test_browser import Tour

IMAGES = Path(__file__).parents[2] / "docs" / "images"
DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}
#: As many as a screen of Odoo needs; more only make the file larger.
COLORS = 128


class Camera(Tour):
    """A signed-in window of ``installation`` whose pictures go to ``docs/images``.

    :param str suffix: behind each name, such as ``_zh``
    """

    def __init__(self, page, installation, suffix=""):
        super().__init__(page, installation.url)
        self.installation = installation
        self.suffix = suffix
        self.visitor = installation.visitor()

    def call(self, model, method, *arguments):
        return self.visitor.call(model, method, *arguments)

    def photograph(self, name, of=None):
        """:param of: a locator, for a picture of one element only"""
        # Why there: on the edge of the control panel nothing shows a tooltip, as a chart would.
        self.page.mouse.move(self.page.viewport_size["width"] - 2, 75)
        self.page.wait_for_timeout(900)
        picture = (of or self.page).screenshot(animations="disabled")
        IMAGES.mkdir(parents=True, exist_ok=True)
        path = IMAGES / f"{name}{self.suffix}.png"
        Image.open(io.BytesIO(picture)).convert("RGB").quantize(COLORS, dither=Image.Dither.NONE).save(
            path, optimize=True
        )
        print(f"{path.name}: {path.stat().st_size // 1024} kB", flush=True)

    def photograph_everywhere(self, name):
        """On a desk, and on a phone; afterwards the page is reloaded, as it keeps some of its small layout."""
        self.photograph(name)
        with self.on_a_phone():
            self.photograph(f"{name}_phone")
        self.page.reload()

    @contextmanager
    def on_a_phone(self):
        self.page.set_viewport_size(PHONE)
        self.page.wait_for_timeout(600)
        yield
        self.page.set_viewport_size(DESKTOP)

    @contextmanager
    def another_tab(self, script=None):
        """:param str script: runs before everything else in its pages"""
        page = self.page.context.new_page()
        page.set_viewport_size(DESKTOP)
        if script:
            page.add_init_script(script)
        yield Camera(page, self.installation, self.suffix)
        page.close()
