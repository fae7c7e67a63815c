"""The smoke test: what a version answers to a throw-away owner, and how fast beside another one.

Pure but for `Send`. Every request goes through the whole function, as a user's does; each owner is
new, as one who has deleted everything may not begin again.
"""

from __future__ import annotations

import statistics
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from project.switch import Row
from releases.events import Request
from releases.functions import Reply

# By how much a version's median may be longer than the other's: so many times, and milliseconds.
SLOWER_TIMES, SLOWER_MS = 2.0, 50.0
# How often each request is timed; where that looks slow, as often again before it counts.
ROUNDS = 5
# The switch is read here and, seconds apart, by the function: near a change either is right.
UNSURE_MS = 5_000

# Sends a request in a username's name, None for a public route.
Send = Callable[[Request, str | None], Reply]


class Writes(Enum):
    """What the fence does with a Region's writes."""

    TAKEN = "taken"
    REFUSED = "refused"
    EITHER = "either"


REFUSALS = ("/problems/writes-elsewhere", "/problems/writes-paused")


def writes_of(row: Row, region: str, standby: str, now: int) -> Writes:
    """Tell what is right for a Region at `now` (epoch milliseconds), by the operator's row."""
    around = (now - UNSURE_MS, now, now + UNSURE_MS)
    answers = {row.writer_at(at, standby) in {None, region} and not row.paused for at in around}
    if len(answers) > 1:
        return Writes.EITHER
    return Writes.TAKEN if answers.pop() else Writes.REFUSED


@dataclass(frozen=True, slots=True)
class Step:
    """One request and what came of it; `wrong` says what should have, empty where it did."""

    name: str
    reply: Reply
    wrong: str = ""


@dataclass(slots=True)
class Journey:
    """Requests of one owner, in order, up to the first that goes wrong."""

    send: Send
    username: str
    region: str
    writes: Writes
    steps: list[Step] = field(default_factory=list)

    @property
    def wrong(self) -> str:
        """What went wrong; empty where nothing did."""
        return self.steps[-1].wrong if self.steps else ""

    def users(self) -> Journey:
        """Create, read, list, update, delete, delete all."""
        title = f"Smoke test {uuid.uuid4()}"
        created = self._ask(
            "create",
            Request("POST", "/v1/items", headers={"idempotency-key": self.username},
                    body={"title": title}),
            201,
        )  # fmt: skip
        if self.wrong:
            return self
        if created.status == 503:
            return self._reader()
        found = created.json if isinstance(created.json, dict) else {}
        item, etag = str(found.get("id", "")), created.headers.get("etag", "")
        one = {"id": item}
        asked: list[tuple[str, Request, int]] = [
            ("read", Request("GET", "/v1/items/{id}", one), 200),
            ("list", Request("GET", "/v1/items", query={"limit": "5"}), 200),
            ("update",
             Request("PATCH", "/v1/items/{id}", one, headers={"if-match": etag},
                     body={"status": "done"}), 200),
            ("delete", Request("DELETE", "/v1/items/{id}", one), 204),
            ("read what is deleted", Request("GET", "/v1/items/{id}", one), 404),
            ("delete all", Request("DELETE", "/v1/me"), 204),
        ]  # fmt: skip
        holding = {"read": title, "list": title, "update": '"done"'}
        for name, request, status in asked:
            self._ask(name, request, status, holding.get(name, ""))
            if self.wrong:
                break
        return self

    def _reader(self) -> Journey:
        """What is left where the Region may not write."""
        nobodys = {"id": str(uuid.uuid4())}
        for name, request, status in (
            ("list", Request("GET", "/v1/items", query={"limit": "5"}), 200),
            ("read what is nobody's", Request("GET", "/v1/items/{id}", nobodys), 404),
        ):
            self._ask(name, request, status)
            if self.wrong:
                break
        return self

    def health(self) -> Journey:
        """The three health routes. Takeover is not active (404), or is."""
        for resource, statuses in (
            ("/health", (200,)),
            ("/health/ready", (200,)),
            ("/health/takeover", (200, 404)),
        ):
            reply = self.send(Request("GET", resource), None)
            self._note(resource, reply, _unlike(reply, statuses, self.region))
            if self.wrong:
                break
        return self

    def _ask(self, name: str, request: Request, status: int, holding: str = "") -> Reply:
        reply = self.send(request, self.username)
        wrong = _unlike(reply, (status,), self.region)
        if name == "create":
            wrong = self._judge_write(reply, wrong)
        elif not wrong and holding not in reply.body:
            wrong = "an answer that lacks what was written"
        self._note(name, reply, wrong)
        return reply

    def _judge_write(self, reply: Reply, wrong: str) -> str:
        refused = isinstance(reply.json, dict) and reply.json.get("type") in REFUSALS
        if self.writes is Writes.REFUSED and not wrong:
            return "201, where the operator's switch lets this Region write nothing"
        if refused and self.writes is not Writes.TAKEN:
            return ""
        return wrong

    def _note(self, name: str, reply: Reply, wrong: str) -> None:
        self.steps.append(Step(name, reply, f"{name}: {wrong}" if wrong else ""))


def _unlike(reply: Reply, statuses: Sequence[int], region: str) -> str:
    if reply.error:
        return reply.error
    if reply.status not in statuses:
        wanted = " or ".join(str(status) for status in statuses)
        problem = reply.json.get("detail", "") if isinstance(reply.json, dict) else ""
        return f"{reply.status} in place of {wanted}" + (f" ({problem})" if problem else "")
    served = reply.headers.get("x-served-by")
    return "" if served == region else f"x-served-by {served} in place of {region}"


Timings = Mapping[str, Sequence[float]]


def timings(journeys: Iterable[Journey]) -> dict[str, list[float]]:
    """Milliseconds of each kind of request."""
    found: dict[str, list[float]] = {}
    for journey in journeys:
        for step in journey.steps:
            found.setdefault(step.name, []).append(step.reply.milliseconds)
    return found


def slower(new: Timings, old: Timings) -> str:
    """Say which requests are slower with the new version than with the old; empty for none.

    By medians of requests that took turns, so that what slows this machine, the way there or the
    table slows both.
    """
    found = []
    for name in new:
        if name not in old:
            continue
        ours, theirs = statistics.median(new[name]), statistics.median(old[name])
        if ours > SLOWER_TIMES * theirs + SLOWER_MS:
            found.append((ours - theirs, f"{name} takes {ours:.0f} ms in place of {theirs:.0f} ms"))
    if not found:
        return ""
    others = f", and {len(found) - 1} other kinds of request are slower" if len(found) > 1 else ""
    return max(found)[1] + others


def usernames(run: str) -> list[str]:
    """Every throw-away username that a run may use: what is left of one can be found by it."""
    return [username(run, place) for place in range(4 * ROUNDS + 4)]


def username(run: str, place: int) -> str:
    """One of them; the same whenever it is asked for."""
    return str(uuid.uuid5(uuid.UUID(run), str(place)))
