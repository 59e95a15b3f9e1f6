#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes task-runner.json, the Grafana board: `make_board.py > task-runner.json`. A test compares the two."""
import json

SOURCE = {"type": "prometheus", "uid": "${datasource}"}
TENANT = 'tenant=~"$tenant"'


def targets(*pairs):
    return [{"datasource": SOURCE, "expr": expression, "legendFormat": legend, "refId": chr(ord("A") + place)}
            for place, (expression, legend) in enumerate(pairs)]


def panel(kind, title, place, unit, queries, description, **more):
    x, y, width, height = place
    field = {"defaults": {"unit": unit, "custom": more.pop("custom", {}), **more.pop("defaults", {})}, "overrides": []}
    return {"type": kind, "title": title, "description": description, "datasource": SOURCE,
            "gridPos": {"x": x, "y": y, "w": width, "h": height}, "targets": targets(*queries), "fieldConfig": field, **more}


def limits(*steps):
    return {"thresholds": {"mode": "absolute", "steps": [{"color": colour, "value": value} for colour, value in steps]}}


def quantile(share, family, label):
    return f"histogram_quantile({share}, sum by (le, {label}) (rate({family}_bucket[$__rate_interval])))"


def panels():
    green, amber, red = "green", "orange", "red"
    return [
        panel("stat", "Active runs", (0, 0, 6, 5), "none", [(f"sum by (tenant) (pack_run_active{{{TENANT}}})", "{{tenant}}")],
              "Runs that have not ended: planned, running, waiting or paused."),
        panel("stat", "Success, 7 days", (6, 0, 6, 5), "percentunit", [(f"pack_run_success_ratio{{{TENANT}}}", "{{tenant}}")],
              "Of the runs that ended in the past 7 days, the share that succeeded; cancelled ones do not count.",
              defaults={"min": 0, "max": 1, **limits((red, None), (amber, 0.8), (green, 0.9))}),
        panel("stat", "Gates that wait", (12, 0, 6, 5), "s", [(f"pack_gate_waiting_seconds{{{TENANT}}}", "{{tenant}} {{gate}}")],
              "The longest wait of each gate that waits now. The alert is at 30 minutes.",
              defaults={"noValue": "none waits", **limits((green, None), (amber, 900), (red, 1800))}),
        panel("stat", "Evidence not exported", (18, 0, 6, 5), "none", [(f"stella_evidence_unexported{{{TENANT}}}", "{{tenant}}")],
              "Ended runs whose sealed evidence was never exported.", defaults=limits((green, None), (amber, 1))),
        panel("timeseries", "Runs by state", (0, 5, 12, 8), "none",
              [(f'sum by (state) (pack_runs{{{TENANT}, state=~"planned|running|waiting|paused"}})', "{{state}}")],
              "Runs that have not ended, by what they do.", custom={"fillOpacity": 20, "stacking": {"mode": "normal", "group": "A"}}),
        panel("timeseries", "Ends of runs", (12, 5, 12, 8), "none",
              [(f"sum by (state) (increase(pack_run_ended_total{{{TENANT}}}[$__rate_interval]))", "{{state}}")],
              "Attempts that ended, by how.", custom={"drawStyle": "bars", "fillOpacity": 60}),
        panel("timeseries", "Step duration, median and 95 %", (0, 13, 12, 8), "s",
              [(quantile(0.5, "pack_step_duration_seconds", "step_type"), "{{step_type}} median"),
               (quantile(0.95, "pack_step_duration_seconds", "step_type"), "{{step_type}} 95 %")],
              "By type of step; groups from their first step to their last."),
        panel("timeseries", "Gate wait, median and 95 %", (12, 13, 12, 8), "s",
              [(quantile(0.5, "pack_gate_wait_seconds", "gate"), "{{gate}} median"),
               (quantile(0.95, "pack_gate_wait_seconds", "gate"), "{{gate}} 95 %")],
              "Of gates that were decided or ran out."),
        panel("timeseries", "Retries, blocked attempts, chaos", (0, 21, 12, 8), "none",
              [(f"sum (increase(pack_step_retries_total{{{TENANT}}}[$__rate_interval]))", "retries"),
               (f"sum (increase(pack_network_blocked_total{{{TENANT}}}[$__rate_interval]))", "blocked attempts"),
               (f"sum (increase(pack_chaos_injected_total{{{TENANT}}}[$__rate_interval]))", "chaos hooks")],
              "What went on beside the plan."),
        panel("timeseries", "Disk of the runs", (12, 21, 6, 8), "bytes",
              [("stella_disk_free_bytes", "free"), ("stella_disk_reserve_bytes", "reserve")],
              "Free space, and what is held back for the journal on a full disk."),
        panel("timeseries", "Age of the mirror", (18, 21, 6, 8), "s",
              [("stella_mirror_age_seconds", "age"), ("stella_mirror_warn_age_seconds", "warn"), ("stella_mirror_max_age_seconds", "refused")],
              "Since its generation was issued, and the site's limits."),
        panel("timeseries", "The server", (0, 29, 12, 6), "bytes", [('process_resident_memory_bytes{job="stella"}', "memory")],
              "Resident memory of the serving process; nothing where only textfiles are read."),
        panel("stat", "Version", (12, 29, 12, 6), "none", [("stella_build_info", "{{version}}")], "Which stella answers.",
              options={"textMode": "name"}),
    ]


def board():
    variable = {"hide": 0, "includeAll": False, "multi": False}
    return {
        "uid": "task-runner", "title": "task-runner", "tags": ["stella"], "schemaVersion": 37, "version": 1, "editable": True,
        "refresh": "30s", "time": {"from": "now-6h", "to": "now"}, "timezone": "utc", "annotations": {"list": []}, "links": [],
        "templating": {"list": [
            {**variable, "name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus"},
            {**variable, "name": "tenant", "label": "Tenant", "type": "query", "datasource": SOURCE, "includeAll": True, "multi": True,
             "allValue": ".*", "refresh": 2, "sort": 1, "query": {"query": "label_values(pack_run_active, tenant)", "refId": "tenant"},
             "definition": "label_values(pack_run_active, tenant)", "current": {"text": "All", "value": "$__all"}}]},
        "panels": [{"id": number, **one} for number, one in enumerate(panels(), 1)],
    }


if __name__ == "__main__":
    print(json.dumps(board(), indent=1, sort_keys=True))
