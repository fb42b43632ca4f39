"""What every foreseen failure is: one line that says what, where, and what to do."""


class PostvaktError(Exception):
    """A foreseen failure. The command line prints its one line and exits with 1."""
