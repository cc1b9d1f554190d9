"""How a source may lie on disk, or elsewhere."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tests.stores.offline.calls import job, joins, with_features
from tests.stores.offline.case import Case, view
from tests.stores.offline.layouts import beside_others, file_url, files, hive, named, one_file, relative, row_groups, s3
from tests.stores.offline.made import frame, hours, rows, stats
from tests.stores.offline.project import Project

TRIPS = ["stats:trips"]
FOUR = stats([10, 20, 30, 40], (0, 1, 0, 1), [1, 1, 2, 2])
ASKED = frame([1, 2, 1, 2], hours(0.5, 0.5, 1.5, 1.5))
ANSWER = {"trips": [10, 30, 20, 40]}
PARTED = rows([1, 1, 2, 2], hours(0, 1, 0, 1), trips=[10, 20, 30, 40], region=["a", "b", "a", "b"])


def lying(how: str, behaviour: str, layout: object, table: pa.Table = FOUR) -> Case:
    return joins(how, behaviour, [view("stats", table, layout=layout)], ASKED, TRIPS, ANSWER)


def _rewritten(project: Project) -> pa.Table:
    """Asked, written anew with greater values, and asked again."""
    job(project, ASKED, TRIPS).to_arrow()
    doubled = FOUR.set_column(2, "trips", pa.array([100, 200, 300, 400]))
    pq.write_table(doubled, Path(project.places["stats"]))
    return job(project, ASKED, TRIPS).to_arrow()


CASES = [
    lying("folder-of-files", "A folder of Parquet files is one source.", files(1, 2, 1)),
    joins(
        "folder-without-a-declared-format",
        "Also where the source does not say that it is Parquet.",
        [view("stats", FOUR, layout=files(1, 2, 1), format_declared=False)],
        ASKED,
        TRIPS,
        ANSWER,
    ),
    lying("folder-with-an-empty-file", "A file without rows may be among them.", files(2, 0, 2)),
    lying("folder-with-reordered-columns", "The columns of its files may stand in any order.", files(1, 1, 1, 1, reordered=True)),
    lying("folder-with-other-files", "Marks that other programs left in the folder are not read.", beside_others),
    lying("hive-partitions", "A folder may be partitioned.", hive("region"), PARTED),
    joins(
        "hive-partition-as-feature",
        "The column by which it is partitioned is a feature like any other.",
        [view("stats", PARTED, layout=hive("region"))],
        ASKED,
        ["stats:region"],
        {"region": pa.array(["a", "a", "b", "b"])},
    ),
    joins(
        "hive-partition-as-key",
        "Or a part of the key.",
        [view("stats", PARTED.take([0, 3]), keys=("region",), layout=hive("region"))],
        frame(region=["a", "b"], event_timestamp=hours(1.5, 1.5)),
        TRIPS,
        {"trips": [10, 40]},
    ),
    lying("row-groups", "A file may have many row groups.", row_groups(1)),
    lying("row-groups-without-statistics", "Also without their least and greatest values.", row_groups(1, statistics=False)),
    lying("relative-path", "A relative path starts at the repository.", relative(one_file)),
    lying("relative-folder", "So does that of a folder.", relative(files(2, 2))),
    lying("file-url", "A path may be a file:// URL.", file_url(one_file)),
    lying("file-url-of-a-folder", "That of a folder, too.", file_url(files(2, 2))),
    lying("path-with-a-space", "A path may hold spaces.", named("my rows.parquet")),
    lying("path-with-a-quote", "And quotes.", named("o'hara.parquet")),
    lying("path-with-glob-characters", "And characters that elsewhere stand for others.", named("rows[1]*.parquet")),
    lying("path-without-suffix", "A file need not end in .parquet.", named("rows.pq")),
    lying("s3-object", "A file may lie in an S3 bucket, behind the endpoint that the source names.", s3(one_file)),
    lying("s3-folder", "And a folder of files.", s3(files(1, 2, 1))),
    Case(
        "rewritten-source",
        "A file that was written anew is read anew.",
        [view("stats", FOUR)],
        _rewritten,
        with_features(ASKED, {"trips": pa.array([100, 300, 200, 400])}),
    ),
]
