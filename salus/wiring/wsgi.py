"""The WSGI application that granian serves."""

from django.core.wsgi import get_wsgi_application

from salus.wiring.cli import setup

setup()
application = get_wsgi_application()
