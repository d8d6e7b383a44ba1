"""Prometheus and Grafana ask only for what is measured, and every alert sounds when it should and says what to do."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import Counter, Histogram
from prometheus_client.metrics import MetricWrapperBase
from stage.compose_file import CHECKOUT, read_compose

from verbund import metrics

DEPLOY = CHECKOUT / "deploy"
RULES = DEPLOY / "prometheus" / "alerts.yml"
SCRAPED = {"job", "instance", "process", "le"}
"""Labels that a series gets besides those that its metric declares."""
DASHBOARDS = sorted((DEPLOY / "grafana" / "dashboards").glob("*.json"))
ALERTS: list[dict[str, Any]] = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"][0]["rules"]


def _series() -> Iterator[tuple[str, set[str]]]:
    """The names under which every metric is found, and its labels."""
    for metric in vars(metrics).values():
        if isinstance(metric, MetricWrapperBase):
            (described,) = metric.describe()
            labels = set(metric._labelnames)
            if isinstance(metric, Histogram):
                yield from ((f"{described.name}_{part}", labels) for part in ("bucket", "sum", "count"))
            else:
                yield f"{described.name}_total" if isinstance(metric, Counter) else described.name, labels


SERIES = dict(_series())


def dashboard(file: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return read


def queries(file: Path) -> list[str]:
    return [target["expr"] for panel in dashboard(file)["panels"] for target in panel.get("targets", ())]


EVERY_QUERY = [*(alert["expr"] for alert in ALERTS), *(query for file in DASHBOARDS for query in queries(file))]


@pytest.fixture(scope="module")
def promtool() -> str:
    found = shutil.which("promtool")
    if found is None:
        pytest.skip("promtool is not installed (Debian: apt-get install prometheus)")
    return found


def run(*words: str) -> None:
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_prometheus_reads_its_configuration(promtool: str) -> None:
    run(promtool, "check", "config", str(DEPLOY / "prometheus" / "prometheus.yml"))


def test_every_alert_sounds_when_it_should(promtool: str, tmp_path: Path) -> None:
    cases = (CHECKOUT / "tests" / "deploy" / "alerts_test.yml").read_text(encoding="utf-8")
    tried = set(re.findall(r"alertname: (\w+)\n +exp_alerts", cases))
    assert tried == {alert["alert"] for alert in ALERTS}
    file = tmp_path / "alerts_test.yml"
    file.write_text(cases.replace("ALERTS", str(RULES)), encoding="utf-8")
    run(promtool, "test", "rules", str(file))


def test_every_query_of_a_dashboard_can_be_read(promtool: str, tmp_path: Path) -> None:
    asked = [query.replace("$__rate_interval", "5m") for file in DASHBOARDS for query in queries(file)]
    rules = [{"record": f"panel:{number}", "expr": query} for number, query in enumerate(asked)]
    file = tmp_path / "rules.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "dashboards", "rules": rules}]}), encoding="utf-8")
    run(promtool, "check", "rules", str(file))


@pytest.mark.parametrize("query", EVERY_QUERY)
def test_what_is_asked_for_is_measured(query: str) -> None:
    names = set(re.findall(r"\bverbund_\w+", query)) - {"verbund"}
    unknown = names - SERIES.keys()
    assert not unknown, f"no metric is called {unknown}"
    labels = set(re.findall(r"(\w+)\s*(?:=~|!=|!~|=)\s*\"", query))
    labels |= {label.strip() for group in re.findall(r"by \(([^)]*)\)", query) for label in group.split(",")}
    known = SCRAPED.union(*(SERIES[name] for name in names))
    assert labels <= known, f"no such label: {labels - known}"


@pytest.mark.parametrize("alert", ALERTS, ids=[alert["alert"] for alert in ALERTS])
def test_an_alert_says_what_to_do(alert: dict[str, Any]) -> None:
    runbook = CHECKOUT / alert["annotations"]["runbook"]
    assert runbook.parent == CHECKOUT / "docs" / "runbooks"
    assert runbook.is_file()
    assert alert["alert"] in runbook.read_text(encoding="utf-8"), "the page does not name the alert that leads to it"
    assert alert["labels"]["severity"] in ("critical", "warning")


def test_every_process_is_asked() -> None:
    config = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text(encoding="utf-8"))
    (job,) = config["scrape_configs"]
    (static,) = job["static_configs"]
    processes = read_compose().processes
    assert sorted(static["targets"]) == sorted(f"{each.name}:{each.environment['VERBUND_PORT']}" for each in processes)


@pytest.mark.parametrize("file", DASHBOARDS, ids=[file.stem for file in DASHBOARDS])
def test_a_dashboard_says_what_each_panel_shows(file: Path) -> None:
    read = dashboard(file)
    (source,) = yaml.safe_load((DEPLOY / "grafana/provisioning/datasources/prometheus.yml").read_text())["datasources"]
    assert read["panels"]
    for panel in read["panels"]:
        assert panel["title"]
        if panel["type"] != "row":
            assert panel["datasource"]["uid"] == source["uid"]
            assert panel["targets"]
            assert panel["description"]
