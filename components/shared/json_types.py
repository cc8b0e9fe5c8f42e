"""What comes from outside, or goes there, before it has types of its own."""

from typing import Any, TypeAlias

Json: TypeAlias = Any
"""Any value of JSON."""

JsonObject: TypeAlias = dict[str, Any]
"""An object as JSON and YAML have it: of files, requests and configurations, at the borders alone."""
