"""From what somebody plays to what an instrument is told: octaves, loudness, gate, advice."""
