"""Each setting with its value and source, and what is wrong with it. Secrets stay hidden."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import SecretStr, ValidationError
from pydantic_settings import DotEnvSettingsSource, EnvSettingsSource
from pydantic_settings import SettingsError as UnreadableSetting

from app.doctor.report import Report, without_password
from app.settings import Settings
from app.template_settings import shown


def check_settings(report: Report) -> Settings | None:
    """Print them all; gives None when they cannot be read."""
    report.head(f"Settings (environment{', .env' if Path('.env').is_file() else '; no .env file here'})")
    given = given_settings()
    settings, faults = _read_settings()
    known = {f"LINLI_{name.upper()}": name for name in Settings.model_fields}
    for variable, name in known.items():
        value, source = given.get(variable, ("", "default"))
        if name in faults:
            shown = "(hidden)" if _is_secret(name) else repr(value)
            meant = Settings.model_fields[name].description
            report.wrong(f"{variable} = {shown}  [{source}]", f"{faults[name]}. It is: {meant}")
        elif settings is not None:
            report.ok(f"{variable} = {shown_value(getattr(settings, name))}  [{source}]")
        else:
            report.ok(f"{variable}  [{source}]")
    for variable in sorted(given.keys() - known.keys()):
        close = get_close_matches(variable, known, 1, 0.8)
        advice = f"did you mean {close[0]}?" if close else ""
        report.note(f"{variable} [{given[variable][1]}] is no setting of Linli", advice)
    if settings is None:
        report.note("the other checks wait until the settings can be read")
    return settings


def given_settings() -> dict[str, tuple[str, str]]:
    """(value, source) of each LINLI_ variable somebody set; the environment outranks .env, as where they are read."""
    found: dict[str, tuple[str, str]] = {}
    for source, reader in ((".env", DotEnvSettingsSource(Settings)), ("environment", EnvSettingsSource(Settings))):
        for name, value in reader.env_vars.items():
            if name.upper().startswith("LINLI_"):
                found[name.upper()] = (value or "", source)
    return found


def _read_settings() -> tuple[Settings | None, dict[str, str]]:
    """The settings, or what is wrong with which of them."""
    try:
        return Settings(), {}
    except ValidationError as error:
        return None, {str(fault["loc"][0]).lower(): fault["msg"] for fault in error.errors()}
    except UnreadableSetting as error:  # a setting in JSON that is not JSON; the message names it in quotes
        named = str(error).split('"')
        return None, {named[1] if len(named) > 1 else "": "is not JSON"}


def _is_secret(name: str) -> bool:
    return Settings.model_fields[name].annotation is SecretStr


def shown_value(value: Any) -> str:
    """A setting's value for the screen: secrets and passwords stay hidden."""
    if isinstance(value, SecretStr):
        return f"(set, {len(value)} characters)" if len(value) else "(not set)"
    if isinstance(value, str) and "://" in value:
        return without_password(value)
    if isinstance(value, dict):
        return shown(value)
    return str(value) if value not in ("", None) else "(empty)"
