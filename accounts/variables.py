"""Variables of the environment that commands ask for when they make people."""

from __future__ import annotations

from common.env import Password, Text, Variables


class NewPersonVariables(Variables):
    """The first admin's address, and the password of whom a command makes; without one they get an invitation."""

    PORTAL_ADMIN_EMAIL: Text | None = None
    PORTAL_PASSWORD: Password | None = None
