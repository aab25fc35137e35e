"""`python -m salus.wiring` is the command `salus`."""

import sys

from salus.wiring.cli import main

sys.exit(main())
