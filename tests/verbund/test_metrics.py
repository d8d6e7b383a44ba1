"""Metrics: each is declared once, says what it means, and can carry nobody's name."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from fastapi import APIRouter
from fastapi.sse import EventSourceResponse
from prometheus_client import REGISTRY, Counter, Gauge, Histogram, Metric
from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.parser import text_string_to_metric_families
from stage.service_kit import ServiceKit, ask

from verbund import metrics
from verbund.service.permissions import PUBLIC, permit

ALL = {name: value for name, value in vars(metrics).items() if isinstance(value, MetricWrapperBase)}
UNITS = (
    "_total",
    "_seconds",
    "_orders",
    "_events",
    "_records",
    "_rows",
    "_number",
    "_open",
    "_state",
    "_timestamp_seconds",
)
LABELS = {"method", "route", "status", "command", "outcome", "ledger", "reason", "office", "audience"}


def _full_name(metric: MetricWrapperBase) -> str:
    name: str = _described(metric).name
    return f"{name}_total" if isinstance(metric, Counter) else name


def _described(metric: MetricWrapperBase) -> Metric:
    (described,) = metric.describe()
    return described


@pytest.mark.parametrize("name", ALL)
def test_a_metric_is_named_after_its_area_thing_and_unit(name: str) -> None:
    full = _full_name(ALL[name])
    assert re.fullmatch(r"verbund_(http|desk|ledger|feed|relay|image|live|alerts|webhook|source|ticks)_[a-z_]+", full)
    assert full.endswith(UNITS)


@pytest.mark.parametrize("name", ALL)
def test_a_metric_says_in_one_sentence_what_it_means(name: str) -> None:
    meaning = _described(ALL[name]).documentation
    assert meaning[0].isupper()
    assert meaning.endswith(".")
    assert "\n" not in meaning


@pytest.mark.parametrize("name", ALL)
def test_labels_are_few_and_known(name: str) -> None:
    assert set(ALL[name]._labelnames) <= LABELS


def test_metrics_are_declared_in_one_module_only() -> None:
    source = Path(metrics.__file__).parents[2]
    workspace = next(folder for folder in source.parents if (folder / "uv.lock").exists())
    declaring = re.compile(r"\b(Counter|Gauge|Histogram|Summary)\(\s*[\"']")
    files = [*workspace.glob("shared/src/**/*.py"), *workspace.glob("services/*/src/**/*.py")]
    assert len(files) > 30
    assert [file for file in files if declaring.search(file.read_text())] == [Path(metrics.__file__)]


def test_what_others_count_is_declared() -> None:
    kinds = {"DESK_COMMANDS": Counter, "DESK_QUEUE": Gauge, "FEED_COMMIT_SECONDS": Histogram, "FEED_LAG": Gauge}
    assert {name: type(ALL[name]) for name in kinds} == kinds


@pytest.fixture
def kit(tmp_path: Path) -> ServiceKit:
    return ServiceKit(tmp_path)


def _router() -> APIRouter:
    router = APIRouter(dependencies=[permit(PUBLIC)])

    @router.get("/counted/{name}")
    async def read(name: str) -> str:
        return name

    @router.get("/stream", response_class=EventSourceResponse)
    async def stream() -> AsyncIterator[str]:
        yield "one"

    return router


def _count(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


async def test_requests_are_counted_by_template_and_timed(kit: ServiceKit) -> None:
    labels = {"method": "GET", "route": "/counted/{name}"}
    before = _count("verbund_http_requests_total", status="200", **labels)
    app = kit.service(_router())
    for name in ("Mustermann", "Musterfrau"):
        await ask(app, "GET", f"/counted/{name}")
    assert _count("verbund_http_requests_total", status="200", **labels) == before + 2
    assert _count("verbund_http_request_seconds_count", **labels) >= 2
    exposed = (await ask(app, "GET", "/metrics")).text
    assert "/counted/{name}" in exposed
    assert "Muster" not in exposed


async def test_addresses_and_methods_that_do_not_exist_make_no_new_series(kit: ServiceKit) -> None:
    app = kit.service(_router())
    before = _count("verbund_http_requests_total", method="OTHER", route="(none)", status="404")
    for word in ("MUSTER", "MANN"):
        await ask(app, word, f"/{word}")
    assert _count("verbund_http_requests_total", method="OTHER", route="(none)", status="404") == before + 2


async def test_streams_are_counted_and_not_timed(kit: ServiceKit) -> None:
    answer = await ask(kit.service(_router()), "GET", "/stream")
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert _count("verbund_http_requests_total", method="GET", route="/stream", status="200") == 1
    assert _count("verbund_http_request_seconds_count", method="GET", route="/stream") == 0


async def test_two_applications_in_one_process_share_the_metrics(kit: ServiceKit) -> None:
    first, second = kit.service(_router()), kit.service(_router())
    for app in (first, second):
        families = list(text_string_to_metric_families((await ask(app, "GET", "/metrics")).text))
        assert "verbund_desk_batch_orders" in {family.name for family in families}
