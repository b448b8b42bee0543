"""Dashboards for Grafana: `make dashboards` writes deploy/grafana/*.json, to be provisioned or imported."""

import sys
from itertools import count
from pathlib import Path

from grafana_foundation_sdk.builders import dashboard, prometheus, stat, timeseries
from grafana_foundation_sdk.builders.common import ReduceDataOptions, VizLegendOptions
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.common import LegendDisplayMode, LegendPlacement
from grafana_foundation_sdk.models.dashboard import (
    DataSourceRef,
    Threshold,
    ThresholdsMode,
    VariableRefresh,
)

from deploy.grafana.operations import OPERATIONS
from deploy.grafana.panels import Board, Panel
from deploy.grafana.people import QUEUE
from deploy.grafana.quality import MODELS, PROCESS

BOARDS = (OPERATIONS, QUEUE, MODELS, PROCESS)
PROMETHEUS = DataSourceRef("prometheus", "${source}")
"""Whichever Prometheus is picked at the top of the dashboard."""


def drawn(board: Board) -> str:
    """The JSON that Grafana keeps of a dashboard."""
    built = (
        dashboard.Dashboard(board.title)
        .uid(f"casework-{board.name}")
        .tags(["casework"])
        .time("now-24h", "now")
        .refresh("30s")
        .with_variable(dashboard.DatasourceVariable("source").label("Prometheus").type("prometheus"))
        .with_variable(_processes(board))
    )
    ids = count(1)
    for title, panels in board.rows.items():
        built.with_row(dashboard.Row(title).id(next(ids)))
        for panel in panels:
            built.with_panel((_number(panel) if panel.kind == "number" else _graph(panel)).id(next(ids)))
    return JSONEncoder(sort_keys=True, indent=1).encode(built.build()) + "\n"


def _processes(board: Board) -> dashboard.QueryVariable:
    return (
        dashboard.QueryVariable("process")
        .label("Process")
        .datasource(PROMETHEUS)
        .query("label_values(casework_brake_on, process)")
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .multi(not board.one)
        .include_all(not board.one)
    )


def _graph(panel: Panel) -> timeseries.Panel:
    drawing = timeseries.Panel().title(panel.title).description(panel.words).datasource(PROMETHEUS)
    for query in _queries(panel):
        drawing.with_target(query)
    legend = VizLegendOptions().show_legend(True).display_mode(LegendDisplayMode.LIST).placement(LegendPlacement.BOTTOM)
    return drawing.unit(panel.unit).min(0).legend(legend).span(8).height(8)


def _number(panel: Panel) -> stat.Panel:
    drawing = stat.Panel().title(panel.title).description(panel.words).datasource(PROMETHEUS)
    for query in _queries(panel):
        drawing.with_target(query.instant())
    steps = [Threshold(None, "green"), *([Threshold(panel.alarming, "red")] if panel.alarming else [])]
    levels = dashboard.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps)
    last = ReduceDataOptions().calcs(["lastNotNull"])
    return drawing.unit(panel.unit).thresholds(levels).reduce_options(last).span(4).height(4)


def _queries(panel: Panel) -> list[prometheus.Dataquery]:
    return [
        prometheus.Dataquery().ref_id(chr(ord("A") + number)).expr(query).legend_format(legend or panel.title)
        for number, (legend, query) in enumerate(panel.queries.items())
    ]


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for board in BOARDS:
        (folder / f"{board.name}.json").write_text(drawn(board))
