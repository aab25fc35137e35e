"""The WSGI application that granian serves."""

import gc
import signal

from django.core.wsgi import get_wsgi_application

from salus.platform.supervisor import die_with_parent
from salus.wiring.cli import setup

# granian serves in a child of the process that we supervise: a child that outlived it would go on
# serving beside its successor.
if ask := die_with_parent(signal.SIGKILL):
    ask()
setup()
application = get_wsgi_application()
# What was loaded stays for ever: no collection needs to go through it while somebody waits for a page.
gc.collect()
gc.freeze()
