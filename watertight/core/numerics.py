"""Pin what makes floating-point results differ between two runs or two processors: threads and vector widths.

Imported before NumPy, torch or LightGBM by every stage. A wider vector unit sums in another order, so the libraries
that can be told to are held to AVX2, which every current x86-64 server and laptop has. Values already in the
environment win. Nothing here can make two processor families agree to the last bit; it removes the common causes.
"""

from __future__ import annotations

import os

PINNED = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_CORETYPE": "Haswell",
    "MKL_CBWR": "AVX2",
    "ATEN_CPU_CAPABILITY": "avx2",
    "DNNL_MAX_CPU_ISA": "AVX2",
    "TOKENIZERS_PARALLELISM": "false",
}

SILENT = {
    "DO_NOT_TRACK": "1",
    "GX_ANALYTICS_ENABLED": "False",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "DVC_NO_ANALYTICS": "1",
    "MLFLOW_DISABLE_TELEMETRY": "true",
}


def pin() -> None:
    """Set the variables of :data:`PINNED` and :data:`SILENT` in this process unless they are set already."""
    for name, value in {**PINNED, **SILENT}.items():
        os.environ.setdefault(name, value)
