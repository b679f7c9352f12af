"""Errors that are meant for the person at the keyboard."""


class DdspError(ValueError):
    """Something a user gave cannot be used.

    The message is one line that names the thing, the value received and what would be valid. The
    command lines print it as it stands and exit with status 1; anything else that escapes is a bug.
    """


# From a function that it traces, TensorFlow hands on an error of this constructor as it is; all others, even
# those that inherit one, come as errors of its own.
DdspError.__init__ = Exception.__init__  # type: ignore[method-assign]


def did_you_mean(word: str, known: list[str] | tuple[str, ...]) -> str:
    """Return `" Did you mean 'x'?"` for the nearest of `known`, or an empty string."""
    import difflib

    near = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f" Did you mean {near[0]!r}?" if near else ""


def printable(text: object) -> str:
    """Return text, or a path as text, on one line, with `?` for what a terminal would not print but obey."""
    return "".join(c if c.isprintable() else "?" for c in " ".join(str(text).split()))
