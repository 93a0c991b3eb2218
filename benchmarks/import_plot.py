"""The picture of docs/performance.md. Runs in a process that has matplotlib."""

from matplotlib import pyplot
from matplotlib.ticker import ScalarFormatter

#: Blue is ours, orange is OCA's, grey is what bounds both; colours that also the colour-blind tell apart.
COLOURS = {
    "limit": "#bbbbbb",
    "floor": "#777777",
    "ours": "#0072b2",
    "oca_monthly": "#e69f00",
    "oca_daily": "#d55e00",
    "ours_resync": "#0072b2",
    "ours_resync_1pct": "#56b4e9",
    "oca_resync": "#e69f00",
    "oca_resync_1pct": "#f0c870",
}
PANELS = (("First synchronization", False), ("Second synchronization", True))


def draw(file, results):
    """
    :param str file: path of an SVG or PNG
    :param results: list of dictionaries with the keys of ``bench_import``
    """
    kinds = list(dict.fromkeys(values["database"] for values in results))
    panels = [
        (title, kind, [values for values in results if values["database"] == kind and is_resync(values) == wanted])
        for kind in kinds
        for title, wanted in PANELS
    ]
    panels = [panel for panel in panels if panel[2]]
    figure, axes = pyplot.subplots(len(panels), 1, figsize=(8, 3.2 * len(panels)), squeeze=False, layout="constrained")
    for axis, (title, kind, values) in zip(axes[:, 0], panels, strict=True):
        _draw_panel(axis, f"{title}, {kind} database", values)
    # Why without the date: the same results give the same file.
    metadata = {"Date": None} if file.endswith(".svg") else None
    pyplot.rcParams["svg.hashsalt"] = "benchmark"
    figure.savefig(file, metadata=metadata, dpi=120)


def is_resync(values):
    return "_resync" in values["variant"]


def _draw_panel(axis, title, results):
    """Groups of bars: a group for each number of lines, a bar for each variant."""
    groups = sorted({values["lines"] for values in results})
    variants = [variant for variant in COLOURS if any(values["variant"] == variant for values in results)]
    width = 0.8 / len(variants)
    for number, variant in enumerate(variants):
        own = [values for values in results if values["variant"] == variant]
        places = [groups.index(values["lines"]) + (number - (len(variants) - 1) / 2) * width for values in own]
        speeds = [values["lines_per_second"] for values in own]
        bars = axis.bar(places, speeds, width * 0.92, label=variant, color=COLOURS[variant])
        axis.bar_label(bars, [f"{speed:,.0f}" for speed in speeds], padding=2, fontsize=8)
    axis.set_title(title, fontsize=10, loc="left")
    axis.set_yscale("log")
    axis.yaxis.set_major_formatter(ScalarFormatter())
    axis.margins(y=0.15)
    axis.set_ylabel("lines per second")
    axis.set_xticks(range(len(groups)), [f"{lines:,} lines" for lines in groups])
    axis.spines[["top", "right"]].set_visible(False)
    axis.legend(fontsize=8, frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
