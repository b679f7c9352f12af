"""What tests of the studio do on its page."""

import base64

from tests.web.browsing import until

LOUDEST = """async (place) => {
    const audio = document.querySelectorAll("audio")[place], context = new AudioContext();
    const meter = context.createAnalyser(), heard = new Float32Array(meter.fftSize);
    context.createMediaElementSource(audio).connect(meter).connect(context.destination);
    audio.loop = true;
    context.resume();
    audio.play();
    let most = 0;
    for (let i = 0; i < 400 && most < 0.01; i++) {
        await new Promise((soon) => setTimeout(soon, 25));
        meter.getFloatTimeDomainData(heard);
        most = Math.max(most, ...heard.map(Math.abs));
    }
    audio.pause();
    return most;
}"""
"""Plays one of the sounds of the page, and hears what comes out of it."""


def drop(page, path):
    """Drop a file on the page."""
    page.evaluate(
        """({ text, name }) => {
            const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
            const held = new DataTransfer();
            held.items.add(new File([bytes], name));
            document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: held, bubbles: true }));
        }""",
        {"text": base64.b64encode(path.read_bytes()).decode(), "name": path.name},
    )
    assert until(page, "document.querySelectorAll('article[data-state=done] audio').length > 0")


def choose(page, model):
    page.locator("#models label", has_text=model).first.click()
    assert until(page, "!document.getElementById('go').disabled")


def set_out(page, path, model):
    """Drop a sound, and choose what is to be done with it."""
    drop(page, path)
    choose(page, model)


def results(n):
    return f"document.querySelectorAll('article[data-state=done]').length === {n}"


def nameless(page):
    """Controls and pictures of a page that have no name."""
    return page.evaluate(
        """[...document.querySelectorAll("button, input, select, meter, progress, audio, canvas, a")]
            .filter((each) => !each.getAttribute("aria-label") && !each.textContent.trim()
                && ![...(each.labels ?? [])].some((label) => label.textContent.trim()))
            .map((each) => each.outerHTML)"""
    )


def in_view(what):
    """Whether something stands in the upper half of what is seen of the page."""
    return f"""(() => {{
        const box = document.querySelector("{what}")?.getBoundingClientRect();
        return box !== undefined && box.top >= 0 && box.top < innerHeight / 2;
    }})()"""
