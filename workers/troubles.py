"""What can be the matter with the Temporal server, in words for whoever runs it."""


class NoServer(Exception):
    """No Temporal server answers."""


class ServerTrouble(Exception):
    """The embedded Temporal server does not start, or does not stay."""
