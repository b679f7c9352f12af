"""A fifth task, as small as one can be: level in, the gain out that a compressor would have.

It lives outside of the library and is registered, nothing else: what goes wrong with it would go wrong with
the task that somebody writes next.
"""
