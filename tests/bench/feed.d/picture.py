# SPDX-License-Identifier: MIT
"""Draws the medians of loader and checkpoint beside their peers, as an SVG that suits light and dark pages."""

from xml.sax.saxutils import escape

STYLE = """
text { font: 14px system-ui, sans-serif; fill: #24292f }
.title { font-weight: 600; font-size: 16px }
.small { font-size: 12px; fill: #57606a }
.ours { fill: #1a7f37 } .peer { fill: #8c959f } .limit { fill: #0969da }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 } .small { fill: #9198a1 }
  .ours { fill: #3fb950 } .peer { fill: #6e7681 } .limit { fill: #4493f8 }
}
"""
WIDTH, LABEL, BAR, LINE = 760, 250, 400, 26


def panel(book, title, rows, top):
    """Lines of SVG for one book, and where the next one may begin."""
    shown = [(label, name, kind, book.median(name)) for label, name, kind in rows if book and book.median(name)]
    if not shown:
        return [], top
    most = max(value for _, _, _, value in shown)
    lines = ['<text class="title" x="16" y="%d">%s</text>' % (top + 18, escape(title))]
    top += 32
    for label, name, kind, value in shown:
        length = BAR * value / most
        lines.append('<text x="%d" y="%d" text-anchor="end">%s</text>' % (LABEL, top + 15, escape(label)))
        lines.append('<rect class="%s" x="%d" y="%d" width="%.1f" height="18" rx="3"/>' % (
            kind, LABEL + 10, top + 1, length))
        lines.append('<text x="%.1f" y="%d">%.0f MiB/s</text>' % (LABEL + 16 + length, top + 15, value))
        top += LINE
    return lines, top + 14


def draw(path, books, site):
    """Writes the picture; False when there is nothing to draw."""
    loader = [("fio, one file, at random", "fio, one file, randread 112k, depth 32", "limit"),
              ("pitcrew (C)", "pitcrew (C), cold", "ours"), ("pitcrew (Python)", "pitcrew (Python), cold", "ours")]
    loader += [("DataLoader, %d workers" % n, "DataLoader, %d workers, cold" % n, "peer") for n in (0, 1, 2, 4)]
    save = [("fio, fsync at the end", "fio, write 4m, depth 8, fsync at the end", "limit"),
            ("pitcrew (C)", "pitcrew (C), durable", "ours"), ("pitcrew (Python)", "pitcrew (Python), durable", "ours"),
            ("torch.save, fsync, rename, fsync", "torch.save, fsync, rename, fsync", "peer"),
            ("torch.save, not durable", "torch.save, not durable", "peer")]
    lines, top = panel(books.get("loader"), "Loading small files in random order, cold", loader, 8)
    more, top = panel(books.get("checkpoint"), "Saving a checkpoint until it is durable", save, top)
    lines += more
    if not lines:
        return False
    lines.append('<text class="small" x="16" y="%d">%s</text>' % (top + 10, escape(site)))
    top += 24
    with open(path, "w") as file:
        file.write('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img">\n'
                   "<title>pitcrew beside its peers</title>\n<style>%s</style>\n%s\n</svg>\n" % (
                       WIDTH, top, WIDTH, top, STYLE, "\n".join(lines)))
    return True
