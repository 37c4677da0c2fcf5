"""What an installation says about the facts that it was given, as one JSON text: two installations that were given the
same must say the same. Instants of the run itself, and what counts writes, are left out.

    picture.py BINARY CONFIG FROM TO     CONFIG names the peers; FROM and TO are the days of the facts
"""
import datetime
import json
import subprocess
import sys
import time

BINARY, CONFIG, FROM, TO = sys.argv[1:]
VOLATILE = {"etag", "version", "score_day", "as_of"}


def ask(*arguments):
    command = [BINARY, "--config", CONFIG, "--output", "json", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    if done.returncode:
        raise SystemExit(f"{' '.join(arguments)}: {done.stderr.strip()}")
    return json.loads(done.stdout)


def settled():
    """Waits until no event waits and every account is scored, three times in a row."""
    quiet, until = 0, time.monotonic() + 300
    while quiet < 3:
        waiting = sum(item["backlog"] for item in ask("outbox")["items"])
        accounts = len(ask("accounts", "--limit", "0")["items"])
        scored = len(ask("scores", "--limit", "0")["items"])
        quiet = quiet + 1 if waiting == 0 and scored >= accounts > 0 else 0
        if time.monotonic() > until:
            raise SystemExit(f"{waiting} events wait, {scored} of {accounts} accounts are scored")
        time.sleep(2)


def plain(value, today):
    if isinstance(value, dict):
        return {key: plain(item, today) for key, item in value.items() if key not in VOLATILE}
    if isinstance(value, list):
        return [plain(item, today) for item in value]
    if isinstance(value, str) and len(value) >= 20 and value[4:5] == "-" and value[:10] >= today:
        return "(of this run)"
    return value


def main():
    settled()
    today = datetime.datetime.now(datetime.timezone.utc).date().isoformat()
    window = ["--from", FROM, "--to", TO]
    accounts = [item["account"] for item in ask("accounts", "--limit", "0")["items"]]
    picture = {"accounts": ask("accounts", "--limit", "0"), "scores": ask("scores", "--limit", "0")}
    for account in accounts:
        picture[f"account {account}"] = ask("account", account)
    # What was withdrawn, and which was first, depends on how much of the facts was there when somebody looked.
    signals = ask("signals", "--limit", "0")
    stand = [item for item in signals["items"] if item["state"] != "withdrawn"]
    signals["items"] = sorted(stand, key=lambda item: item["signal"])
    picture["signals"] = signals
    picture["renewals"] = ask("renewals", "--all", "--limit", "0")
    picture["tasks"] = ask("tasks", "--limit", "0")
    for part in ["revenue", "movements", "weekly", "pressure"]:
        picture[part] = ask("metrics", part, *window)
    print(json.dumps(plain(picture, today), indent=1, sort_keys=True))


main()
