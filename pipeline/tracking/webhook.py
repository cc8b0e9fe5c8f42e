"""Tells a webhook how a run ended."""

from urllib.parse import urlsplit

import requests

from components.shared.errors import UserError
from components.shared.files.places import with_variables
from pipeline.tracking.ended import Ended

_TIMEOUT_SECONDS = (5, 10)


def post(webhook: str, ended: Ended) -> str | None:
    """Posts how a run ended, as JSON.

    Args:
      webhook: the address, as `notify.webhook` has it.
      ended: the run.

    Returns:
      What went wrong, in one line without the path of the address, which is the secret of many a webhook; None where
      the message was taken.
    """
    try:
        address = with_variables(webhook)
    except UserError as error:
        return f"notify.webhook: {error}"
    try:
        host = urlsplit(address).hostname
        with requests.post(
            address, json=ended.to_json(), timeout=_TIMEOUT_SECONDS, allow_redirects=False, stream=True
        ) as response:
            return None if response.status_code < 300 else f"notify.webhook: {host} answers {response.status_code}"
    except (OSError, ValueError) as error:
        # The message of the error has the whole address in it.
        return f"notify.webhook: the address does not answer, or is none ({type(error).__name__})"
