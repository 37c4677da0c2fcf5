"""Grafana dashboards as code: `tests/charts --write` makes the JSON beside this file from what stands here."""
import json
import pathlib

HERE = pathlib.Path(__file__).resolve().parent
SERVER = 'span_kind="SPAN_KIND_SERVER", service_name=~"$service"'
FAULTS = "UNKNOWN|DEADLINE_EXCEEDED|RESOURCE_EXHAUSTED|UNIMPLEMENTED|INTERNAL|UNAVAILABLE|DATA_LOSS"
# Instants are microseconds and days are epoch days in the stores; both may be filtered by Grafana's range in seconds.
AT = "to_timestamp({} / 1e6)"


def prometheus(*queries):
    return {"type": "prometheus", "uid": "prometheus"}, [
        {"refId": chr(65 + i), "expr": expr, "legendFormat": legend} for i, (expr, legend) in enumerate(queries)
    ]


def database(service, sql, form="time_series"):
    """A query of a service's own database; the data source `upswell-<service>` must be a role that can only read."""
    source = {"type": "grafana-postgresql-datasource", "uid": f"upswell-{service}"}
    return source, [{"refId": "A", "rawSql": sql, "rawQuery": True, "format": form, "editorMode": "code"}]


def panel(title, queries, unit="short", kind="timeseries", width=12, height=8, **options):
    source, targets = queries
    return {
        "title": title,
        "type": kind,
        "datasource": source,
        "targets": [{**target, "datasource": source} for target in targets],
        "fieldConfig": {"defaults": {"unit": unit, **options}, "overrides": []},
        "gridPos": {"w": width, "h": height},
    }


def placed(panels):
    """Panels from left to right and top to bottom."""
    x = y = height = 0
    for number, item in enumerate(panels, 1):
        place = item["gridPos"]
        if x + place["w"] > 24:
            x, y, height = 0, y + height, 0
        place["x"], place["y"] = x, y
        x, height = x + place["w"], max(height, place["h"])
        item["id"] = number
    return panels


def service_variable():
    return {
        "name": "service",
        "type": "query",
        "datasource": {"type": "prometheus", "uid": "prometheus"},
        "query": "label_values(upswell_calls_total, service_name)",
        "refresh": 2,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "current": {"text": "All", "value": "$__all"},
    }


def dashboard(uid, title, panels, variables=()):
    return {
        "uid": uid,
        "title": title,
        "tags": ["upswell"],
        "schemaVersion": 41,
        "editable": False,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {"list": list(variables)},
        "panels": placed(panels),
    }


def services():
    calls = f"upswell_calls_total{{{SERVER}}}"
    slow = f"upswell_duration_seconds_bucket{{{SERVER}}}"
    return dashboard("upswell-services", "Upswell: services", [
        panel("Calls", prometheus((f"sum by (service_name) (rate({calls}[$__rate_interval]))", "{{service_name}}")), "reqps"),
        panel("Faults", prometheus((
            f'sum by (service_name, rpc_response_status_code) (rate(upswell_calls_total{{{SERVER}, rpc_response_status_code=~"{FAULTS}"}}[$__rate_interval]))',
            "{{service_name}} {{rpc_response_status_code}}")), "reqps"),
        panel("Time to answer, 99 of 100", prometheus((
            f"histogram_quantile(0.99, sum by (service_name, le) (rate({slow}[$__rate_interval])))", "{{service_name}}")), "s"),
        panel("Time to answer by method, 99 of 100", prometheus((
            f"topk(10, histogram_quantile(0.99, sum by (rpc_method, le) (rate({slow}[$__rate_interval]))))", "{{rpc_method}}")), "s"),
        panel("Budget of calls: how fast it burns", prometheus(
            ('upswell:call_faults:ratio_rate1h{service_name=~"$service"} / 0.001', "{{service_name}} 1 h"),
            ('upswell:call_faults:ratio_rate6h{service_name=~"$service"} / 0.001', "{{service_name}} 6 h"))),
        panel("Budget of latency: how fast it burns", prometheus(
            ('upswell:call_slow:ratio_rate1h{service_name=~"$service"} / 0.01', "{{service_name}} 1 h"))),
        panel("Memory of the pods", prometheus((
            'sum by (pod) (container_memory_working_set_bytes{pod=~"upswell-.*", container!=""})', "{{pod}}")), "bytes"),
        panel("CPU of the pods", prometheus((
            'sum by (pod) (rate(container_cpu_usage_seconds_total{pod=~"upswell-.*", container!=""}[$__rate_interval]))', "{{pod}}"))),
    ], [service_variable()])


def events():
    return dashboard("upswell-events", "Upswell: events", [
        panel("Age of the oldest event that waits", prometheus(("upswell:outbox_oldest:seconds", "{{source}} to {{dest}}")), "s"),
        panel("Events that wait", prometheus(("max by (datname, dest) (cnpg_upswell_outbox_backlog)", "{{datname}} to {{dest}}"))),
        panel("Freshness: how fast the budget burns", prometheus(("upswell:outbox_stale:ratio1h / 0.01", "{{source}} to {{dest}}"))),
        panel("Accounts behind a dead letter", prometheus(("max by (datname, dest) (cnpg_upswell_outbox_parked)", "{{datname}} to {{dest}}"))),
        panel("Events applied", prometheus((
            'sum by (service_name, messaging_destination_name) (rate(upswell_calls_total{messaging_destination_name!="", span_kind="SPAN_KIND_CONSUMER"}[$__rate_interval]))',
            "{{service_name}} {{messaging_destination_name}}")), "ops", width=24),
    ])


def pressure():
    return dashboard("upswell-pressure", "Upswell: caps and approvals", [
        panel("Touches of seven days", prometheus(("sum by (class, state) (cnpg_upswell_touches_week)", "{{class}} {{state}}"))),
        panel("Touches a day, by class", database("offers", f"""
            SELECT date_trunc('day', {AT.format('planned_at')}) AS time, class AS metric, COUNT(*) AS value
            FROM touches WHERE $__timeFilter({AT.format('planned_at')}) AND state = 'confirmed'
            GROUP BY 1, 2 ORDER BY 1""")),
        panel("Offers by state", database("offers", "SELECT state, COUNT(*) AS offers FROM offers GROUP BY state ORDER BY 2 DESC", "table"),
              kind="table"),
        panel("Approvals that wait, and since when", database("offers", f"""
            SELECT approver_id, COUNT(*) AS pending, MIN({AT.format('requested_at')}) AS oldest, MIN({AT.format('expires_at')}) AS expires
            FROM approvals WHERE state = 'pending' GROUP BY approver_id ORDER BY oldest""", "table"), kind="table"),
        panel("Approvals by outcome", database("offers", f"""
            SELECT date_trunc('day', {AT.format('requested_at')}) AS time, state AS metric, COUNT(*) AS value
            FROM approvals WHERE $__timeFilter({AT.format('requested_at')}) GROUP BY 1, 2 ORDER BY 1""")),
        panel("Accounts nobody may touch now", database("offers", """
            SELECT reason, COUNT(DISTINCT account_id) AS accounts FROM suppressions
            WHERE lifted_at IS NULL AND (expires_at IS NULL OR expires_at > EXTRACT(EPOCH FROM now()) * 1e6)
            GROUP BY reason ORDER BY 2 DESC""", "table"), kind="table"),
    ])


def revenue():
    day = "to_timestamp(day::bigint * 86400)"
    kinds = "CASE kind WHEN 1 THEN 'new' WHEN 2 THEN 'reactivation' WHEN 3 THEN 'expansion' WHEN 4 THEN 'contraction' ELSE 'churn' END"
    return dashboard("upswell-revenue", "Upswell: revenue", [
        panel("Movements of MRR a day, minor units", database("metrics", f"""
            SELECT {day} AS time, currency || ' ' || {kinds} AS metric, SUM(amount_minor)::bigint AS value
            FROM movements WHERE $__timeFilter({day}) GROUP BY 1, 2 ORDER BY 1"""), width=24),
        panel("MRR today, minor units", database("metrics", """
            SELECT currency, SUM(mrr_minor)::bigint AS mrr, COUNT(DISTINCT account_id) AS accounts FROM mrr_levels
            WHERE from_on <= EXTRACT(EPOCH FROM now()) / 86400 AND to_on > EXTRACT(EPOCH FROM now()) / 86400 GROUP BY currency""", "table"),
              kind="table"),
        panel("Expansion that an order stands behind", database("metrics", f"""
            SELECT {day} AS time, currency AS metric, SUM(amount_minor)::bigint AS value
            FROM movements WHERE $__timeFilter({day}) AND order_id <> '' AND kind = 3 GROUP BY 1, 2 ORDER BY 1""")),
        panel("From signal to money, in the range", database("metrics", f"""
            SELECT COUNT(*) FILTER (WHERE $__timeFilter({AT.format('sent_at')})) AS sent,
                   COUNT(*) FILTER (WHERE $__timeFilter({AT.format('accepted_at')})) AS accepted
            FROM offers""", "table"), kind="table"),
        panel("Orders placed and paid", database("metrics", f"""
            SELECT date_trunc('day', {AT.format('placed_at')}) AS time, COUNT(*) AS placed, COUNT(paid_at) AS paid
            FROM orders WHERE $__timeFilter({AT.format('placed_at')}) GROUP BY 1 ORDER BY 1""")),
    ])


def all_dashboards():
    """File name → content."""
    made = {"services": services(), "events": events(), "pressure": pressure(), "revenue": revenue()}
    return {f"{name}.json": json.dumps(board, indent=1) + "\n" for name, board in made.items()}


def queries():
    """(service, SQL) of every panel that asks a database, with Grafana's macros filled in."""
    import re
    for board in (services(), events(), pressure(), revenue()):
        for item in board["panels"]:
            for target in item["targets"]:
                if "rawSql" in target:
                    sql = re.sub(r"\$__timeFilter\((.*?\)?)\)(?=[\s)]|$)", r"\1 BETWEEN now() - interval '1 day' AND now()", target["rawSql"])
                    yield item["datasource"]["uid"].removeprefix("upswell-"), sql


if __name__ == "__main__":
    for name, text in all_dashboards().items():
        (HERE / name).write_text(text)
