"""The roof. Whatever a process of the portal logs before its settings are read is JSON already."""

from portal import logs

logs.begin()
