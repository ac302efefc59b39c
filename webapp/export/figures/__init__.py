"""The figures of a report, as SVG: in the page, and as files of their own."""
