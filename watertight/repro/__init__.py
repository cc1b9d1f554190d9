"""Run a DVC graph with independent stages side by side, to the bytes that plain ``dvc repro`` leaves. Knows no workload."""
