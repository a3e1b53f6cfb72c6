"""What Celery runs of the rule engine: kicks carry no data, so losing one costs a second (architecture.md 4, "Draining")."""

from celery import shared_task
from django.conf import settings

from rules.effects.thread import effects_thread
from rules.engine.clock import fire_due
from rules.engine.drain import drain_of_this_thread
from rules.engine.news import start_fanout
from rules.services import dead_letters
from rules.services.retention import forget
from rules.services.ticking import forget_orphans
from rules.services.traces import end_expired
from thingsboard.kernel.outbox.kicks import resend

# A drain lets others have its thread after so long.
TURN_S = 1.0


@shared_task(  # type: ignore[untyped-decorator]
    name="rules.tasks.drain"
)
def drain(group: int) -> None:
    """Work off the lanes of one group until nothing is left (kernel.outbox.kicks)."""
    start_fanout()
    if drain_of_this_thread().work(group, TURN_S):
        resend(group)


@shared_task(  # type: ignore[untyped-decorator]
    name="rules.tasks.sweep"
)
def sweep() -> None:
    """Work off what nobody was told of (every TB_RULE_SWEEP_SECONDS)."""
    start_fanout()
    for group in range(settings.TB_RULE_DRAINS):
        if drain_of_this_thread().work(group, TURN_S, linger_s=0.0):
            resend(group)


@shared_task(  # type: ignore[untyped-decorator]
    name="rules.tasks.work_outside"
)
def work_outside(_group: int = 0) -> None:
    """Wake this process' effects worker (kernel.effects.kicks, and every TB_EFFECT_SWEEP_SECONDS)."""
    effects_thread.wake()


@shared_task(  # type: ignore[untyped-decorator]
    name="rules.tasks.trim_dead_letters"
)
def trim_dead_letters() -> None:
    """Dead letters beyond their number and age (every minute)."""
    dead_letters.trim()


@shared_task(  # type: ignore[untyped-decorator]
    name="rules.tasks.end_traces"
)
def end_traces() -> None:
    """Demands for traces whose time is over (every minute)."""
    end_expired()


@shared_task(  # type: ignore[untyped-decorator]
    name="rules.tasks.forget_events"
)
def forget_events() -> None:
    """Old debug events and traces, and those beyond what is kept; what nodes left behind (every five minutes)."""
    forget()
    forget_orphans()


@shared_task(  # type: ignore[untyped-decorator]
    name="rules.tasks.fire_timers"
)
def fire_timers() -> None:
    """Have what waited for its time go on (every TB_TIMER_SECONDS), one slice after the other while more is due."""
    if fire_due(TURN_S):
        fire_timers.apply_async(queue="rules", ignore_result=True)
