"""Load the same pages with dlt, its rest_api source and its defaults (merge by id), into the same PostgreSQL; print the cost as JSON.

Run by an interpreter that has `dlt[postgres]`, as a file and not as a module: it needs nothing of ours. Arguments: the pages' address, their path,
the document asked for, the database's address, a folder to work in.
"""

import json
import os
import re
import sys
import time
from pathlib import Path


def main() -> None:
    """Load, and count what arrived."""
    address, path, document, database, folder = sys.argv[1:]
    os.environ.update({"RUNTIME__DLTHUB_TELEMETRY": "false", "RUNTIME__LOG_LEVEL": "ERROR", "DLT_DATA_DIR": folder})
    wall = time.perf_counter()
    import dlt
    from dlt.sources.rest_api import rest_api_source

    pages = {
        "type": "cursor",
        "cursor_path": "data.orders.pageInfo.endCursor",
        "cursor_body_path": "variables.after",
        "has_more_path": "data.orders.pageInfo.hasNextPage",
    }
    asked = {"query": document, "variables": {"after": None}}
    orders = {
        "name": "orders",
        "primary_key": "id",
        "write_disposition": "merge",
        "endpoint": {"path": path, "method": "POST", "json": asked, "data_selector": "data.orders.nodes", "paginator": pages},
    }
    source = rest_api_source({"client": {"base_url": address}, "resources": [orders]})
    pipeline = dlt.pipeline("bench", destination=dlt.destinations.postgres(database), dataset_name="bench_dlt", pipelines_dir=folder)
    pipeline.run(source)
    with pipeline.sql_client() as client:
        count = client.execute_sql("SELECT count(*) FROM orders")[0][0]
    peak = int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1]) // 1_000  # type: ignore[index]
    told = {"orders": count, "client": time.process_time(), "wall": time.perf_counter() - wall, "peak": peak}
    print(json.dumps(told))  # noqa: T201  the parent reads it


if __name__ == "__main__":
    main()
