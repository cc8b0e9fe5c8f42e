"""How much is drawn: `--hypothesis-profile=long` for minutes of each test, else a share that is always the same."""

from hypothesis import HealthCheck, settings

_ALWAYS = {"deadline": None, "database": None, "suppress_health_check": list(HealthCheck)}
settings.register_profile("short", max_examples=25, derandomize=True, **_ALWAYS)
settings.register_profile("long", max_examples=20_000, **_ALWAYS)
settings.load_profile("short")
