"""The parts of ``benchmarks/point_in_time.py``: its cases, their files, the engines, and how one call is measured and judged."""
