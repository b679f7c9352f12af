"""The form of a dataset on disk: records, their checksums, what is journaled, what is published."""
