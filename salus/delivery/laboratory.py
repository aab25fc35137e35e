"""What a laboratory (the demo, a benchmark, a test) may use of the wire: a throw-away authority, written-down routes.

Wiring enters here: the development relay makes its certificates with it and writes what a sender reads.
"""

from __future__ import annotations

from salus.delivery.protection.authority import Authority, Issued
from salus.delivery.protection.certificates import read as read_certificate
from salus.delivery.transports.laboratory import FORMAT
from salus.delivery.transports.laboratory import read as read_routes
from salus.delivery.transports.settings import laboratory_settings

__all__ = ["FORMAT", "Authority", "Issued", "laboratory_settings", "read_certificate", "read_routes"]
