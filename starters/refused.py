"""What cannot be done, said to whoever asked for it."""


class Refused(Exception):
    """Why something asked for cannot be done, and what to do instead."""
