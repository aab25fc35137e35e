"""Which ports a step has, by what it does: the canvas, the check and the mover agree because they ask here."""

from __future__ import annotations

from salus.journeys.contracts import (
    AGAIN,
    DONE,
    ELSE,
    FAILED,
    HAPPENED,
    NEXT,
    NOT_DONE,
    REFUSED,
    TIMEOUT,
    Action,
    Branch,
    Call,
    Exit,
    Goal,
    GoTo,
    Repeat,
    Send,
    Split,
    Step,
    Task,
    WaitFor,
)


def required_ports(step: Step) -> tuple[str, ...]:
    """Return the ports that must lead somewhere, in the order in which they are drawn."""
    return _required(step.does)


def _required(does: Action) -> tuple[str, ...]:
    match does:
        case WaitFor():
            return (HAPPENED, TIMEOUT)
        case Branch():
            return tuple(dict.fromkeys([*(case.port for case in does.cases), ELSE]))
        case Split():
            return tuple(does.weights)
        case Repeat():
            return (AGAIN, DONE)
        case Task():
            return (DONE, NOT_DONE)
        case Call():
            return (DONE,)
        case GoTo() if does.journey_id is not None:
            return ()
        case Goal() | Exit():
            return ()
        case _:
            return (NEXT,)


def optional_ports(step: Step) -> tuple[str, ...]:
    """Return the ports that may be left undrawn: people then go on as `Send` and `Call` say."""
    match step.does:
        case Send():
            return (REFUSED,)
        case Call():
            return (FAILED,)
        case _:
            return ()
