"""Exceptions that end a command.

    CommandError            exit code 1: the command failed
    └── InputError          exit code 2: the user's input is wrong, and nothing was created

Each is a message for the user: a line, or several where there are several problems.
"""

from __future__ import annotations


class CommandError(Exception):
    """The command failed."""

    exit_code = 1


class InputError(CommandError):
    """The user's input is wrong; nothing was created."""

    exit_code = 2
