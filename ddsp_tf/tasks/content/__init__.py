"""The task `content`: speech in, phones out, and on the way what is said, whoever says it."""
