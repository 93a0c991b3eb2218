"""The picture of docs/performance.md. Runs in a process that has matplotlib."""

from matplotlib import pyplot
from matplotlib.ticker import FuncFormatter, NullFormatter

#: From top to bottom. Grey is what bounds all, blue is ours, orange is OCA's: they are also distinguishable for the
#: colour-blind.
VARIANTS = {
    "limit": ("PostgreSQL's limit", "#777777"),
    "floor": ("ORM floor", "#777777"),
    "ours": ("ours", "#0072b2"),
    "oca_monthly": ("OCA, by month", "#d55e00"),
    "oca_daily": ("OCA, by day", "#d55e00"),
    "ours_resync": ("again, ours", "#0072b2"),
    "oca_resync": ("again, OCA", "#d55e00"),
    "ours_resync_1pct": ("again + 1 %, ours", "#0072b2"),
    "oca_resync_1pct": ("again + 1 %, OCA", "#d55e00"),
}
MARKERS = "osD^v*"


def draw(file, results):
    """A panel for each kind of database, a row for each variant, a mark for each number of lines.

    :param str file: path of an SVG or PNG
    :param results: list of dictionaries with the keys of ``bench_import``
    """
    # Why: the same results give the same file, and its texts stay texts.
    pyplot.rcParams.update({"svg.hashsalt": "benchmark", "svg.fonttype": "none"})
    kinds = list(dict.fromkeys(values["database"] for values in results))
    sizes = sorted({values["lines"] for values in results})
    variants = [variant for variant in VARIANTS if any(values["variant"] == variant for values in results)]
    figure, axes = pyplot.subplots(
        1, len(kinds), figsize=(4.6 * len(kinds) + 1.4, 4), sharex=True, sharey=True, squeeze=False
    )
    for axis, kind in zip(axes[0], kinds, strict=True):
        _draw_panel(axis, kind, [values for values in results if values["database"] == kind], variants, sizes)
    marks = [
        axis.plot([], [], MARKERS[number % len(MARKERS)], color="#444444", label=f"{lines:,} lines")[0]
        for number, lines in enumerate(sizes)
    ]
    figure.legend(handles=marks, loc="upper right", ncols=len(marks), fontsize=8, frameon=False)
    figure.tight_layout()
    figure.savefig(file, metadata={"Date": None} if file.endswith(".svg") else None, dpi=120)


def _draw_panel(axis, kind, results, variants, sizes):
    """Why marks and no bars: a logarithmic scale has no zero for them to begin at."""
    for values in results:
        number, row = sizes.index(values["lines"]), variants.index(values["variant"])
        # Marks of one row a little below each other, so that the numbers don't cover each other.
        place = row + (number - (len(sizes) - 1) / 2) * 0.34
        speed, (_label, colour) = values["lines_per_second"], VARIANTS[values["variant"]]
        axis.plot(speed, place, MARKERS[number % len(MARKERS)], color=colour, markersize=5)
        axis.annotate(f"{speed:,.0f}", (speed, place), xytext=(6, -3), textcoords="offset points", fontsize=8)
    axis.set_title(f"{kind} database", fontsize=10, loc="left")
    axis.set_xscale("log")
    axis.set_xlabel("lines per second (logarithmic)", fontsize=9)
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _position: f"{value:,.0f}"))
    axis.xaxis.set_minor_formatter(NullFormatter())
    axis.margins(x=0.15)
    axis.set_yticks(range(len(variants)), [VARIANTS[variant][0] for variant in variants], fontsize=9)
    axis.set_ylim(len(variants) - 0.4, -0.6)
    axis.grid(axis="x", color="#dddddd")
    axis.set_axisbelow(True)
    axis.spines[["top", "right"]].set_visible(False)
