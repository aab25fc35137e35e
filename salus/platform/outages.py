"""What the database raises when it is not there, in one tuple: Django's errors and the driver's own."""

from __future__ import annotations

import psycopg
from django.db import InterfaceError, OperationalError

DATABASE_AWAY = (OperationalError, InterfaceError, psycopg.OperationalError, psycopg.InterfaceError)
"""The work may be done again as soon as the database answers; nothing of it was committed, or all of it."""
