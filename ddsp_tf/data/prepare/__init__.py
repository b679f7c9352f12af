"""From recordings to records: read, cut into passages, measured on all cores, split, written."""
