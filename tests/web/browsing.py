"""The browser that there is, and how tests wait for what a page does."""

import shutil

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def until(page, condition, seconds=60.0):
    """Wait for an expression of the page; its own way would need `eval`, which the page forbids."""
    for _ in range(int(10 * seconds)):
        if page.evaluate(condition):
            return True
        page.wait_for_timeout(100)
    return False
