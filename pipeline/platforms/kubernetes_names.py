"""Names as Kubernetes allows them (k8s.io/apimachinery's validation), so that wrong ones are told before a run."""

import re

_PART = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_PART}(\.{_PART})*"
_NAME = "[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
_LONGEST_SUBDOMAIN = 253


def check_object(what: str, name: str) -> None:
    """Checks the name of a secret or a claim.

    Args:
      what: is named, for the message.
      name: of it.

    Raises:
      ValueError: it is none.
    """
    if len(name) > _LONGEST_SUBDOMAIN or not re.fullmatch(_SUBDOMAIN, name):
        raise ValueError(f"{name!r} is no name of a {what}: lower-case letters, digits, - and ., the first no - or .")


def check_key_of_secret(key: str) -> None:
    """Checks a key of a secret.

    Raises:
      ValueError: it is none.
    """
    if not re.fullmatch("[-._a-zA-Z0-9]{1,253}", key):
        raise ValueError(f"{key!r} is no key of a secret: letters, digits, -, _ and .")


def check_variable(name: str) -> None:
    """Checks the name of a variable of the environment.

    Raises:
      ValueError: it is none.
    """
    if not re.fullmatch("[-._a-zA-Z][-._a-zA-Z0-9]*", name):
        raise ValueError(f"{name!r} is no name of a variable: letters, digits, -, _ and ., the first no digit")


def check_label_key(key: str) -> None:
    """Checks the key of a label or of an annotation.

    Raises:
      ValueError: it is none.
    """
    prefix, slash, name = key.rpartition("/")
    if not re.fullmatch(_NAME, name) or (
        slash and (len(prefix) > _LONGEST_SUBDOMAIN or not re.fullmatch(_SUBDOMAIN, prefix))
    ):
        raise ValueError(
            f"{key!r} is no key of a label: at most 63 letters, digits, -, _ and ., where wanted behind a domain and /"
        )


def check_label_value(value: str) -> None:
    """Checks the value of a label.

    Raises:
      ValueError: it is none.
    """
    if value and not re.fullmatch(_NAME, value):
        raise ValueError(f"{value!r} is no value of a label: at most 63 letters, digits, -, _ and .")
