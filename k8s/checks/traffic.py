"""Steady client traffic against an installation, and what must be true of it afterwards.

    traffic.py run STATE      until SIGTERM; STATE then says what was acknowledged
    traffic.py verify STATE   nothing acknowledged is lost, no cap was passed, every event arrived

Addresses are in TRAFFIC_PEERS as `ingestion=host:port,…`. A logical call is one that its caller goes on trying, within
a minute, as any client of the product should: facts and touches carry their own ids, so nothing is done twice.
"""
import collections
import itertools
import json
import os
import pathlib
import random
import signal
import sys
import tempfile
import threading
import time

import grpc
from grpc_tools import protoc

ROOT = pathlib.Path(__file__).resolve().parents[2]
PATIENCE = 60.0
ATTEMPT = 3.0
TRANSIENT = {
    grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED, grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.UNKNOWN, grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.ABORTED,
}
ACCOUNTS = [f"load-{number:03}" for number in range(60)]
WEEK = 7 * 86400


def contracts():
    """Python modules of the contracts, made anew."""
    out = tempfile.mkdtemp()
    files = [str(path.relative_to(ROOT / "proto")) for path in (ROOT / "proto").rglob("*.proto")]
    include = str(pathlib.Path(protoc.__file__).parent / "_proto")
    arguments = ["protoc", f"-I{ROOT / 'proto'}", f"-I{include}", f"--python_out={out}", f"--grpc_python_out={out}", *files]
    assert protoc.main(arguments) == 0, "the contracts do not compile"
    sys.path.insert(0, out)


contracts()
from google.protobuf.timestamp_pb2 import Timestamp  # noqa: E402
from upswell.admin.v1 import admin_pb2, admin_pb2_grpc  # noqa: E402
from upswell.ingestion.v1 import facts_pb2, ingestion_pb2, ingestion_pb2_grpc  # noqa: E402
from upswell.metrics.v1 import metrics_pb2, metrics_pb2_grpc  # noqa: E402
from upswell.offers.v1 import ledger_pb2, ledger_pb2_grpc  # noqa: E402
from upswell.renewals.v1 import renewals_pb2, renewals_pb2_grpc  # noqa: E402
from upswell.scoring.v1 import scoring_pb2, scoring_pb2_grpc  # noqa: E402
from upswell.vocabulary.v1 import vocabulary_pb2  # noqa: E402

COMMERCIAL = vocabulary_pb2.TouchClass.Value("TOUCH_CLASS_COMMERCIAL")
EMAIL = vocabulary_pb2.Channel.Value("CHANNEL_EMAIL")


class Client:
    """Calls with patience, counted."""

    def __init__(self):
        options = [
            ("grpc.initial_reconnect_backoff_ms", 100), ("grpc.min_reconnect_backoff_ms", 100), ("grpc.max_reconnect_backoff_ms", 1000),
            ("grpc.keepalive_time_ms", 10000), ("grpc.keepalive_timeout_ms", 2000), ("grpc.enable_retries", 0),
        ]
        peers = dict(item.split("=") for item in os.environ["TRAFFIC_PEERS"].split(","))
        channel = {name: grpc.insecure_channel(address, options=options) for name, address in peers.items()}
        self.ingestion = ingestion_pb2_grpc.IngestionServiceStub(channel["ingestion"])
        self.scoring = scoring_pb2_grpc.ScoringServiceStub(channel["scoring"])
        self.ledger = ledger_pb2_grpc.TouchLedgerServiceStub(channel["offers"])
        self.renewals = renewals_pb2_grpc.RenewalServiceStub(channel["renewals"])
        self.metrics = metrics_pb2_grpc.MetricsServiceStub(channel["metrics"])
        self.admin = {name: admin_pb2_grpc.AdminServiceStub(at) for name, at in channel.items()}
        self.count = collections.Counter()
        self.slowest = 0.0
        self.failures = []

    def call(self, method, request, known=()):
        """The answer; None for a status in `known` or a logical failure, which is noted."""
        began, last = time.monotonic(), None
        self.count["logical"] += 1
        while time.monotonic() - began < PATIENCE:
            self.count["attempts"] += 1
            try:
                answer = method(request, timeout=ATTEMPT)
                self.slowest = max(self.slowest, time.monotonic() - began)
                return answer
            except grpc.RpcError as error:
                if error.code() in known:
                    return None
                last = f"{error.code().name} {error.details()}"
                self.count[error.code().name] += 1
                if error.code() not in TRANSIENT:
                    break
                time.sleep(random.uniform(0.05, 0.4))
        self.count["failed"] += 1
        self.failures.append(last)
        return None


def fact(account, external_id, **body):
    now = Timestamp()
    now.GetCurrentTime()
    return facts_pb2.Fact(source="load", external_id=external_id, account_id=account, occur_time=now, **body)


def profiles():
    made = []
    for account in ACCOUNTS:
        profile = facts_pb2.AccountProfile(
            display_name=account, segment="load", country_code="KZ", time_zone="Asia/Almaty", language_code="ru")
        item = fact(account, f"{account}@profile", account_profile=profile)
        item.occur_time.FromSeconds(1767225600)
        made.append(item)
    return ingestion_pb2.RecordFactsRequest(facts=made)


class Run:
    def __init__(self, path):
        self.path, self.client, self.stopped = path, Client(), threading.Event()
        self.run = str(time.time_ns())
        self.facts, self.touches = [], []

    def record(self, worker):
        for number in itertools.count():
            if self.stopped.wait(0.15):
                return
            today = time.gmtime()
            items = []
            for part in range(4):
                day = {"year": today.tm_year, "month": today.tm_mon, "day": today.tm_mday}
                usage = facts_pb2.UsageCount(metric="shipments", value=part, day=day)
                items.append(fact(random.choice(ACCOUNTS), f"{self.run}-{worker}-{number}-{part}", usage=usage))
            answer = self.client.call(self.client.ingestion.RecordFacts, ingestion_pb2.RecordFactsRequest(facts=items))
            if answer:
                assert answer.rejected == 0, answer
                self.facts += [(item.account_id, item.external_id) for item in items]

    def send(self, worker):
        for number in itertools.count():
            if self.stopped.wait(0.15):
                return
            request = ledger_pb2.ReserveRequest(
                account_id=random.choice(ACCOUNTS), channel=EMAIL, sender="load",
                idempotency_key=f"{self.run}-{worker}-{number}", **{"class": COMMERCIAL})
            answer = self.client.call(self.client.ledger.Reserve, request)
            if answer and answer.HasField("granted"):
                touch = answer.granted.touch_id
                self.client.count["granted"] += 1
                self.touches.append(touch)
                if self.client.call(self.client.ledger.BeginSend, ledger_pb2.BeginSendRequest(touch_id=touch)):
                    self.client.call(self.client.ledger.Confirm, ledger_pb2.ConfirmRequest(touch_id=touch))

    def read(self, _):
        today = time.gmtime()
        day = {"year": today.tm_year, "month": today.tm_mon, "day": 1}
        window = metrics_pb2.Window(start_date=day, end_date={**day, "year": today.tm_year + 1})
        missing = {grpc.StatusCode.NOT_FOUND}
        while not self.stopped.wait(0.15):
            account = random.choice(ACCOUNTS)
            self.client.call(self.client.scoring.GetScore, scoring_pb2.GetScoreRequest(account_id=account), missing)
            self.client.call(self.client.renewals.ListDeals, renewals_pb2.ListDealsRequest(account_id=account))
            self.client.call(self.client.metrics.GetPressure, metrics_pb2.GetPressureRequest(window=window))
            self.client.call(self.client.ingestion.GetAccount360, ingestion_pb2.GetAccount360Request(account_id=account), missing)

    def go(self):
        ending = []
        signal.signal(signal.SIGTERM, lambda *_: ending.append(True))
        assert self.client.call(self.client.ingestion.RecordFacts, profiles()), self.client.failures
        arrived(self.client)
        workers = [(self.record, 0), (self.send, 0), (self.send, 1), (self.read, 0)]
        threads = [threading.Thread(target=work, args=(worker,)) for work, worker in workers]
        for thread in threads:
            thread.start()
        began = time.monotonic()
        while not ending:
            time.sleep(0.2)
        self.stopped.set()
        for thread in threads:
            thread.join()
        report = {
            "seconds": round(time.monotonic() - began), **self.client.count, "facts": len(self.facts),
            "slowest_s": round(self.client.slowest, 2), "failures": self.client.failures[:5],
        }
        pathlib.Path(self.path).write_text(json.dumps({"facts": self.facts, "touches": self.touches, "report": report}))
        print(json.dumps(report))
        sys.exit(1 if report.get("failed") else 0)


def pages(call, request, part):
    while True:
        answer = call(request, timeout=20)
        yield from getattr(answer, part)
        if not answer.next_page_token:
            return
        request.page_token = answer.next_page_token


def arrived(client):
    """Seconds until no service has an event that waits."""
    began = time.monotonic()
    while time.monotonic() - began < 120:
        waiting = parked = 0
        for admin in client.admin.values():
            status = client.call(admin.GetOutboxStatus, admin_pb2.GetOutboxStatusRequest())
            waiting += sum(to.backlog for to in status.destinations)
            parked += sum(to.parked for to in status.destinations)
        if waiting == 0:
            return time.monotonic() - began, parked
        time.sleep(0.5)
    raise SystemExit(f"{waiting} events still wait after two minutes, {parked} are parked")


def verify(path):
    state, client = json.loads(pathlib.Path(path).read_text()), Client()
    seconds, parked = arrived(client)
    by_account = collections.defaultdict(set)
    for account, external_id in state["facts"]:
        by_account[account].add(external_id)
    lost = 0
    for account, wanted in by_account.items():
        request = ingestion_pb2.ListFactsRequest(account_id=account, page_size=1000)
        there = {recorded.fact.external_id for recorded in pages(client.ingestion.ListFacts, request, "facts")}
        lost += len(wanted - there)
    counted, seen = collections.defaultdict(list), set()
    for touch in pages(client.ledger.ListTouches, ledger_pb2.ListTouchesRequest(page_size=1000), "touches"):
        seen.add(touch.touch_id)
        free = ledger_pb2.Touch.State.Name(touch.state) in ("STATE_RELEASED", "STATE_EXPIRED")
        if getattr(touch, "class") == COMMERCIAL and not free:
            at = touch.actual_time if touch.HasField("actual_time") else touch.planned_time
            counted[touch.account_id].append(at.ToMicroseconds() / 1e6)
    over = 0
    for times in counted.values():
        times.sort()
        over += sum(1 for first, second in zip(times, times[1:]) if second - first < WEEK)
    missing = len(set(state["touches"]) - seen)
    print(f"facts acknowledged {len(state['facts'])}, lost {lost}; touches granted {len(state['touches'])}, missing {missing}, "
          f"over the cap {over}; events arrived after {seconds:.1f} s, parked {parked}")
    sys.exit(1 if lost or missing or over or parked else 0)


if __name__ == "__main__":
    Run(sys.argv[2]).go() if sys.argv[1] == "run" else verify(sys.argv[2])
