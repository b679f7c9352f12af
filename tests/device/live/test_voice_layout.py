"""What of a processor group a voice plays, and what sounds once for all of them."""

from ddsp_edge.synthesis.voice_graph import VoiceLayout


def node(name, kind, **inputs):
    return {"name": name, "type": kind, "config": {}, "inputs": inputs}


HARMONIC = node("sines", "Harmonic", amplitude="a", distribution="d", f0_hz="f0_hz")
BREATH, BOW = (node(name, "FilteredNoise", magnitudes=f"{name}_m") for name in ("breath", "bow"))


def layout(*nodes, output):
    return VoiceLayout.of({"nodes": list(nodes), "output": output})


def test_rooms_at_the_end_are_left_out_in_the_order_in_which_they_follow():
    body, hall = node("body", "Reverb", audio="sines"), node("hall", "Reverb", audio="body")
    found = layout(HARMONIC, body, hall, output="hall")
    assert (found.rooms, found.names, found.output) == (("body", "hall"), ["sines"], "sines")


def test_a_room_that_something_else_hears_stays_in_the_voice():
    body = node("body", "Reverb", audio="sines")
    both = node("both", "Add", one="sines", two="body")
    hall = node("hall", "Reverb", audio="both")
    found = layout(HARMONIC, body, both, hall, output="hall")
    assert (found.rooms, found.names) == (("hall",), ["sines", "body", "both"])
    listened = node("tap", "Add", one="hall")
    found = layout(HARMONIC, body, both, hall, listened, output="hall")
    assert (found.rooms, found.output) == ((), "hall")


def test_gains_and_noises_are_in_the_order_of_the_nodes():
    mixed = node("mixed", "Add", one="bow", two="sines", three="breath")
    found = layout(BOW, HARMONIC, BREATH, mixed, output="mixed")
    assert found.gains == ("bow", "sines", "breath")
    assert found.noises == ("bow", "breath")
    assert found.levels() == [("FilteredNoise", "bow_m"), ("Harmonic", "a"), ("FilteredNoise", "breath_m")]
    assert found.describe(5) == {
        "state_size": 5,
        "gains": ["bow", "sines", "breath"],
        "noises": ["bow", "breath"],
        "rooms": [],
    }
