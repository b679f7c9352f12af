"""How good an instrument is, beside what it has to beat."""
