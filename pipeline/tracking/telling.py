"""Tells everybody who is to know how a run ended."""

from components.shared.files.places import with_variables
from pipeline.tracking import mlflow_server, webhook
from pipeline.tracking.config import NotifyConfig, TrackingConfig
from pipeline.tracking.ended import Ended


def check(notify: NotifyConfig, tracking: TrackingConfig) -> None:
    """Sees before a run whether somebody could be told at its end.

    Raises:
      UserError: a variable of the environment is not set, or a package is not installed.
    """
    for address in filter(None, (notify.webhook, tracking.mlflow)):
        with_variables(address)
    if tracking.mlflow:
        mlflow_server.check_installed()


def tell(ended: Ended, notify: NotifyConfig, tracking: TrackingConfig) -> list[str]:
    """Tells the tracking server and the webhook, if any; the former nothing of a run that did nothing.

    Returns:
      What went wrong, a line each: nobody who does not listen makes a run fail.
    """
    faults = [
        ended.new
        and tracking.mlflow
        and mlflow_server.log(tracking.mlflow, tracking.experiment or ended.run.pipeline, ended),
        notify.webhook and webhook.post(notify.webhook, ended),
    ]
    return [fault for fault in faults if fault]
