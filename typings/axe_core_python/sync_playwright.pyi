from typing import Any

from playwright.sync_api import Page

class Axe:
    def run(self, page: Page) -> dict[str, Any]: ...
