"""Why a request gets no answer."""


class RefusalError(Exception):
    """A request that cannot be answered, and why.

    Attributes:
      status: what HTTP calls it, 400 to 499.
    """

    def __init__(self, status: int, reason: str):
        """Takes the status and the reason, one line."""
        super().__init__(reason)
        self.status = status
