"""The report: one self-contained page about a run."""

from html import escape

from truthmill.run import Run

_STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 46rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; } td { padding: .2rem 1.5rem .2rem 0; } td + td { text-align: right; }
"""


def page(run: Run) -> str:
    """The page as HTML; every text of a user is escaped."""
    rows = "".join(
        f"<tr><td>{escape(name)}</td><td>{value:,}</td></tr>" for name, value in run.counts.items()
    )
    labels = ", ".join(escape(str(label)) for label in run.request.get("labels", ()))
    title = f"Dataset {escape(run.dataset)}, run {escape(run.run)}"
    return f"""<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>{title}</title><style>{_STYLE}</style></head>
<body>
<h1>{title}</h1>
<p>Started {escape(run.started_at)} by {escape(run.trigger)}. Labels: {labels}.</p>
<h2>Where every input went</h2>
<table>{rows}</table>
</body>
</html>
"""
