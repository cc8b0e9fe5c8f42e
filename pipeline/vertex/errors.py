"""What Google's client raises, in words that say what to do."""

import contextlib
import io
import logging
from collections.abc import Iterator

from google.api_core import exceptions as api_errors
from google.auth import exceptions as auth_errors

from components.shared.errors import UserError, first_line


@contextlib.contextmanager
def explained(project: str, region: str) -> Iterator[None]:
    """Keeps the client quiet.

    Raises:
      UserError: for each of the client's own errors.
    """
    where = f"Vertex AI ({project}, {region})"
    logging.getLogger("google.cloud.aiplatform").setLevel(logging.WARNING)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    except auth_errors.DefaultCredentialsError as error:
        raise UserError(
            "there are no Google credentials; run `gcloud auth application-default login`, or set "
            "GOOGLE_APPLICATION_CREDENTIALS to a key file"
        ) from error
    except auth_errors.GoogleAuthError as error:
        raise UserError(f"Google does not accept the credentials: {first_line(error)}") from error
    except api_errors.RetryError as error:
        raise UserError(f"{where} cannot be reached: {first_line(error)}") from error
    except api_errors.GoogleAPICallError as error:
        raise UserError(f"{where} {_refusal(error)}") from error
    except ValueError as error:
        raise UserError(f"{where}: {first_line(error)}") from error


def _refusal(error: api_errors.GoogleAPICallError) -> str:
    reasons = {
        401: "does not know you (401); log in again: `gcloud auth application-default login`",
        403: "does not allow this (403); check --project and the rights of your account",
        404: "does not know this (404); check --project and --region",
        503: "cannot be reached (503)",
    }
    said = first_line(error.message or "")
    return reasons.get(error.code or 0, f"refuses ({error.code})") + (f": {said}" if said else "")
